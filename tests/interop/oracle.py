"""Runs in the environment of in-toto 3.1.0: what it makes of cases that were unpacked into folders.

Reads a JSON array from standard input and writes an object to standard output: the name of each case and "pass", or
the class of the exception. A case: name, folder (as `vectors/unpack.py` makes it), at, parameters or null.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from in_toto import verifylib  # type: ignore[import-not-found]
from in_toto.models._signer import load_public_key_from_file  # type: ignore[import-not-found]
from in_toto.models.metadata import Metadata  # type: ignore[import-not-found]


def clock(moment: str) -> SimpleNamespace:
    """What verifylib uses of the module datetime, stopped at `moment`."""
    now = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return SimpleNamespace(datetime=SimpleNamespace(now=lambda tz=None: now))


def verdict(case: dict[str, Any]) -> str:
    folder = Path(case["folder"])
    inspected = folder / "inspect"
    inspected.mkdir(exist_ok=True)
    os.chdir(inspected)
    verifylib.datetime = clock(case["at"])
    try:
        layout = Metadata.load(str(folder / "root.layout"))
        keys = [load_public_key_from_file(str(path)) for path in sorted(folder.glob("owner-*.pub"))]
        verifylib.in_toto_verify(
            layout,
            {key["keyid"]: key for key in keys},
            str(folder / "evidence"),
            substitution_parameters=case["parameters"],
            persist_inspection_links=False,
        )
    except Exception as error:  # noqa: BLE001  # whatever it is, its class is the answer
        return type(error).__name__
    return "pass"


logging.disable(logging.CRITICAL)
json.dump({case["name"]: verdict(case) for case in json.load(sys.stdin)}, sys.stdout)
