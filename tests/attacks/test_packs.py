"""Packs that a stranger made: none of them gets anything anywhere, and nothing of them is used."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.cli.main import main
from navicert.digest import sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.store.pack import read_pack

KEYID = "0123456789abcdef" * 4

Entry = tuple[str, bytes, bytes]
"""Name, content (or, of a link, its target), type."""


def manifest(*evidence: tuple[str, bytes], **fields: object) -> bytes:
    listed = [
        {"name": name, "digest": str(sha256(raw)), "step": "build", "keyid": KEYID, "scope": []}
        for name, raw in evidence
    ]
    layout = {"name": "root.layout", "digest": str(sha256(b"layout"))}
    return json.dumps({"type": "navicert-pack/v1", "layout": layout, "evidence": listed, **fields}).encode()


def pack(*entries: Entry) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content, kind in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content.decode()
            archive.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return stream.getvalue()


GOOD = ("evidence/build.01234567.link", b"link")
FILE, LAYOUT = tarfile.REGTYPE, ("root.layout", b"layout", tarfile.REGTYPE)


def honest() -> list[Entry]:
    return [("manifest.json", manifest(GOOD), FILE), LAYOUT, (*GOOD, FILE)]


ATTACKS: dict[str, Callable[[], bytes]] = {
    "a name that leaves the folder": lambda: pack(
        ("manifest.json", manifest(("../../escaped.link", b"link")), FILE),
        LAYOUT,
        ("../../escaped.link", b"link", FILE),
    ),
    "an absolute name": lambda: pack(
        ("manifest.json", manifest(("/escaped.link", b"link")), FILE), LAYOUT, ("/escaped.link", b"link", FILE)
    ),
    "a name outside of evidence": lambda: pack(
        ("manifest.json", manifest(("escaped.link", b"link")), FILE), LAYOUT, ("escaped.link", b"link", FILE)
    ),
    "a symbolic link": lambda: pack(*honest(), ("evidence/x.01234567.link", b"/etc/passwd", tarfile.SYMTYPE)),
    "a link that the manifest names": lambda: pack(
        ("manifest.json", manifest(("evidence/build.01234567.link", b"")), FILE),
        LAYOUT,
        ("evidence/build.01234567.link", b"manifest.json", tarfile.SYMTYPE),
    ),
    "a hard link": lambda: pack(*honest(), ("evidence/x.01234567.link", b"manifest.json", tarfile.LNKTYPE)),
    "a device": lambda: pack(*honest(), ("evidence/x.01234567.link", b"", tarfile.CHRTYPE)),
    "two entries of one name": lambda: pack(*honest(), (*GOOD, FILE)),
    "two manifests": lambda: pack(*honest(), ("manifest.json", manifest(GOOD), FILE)),
    "two spellings of one name": lambda: pack(*honest(), ("./evidence//build.01234567.link", b"other", FILE)),
    "an entry that the manifest does not name": lambda: pack(*honest(), ("evidence/x.01234567.link", b"x", FILE)),
    "an entry that is named twice": lambda: pack(("manifest.json", manifest(GOOD, GOOD), FILE), LAYOUT, (*GOOD, FILE)),
    "an entry that is missing": lambda: pack(*honest()[:2]),
    "another content": lambda: pack(*honest()[:2], (GOOD[0], b"evil", FILE)),
    "a step that leaves the folder": lambda: pack(
        (
            "manifest.json",
            manifest(GOOD).replace(b'"step": "build"', b'"step": "../../escaped"'),
            FILE,
        ),
        LAYOUT,
        (*GOOD, FILE),
    ),
    "a scope that leaves the folder": lambda: pack(
        ("manifest.json", manifest(GOOD).replace(b'"scope": []', b'"scope": ["..", "escaped"]'), FILE),
        LAYOUT,
        (*GOOD, FILE),
    ),
    "a place that is not where it lies": lambda: pack(
        ("manifest.json", manifest(GOOD).replace(b'"step": "build"', b'"step": "deploy"'), FILE), LAYOUT, (*GOOD, FILE)
    ),
    "the layout as evidence": lambda: pack(("manifest.json", manifest(("root.layout", b"layout")), FILE), LAYOUT),
    "a manifest of another version": lambda: pack(
        ("manifest.json", manifest(GOOD, type="navicert-pack/v2"), FILE), LAYOUT, (*GOOD, FILE)
    ),
    "a manifest with doubled fields": lambda: pack(
        ("manifest.json", manifest(GOOD)[:-1] + b', "type": "navicert-pack/v1"}', FILE), LAYOUT, (*GOOD, FILE)
    ),
    "something behind its end": lambda: pack(*honest()) + pack(*honest()),
    "a compressed bomb": lambda: gzip.compress(b"\0" * 50_000_000),
}


def test_the_honest_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "pack").write_bytes(pack(*honest()))
    (filing,) = read_pack(str(tmp_path / "pack")).filings
    assert (filing.step, filing.raw) == ("build", b"link")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("store", ["out/evidence", "sqlite:out/evidence.db"])
def test_a_hostile_pack_is_refused_and_nothing_of_it_is_stored(
    tmp_path: Path, attack: str, store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a/b/c"
    (folder / "out").mkdir(parents=True)
    (folder / "pack").write_bytes(ATTACKS[attack]())
    monkeypatch.chdir(folder)
    with pytest.raises(Malformed):
        read_pack("pack")
    assert main(["evidence", "unpack", "pack", "--store", store]) == 2
    assert "pack" in capsys.readouterr().err
    left = sorted(os.path.join(at, name) for at, _, names in os.walk(tmp_path) for name in names)
    assert left == [str(folder / "pack")]


def test_an_entry_that_claims_more_than_there_is_allocates_nothing(tmp_path: Path) -> None:
    info = tarfile.TarInfo("manifest.json")
    info.size = 8 * 1024**3
    (tmp_path / "pack").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    with pytest.raises(Malformed, match=r"limit document_bytes|cut off"):
        read_pack(str(tmp_path / "pack"))


def test_a_document_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "pack").write_bytes(pack(*honest(), ("evidence/x.01234567.link", b"x" * 5000, FILE)))
    with pytest.raises(LimitExceeded, match="limit document_bytes"):
        read_pack(str(tmp_path / "pack"), replace(LOCAL, document_bytes=4000))
