"""Writes what is in deploy/ from the sources that `navicert admission manifests` has too, or says that it is as it
should be.

    python scripts/deployment.py            write it
    python scripts/deployment.py --check    exit code 1 where something differs
"""

from __future__ import annotations

import sys
from pathlib import Path

from navicert.admission.deployment.chart import chart
from navicert.admission.deployment.disk import disk

ROOT = Path(__file__).resolve().parent.parent / "deploy"


def files() -> dict[Path, str]:
    """All written files with their text."""
    folders = {ROOT / "helm" / "navicert": chart(), ROOT / "on-disk": disk()}
    return {folder / name: text for folder, named in folders.items() for name, text in named.items()}


def main(words: list[str]) -> int:
    """Write, or compare."""
    wrong = [path for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for folder in (ROOT / "helm" / "navicert", ROOT / "on-disk"):
        wrong += [path for path in folder.rglob("*") if path.is_file() and path not in files()]
    for path in wrong:
        print(path.relative_to(ROOT.parent), file=sys.stderr)
    if words == ["--check"]:
        return 1 if wrong else 0
    for path in wrong:
        if path in files():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
