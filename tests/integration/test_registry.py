"""The registry client against real servers: Debian's docker-registry, plain and with TLS and a password, and our own
with and without the referrers API."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.conftest import Component
from tests.image_builder import copy_to_layout
from tests.registry_server import docker_registry, make_certificates

from navicert.digest import Digest, sha256
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import NETWORK
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, attach
from navicert.oci.credential import Credential, Single
from navicert.oci.destination import RegistryDestination
from navicert.oci.exchange import Missing
from navicert.oci.layout import layout_source, open_layout
from navicert.oci.manifest import Descriptor, Document, Platform
from navicert.oci.reference import Reference
from navicert.oci.referrers import find_attached, subject_tag, subjects_of
from navicert.oci.registry import Registry, Repository
from navicert.oci.remote import resolve_reference
from navicert.oci.transfer import Progress, copy_image
from navicert.testing.registry import Behaviour, LoopbackRegistry

KINDS = ["ours", "ours without referrers API", "docker-registry", "docker-registry with TLS and password"]


@dataclass(frozen=True)
class Server:
    """A running registry, and how it is reached."""

    name: str
    access: Access
    referrers: bool


@pytest.fixture(scope="module", params=KINDS)
def server(
    request: pytest.FixtureRequest, component: Component, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("registry")
    if request.param.startswith("ours"):
        complete = request.param == "ours"
        with LoopbackRegistry(Behaviour(referrers=complete, subject=complete)) as ours:
            yield Server(ours.name, Access(insecure=True), complete)
        return
    program = component("docker-registry")
    if request.param == "docker-registry":
        with docker_registry(program, folder) as running:
            yield Server(running.name, running.access, False)
        return
    tls = make_certificates(folder / "tls")
    with docker_registry(program, folder, tls=tls, user="user", password="secret") as running:
        yield Server(running.name, running.access, False)


@pytest.fixture
def registry(server: Server) -> Iterator[Registry]:
    with Registry(server.name, server.access) as client:
        yield client


@pytest.fixture
def repository(registry: Registry, request: pytest.FixtureRequest) -> Repository:
    """A repository of this test's own."""
    name = sha256(request.node.nodeid.encode()).hex[:16]
    return Repository(registry, f"test/{name}")


@pytest.fixture(scope="module")
def built() -> Iterator[LoopbackRegistry]:
    """Where the images come from: an index of two platforms with a BuildKit attestation inside, under the tag `v1`."""
    with LoopbackRegistry() as source:
        children = {
            platform: source.add_image("app", files={"app": bytes(str(platform), "ascii") * 1000}, platform=platform)
            for platform in (Platform("linux", "amd64"), Platform("linux", "arm64"))
        }
        amd64 = children[Platform("linux", "amd64")]
        statement = source.add_artifact(
            "app", b'{"_type":"https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json", subject=amd64
        )
        entry = statement.to_json() | {
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                media.ATTESTATION_TYPE: "attestation-manifest",
                media.ATTESTATION_SUBJECT: str(amd64.digest),
            },
        }
        source.add_index("app", children, tag="v1", more=(entry,))
        yield source


def push(built: LoopbackRegistry, repository: Repository, tag: str = "v1") -> Descriptor:
    """Copies the image of `built` into `repository`; its root."""
    with Registry(built.name, Access(insecure=True)) as origin:
        found = resolve_reference(origin, Reference.parse(f"{built.name}/app:v1"))
        return copy_image(found, found.root, RegistryDestination(repository), tag).root


