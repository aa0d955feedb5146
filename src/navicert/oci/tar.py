"""The table of contents of a tar archive, read without unpacking anything.

The standard library's reader is not used: it holds extended headers of any size in memory, accepts damage silently
and knows features (sparse files, devices) with which two readers see different contents. This one refuses whatever an
image archive does not need. Spec: POSIX.1-2017 pax; GNU tar's long names and binary sizes.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final, Protocol

from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK: Final = 512
_HEADER_BYTES: Final = 64 * 1024  # extended headers hold names, and a path has at most 4 KiB
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_FILE, _HARD, _SYMBOLIC, _DIRECTORY = (b"0", b"\0", b"7"), b"1", b"2", b"5"
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, or one link to another entry (`target`: its name, resolved inside the archive)."""

    name: str
    offset: int
    size: int
    target: str | None = None


class Readable(Protocol):
    """What the archive is read from."""

    def tell(self) -> int:
        """Bytes before the next one."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer at the end only."""

    def skip(self, size: int, /) -> None:
        """Goes on behind the next `size` bytes. Raises `Malformed` where there are fewer."""


def scan(stream: Readable, limits: Limits = LOCAL, *, path: str = "") -> Iterator[Entry]:
    """The files and links of an archive, in order, each when `stream` stands at its content.

    Raises `Malformed` for damage, names that leave the archive, and what an image archive has no use for;
    `LimitExceeded` for too many entries. Directories are checked and left out.
    """
    count = 0
    while (header := _next(stream, path)) is not None:
        count += 1
        if count > limits.archive_entries:
            raise LimitExceeded(
                "too many entries (limit archive_entries)", path=path, expected=f"at most {limits.archive_entries}"
            )
        name = _inside(header.name, path)
        end = stream.tell() + header.size + -header.size % _BLOCK
        if header.kind in (_SYMBOLIC, _HARD):
            base = posixpath.dirname(name) if header.kind == _SYMBOLIC else ""
            yield Entry(name, stream.tell(), 0, _inside(posixpath.join(base, header.link), path))
        elif header.kind in _FILE and not header.name.endswith("/"):
            yield Entry(name, stream.tell(), header.size)
        elif header.kind != _DIRECTORY and header.kind not in _FILE:
            raise Malformed(
                f"archive entry {name!r} is neither file, directory nor link", path=path, got=f"type {header.kind!r}"
            )
        stream.skip(end - stream.tell())


@dataclass(slots=True)
class _Header:
    name: str
    link: str
    kind: bytes
    size: int


def _next(stream: Readable, path: str) -> _Header | None:
    """The next entry with its extended headers applied; None at the end of the archive."""
    extended: dict[str, str] = {}
    while True:
        block = stream.read(_BLOCK)
        if not block.strip(b"\0"):
            # The end: two blocks of zeros, or nothing at all. One alone ends the archive for some readers only.
            if extended or len(block) % _BLOCK or stream.read(_BLOCK).strip(b"\0"):
                raise Malformed("damaged tar archive: data behind its end", path=path)
            return None
        header = _parse(block, path)
        if header.kind in (_PAX, _LONG_NAME, _LONG_LINK):
            extended |= _extension(stream, header, path)
        elif header.kind == _PAX_GLOBAL:
            if _extension(stream, header, path).keys() & {"path", "linkpath", "size"}:
                raise Malformed("tar archive gives all its entries one name or size", path=path)
        else:
            header.name = extended.get("path", header.name)
            header.link = extended.get("linkpath", header.link)
            header.size = _decimal(extended["size"], path) if "size" in extended else header.size
            if header.kind not in _FILE:
                header.size = 0
            return header


def _parse(block: bytes, path: str) -> _Header:
    if len(block) < _BLOCK:
        raise Malformed("tar archive is cut off", path=path)
    stated = _number(block[148:156], path)
    if stated != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise Malformed("damaged tar archive: a header's checksum is wrong", path=path)
    name = _text(block[:100], path)
    if block[257:263] == b"ustar\0" and block[345]:
        name = f"{_text(block[345:500], path)}/{name}"
    return _Header(name, _text(block[157:257], path), block[156:157], _number(block[124:136], path))


def _number(field: bytes, path: str) -> int:
    if field[0] == 0x80:  # GNU: a positive binary number
        return int.from_bytes(field[1:])
    digits = field.strip(b" \0") or b"0"
    if not re.fullmatch(rb"[0-7]+", digits):
        raise Malformed("damaged tar archive: not an octal number", path=path)
    return int(digits, 8)


def _decimal(text: str, path: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise Malformed("damaged tar archive: not a size", path=path, got=ascii(text[:40]))
    return int(text)


def _text(field: bytes, path: str) -> str:
    try:
        return field.partition(b"\0")[0].decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("tar archive with a name that is not UTF-8", path=path) from error


def _extension(stream: Readable, header: _Header, path: str) -> dict[str, str]:
    """The fields that an extended header sets for the entry behind it."""
    if header.size > _HEADER_BYTES:
        raise LimitExceeded("tar header too large", path=path, expected=f"at most {_HEADER_BYTES} bytes")
    data = stream.read(header.size)
    if len(data) < header.size:
        raise Malformed("tar archive is cut off", path=path)
    stream.skip(-header.size % _BLOCK)
    if header.kind == _LONG_NAME:
        return {"path": _text(data, path)}
    if header.kind == _LONG_LINK:
        return {"linkpath": _text(data, path)}
    return _pax(data, path)


def _pax(data: bytes, path: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    while data:
        length, _, rest = data.partition(b" ")
        size = int(length) if re.fullmatch(rb"[1-9][0-9]{0,6}", length) else 0
        record = data[len(length) + 1 : size]
        key, equals, value = record.partition(b"=")
        if not rest or size > len(data) or not equals or not record.endswith(b"\n"):
            raise Malformed("damaged tar archive: not a pax record", path=path)
        name = _text(key, path)
        if name.startswith("GNU.sparse") or name in fields:
            raise Malformed("tar archive with a sparse file or doubled header field", path=path, got=ascii(name[:40]))
        # Other fields (times, attributes) may hold any bytes, and say nothing about an image.
        fields[name] = _text(value[:-1], path) if name in ("path", "linkpath", "size") else ""
        data = data[size:]
    return fields


def _inside(name: str, path: str) -> str:
    """`name` in its one spelling. Raises `Malformed` unless it names something inside the archive."""
    if name.startswith("/") or _CONTROL.search(name):
        raise Malformed("archive entry with an unsafe name", path=path, got=ascii(name[:100]))
    plain = posixpath.normpath(name)
    if plain == ".." or plain.startswith("../"):
        raise Malformed("archive entry whose name leaves the archive", path=path, got=ascii(name[:100]))
    return plain
