"""Where new layouts and archives are put together: found again after a copy broke off, and trusted for nothing."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.oci import media
from navicert.oci.layout import Directory, contents_of
from navicert.oci.manifest import Descriptor
from navicert.oci.staging import Staging, staged

DATA = b"layer" * 1000
MANIFEST = b"{}"


def blob(data: bytes) -> Descriptor:
    return Descriptor(media.OCI_MANIFEST, sha256(data), len(data))


def never() -> Iterator[bytes]:
    raise AssertionError("fetched again")


def fill(staging: Staging, *, fetched: bool = True) -> None:
    """Copies an image of one blob and a manifest."""
    sent = staging.destination.put_blob(blob(DATA), lambda: iter((DATA,)) if fetched else never())
    assert sent is fetched
    staging.destination.put_manifest(blob(MANIFEST), MANIFEST)
    staging.destination.finish(blob(MANIFEST), MANIFEST, "v1")


def broken_off(path: Path, error: BaseException | None = None, data: bytes = DATA) -> Path:
    """A copy to `path` that ends when one blob has arrived; its staging folder."""

    def copy() -> None:
        with staged(path) as staging:
            staging.destination.put_blob(blob(data), lambda: iter((data,)))
            raise error or Unavailable("connection lost")

    with pytest.raises(type(error or Unavailable(""))):
        copy()
    return path.parent / f".{path.name}.partial"


def files(path: Path) -> set[str]:
    return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_symlink() or file.is_file()}


IMAGE = {
    "oci-layout",
    "index.json",
    f"blobs/sha256/{sha256(DATA).hex}",
    f"blobs/sha256/{sha256(MANIFEST).hex}",
}


def test_nobody_sees_a_layout_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "image"
    with staged(path) as staging:
        fill(staging)
        assert not path.exists()
        assert stat.S_IMODE(staging.folder.stat().st_mode) == 0o700
        staging.deliver_layout()
    assert files(path) == IMAGE
    assert [file.name for file in path.parent.iterdir()] == ["image"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_an_archive_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    with staged(path) as staging:
        fill(staging)
        assert not path.exists()
        staging.deliver_archive(replace=False)
    with tarfile.open(path) as archive:
        assert set(archive.getnames()) == IMAGE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "end", [Unavailable("connection lost"), KeyboardInterrupt(), OSError("full"), Refused("login")]
)
def test_what_arrived_before_a_copy_broke_off_is_not_fetched_again(tmp_path: Path, end: BaseException) -> None:
    path = tmp_path / "image"
    broken_off(path, end)
    assert not path.exists()
    with staged(path) as staging:
        fill(staging, fetched=False)
        staging.deliver_layout()
    assert files(path) == IMAGE


def test_what_came_from_a_source_that_lies_is_not_kept(tmp_path: Path) -> None:
    broken_off(tmp_path / "image", Malformed("another digest"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_nothing_arrived(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), staged(tmp_path / "image"):
        raise Unavailable("unreachable")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damaged", [DATA[:-1], DATA[:-1] + b"x", b""])
def test_a_blob_that_did_not_arrive_whole_is_fetched_again(tmp_path: Path, damaged: bytes) -> None:
    folder = broken_off(tmp_path / "image")
    (folder / "blobs" / "sha256" / sha256(DATA).hex).write_bytes(damaged)
    with staged(tmp_path / "image") as staging:
        fill(staging)
        staging.deliver_layout()
    assert (tmp_path / "image" / "blobs" / "sha256" / sha256(DATA).hex).read_bytes() == DATA


def test_blobs_of_another_image_are_not_carried_along(tmp_path: Path) -> None:
    """Somebody tried to copy something else to the same place before, and gave up."""
    broken_off(tmp_path / "image", data=b"a secret of another image")
    with staged(tmp_path / "image") as staging:
        fill(staging)
        staging.deliver_layout()
    assert files(tmp_path / "image") == IMAGE
    broken_off(tmp_path / "image.tar", data=b"a secret of another image")
    with staged(tmp_path / "image.tar") as staging:
        fill(staging)
        staging.deliver_archive(replace=False)
    with tarfile.open(tmp_path / "image.tar") as archive:
        assert set(archive.getnames()) == IMAGE


def test_a_list_of_an_earlier_try_names_nothing_in_the_next(tmp_path: Path) -> None:
    folder = broken_off(tmp_path / "image")
    (folder / "index.json").write_text('{"schemaVersion":2,"manifests":[{"mediaType":"x/y","digest":"sha256:00"}]}')
    with staged(tmp_path / "image") as staging:
        fill(staging, fetched=False)
        staging.deliver_layout()
    contents = contents_of(Directory(tmp_path / "image"), LOCAL)
    assert [entry.digest for entry in contents.manifests] == [sha256(MANIFEST)]


def test_links_planted_in_the_folder_lead_nowhere(tmp_path: Path) -> None:
    """A blob, a folder of blobs and the marker that are links would have others' files read, written or packed."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / sha256(DATA).hex).write_bytes(DATA)
    (secret / "marker").write_text("mine")
    for number, plant in enumerate(("blob", "algorithm", "blobs", "oci-layout", "index.json", "stray")):
        path = tmp_path / f"image{number}"
        folder = broken_off(path, data=b"other")
        algorithm = folder / "blobs" / "sha256"
        if plant == "blob":
            (algorithm / sha256(DATA).hex).symlink_to(secret / sha256(DATA).hex)
        elif plant == "algorithm":
            (algorithm / sha256(b"other").hex).unlink()
            algorithm.rmdir()
            algorithm.symlink_to(secret)
        elif plant == "blobs":
            (folder / "blobs").rename(folder / "away")
            (folder / "blobs").symlink_to(secret)
        else:
            (folder / plant).unlink(missing_ok=True)
            (folder / plant).symlink_to(secret / "marker")
        with staged(path) as staging:
            fill(staging)
            staging.deliver_layout()
        assert files(path) == IMAGE
        assert not any(file.is_symlink() for file in path.rglob("*"))
    assert (secret / "marker").read_text() == "mine"
    assert files(secret) == {sha256(DATA).hex, "marker"}