def blob(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", sha256(data), len(data))


# --- blobs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 3500], ids=lambda size: f"{size} bytes")
def test_a_blob_comes_back_as_it_went(server: Server, repository: Repository, size: int):
    data = bytes(range(256)) * 14
    data = data[:size]
    with Registry(server.name, server.access, replace(NETWORK, upload_chunk=1000)) as client:
        assert client.push_blob(repository.name, blob(data), lambda: iter([data]))
        assert client.has_blob(repository.name, blob(data).digest)
        assert client.read_blob(repository.name, blob(data), 10**6) == data
        assert not client.push_blob(repository.name, blob(data), lambda: pytest.fail("it is there already"))


def test_a_blob_is_mounted_from_another_repository_without_sending_it(registry: Registry, repository: Repository):
    data = repository.name.encode() * 100
    registry.push_blob(repository.name, blob(data), lambda: iter([data]))
    other = f"{repository.name}/other"
    sent = registry.push_blob(other, blob(data), lambda: pytest.fail("it is mounted"), mount=repository.name)
    assert not sent
    assert registry.read_blob(other, blob(data), 10**6) == data


def test_a_blob_that_is_not_there_is_named(registry: Registry, repository: Repository):
    with pytest.raises(Malformed, match="missing in the registry") as caught:
        registry.read_blob(repository.name, blob(b"nothing"), 100)
    assert caught.value.path == f"{registry.name}/{repository.name}@{sha256(b'nothing')}"


@pytest.mark.parametrize("data", [b"changed", b"longer than said", b"short"], ids=["bytes", "longer", "shorter"])
def test_what_is_not_what_its_descriptor_says_is_not_stored(registry: Registry, repository: Repository, data: bytes):
    claim = Descriptor("application/octet-stream", sha256(b"genuine"), 7)
    with pytest.raises(Malformed, match=r"blob to upload has another (size|digest)"):
        registry.push_blob(repository.name, claim, lambda: iter([data]))
    assert not registry.has_blob(repository.name, claim.digest)
    assert not registry.has_blob(repository.name, sha256(data))


# --- images ---------------------------------------------------------------------------------------------------------


def test_an_image_with_all_its_platforms_is_copied_and_read(
    built: LoopbackRegistry, registry: Registry, repository: Repository
):
    root = push(built, repository)
    found = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:v1"))
    assert found.root.digest == root.digest
    assert str(found.reference) == f"{registry.name}/{repository.name}:v1@{root.digest}"
    image = found.image()
    assert [str(entry.platform) for entry in image.platforms] == ["linux/amd64", "linux/arm64"]
    assert len(image.attestations) == 1
    found.check_layers(image)
    pinned = Reference.parse(f"{registry.name}/{repository.name}@{root.digest}")
    assert resolve_reference(registry, pinned).image() == replace(image, origin=str(pinned))


def test_a_second_copy_sends_nothing(built: LoopbackRegistry, repository: Repository):
    push(built, repository)
    with Registry(built.name, Access(insecure=True)) as origin:
        found = resolve_reference(origin, Reference.parse(f"{built.name}/app:v1"))
        copied = copy_image(found, found.root, RegistryDestination(repository), "again")
    assert (copied.sent, copied.sent_bytes) == (0, 0)
    assert copied.found > 0
    assert repository.registry.tags(repository.name) == ["again", "v1"]


def test_a_copy_within_a_registry_mounts_everything(
    built: LoopbackRegistry, registry: Registry, repository: Repository
):
    push(built, repository)
    found = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:v1"))
    other = Repository(registry, f"{repository.name}/other")
    copied = copy_image(found, found.root, RegistryDestination(other, mount=repository.name), "v1")
    assert copied.sent_bytes == 0
    resolve_reference(registry, Reference.parse(f"{registry.name}/{other.name}:v1")).image()


def test_a_copy_goes_through_a_layout_and_back(
    built: LoopbackRegistry, registry: Registry, repository: Repository, tmp_path: Path
):
    root = push(built, repository)
    found = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:v1"))
    told: list[Progress] = []
    copy_to_layout(found, found.root, tmp_path / "image", "v1", progress=told.append)
    assert open_layout(tmp_path / "image", "v1").index is not None
    assert told[-1].bytes_done == told[-1].bytes_all > 0
    assert told[-1].blobs_done == told[-1].blobs_all > 0
    source, described = layout_source(tmp_path / "image")
    assert described.digest == root.digest
    other = Repository(registry, f"{repository.name}/back")
    copy_image(source, described, RegistryDestination(other), "v1")
    assert resolve_reference(registry, Reference.parse(f"{registry.name}/{other.name}:v1")).root.digest == root.digest


def test_what_skopeo_pushed_is_read(
    component: Component, server: Server, registry: Registry, repository: Repository, tmp_path: Path,
    built: LoopbackRegistry
):  # fmt: skip
    import subprocess

    push(built, repository)
    found = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:v1"))
    copy_to_layout(found, found.root, tmp_path / "image", "v1")
    options = ["--all", "--preserve-digests", "--dest-tls-verify=false"]
    if isinstance(server.access.keychain, Single):
        options += ["--dest-creds", "user:secret"]
    target = f"docker://{registry.name}/{repository.name}:skopeo"
    subprocess.run(
        [component("skopeo"), "copy", *options, f"oci:{tmp_path / 'image'}:v1", target], check=True, capture_output=True
    )
    again = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:skopeo"))
    assert again.root.digest == found.root.digest
    again.check_layers(again.image())


def test_what_is_not_there_is_missing_and_no_error(registry: Registry, repository: Repository):
    assert registry.manifest(repository.name, "nope") == Missing(f"{registry.name}/{repository.name}:nope")
    assert isinstance(registry.manifest(repository.name, sha256(b"nope")), Missing)
    with pytest.raises(Malformed, match="not in the registry") as caught:
        resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}:nope"))
    assert caught.value.path == f"{registry.name}/{repository.name}:nope"


