"""One file that holds a layout and its evidence."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL
from navicert.store import Filing
from navicert.store.directory import DirectoryStore
from navicert.store.pack import Pack, PackSource, read_pack, write_pack

KEYID = "0123456789abcdef" * 4
PACK = Pack(
    b"the layout",
    (
        Filing("build", KEYID, b"one"),
        Filing("build", KEYID, b"two"),
        Filing("build", KEYID, b"three"),
        Filing(None, "", b"a statement"),
        Filing("test", KEYID, b"one", (f"all.{KEYID[:8]}",)),
        Filing("t" * 200, KEYID, b"a name longer than a tar header holds"),
    ),
)


def written(tmp_path: Path, pack: Pack = PACK) -> str:
    path = tmp_path / "chain.pack"
    path.write_bytes(write_pack(pack))
    return str(path)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    found = read_pack(written(tmp_path))
    assert found.layout == PACK.layout
    assert len(found.filings) == len(PACK.filings)
    assert set(found.filings) == set(PACK.filings)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    raw = write_pack(PACK)
    assert write_pack(replace(PACK, filings=(*reversed(PACK.filings), *PACK.filings))) == raw
    assert write_pack(read_pack(written(tmp_path))) == raw


def test_every_tar_unpacks_it_into_a_folder_of_evidence(tmp_path: Path) -> None:
    with tarfile.open(written(tmp_path)) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    found = {(p.step_hint, p.raw, p.scope) for p in DirectoryStore(str(tmp_path / "out/evidence")).pieces()}
    assert ("build", b"two", ()) in found
    assert ("test", b"one", (f"all.{KEYID[:8]}",)) in found
    assert len(found) == len(PACK.filings)


def test_it_is_read_like_a_store(tmp_path: Path) -> None:
    pieces = list(PackSource(written(tmp_path)).pieces())
    assert {(p.step_hint, p.raw, p.scope) for p in pieces} == {(f.step, f.raw, f.scope) for f in PACK.filings}
    assert len({piece.origin for piece in pieces}) == len(pieces)


def test_a_pack_without_evidence_is_not_written() -> None:
    with pytest.raises(Refused, match="proves nothing"):
        write_pack(Pack(b"the layout"))


def test_what_is_no_pack_says_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"text\n" * 200)
    with pytest.raises(Malformed, match="damaged tar"):
        read_pack(str(tmp_path / "x"))
    with pytest.raises(Malformed, match="no such file"):
        read_pack(str(tmp_path / "nothing"))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    (tmp_path / "x").write_bytes(stream.getvalue())
    with pytest.raises(Malformed, match="no manifest"):
        read_pack(str(tmp_path / "x"))


def test_a_pack_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    raw = write_pack(PACK)
    end = len(raw.rstrip(b"\0"))
    for length in range(0, end, 97):
        (tmp_path / "cut").write_bytes(raw[:length])
        with pytest.raises(Malformed):
            read_pack(str(tmp_path / "cut"))


def test_a_byte_changed_anywhere_in_the_content_is_noticed(tmp_path: Path) -> None:
    raw = write_pack(PACK)
    for content in (b"the layout", b"three", b"a statement"):
        changed = raw.replace(content, content.upper())
        assert changed != raw
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises(Malformed, match="changed or damaged"):
            read_pack(str(tmp_path / "changed"))


def test_its_limits_have_names(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(Malformed, match="limit pack_bytes"):
        read_pack(path, replace(LOCAL, pack_bytes=100))
    with pytest.raises(Malformed, match="limit archive_entries"):
        read_pack(path, replace(LOCAL, evidence_files=2))
