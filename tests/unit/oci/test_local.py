"""Images in layouts with what is attached to them: as in a registry, from a folder or an archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.image_builder import Json, LayoutBuilder, entries_of, tagged, tar_of

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.oci.exchange import Missing
from navicert.oci.local import LayoutImage, place_layout
from navicert.oci.manifest import Descriptor, Document

EMPTY = "application/vnd.oci.empty.v1+json"


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Made:
    """A layout with an image, something attached to it by tag, and something by its subject."""

    def __init__(self, path: Path) -> None:
        self.builder = LayoutBuilder(path)
        self.image = self.builder.image()
        self.stem = self.image["digest"].replace(":", "-")
        self.referrer = self.artifact(b"referrer", self.image)
        self.tagged = self.artifact(b"tagged", None)
        self.builder.contents(
            tagged(self.image, "v1"), self.referrer, tagged(self.tagged, f"{self.stem}.att"), tagged(self.image, "v2")
        )

    def artifact(self, data: bytes, subject: Json | None) -> Json:
        config = self.builder.json({}, EMPTY)
        layer = self.builder.blob(data, "application/x")
        body: Json = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/x",
            "config": config,
            "layers": [layer],
        }
        described = self.builder.json(body | ({"subject": subject} if subject else {}), body["mediaType"])
        return described | {"artifactType": "application/x"}


@pytest.fixture(params=["folder", "archive"])
def place(request: pytest.FixtureRequest, tmp_path: Path, cleanup: ExitStack) -> tuple[Made, LayoutImage]:
    made = Made(tmp_path / "image")
    path = made.builder.path
    if request.param == "archive":
        path = tar_of(entries_of(path), tmp_path / "image.tar")
    return made, place_layout(str(path), "v1", cleanup, archive=request.param == "archive")


def test_an_image_is_named_with_the_digest_that_it_has(place: tuple[Made, LayoutImage]) -> None:
    made, found = place
    assert str(found.root.digest) == made.image["digest"]
    assert found.origin.endswith(f"@{made.image['digest']}")
    image = found.image()
    found.check_layers(image)
    assert len(image.platforms) == 1


def test_what_is_attached_is_found_by_tag_and_by_subject(place: tuple[Made, LayoutImage]) -> None:
    made, found = place
    shelf = found.shelf
    assert shelf.tags(prefix="sha256-") == [f"{made.stem}.att"]
    assert shelf.tags() == sorted(["v1", "v2", f"{made.stem}.att"])
    (referrer,) = shelf.referrers(found.root.digest)
    assert isinstance(referrer, Descriptor)
    assert str(referrer.digest) == made.referrer["digest"]
    assert shelf.referrers(sha256(b"another")) == []
    document = shelf.manifest(f"{made.stem}.att")
    assert isinstance(document, Document)
    assert str(document.digest) == made.tagged["digest"]


def test_what_is_not_listed_is_not_there_even_where_its_blob_is(place: tuple[Made, LayoutImage]) -> None:
    """Blobs of a broken copy lie there unlisted."""
    made, found = place
    assert isinstance(found.shelf.manifest("v3"), Missing)
    config = json.loads(made.builder.blob_path(made.image["digest"]).read_bytes())["config"]["digest"]
    assert isinstance(found.shelf.manifest(Digest.parse(config)), Missing)


def test_a_blob_is_compared_and_bounded(place: tuple[Made, LayoutImage]) -> None:
    _, found = place
    blob = Descriptor("application/x", sha256(b"tagged"), 6)
    assert found.shelf.read_blob(blob, 6) == b"tagged"
    with pytest.raises(LimitExceeded):
        found.shelf.read_blob(blob, 5)
    for wrong in (replace(blob, size=5), replace(blob, digest=sha256(b"gone"))):
        with pytest.raises(Malformed):
            found.shelf.read_blob(wrong, 100)


def test_a_damaged_entry_is_a_reason_and_not_silence(tmp_path: Path, cleanup: ExitStack) -> None:
    made = Made(tmp_path / "image")
    made.builder.blob_path(made.referrer["digest"]).write_bytes(b"{}")
    found = place_layout(str(made.builder.path), "v1", cleanup, archive=False)
    (problem,) = found.shelf.referrers(found.root.digest)
    assert isinstance(problem, Malformed)
    with pytest.raises(Malformed):
        found.shelf.manifest(Digest.parse(made.referrer["digest"]))


def test_an_entry_that_lies_about_its_size_is_no_entry(tmp_path: Path, cleanup: ExitStack) -> None:
    made = Made(tmp_path / "image")
    made.builder.contents(tagged(made.image, "v1"), made.referrer | {"size": made.referrer["size"] + 1})
    found = place_layout(str(made.builder.path), "v1", cleanup, archive=False)
    (problem,) = found.shelf.referrers(found.root.digest)
    assert isinstance(problem, Malformed)


@pytest.mark.parametrize("reference", ["", "v3", "sha256:" + "a" * 64])
def test_an_image_that_is_not_the_one_is_not_chosen(tmp_path: Path, cleanup: ExitStack, reference: str) -> None:
    made = Made(tmp_path / "image")
    other = made.builder.image({"b": b"2"})
    made.builder.contents(tagged(made.image, "v1"), tagged(other, "v2"))
    with pytest.raises(Malformed):
        place_layout(str(made.builder.path), reference, cleanup, archive=False)


def test_what_is_attached_is_never_taken_for_the_image(tmp_path: Path, cleanup: ExitStack) -> None:
    """Somebody attaches an image to the only image of a layout; whoever names no tag still means the first."""
    made = Made(tmp_path / "image")
    other = made.builder.image({"evil": b"x"})
    made.builder.contents(made.image, tagged(other, f"{made.stem}.att"), made.referrer)
    found = place_layout(str(made.builder.path), "", cleanup, archive=False)
    assert str(found.root.digest) == made.image["digest"]