def test_a_deleted_tag_or_manifest_is_missing(built: LoopbackRegistry, registry: Registry, repository: Repository):
    root = push(built, repository)
    assert registry.delete(repository.name, root.digest) is None
    assert isinstance(registry.manifest(repository.name, root.digest), Missing)
    assert isinstance(registry.manifest(repository.name, "v1"), Missing)


def test_tags_are_listed_from_their_prefix(built: LoopbackRegistry, registry: Registry, repository: Repository):
    for tag in ("b", "a-1", "a-2", "c"):
        push(built, repository, tag)
    assert registry.tags(repository.name) == ["a-1", "a-2", "b", "c"]
    assert registry.tags(repository.name, prefix="a-") == ["a-1", "a-2"]
    assert registry.tags(repository.name, prefix="d") == []


# --- evidence -------------------------------------------------------------------------------------------------------


def test_what_is_attached_is_found(server: Server, built: LoopbackRegistry, registry: Registry, repository: Repository):
    root = push(built, repository)
    stored = attach(repository, root, b"a bundle")
    assert stored.tag == f"{subject_tag(root.digest)}.nav-{stored.manifest.digest.hex[:16]}"
    assert stored.listed == ("referrers API" if server.referrers else "fallback tag")
    found = find_attached(repository, [root.digest])
    (one,) = found.attachments
    assert (one.raw, one.media_type, one.claimed, one.subject) == (b"a bundle", BUNDLE, root.digest, root.digest)
    assert (one.manifest, one.digest, one.artifact_type) == (stored.manifest.digest, sha256(b"a bundle"), BUNDLE)
    assert {asked.place for asked in found.asked} >= {"referrers API"}


def test_attaching_again_changes_nothing(built: LoopbackRegistry, registry: Registry, repository: Repository):
    root = push(built, repository)
    assert attach(repository, root, b"a bundle") == attach(repository, root, b"a bundle")
    assert len(find_attached(repository, [root.digest]).attachments) == 1


def test_fifty_writers_at_once_lose_nothing(server: Server, built: LoopbackRegistry, repository: Repository):
    root = push(built, repository)

    def write(number: int) -> None:
        with Registry(server.name, server.access) as client:
            attach(Repository(client, repository.name), root, f"bundle {number}".encode())

    with ThreadPoolExecutor(max_workers=50) as pool:
        list(pool.map(write, range(50)))
    found = find_attached(repository, [root.digest]).attachments
    assert {one.raw for one in found} == {f"bundle {number}".encode() for number in range(50)}
    assert len(found) == 50


