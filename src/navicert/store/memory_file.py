"""The memory of a folder of evidence: sightings in one file of JSON.

Its name is one that recordings leave out by default and that no in-toto takes for a link. It is written as a whole;
where two write at once one of them may be forgotten, which costs a hint.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from navicert.dataclass import replace
from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_list, as_object, as_text, required
from navicert.store.sighting import Sighting
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

NAME: Final = ".images.link-seen"
TYPE: Final = "navicert-sightings/v1"
_MOST: Final = 1000
"""Sightings that are kept: the file is read and written as a whole."""
_BYTES: Final = 1024 * 1024


def remember(folder: str, sightings: Sequence[Sighting], limits: Limits = LOCAL) -> None:
    """Keep these beside the newest of those that are there. Raises `Malformed` where something else has the name, and
    `Unavailable`."""
    path = os.path.join(folder, NAME)
    known = {(one.digest, one.place): one for one in read(folder, limits)} if os.path.lexists(path) else {}
    known |= {(one.digest, one.place): one for one in sightings}
    newest = sorted(known.values(), key=lambda one: (one.at, one.digest, one.place))[-_MOST:]
    entries = [{"digest": one.digest, "place": one.place, "at": int(one.at.timestamp())} for one in newest]
    text = json.dumps({"type": TYPE, "seen": entries}, indent=1) + "\n"
    temporary = os.path.join(folder, f"{NAME}-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
            os.replace(temporary, path)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
    except OSError as error:
        raise Unavailable(f"cannot be written: {(error.strerror or 'unknown reason').lower()}", path=path) from error


def read(folder: str, limits: Limits = LOCAL) -> list[Sighting]:
    """All of them; none where there is no such file. Raises `Malformed` where it is something else, and
    `Unavailable`."""
    path = os.path.join(folder, NAME)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path=path) from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(_BYTES + 1)
    except OSError as error:  # a folder
        raise Unavailable(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path=path) from error
    try:
        body = as_object(loads(raw, replace(limits, document_bytes=_BYTES), path=path), "")
        if body.get("type") != TYPE:
            raise Malformed("no sightings", pointer="/type", expected=TYPE, got=repr(body.get("type"))[:80])
        return [
            _sighting(entry, f"/seen/{number}")
            for number, entry in enumerate(as_list(required(body, "seen", ""), "/seen", most=_MOST))
        ]
    except Malformed as error:
        raise error.at(path) from None


def _sighting(value: object, where: str) -> Sighting:
    entry = as_object(value, where)
    seconds = as_integer(required(entry, "at", where), f"{where}/at")
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Malformed("not a time", pointer=f"{where}/at", got=str(seconds)[:40]) from error
    return Sighting(
        as_text(required(entry, "digest", where), f"{where}/digest"),
        as_text(required(entry, "place", where), f"{where}/place"),
        moment,
    )
