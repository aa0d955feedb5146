"""Runs many command lines of the in-toto programs in one process, whichever in-toto is importable there.

Reads a JSON array of jobs from standard input: folder, program ("run"), arguments. Writes an array to standard output:
exit code and what the program said on standard error. Runs on the Python of every release, so it uses little.
"""

import importlib
import json
import logging
import os
import sys
import tempfile


def perform(job):  # type: ignore[no-untyped-def]  # runs where nothing is installed but in-toto
    """The exit code of one command line, and its standard error."""
    os.chdir(job["folder"])
    sys.argv = [f"in-toto-{job['program']}", *job["arguments"]]
    main = importlib.import_module(f"in_toto.in_toto_{job['program'].replace('-', '_')}").main
    logging.getLogger("in_toto").setLevel(logging.WARNING)
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
        said.seek(0)
        return [code, said.read().decode(errors="replace")]


if __name__ == "__main__":
    jobs = json.load(sys.stdin)
    answer = os.dup(1)
    # What the programs print is of no interest, and must not stand in the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    outcomes = [perform(job) for job in jobs]
    with os.fdopen(answer, "w") as out:
        json.dump(outcomes, out)
