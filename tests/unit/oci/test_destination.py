"""Where copies arrive: whole or not at all, and nothing that was there is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.oci import media
from navicert.oci.destination import LayoutDestination
from navicert.oci.manifest import Descriptor

DATA = b"blob" * 1000


def blob(data: bytes, media_type: str = media.OCI_MANIFEST) -> Descriptor:
    return Descriptor(media_type, sha256(data), len(data))


def entries(path: Path) -> list[dict[str, object]]:
    read: list[dict[str, object]] = json.loads((path / "index.json").read_bytes())["manifests"]
    return read


def put(path: Path, data: bytes, tag: str = "") -> None:
    if not path.exists():
        path.mkdir()
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    destination = LayoutDestination(path)
    destination.put_manifest(blob(data), data)
    destination.finish(blob(data), data, tag)


def broken(data: bytes) -> Iterator[bytes]:
    yield data[:10]
    raise Malformed("broken on the way")


def names(path: Path) -> set[str]:
    return {file.name for file in path.rglob("*") if file.is_file()}


def test_a_blob_that_breaks_off_is_no_blob(tmp_path: Path) -> None:
    put(tmp_path / "image", b"{}", "v1")
    before = names(tmp_path)
    destination = LayoutDestination(tmp_path / "image")
    with pytest.raises(Malformed, match="broken on the way"):
        destination.put_blob(blob(DATA), lambda: broken(DATA))
    assert names(tmp_path) == before


def test_what_is_there_whole_is_not_written_again_and_what_is_damaged_is(tmp_path: Path) -> None:
    put(tmp_path / "image", b"{}", "v1")
    destination = LayoutDestination(tmp_path / "image")
    assert destination.put_blob(blob(DATA), lambda: iter((DATA,)))
    assert not destination.put_blob(blob(DATA), lambda: broken(DATA))
    file = tmp_path / "image" / "blobs" / "sha256" / sha256(DATA).hex
    for damaged in (DATA[:-1], DATA[:-1] + b"x"):
        file.write_bytes(damaged)
        assert destination.put_blob(blob(DATA), lambda: iter((DATA,)))
        assert file.read_bytes() == DATA


def test_a_tag_moves_and_other_images_stay(tmp_path: Path) -> None:
    path = tmp_path / "image"
    for data, tag in ((b"1", "v1"), (b"2", "v2"), (b"3", "v1"), (b"4", ""), (b"4", "")):
        put(path, data, tag)
    found = [(entry["digest"], entry.get("annotations")) for entry in entries(path)]
    assert found == [
        (str(sha256(b"2")), {media.REF_NAME: "v2"}),
        (str(sha256(b"3")), {media.REF_NAME: "v1"}),
        (str(sha256(b"4")), None),
    ]


def test_what_others_wrote_into_the_contents_stays(tmp_path: Path) -> None:
    path = tmp_path / "image"
    put(path, b"1", "v1")
    contents = json.loads((path / "index.json").read_bytes())
    contents |= {"annotations": {"kept": "yes"}, "more": 1}
    contents["manifests"].append({"mediaType": "x/y", "digest": str(sha256(b"z")), "size": 1, "odd": True})
    (path / "index.json").write_text(json.dumps(contents))
    put(path, b"2", "v2")
    after = json.loads((path / "index.json").read_bytes())
    assert (after["annotations"], after["more"], len(after["manifests"])) == ({"kept": "yes"}, 1, 3)
    assert any(entry.get("odd") for entry in after["manifests"])


@pytest.mark.parametrize("contents", [b"", b"[]", b"oops", b'{"manifests": 1}', b'{"manifests": [], "manifests": []}'])
def test_contents_that_cannot_be_understood_are_not_overwritten(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "image"
    put(path, b"1", "v1")
    (path / "index.json").write_bytes(contents)
    with pytest.raises(Malformed, match=r"index\.json"):
        put(path, b"2", "v2")
    assert (path / "index.json").read_bytes() == contents


def test_a_folder_with_something_else_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Malformed, match="no OCI image layout"):
        LayoutDestination(tmp_path)
    with pytest.raises(Malformed, match="no OCI image layout"):
        LayoutDestination(tmp_path / "notes.txt")


def test_a_layout_that_is_not_there_is_not_made_here(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no OCI image layout"):
        LayoutDestination(tmp_path / "image")


def test_copies_that_list_their_images_at_once_lose_none(tmp_path: Path) -> None:
    """Each reads the contents, adds its own and writes them back."""
    path = tmp_path / "image"
    put(path, b"0", "first")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: put(path, b"%d" % number, f"v{number}"), range(1, 60)))
    assert len(entries(path)) == 60


def test_what_a_killed_writer_left_is_removed_and_what_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "image"
    put(path, b"1", "v1")
    folder = path / "blobs" / "sha256"
    (folder / ".navicert-blob-dead").write_bytes(b"half a blob")
    (folder / ".navicert-blob-link").symlink_to(tmp_path / "elsewhere")
    (path / ".navicert-blob-dead").write_bytes(b"half an index")
    destination = LayoutDestination(path)
    left = lambda: sorted(file.name for file in path.rglob(".navicert-blob-*"))  # noqa: E731
    assert left() == [".navicert-blob-link"]

    def slowly() -> Iterator[bytes]:
        yield DATA[:5]
        LayoutDestination(path)  # somebody else begins
        assert len(left()) == 2
        yield DATA[5:]

    assert destination.put_blob(blob(DATA), slowly)
    assert left() == [".navicert-blob-link"]
    assert (folder / sha256(DATA).hex).read_bytes() == DATA


def test_nothing_is_removed_where_a_link_in_a_layout_leads_or_under_another_name(tmp_path: Path) -> None:
    """A layout of a stranger points at a folder in which somebody else is writing."""
    path = tmp_path / "image"
    put(path, b"1", "v1")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / ".navicert-blob-x").write_text("mine")
    (path / "blobs" / "sha512").symlink_to(mine)
    (path / ".navicert-0123456789abcdef").write_text("of a store in the same folder")
    LayoutDestination(path)
    assert (mine / ".navicert-blob-x").exists()
    assert (path / ".navicert-0123456789abcdef").exists()
    (path / "blobs" / "sha512").unlink()
    (path / "blobs").rename(tmp_path / "blobs")
    (path / "blobs").symlink_to(tmp_path / "blobs")
    (tmp_path / "blobs" / "sha256" / ".navicert-blob-x").write_text("mine")
    LayoutDestination(path)
    assert (tmp_path / "blobs" / "sha256" / ".navicert-blob-x").exists()


def test_a_pipe_in_the_place_of_a_blob_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "image"
    put(path, b"1", "v1")
    os.mkfifo(path / "blobs" / "sha256" / sha256(b"").hex)
    assert LayoutDestination(path).put_blob(blob(b""), lambda: iter((b"",)))


def test_only_what_is_whole_is_recalled(tmp_path: Path) -> None:
    path = tmp_path / "image"
    put(path, b"{}", "v1")
    destination = LayoutDestination(path)
    recalled = destination.recall(blob(b"{}"))
    assert recalled is not None
    assert b"".join(recalled) == b"{}"
    assert destination.recall(blob(b"other")) is None
    for damaged in (b"{", b"[]"):
        (path / "blobs" / "sha256" / sha256(b"{}").hex).write_bytes(damaged)
        assert destination.recall(blob(b"{}")) is None


def test_a_digest_says_where_a_blob_lies_and_never_more(tmp_path: Path) -> None:
    """A digest is parsed before it becomes a path, so it holds nothing but hexadecimal digits."""
    with pytest.raises(Malformed):
        replace(blob(DATA), digest=type(sha256(b"")).parse("sha256:../../../etc/passwd"))
