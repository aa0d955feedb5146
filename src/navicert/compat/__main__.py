"""`python -m navicert.compat SCRIPT [ARG…]`: runs a script written for in-toto, unchanged, on Navicert."""

from __future__ import annotations

import os
import runpy
import sys

from navicert.compat.finder import install

USAGE = "usage: python -m navicert.compat SCRIPT [ARG]...\n       python -m navicert.compat -m MODULE [ARG]...\n"


def main() -> None:
    """Run the script that the arguments name, as Python would, with our `in_toto` and `securesystemslib`."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help") or (words[0] == "-m" and len(words) < 2):
        (sys.stdout if words[:1] in (["-h"], ["--help"]) else sys.stderr).write(USAGE)
        sys.exit(0 if words[:1] in (["-h"], ["--help"]) else 2)
    install(force=True)
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return
    script = words[0]
    if not os.path.exists(script):
        sys.stderr.write(f"navicert.compat: no such script: {script}\n")
        sys.exit(2)
    sys.argv = words
    # As with `python SCRIPT`: the folder of the script comes first, in place of the current one that -m puts there.
    sys.path[0] = os.path.dirname(os.path.realpath(script))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
