"""Reading the table of contents of a tar archive."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.oci.archive import open_archive


def made(path, *entries, form=tarfile.PAX_FORMAT):
    """An archive of (TarInfo or name, data)."""
    with tarfile.open(path, "w", format=form) as archive:
        for entry, data in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def header(name=b"a", size=b"00000000000\0", kind=b"0", link=b"", magic=b"ustar\x0000", prefix=b""):
    """One header block, with a right checksum."""
    block = bytearray(512)
    for at, field in ((0, name), (124, size), (156, kind), (157, link), (257, magic), (345, prefix)):
        block[at : at + len(field)] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def extended(records: bytes, kind=b"x"):
    """A pax header of these records."""
    return header(b"pax", b"%011o\0" % len(records), kind) + records + b"\0" * (-len(records) % 512)


def read(path, data: bytes):
    """The entries of an archive of these bytes."""
    path.write_bytes(data)
    with open_archive(path) as archive:
        return {name: b"".join(archive.chunks(name)) for name in list(archive._entries)}


END = b"\0" * 1024


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a", "d/" * 40 + "a", "./a", "d//a", "ä/ü"])
def test_names_of_every_format_are_read(tmp_path, form, name):
    path = made(tmp_path / "t.tar", (name, b"content"), ("z", b"next"), form=form)
    with open_archive(path) as archive:
        assert b"".join(archive.chunks(os.path.normpath(name))) == b"content"
        assert b"".join(archive.chunks("z")) == b"next"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_long_links_are_read(tmp_path, form):
    name = "n" * 300
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, name
    with open_archive(made(tmp_path / "t.tar", (name, b"content"), (link, b""), form=form)) as archive:
        assert b"".join(archive.chunks("link")) == b"content"


def test_reading_matches_the_standard_library_on_ordinary_archives(tmp_path):
    entries = [(f"d{i % 7}/f{i}", os.urandom(i * 37)) for i in range(200)]
    path = made(tmp_path / "t.tar", *entries)
    with open_archive(path) as archive:
        assert {name: b"".join(archive.chunks(name)) for name, _ in entries} == dict(entries)


def test_directories_are_left_out(tmp_path):
    folder = tarfile.TarInfo("d")
    folder.type = tarfile.DIRTYPE
    with open_archive(made(tmp_path / "t.tar", (folder, b""), ("d/a", b"1"))) as archive:
        assert not archive.holds("d")
        assert archive.holds("d/a")


def test_old_archives_mark_a_directory_by_its_name_only(tmp_path):
    assert read(tmp_path / "t.tar", header(b"d/", kind=b"\0") + header(b"d/a") + END) == {"d/a": b""}


def test_a_binary_size_is_read(tmp_path):
    block = header(size=b"\x80" + (3).to_bytes(11, "big"))
    assert read(tmp_path / "t.tar", block + b"abc" + b"\0" * 509 + END) == {"a": b"abc"}


def test_a_pax_size_wins_over_the_header(tmp_path):
    data = extended(b"10 size=3\n") + header() + b"abc" + b"\0" * 509 + END
    assert read(tmp_path / "t.tar", data) == {"a": b"abc"}


def test_global_headers_without_names_are_passed_over(tmp_path):
    assert read(tmp_path / "t.tar", extended(b"13 comment=a\n", b"g") + header() + END) == {"a": b""}


def test_an_archive_may_end_without_zeros(tmp_path):
    assert read(tmp_path / "t.tar", header()) == {"a": b""}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header() + b"\0" * 512 + header(b"b"), "data behind its end"),
        (header() + b"\0" * 100, "data behind its end"),
        (extended(b"10 size=3\n") + END, "data behind its end"),
        (header()[:-100], "cut off"),
        (header(size=b"00000001000\0") + b"abc", "cut off"),
        (header(size=b"77777777777\0") + END, "cut off"),
        (header(size=b"\x80" + b"\xff" * 11) + END, "cut off"),
        (header(size=b"\xff" * 12) + END, "not an octal number"),
        (header(size=b"-0000000001\0") + END, "not an octal number"),
        (header(size=b"0x000000001\0") + END, "not an octal number"),
        (header().replace(b"a", b"b", 1) + END, "checksum is wrong"),
        (header(b"\xff") + END, "not UTF-8"),
        (header(kind=b"3") + END, "neither file, directory nor link"),
        (header(kind=b"6") + END, "neither file, directory nor link"),
        (header(kind=b"S") + END, "neither file, directory nor link"),
        (extended(b"22 GNU.sparse.major=1\n") + header() + END, "sparse file"),
        (extended(b"9 path=b\n9 path=c\n") + header() + END, "doubled header field"),
        (extended(b"9 path=b\n", b"g") + header() + END, "gives all its entries one name"),
        (extended(b"10 size=-1\n") + header() + END, "not a pax record"),
        (extended(b"11 size=-1\n") + header() + END, "not a size"),
        (extended(b"0 path=b\n") + header() + END, "not a pax record"),
        (extended(b"99 path=b\n") + header() + END, "not a pax record"),
        (extended(b"7 pathb\n") + header() + END, "not a pax record"),
        (extended(b"path") + header() + END, "not a pax record"),
        (extended(b"9 path=b") + header() + END, "not a pax record"),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path, data, message):
    with pytest.raises(Malformed, match=message):
        read(tmp_path / "t.tar", data)


def test_a_huge_extended_header_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(LimitExceeded, match="tar header too large"):
        read(tmp_path / "t.tar", header(size=b"77777777777\0", kind=b"x"))


def test_a_cut_off_extended_header_is_refused(tmp_path):
    with pytest.raises(Malformed, match="cut off"):
        read(tmp_path / "t.tar", extended(b"9 path=b\n")[:520])
