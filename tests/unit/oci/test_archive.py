"""Image archives: found by name in one file, plain or compressed, and never more than they hold."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.image_builder import link, tar_of

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.archive import open_archive, open_regular

LARGE = bytes(range(256)) * 8192  # more than one block


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    entries = [
        ("a", b"first"),
        ("large", LARGE),
        (link("l", "a"), b""),
        (link("h", "large", hard=True), b""),
        ("z", b""),
    ]
    return tar_of(entries, tmp_path / "image.tar", packed=request.param)


def test_entries_are_read_by_name_in_any_order_and_again(archive: Path) -> None:
    with open_archive(archive) as opened:
        for name, content in (
            ("large", LARGE),
            ("a", b"first"),
            ("z", b""),
            ("l", b"first"),
            ("h", LARGE),
            ("a", b"first"),
        ):
            assert b"".join(opened.chunks(name)) == content
            assert opened.size(name) == len(content)
        assert opened.position("a") < opened.position("large")
        assert (opened.holds("a"), opened.holds("b")) == (True, False)


def test_two_entries_read_at_once_do_not_mix(archive: Path) -> None:
    """Whoever asks for one blob while another one is half read moves the place in the file."""
    with open_archive(archive) as opened:
        first, second = opened.chunks("large"), opened.chunks("large")
        assert b"".join(part for pair in zip(first, second, strict=True) for part in (pair[0],)) == LARGE


def test_what_is_not_there_is_named_with_its_archive(archive: Path) -> None:
    with open_archive(archive) as opened, pytest.raises(Malformed, match="missing in the archive") as caught:
        list(opened.chunks("blobs/none"))
    assert caught.value.path == f"{archive}(blobs/none)"


@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_that_is_cut_off_is_refused_when_it_is_opened(tmp_path: Path, packed: bool) -> None:
    path = tar_of([("a", b"x" * 2000), ("b", LARGE)], tmp_path / "image.tar", packed=packed)
    raw = path.read_bytes()
    for end in (len(raw) * 2 // 3, 700, 100):
        path.write_bytes(raw[:end])
        with pytest.raises(Malformed), open_archive(path):
            pass


def test_an_archive_that_shrinks_while_it_is_read_gives_no_short_blob(tmp_path: Path) -> None:
    path = tar_of([("a", LARGE)], tmp_path / "image.tar")
    with open_archive(path) as opened:
        os.truncate(path, 5000)
        with pytest.raises(Malformed, match="cut off"):
            list(opened.chunks("a"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "no entries"),
        ([("a", b"1"), ("a", b"2")], "two entries of one name"),
        ([("./a", b"1"), ("a", b"2")], "two entries of one name"),
        ([("../a", b"1")], "leaves the archive"),
        ([(link("l", "../../etc/passwd"), b"")], "leaves the archive"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_that_two_readers_would_read_differently_is_refused(
    tmp_path: Path, entries: list[tuple[object, bytes]], message: str, packed: bool
) -> None:
    path = tar_of(entries, tmp_path / "image.tar", packed=packed)  # type: ignore[arg-type]
    with pytest.raises(Malformed, match=message), open_archive(path):
        pass


def test_links_that_lead_in_a_circle_or_far_are_not_followed(tmp_path: Path) -> None:
    entries: list[tuple[object, bytes]] = [("end", b"x"), (link("a", "b"), b""), (link("b", "a"), b"")]
    entries += [(link(f"far{number}", f"far{number + 1}"), b"") for number in range(9)] + [(link("far9", "end"), b"")]
    with open_archive(tar_of(entries, tmp_path / "image.tar")) as opened:  # type: ignore[arg-type]
        for name in ("a", "far0"):
            with pytest.raises(Malformed, match="leads nowhere"):
                opened.size(name)
        assert b"".join(opened.chunks("far5")) == b"x"


def test_a_link_to_what_is_not_in_the_archive_gives_nothing_of_the_machine(tmp_path: Path) -> None:
    path = tar_of([("a", b""), (link("l", "etc/passwd"), b"")], tmp_path / "image.tar")
    with open_archive(path) as opened, pytest.raises(Malformed, match="missing in the archive"):
        list(opened.chunks("l"))


def test_a_zstd_archive_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 100)
    with pytest.raises(Malformed, match="zstd") as caught, open_archive(path):
        pass
    assert "zstd -d" in caught.value.remedy


def test_a_bomb_is_stopped_while_the_table_of_contents_is_read(tmp_path: Path) -> None:
    path = tar_of([("zeros", bytes(64 * 1024 * 1024))], tmp_path / "image.tar", packed=True)
    with pytest.raises(LimitExceeded, match="expansion"), open_archive(path, replace(LOCAL, expansion_floor=1024)):
        pass


def test_limits_of_size_are_kept(tmp_path: Path) -> None:
    path = tar_of([("a", b"{}" + b" " * 1000)], tmp_path / "image.tar")
    with pytest.raises(LimitExceeded, match="archive_bytes"), open_archive(path, replace(LOCAL, archive_bytes=1000)):
        pass
    with open_archive(path) as opened:
        with pytest.raises(LimitExceeded, match="manifest_bytes") as caught:
            opened.document("a", replace(LOCAL, manifest_bytes=1001))
        assert caught.value.path == f"{path}(a)"
        assert len(opened.document("a", replace(LOCAL, manifest_bytes=1002))) == 1002


def test_damage_behind_the_gzip_header_is_malformed_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(gzip.compress(b"x" * 10_000)[:20] + b"\xff" * 100)
    with pytest.raises(Malformed), open_archive(path):
        pass


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "pipe", "regular file"),
        (tmp_path, "regular file"),
        (tmp_path / "none", "no such"),
    ):
        with pytest.raises(Malformed, match=message):
            open_regular(str(path))
    with pytest.raises(Malformed, match="no such file"):
        open_regular(str(tmp_path / "none" / "below"))


def test_what_may_not_be_read_is_unavailable_not_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(Unavailable, match="permission denied"):
        open_regular(str(tmp_path / "image.tar"))
