"""Checks the source out: copies a tree of files, as version control would.

checkout.py REPOSITORY FOLDER
"""

import shutil
import sys
from pathlib import Path


def main(repository: str, folder: str) -> None:
    """Replace `folder` by the files of `repository`."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(repository, folder)
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    print(f"{len(files)} files of source")


if __name__ == "__main__":
    main(*sys.argv[1:])