def test_a_folder_that_others_can_write_to_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can write there could exchange a blob after it was compared with its digest."""
    folder = tmp_path / ".image.partial"
    folder.mkdir()
    for mode in (0o777, 0o720, 0o702):
        folder.chmod(mode)
        with pytest.raises(Refused, match="alone can write"), staged(tmp_path / "image"):
            never()
    folder.chmod(0o700)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(Refused, match="remove it"), staged(tmp_path / "image"):
        never()
    monkeypatch.undo()
    folder.rmdir()
    for plant in (lambda: folder.symlink_to(tmp_path), lambda: folder.write_text("a file")):
        plant()
        with pytest.raises(Refused, match="in the way"), staged(tmp_path / "image"):
            never()
        folder.unlink()


@pytest.mark.parametrize("place", [".", "", "..", "x/..", "/"])
def test_a_place_that_nothing_can_be_moved_to_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="no place"), staged(place):
        never()
    assert list(tmp_path.iterdir()) == []


def test_two_copies_to_one_place_do_not_mix(tmp_path: Path) -> None:
    with staged(tmp_path / "image") as staging:
        with pytest.raises(Unavailable, match="another copy to this place"), staged(tmp_path / "image"):
            never()
        fill(staging)
        staging.deliver_layout()
    assert files(tmp_path / "image") == IMAGE


def test_what_another_copy_delivered_meanwhile_is_not_taken_for_a_staging_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder was opened, then moved to its place by whoever had it, and only then locked."""
    broken_off(tmp_path / "image")
    before = os.open

    def opened(path: str | Path, *more: int) -> int:
        descriptor = before(path, *more)
        if str(path).endswith(".image.partial"):
            os.rename(path, tmp_path / "image")
        return descriptor

    monkeypatch.setattr("os.open", opened)
    with pytest.raises(Unavailable, match="another copy to this place"), staged(tmp_path / "image"):
        never()
    assert f"blobs/sha256/{sha256(DATA).hex}" in files(tmp_path / "image")


def test_what_has_taken_the_place_meanwhile_stays(tmp_path: Path) -> None:
    def layout() -> None:
        with staged(tmp_path / "image") as staging:
            fill(staging)
            (tmp_path / "image").mkdir()
            (tmp_path / "image" / "thesis.tex").write_text("years of work")
            staging.deliver_layout()

    def archive() -> None:
        with staged(tmp_path / "image.tar") as staging:
            fill(staging)
            (tmp_path / "image.tar").write_text("another archive")
            staging.deliver_archive(replace=False)

    with pytest.raises(Unavailable, match="cannot be written"):
        layout()
    assert files(tmp_path / "image") == {"thesis.tex"}
    with pytest.raises(Refused, match="already exists"):
        archive()
    assert (tmp_path / "image.tar").read_text() == "another archive"
    with staged(tmp_path / "image.tar") as staging:
        fill(staging, fetched=False)
        staging.deliver_archive(replace=True)
    assert tarfile.is_tarfile(tmp_path / "image.tar")


def test_an_error_after_the_delivery_takes_nothing_back(tmp_path: Path) -> None:
    def copy() -> None:
        with staged(tmp_path / "image") as staging:
            fill(staging)
            staging.deliver_layout()
            (tmp_path / ".image.partial").mkdir()  # somebody else has begun
            raise Malformed("found wrong afterwards")

    with pytest.raises(Malformed):
        copy()
    assert files(tmp_path / "image") == IMAGE
    assert (tmp_path / ".image.partial").is_dir()
