"""How many verifications a second one process of in-toto makes: `python upstream.py SECONDS FOLDER...`.

Run by the interpreter of upstream's environment. Reads the same files as `ours.py` and counts in the same way.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from itertools import cycle
from typing import Any

from in_toto import verifylib  # type: ignore[import-not-found]
from in_toto.models._signer import load_public_key_from_file  # type: ignore[import-not-found]
from in_toto.models.metadata import Metadata  # type: ignore[import-not-found]


def judge(folder: str, owner: dict[str, Any]) -> None:
    """Verify the chain in `folder`; raises unless it passes."""
    layout = Metadata.load(f"{folder}/root.layout")
    verifylib.in_toto_verify(layout, {owner["keyid"]: owner}, f"{folder}/links")


def main(seconds: str, *folders: str) -> None:
    owner = load_public_key_from_file(f"{folders[0]}/owner.pub")
    turns = cycle(folders)
    judge(next(turns), owner)
    count = 0
    start, busy = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < float(seconds):
        judge(next(turns), owner)
        count += 1
    busy = time.process_time() - busy
    print(json.dumps({"rate": count / busy}))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main(*sys.argv[1:])
