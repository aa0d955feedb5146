"""Copies with everything attached: nothing is left behind silently, and what broke off is done again where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.digest import sha256
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import NETWORK, Limits
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, attach
from navicert.oci.companion import Companion, companions
from navicert.oci.convoy import Convoy, check_convoy, copy_convoy
from navicert.oci.destination import LayoutDestination, RegistryDestination
from navicert.oci.local import LayoutImage, place_layout
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.referrers import subject_tag, subjects_of
from navicert.oci.registry import Registry, Repository
from navicert.oci.remote import Resolved, resolve_reference
from navicert.oci.staging import staged
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

BEHAVIOURS = {"referrers API": Behaviour(), "without": Behaviour(referrers=False, subject=False)}


@pytest.fixture(params=BEHAVIOURS.values(), ids=list(BEHAVIOURS))
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(request.param) as registry:
        registry.add_image("app", "v1")
        yield registry


@pytest.fixture(params=BEHAVIOURS.values(), ids=list(BEHAVIOURS))
def target(request: pytest.FixtureRequest) -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(request.param) as registry:
        yield registry


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def placed(server: LoopbackRegistry, cleanup: ExitStack, tag: str = "v1", limits: Limits = NETWORK) -> Resolved:
    registry = cleanup.enter_context(Registry(server.name, Access(insecure=True), limits, wait=lambda seconds: None))
    return resolve_reference(registry, Reference.parse(f"{server.name}/app:{tag}"))


def attached(image: Resolved, *data: bytes) -> None:
    for one in data:
        attach(image.repository, image.root, one, BUNDLE)


def found(image: Resolved | LayoutImage) -> list[Companion]:
    return companions(image.shelf, subjects_of(image.image(), image.root.digest))


def copy(source: Resolved | LayoutImage, target: LoopbackRegistry, cleanup: ExitStack) -> Convoy:
    registry = cleanup.enter_context(Registry(target.name, Access(insecure=True), wait=lambda seconds: None))
    return copy_convoy(source, RegistryDestination(Repository(registry, "app")), "v1")


def test_every_manifest_is_found_once_with_its_tags(server: LoopbackRegistry, cleanup: ExitStack) -> None:
    image = placed(server, cleanup)
    assert found(image) == []
    attached(image, b"one", b"two")
    subject = image.root
    server.add_artifact("app", b"sig", "x/sig", tag=f"{subject_tag(subject.digest)}.sig")
    every = found(image)
    assert len(every) == 3
    assert all(one.subject == subject.digest for one in every)
    assert sorted(tag.partition(".")[2][:4] for one in every for tag in one.tags) == ["nav-", "nav-", "sig"]
    assert {one.descriptor.artifact_type for one in every} >= {BUNDLE}


def test_an_image_that_somebody_tagged_like_a_list_attaches_nothing(
    server: LoopbackRegistry, cleanup: ExitStack
) -> None:
    image = placed(server, cleanup)
    other = server.add_image("app", "other", {"x": b"y"})
    server.contents["app"].tags[subject_tag(image.root.digest)] = str(other.digest)
    assert found(image) == []


def test_what_is_listed_and_gone_stops_the_copy(cleanup: ExitStack) -> None:
    with LoopbackRegistry(BEHAVIOURS["without"]) as server:
        server.add_image("app", "v1")
        image = placed(server, cleanup)
        gone = Descriptor(media.OCI_MANIFEST, sha256(b"gone"), 4).to_json()
        for entries, message in (([gone], "listed, and not there"), ([{"size": 1}], "/manifests/0")):
            body = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": entries}
            server.add_manifest("app", body, media.OCI_INDEX, tag=subject_tag(image.root.digest))
            with pytest.raises(Malformed, match=message):
                found(image)


def test_more_than_is_ever_copied_is_refused(server: LoopbackRegistry, cleanup: ExitStack) -> None:
    image = placed(server, cleanup)
    attached(image, b"one", b"two", b"three")
    few = placed(server, cleanup, limits=replace(NETWORK, referrers=2))
    with pytest.raises(LimitExceeded, match="limit referrers"):
        found(few)


def test_a_copy_brings_everything_and_is_asked_for_it_again(
    server: LoopbackRegistry, target: LoopbackRegistry, cleanup: ExitStack
) -> None:
    image = placed(server, cleanup)
    attached(image, b"one", b"two")
    convoy = copy(image, target, cleanup)
    there = placed(target, cleanup)
    check_convoy(convoy, there)
    assert {one.descriptor.digest for one in found(there)} == {one.descriptor.digest for one in convoy.companions}
    again = copy(image, target, cleanup)
    assert (again.sent, again.sent_bytes) == (0, 0)


def test_the_name_of_the_image_comes_last(
    server: LoopbackRegistry, target: LoopbackRegistry, cleanup: ExitStack
) -> None:
    image = placed(server, cleanup)
    attached(image, b"one")
    copy(image, target, cleanup)
    puts = [seen.path for seen in target.seen if seen.method == "PUT" and "/manifests/" in seen.path]
    assert puts[-1].endswith("/manifests/v1")


@pytest.mark.parametrize("after", range(4))
def test_a_copy_that_broke_off_is_done_again_without_what_has_arrived(after: int, cleanup: ExitStack) -> None:
    """And until it is whole the image has no name at its new place."""
    with LoopbackRegistry() as server, LoopbackRegistry() as target:
        server.add_image("app", "v1", {"a": b"x" * 5000})
        image = placed(server, cleanup)
        attached(image, b"one", b"two")
        target.fault("PUT", "/blobs/uploads/", fault.status(403), after=after)
        with pytest.raises(NavicertError):
            copy(image, target, cleanup)
        assert "v1" not in target.repository("app").tags
        arrived = dict(target.repository("app").blobs)
        target.heal()
        target.forget()
        convoy = copy(image, target, cleanup)
        assert convoy.sent + len(arrived) == len(target.contents["app"].blobs)
        check_convoy(convoy, placed(target, cleanup))


def test_a_place_that_lost_something_is_told(
    server: LoopbackRegistry, target: LoopbackRegistry, cleanup: ExitStack
) -> None:
    image = placed(server, cleanup)
    attached(image, b"one")
    convoy = copy(image, target, cleanup)
    held = target.contents["app"]
    held.tags = {"v1": held.tags["v1"]}
    for digest in [str(one.descriptor.digest) for one in convoy.companions]:
        del held.manifests[digest]
    with pytest.raises((Unavailable, Malformed)):
        check_convoy(convoy, placed(target, cleanup))
    target.add_image("app", "v1", {"other": b"image"})
    with pytest.raises(Unavailable, match="not the image that was copied"):
        check_convoy(convoy, placed(target, cleanup))


# --- layouts -------------------------------------------------------------------------------------------------------


def carried(server: LoopbackRegistry, cleanup: ExitStack, path: Path) -> LayoutImage:
    image = placed(server, cleanup)
    attached(image, b"one", b"two")
    with staged(path) as staging:
        copy_convoy(image, staging.destination, "v1")
        staging.deliver_layout()
    return place_layout(str(path), "v1", cleanup, archive=False)


def test_what_is_attached_in_a_layout_is_found_by_tag_and_by_subject(
    server: LoopbackRegistry, target: LoopbackRegistry, cleanup: ExitStack, tmp_path: Path
) -> None:
    local = carried(server, cleanup, tmp_path / "image")
    assert len(found(local)) == 2
    assert len(local.shelf.tags(prefix="sha256-")) == 2
    assert {entry.digest for entry in local.shelf.referrers(local.root.digest) if isinstance(entry, Descriptor)} == {
        one.descriptor.digest for one in found(local)
    }
    check_convoy(copy(local, target, cleanup), placed(target, cleanup))


def test_an_entry_of_a_layout_that_cannot_be_read_is_no_reason_for_silence(
    server: LoopbackRegistry, cleanup: ExitStack, tmp_path: Path
) -> None:
    local = carried(server, cleanup, tmp_path / "image")
    (first, _) = found(local)
    path = tmp_path / "image" / "blobs" / "sha256" / first.descriptor.digest.hex
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    again = place_layout(str(tmp_path / "image"), "v1", cleanup, archive=False)
    assert any(isinstance(entry, Malformed) for entry in again.shelf.referrers(again.root.digest))
    with pytest.raises(Malformed, match="another digest"):
        found(again)


def test_two_copies_into_one_layout_keep_each_other(
    server: LoopbackRegistry, cleanup: ExitStack, tmp_path: Path
) -> None:
    carried(server, cleanup, tmp_path / "image")
    server.add_image("app", "v2", {"b": b"2"})
    copy_convoy(placed(server, cleanup, "v2"), LayoutDestination(tmp_path / "image"), "v2")
    contents = json.loads((tmp_path / "image" / "index.json").read_bytes())
    names = [entry.get("annotations", {}).get(media.REF_NAME) for entry in contents["manifests"]]
    assert {"v1", "v2"} <= set(names)
    assert len(found(place_layout(str(tmp_path / "image"), "v1", cleanup, archive=False))) == 2
