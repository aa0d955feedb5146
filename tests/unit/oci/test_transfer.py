"""Copies of whole images, and what is left of those that fail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder, copy_to_layout, tagged

from navicert.digest import sha256
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import NETWORK
from navicert.oci.access import Access
from navicert.oci.destination import LayoutDestination, RegistryDestination
from navicert.oci.layout import layout_source, open_layout
from navicert.oci.manifest import Descriptor, Platform
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry, Repository
from navicert.oci.remote import Resolved, resolve_reference
from navicert.oci.transfer import Progress, copy_image
from navicert.testing import fault
from navicert.testing.registry import LoopbackRegistry

PLATFORMS = (Platform("linux", "amd64"), Platform("linux", "arm64"))


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    """Holds an image for two platforms, each of which shares no layer with the other."""
    with LoopbackRegistry() as registry:
        children = {
            one: registry.add_image("app", files={"app": str(one).encode() * 100}, platform=one) for one in PLATFORMS
        }
        registry.add_index("app", children, tag="v1")
        yield registry


@pytest.fixture
def target() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture
def source(server: LoopbackRegistry) -> Iterator[Resolved]:
    with Registry(server.name, Access(insecure=True), wait=lambda seconds: None) as registry:
        yield resolve_reference(registry, Reference.parse(f"{server.name}/app:v1"))


def layer_of(server: LoopbackRegistry) -> str:
    """The digest of some layer."""
    bodies = [json.loads(raw) for _, raw in server.contents["app"].manifests.values()]
    return next(str(body["layers"][0]["digest"]) for body in bodies if "layers" in body)


def test_a_layout_appears_whole(source: Resolved, tmp_path: Path):
    path = tmp_path / "deep" / "image"
    copied = copy_to_layout(source, source.root, path, "v1")
    assert (copied.sent, copied.found) == (4, 0)
    image = open_layout(path, "v1")
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64", "linux/arm64"]
    assert sorted(one.name for one in path.iterdir()) == ["blobs", "index.json", "oci-layout"]
    assert [one.name for one in path.parent.iterdir()] == ["image"]
    assert {oct(one.stat().st_mode & 0o777) for one in path.rglob("*") if one.is_file()} == {"0o644"}


@pytest.mark.parametrize("attack", ["other bytes", "cut off", "gone", "unreachable"])
def test_a_copy_that_fails_leaves_no_layout(server: LoopbackRegistry, source: Resolved, tmp_path: Path, attack: str):
    layer = layer_of(server)
    held = server.contents["app"].blobs
    if attack == "other bytes":
        held[layer] = bytes(len(held[layer]))
    elif attack == "cut off":
        held[layer] = held[layer][:-1]
    elif attack == "gone":
        del held[layer]
    else:
        blobs = tmp_path / ".image.partial" / "blobs"

        def once_another_is_there(request: fault.Request, right: fault.Response) -> fault.Response:
            """It is down from then on: where nothing has come, nothing is kept."""
            deadline = time.monotonic() + 30
            while not any(len(file.name) == 64 for file in blobs.rglob("*")) and time.monotonic() < deadline:
                time.sleep(0.01)
            return fault.Response(503)

        server.fault("GET", f"/blobs/{layer}", once_another_is_there)
    with pytest.raises(NavicertError) as caught:
        copy_to_layout(source, source.root, tmp_path / "image", "v1")
    assert isinstance(caught.value, Unavailable if attack == "unreachable" else Malformed)
    assert caught.value.path == f"{server.name}/app@{layer}"
    # What came from a registry that lies is not kept; what came from one that is down goes on when it is up.
    assert [one.name for one in tmp_path.iterdir()] == ([".image.partial"] if attack == "unreachable" else [])


@pytest.mark.parametrize("attack", ["other bytes", "cut off", "gone"])
def test_a_copy_that_fails_names_nothing_at_the_registry(
    server: LoopbackRegistry, target: LoopbackRegistry, source: Resolved, attack: str
):
    layer = layer_of(server)
    held = server.contents["app"].blobs
    genuine = held.pop(layer)
    if attack != "gone":
        held[layer] = bytes(len(genuine)) if attack == "other bytes" else genuine[:-1]
    with Registry(target.name, Access(insecure=True)) as registry:
        destination = RegistryDestination(Repository(registry, "copy"))
        with pytest.raises(Malformed):
            copy_image(source, source.root, destination, "v1")
        repository = target.repository("copy")
        assert repository.manifests == {}
        assert repository.tags == {}
        assert all(str(sha256(data)) == digest for digest, data in repository.blobs.items())
        # The next copy sends only what is missing.
        held[layer] = genuine
        there = len(repository.blobs)
        assert copy_image(source, source.root, destination, "v1").found == there
    assert "v1" in repository.tags


def test_manifests_come_after_their_parts_and_the_name_last(target: LoopbackRegistry, source: Resolved):
    with Registry(target.name, Access(insecure=True)) as registry:
        copy_image(source, source.root, RegistryDestination(Repository(registry, "copy")), "v1")
    written = [one.path for one in target.seen if one.method == "PUT" and one.status == 201]
    assert all("/blobs/" in path for path in written[:4])
    assert all("/manifests/sha256:" in path for path in written[4:7])
    assert written[6].endswith(f"/manifests/{source.root.digest}")
    assert written[7:] == ["/v2/copy/manifests/v1"]


def test_progress_is_told_and_ends_at_the_end(source: Resolved, tmp_path: Path):
    told: list[Progress] = []
    copy_to_layout(source, source.root, tmp_path / "image", "v1", progress=told.append)
    assert all(one.bytes_all == told[0].bytes_all and one.blobs_all == 4 for one in told)
    assert [one.blobs_done for one in told] == sorted(one.blobs_done for one in told)
    assert (told[-1].bytes_done, told[-1].blobs_done) == (told[-1].bytes_all, 4)


def test_a_second_image_goes_into_the_same_layout(source: Resolved, tmp_path: Path):
    builder = LayoutBuilder(tmp_path / "image")
    builder.contents(tagged(builder.image(), "first"))
    copy_to_layout(source, source.root, tmp_path / "image", "v1")
    assert open_layout(tmp_path / "image", "first").index is None
    assert open_layout(tmp_path / "image", "v1").index is not None
    copied = copy_to_layout(source, source.root, tmp_path / "image", "first")
    assert copied.sent == 0
    assert open_layout(tmp_path / "image", "first").index is not None


def test_a_damaged_blob_of_a_layout_is_written_anew(server: LoopbackRegistry, source: Resolved, tmp_path: Path):
    copy_to_layout(source, source.root, tmp_path / "image", "v1")
    blob = tmp_path / "image" / "blobs" / layer_of(server).replace(":", "/")
    blob.write_bytes(bytes(blob.stat().st_size))
    assert copy_to_layout(source, source.root, tmp_path / "image", "v1").sent == 1
    open_layout(tmp_path / "image", "v1")


def test_a_failed_copy_into_a_layout_leaves_it_as_it_was(server: LoopbackRegistry, source: Resolved, tmp_path: Path):
    builder = LayoutBuilder(tmp_path / "image")
    builder.contents(tagged(builder.image(), "v1"))
    before = (tmp_path / "image" / "index.json").read_bytes()
    server.contents["app"].blobs[layer_of(server)] = b"other"
    with pytest.raises(Malformed):
        copy_to_layout(source, source.root, tmp_path / "image", "v1")
    assert (tmp_path / "image" / "index.json").read_bytes() == before
    assert [one.name for one in (tmp_path / "image").rglob(".*")] == []


def test_a_folder_that_is_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "thesis.tex").write_text("years of work")
    with pytest.raises(Malformed, match="no OCI image layout"):
        LayoutDestination(tmp_path / "image")
    assert (tmp_path / "image" / "thesis.tex").exists()


def test_a_folder_that_cannot_be_written_is_unavailable(source: Resolved, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        copy_to_layout(source, source.root, tmp_path / "file" / "image")


def test_what_a_layout_lies_about_is_not_pushed(target: LoopbackRegistry, tmp_path: Path):
    builder = LayoutBuilder(tmp_path / "image")
    described = builder.image()
    path = builder.contents(tagged(described, "v1"))
    manifest = json.loads(builder.blob_path(described["digest"]).read_bytes())
    layer = builder.blob_path(manifest["layers"][0]["digest"])
    layer.write_bytes(bytes(layer.stat().st_size))
    source, root = layout_source(path, "v1")
    with Registry(target.name, Access(insecure=True)) as registry, pytest.raises(Malformed, match="another digest"):
        copy_image(source, root, RegistryDestination(Repository(registry, "copy")), "v1")
    assert target.repository("copy").tags == {}


@pytest.mark.parametrize("media_type", ["text/plain", "application/vnd.docker.distribution.manifest.v1+json"])
def test_an_entry_that_is_no_manifest_is_not_copied(source: Resolved, tmp_path: Path, media_type: str):
    with pytest.raises(Malformed):
        copy_to_layout(source, replace(source.root, media_type=media_type), tmp_path / "image")
    assert list(tmp_path.iterdir()) == []


def test_too_many_manifests_are_refused(source: Resolved, tmp_path: Path):
    with pytest.raises(LimitExceeded):
        copy_to_layout(source, source.root, tmp_path / "image", limits=replace(NETWORK, layers=1))


def test_one_blob_with_two_sizes_is_refused(server: LoopbackRegistry, tmp_path: Path):
    blob = server.add_blob("app", b"blob", "application/vnd.oci.image.layer.v1.tar")
    body = {
        "schemaVersion": 2,
        "config": server.add_blob("app", b"{}", "application/vnd.oci.image.config.v1+json").to_json(),
        "layers": [blob.to_json(), blob.to_json() | {"size": 5}],
    }
    root = server.add_manifest("app", body)
    with Registry(server.name, Access(insecure=True)) as registry, pytest.raises(Malformed, match="two sizes"):
        copy_to_layout(Repository(registry, "app"), root, tmp_path / "image")


def test_a_reference_to_another_registry_is_not_looked_up_here(server: LoopbackRegistry):
    with Registry(server.name, Access(insecure=True)) as registry, pytest.raises(Malformed, match="another registry"):
        resolve_reference(registry, Reference.parse("r.example/app:v1"))
    assert server.count() == 0


def test_layers_are_read_only_when_asked_for(server: LoopbackRegistry, source: Resolved):
    image = source.image()
    assert server.count("GET", layer_of(server)) == 0
    assert server.count("GET", "/v2/app/") == 5  # the index, two manifests, two configs
    source.check_layers(image)
    assert server.count("GET", layer_of(server)) == 1


def test_a_blob_is_not_asked_for_when_it_states_too_much(server: LoopbackRegistry):
    with Registry(server.name, Access(insecure=True)) as registry, pytest.raises(LimitExceeded, match="too large"):
        registry.read_blob("app", Descriptor("x", sha256(b""), 10**12), 100)
    assert server.count() == 0
