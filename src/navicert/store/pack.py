"""A pack: one file that holds a layout and all the evidence for it, to be verified elsewhere with one public key.

An uncompressed tar archive: `manifest.json`, `root.layout`, then the evidence under in-toto's file names below
`evidence/`, so that every tar and every in-toto can use it. The same content gives the same bytes. The manifest says
where each document was filed, which is a hint like everywhere; a reader accepts exactly the entries that it names.
"""

from __future__ import annotations

import io
import json
import tarfile

from navicert.dataclass import dataclass, replace
from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, as_texts, required
from navicert.oci.archive import open_regular
from navicert.oci.tar import scan
from navicert.store import Filing, Piece
from navicert.store.directory import file_names
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Final

TYPE: Final = "navicert-pack/v1"
MANIFEST: Final = "manifest.json"
LAYOUT: Final = "root.layout"
EVIDENCE: Final = "evidence"


@dataclass(frozen=True, slots=True)
class Pack:
    """The content of a pack: a signed layout, and documents with the places where they were filed."""

    layout: bytes
    filings: tuple[Filing, ...] = ()


def write_pack(pack: Pack) -> bytes:
    """The file that holds `pack`; the same for the same content, whatever the order. Raises `Refused` without any
    evidence and `Malformed` for a place that is no sublayout folder."""
    if not pack.filings:
        raise Refused("a pack without evidence proves nothing", remedy="name a store that holds the chain")
    filings = sorted(dict.fromkeys(pack.filings), key=_order)
    names = [f"{EVIDENCE}/{'/'.join(parts)}" for parts in file_names(filings)]
    entries = dict(zip(names, filings, strict=True))
    manifest = {
        "type": TYPE,
        "layout": {"name": LAYOUT, "digest": str(sha256(pack.layout))},
        "evidence": [
            {
                "name": name,
                "digest": str(sha256(filing.raw)),
                "step": filing.step,
                "keyid": filing.keyid,
                "scope": list(filing.scope),
            }
            for name, filing in entries.items()
        ],
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n")
        _add(archive, LAYOUT, pack.layout)
        for name, filing in entries.items():
            _add(archive, name, filing.raw)
    return stream.getvalue()


def _order(filing: Filing) -> tuple[object, ...]:
    return (filing.scope, filing.step or "", filing.keyid, sha256(filing.raw).hex)


def _add(archive: tarfile.TarFile, name: str, raw: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(raw)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(raw))


class _Stream:
    """A pack as it lies on disk."""

    def __init__(self, file: IO[bytes], path: str, limits: Limits) -> None:
        self._file, self._path = file, path
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if self.size > limits.pack_bytes:
            raise LimitExceeded(
                "pack too large (limit pack_bytes)",
                path=path,
                expected=f"at most {limits.pack_bytes} bytes",
                got=f"{self.size} bytes",
            )

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)

    def skip(self, size: int, /) -> None:
        if self._file.tell() + size > self.size:
            raise Malformed("pack is cut off", path=self._path)
        self._file.seek(size, io.SEEK_CUR)


def read_pack(path: str, limits: Limits = LOCAL) -> Pack:
    """The content of the pack at `path`, all of it checked before any of it is given out.

    Raises `Malformed` for whatever is not exactly what its manifest says, names that leave their folder, links, and
    entries that come twice; `LimitExceeded` for too large or too many; `Unavailable` where it cannot be read.
    """
    with open_regular(path) as file:
        return _read(file, path, limits)


