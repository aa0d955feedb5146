"""Unpacks a case into files, for programs that read files: `python vectors/unpack.py CASE.json FOLDER`.

Needs nothing but Python. FOLDER gets `root.layout`, `owner-N.pub`, `evidence/`, `inspect/` and the target.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def raw(content: Mapping[str, str]) -> bytes:
    """The bytes of {"text": …} or {"base64": …}."""
    return content["text"].encode() if "text" in content else base64.b64decode(content["base64"])


def contents(case: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Every file of a case: path and bytes."""
    yield "root.layout", raw(case["layout"])
    for number, owner in enumerate(case["owners"], 1):
        yield f"owner-{number}.pub", owner.encode()
    for folder, name in (("evidence", "evidence"), ("inspect", "files")):
        for path, content in case.get(name, {}).items():
            yield f"{folder}/{path}", raw(content)
    if "target" in case:
        yield case["target"]["name"], raw(case["target"]["content"])


def unpack(case: Mapping[str, Any], folder: Path) -> None:
    """Write the files of `case` below `folder`."""
    (folder / "evidence").mkdir(parents=True, exist_ok=True)
    for path, data in contents(case):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    unpack(json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