def test_evidence_of_the_index_and_of_every_platform_is_found(
    built: LoopbackRegistry, registry: Registry, repository: Repository
):
    root = push(built, repository)
    image = resolve_reference(registry, Reference.parse(f"{registry.name}/{repository.name}@{root.digest}")).image()
    subjects = subjects_of(image, root.digest)
    assert len(subjects) == 3
    for digest in subjects:
        attach(repository, Descriptor(media.OCI_MANIFEST, digest, 1), f"about {digest}".encode())
    found = find_attached(repository, subjects, image)
    texts = {one.subject: one.raw for one in found.attachments if one.media_type == BUNDLE}
    assert texts == {digest: f"about {digest}".encode() for digest in subjects}
    (inside,) = [one for one in found.attachments if one.place == "index entry"]
    assert inside.subject == subjects[1]
    assert inside.raw is not None
    assert b"Statement" in inside.raw


def test_nothing_attached_is_said_of_every_place(built: LoopbackRegistry, registry: Registry, repository: Repository):
    root = push(built, repository)
    found = find_attached(repository, [root.digest])
    assert found.attachments == ()
    assert found.asked
    assert {asked.answer for asked in found.asked} <= {"none", "not served"}


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credential", [None, Credential("user", "wrong"), Credential("other", "secret")])
def test_who_has_no_right_is_told_to_log_in(component: Component, tmp_path: Path, credential: Credential | None):
    tls = make_certificates(tmp_path / "tls")
    with docker_registry(component("docker-registry"), tmp_path, tls=tls, user="user", password="secret") as running:
        access = Access(ca_file=str(tls.authority))
        if credential:
            access = replace(access, keychain=Single(running.name, credential))
        with Registry(running.name, access) as client, pytest.raises(Refused) as caught:
            client.manifest("app", "v1")
    assert caught.value.path == f"{running.name}/app:v1"
    assert f"docker login {running.name}" in caught.value.remedy
    assert "secret" not in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(component: Component, tmp_path: Path):
    tls = make_certificates(tmp_path / "tls")
    with (
        docker_registry(component("docker-registry"), tmp_path, tls=tls) as running,
        Registry(running.name, Access()) as client,
        pytest.raises(Unavailable, match="certificate is not trusted"),
    ):
        client.manifest("app", "v1")


def test_insecure_looks_at_no_certificate_on_this_machine(component: Component, tmp_path: Path):
    tls = make_certificates(tmp_path / "tls")
    with (
        docker_registry(component("docker-registry"), tmp_path, tls=tls) as running,
        Registry(running.name, Access(insecure=True)) as client,
    ):
        assert isinstance(client.manifest("app", "v1"), Missing)


def test_a_registry_that_is_not_there_is_unavailable(tmp_path: Path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{taken.getsockname()[1]}"
        waits: list[float] = []
        with Registry(name, Access(insecure=True), wait=waits.append) as client, pytest.raises(Unavailable) as caught:
            client.manifest("app", "v1")
    assert caught.value.path == f"{name}/app:v1"
    assert "cannot be reached" in caught.value.what
    assert len(waits) == NETWORK.attempts - 1


def test_digests_of_both_kinds_name_a_manifest(registry: Registry, repository: Repository, built: LoopbackRegistry):
    import hashlib

    root = push(built, repository)
    first = registry.manifest(repository.name, root.digest)
    assert isinstance(first, Document)
    raw = first.raw
    other = Digest("sha512", hashlib.sha512(raw).hexdigest())
    try:
        registry.put_manifest(repository.name, raw, root.media_type, other)
    except Unavailable:
        return  # docker-registry keeps SHA-256 only
    found = registry.manifest(repository.name, other)
    assert isinstance(found, Document)
    assert found.raw == raw