def parse_pack(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Pack:
    """The content of the pack whose bytes are `raw`, found at `path`. Raises as `read_pack`."""
    return _read(io.BytesIO(raw), path, limits)


def _read(file: IO[bytes], path: str, limits: Limits) -> Pack:
    if file.read(2) == b"\x1f\x8b":
        raise Malformed("a pack is not compressed", path=path, remedy="decompress it: gzip -d")
    stream = _Stream(file, path, limits)
    entries = _entries(stream, path, limits)
    if file.read().strip(b"\0"):
        raise Malformed("data behind the end of the pack", path=path)
    raw = entries.pop(MANIFEST, None)
    if raw is None:
        raise Malformed("not a pack: there is no manifest in it", path=path, expected=f"a file that holds {MANIFEST}")
    try:
        return _checked(as_object(loads(raw, limits), ""), entries, limits)
    except Malformed as error:
        raise error.at(path) from None


def _entries(stream: _Stream, path: str, limits: Limits) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    bounds = replace(limits, archive_entries=limits.evidence_files + 2)
    for entry in scan(stream, bounds, path=path):
        if entry.target is not None:
            raise Malformed("pack holds a link", path=path, got=ascii(entry.name[:100]))
        if entry.name in entries:
            raise Malformed("pack holds two entries of one name", path=path, got=ascii(entry.name[:100]))
        if entry.size > limits.document_bytes:
            raise LimitExceeded(
                "document too large (limit document_bytes)",
                path=f"{path}({entry.name[:100]!a})",
                expected=f"at most {limits.document_bytes} bytes",
                got=f"{entry.size} bytes",
            )
        raw = stream.read(entry.size)
        if len(raw) != entry.size:
            raise Malformed("pack is cut off", path=path)
        entries[entry.name] = raw
    return entries


def _checked(manifest: dict[str, object], entries: dict[str, bytes], limits: Limits) -> Pack:
    if manifest.get("type") != TYPE:
        raise Malformed(
            "not a pack of a version that is known",
            pointer="/type",
            expected=TYPE,
            got=repr(manifest.get("type"))[:60],
            remedy="a newer program may have written it",
        )
    _, layout = _entry(required(manifest, "layout", ""), "/layout", entries)
    listed = as_list(required(manifest, "evidence", ""), "/evidence", most=limits.evidence_files)
    filings: list[Filing] = []
    names: list[str] = []
    for number, item in enumerate(listed):
        where = f"/evidence/{number}"
        document = as_object(item, where)
        name, raw = _entry(document, where, entries)
        step = required(document, "step", where)
        try:
            filing = Filing(
                None if step is None else as_text(step, f"{where}/step"),
                as_text(required(document, "keyid", where), f"{where}/keyid"),
                raw,
                as_texts(required(document, "scope", where), f"{where}/scope", most=limits.sublayout_depth),
            )
        except Malformed as error:
            error.pointer = error.pointer or where
            raise
        filings.append(filing)
        names.append(name)
    if entries:
        raise Malformed("pack holds what its manifest does not name", got=ascii(min(entries)[:100]))
    if names != [f"{EVIDENCE}/{'/'.join(parts)}" for parts in file_names(filings)]:
        raise Malformed("evidence does not lie where its manifest says that it was filed", pointer="/evidence")
    return Pack(layout, tuple(filings))


def _entry(value: object, where: str, entries: dict[str, bytes]) -> tuple[str, bytes]:
    """The name and content of the entry that a part of the manifest names; each is named once."""
    document = as_object(value, where)
    name = as_text(required(document, "name", where), f"{where}/name")
    raw = entries.pop(name, None)
    if raw is None:
        raise Malformed("missing in the pack, or named twice", pointer=f"{where}/name", got=ascii(name[:100]))
    wanted = as_text(required(document, "digest", where), f"{where}/digest")
    if str(Digest.parse(wanted)) != str(sha256(raw)):
        raise Malformed("changed or damaged", pointer=f"{where}/digest", expected=wanted, got=str(sha256(raw)))
    return name, raw


class PackSource:
    """The evidence in the pack at `path`, to be read like a store."""

    def __init__(self, path: str, limits: Limits = LOCAL) -> None:
        self.path = path
        self._limits = limits
        self._pack: Pack | None = None

    @property
    def pack(self) -> Pack:
        """Its content, read once. Raises as `read_pack` does."""
        if self._pack is None:
            self._pack = read_pack(self.path, self._limits)
        return self._pack

    def pieces(self) -> Iterator[Piece]:
        """Every document in it, by name. Raises as `read_pack` does."""
        filings = self.pack.filings
        for parts, filing in zip(file_names(filings), filings, strict=True):
            yield Piece(f"{self.path}({'/'.join(parts)})", filing.raw, None, filing.step, filing.scope)

    def close(self) -> None:
        """Nothing is held open."""
