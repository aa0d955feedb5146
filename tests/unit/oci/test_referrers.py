"""What is attached to an image, in each shape that tools of the field leave it in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tests.cosign_layer import attach_layers

from navicert.digest import sha256
from navicert.limits import NETWORK
from navicert.oci import media
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, attach
from navicert.oci.manifest import Descriptor, Platform
from navicert.oci.reference import Reference
from navicert.oci.referrers import Attachment, Found, find_attached, is_evidence, subject_tag, subjects_of
from navicert.oci.registry import Registry, Repository
from navicert.oci.remote import resolve_reference
from navicert.testing import fault
from navicert.testing.registry import Behaviour, LoopbackRegistry

DSSE = "application/vnd.dsse.envelope.v1+json"
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT = "application/vnd.in-toto+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"

BEHAVIOURS = {
    "complete": Behaviour(),
    "one entry a page": Behaviour(page=1),
    "ignores filters": Behaviour(filters=False),
    "config type as artifact type": Behaviour(config_type=True, filters=False, subject=False),
    "without the API": Behaviour(referrers=False, subject=False),
    "says OCI-Subject without the API": Behaviour(referrers=False),
    "tags in no order": Behaviour(referrers=False, subject=False, tag_order=False),
    "heeds If-Match": Behaviour(referrers=False, subject=False, matches=True),
}


@pytest.fixture(params=BEHAVIOURS.values(), ids=list(BEHAVIOURS))
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(request.param) as registry:
        yield registry


@pytest.fixture
def complete() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


def search(server: LoopbackRegistry, *subjects: Descriptor) -> Found:
    with Registry(server.name, Access(insecure=True)) as registry:
        return find_attached(Repository(registry, "app"), [subject.digest for subject in subjects])


def index_of(server: LoopbackRegistry, subject: Descriptor, *entries: dict[str, Any]) -> None:
    """Sets the fallback tag of `subject`."""
    body = {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": list(entries)}
    server.add_manifest("app", body, media.OCI_INDEX, tag=subject_tag(subject.digest))


def texts(found: Found) -> dict[bytes | None, Attachment]:
    return {one.raw: one for one in found.attachments}


# --- shapes -----------------------------------------------------------------------------------------------------------


def test_a_sigstore_bundle_as_a_referrer(complete: LoopbackRegistry):
    root = complete.add_image("app", "v1")
    hints = {"dev.sigstore.bundle.content": "dsse-envelope"}
    complete.add_artifact("app", b"{bundle}", SIGSTORE, subject=root, artifact_type=SIGSTORE, annotations=hints)
    (one,) = search(complete, root).attachments
    assert (one.raw, one.media_type, one.artifact_type) == (b"{bundle}", SIGSTORE, SIGSTORE)
    assert (one.claimed, one.place, one.annotations) == (root.digest, "referrers API", hints)


@pytest.mark.parametrize("kind", [STATEMENT, DSSE, "application/vnd.in-toto.provenance+dsse"])
def test_raw_envelopes_as_referrers(complete: LoopbackRegistry, kind: str):
    root = complete.add_image("app", "v1")
    complete.add_artifact("app", b"{dsse}", kind, subject=root, artifact_type=STATEMENT)
    (one,) = search(complete, root).attachments
    assert (one.raw, one.media_type, one.artifact_type) == (b"{dsse}", kind, STATEMENT)


def test_attestations_and_signatures_of_cosign(server: LoopbackRegistry):
    root = server.add_image("app", "v1")
    attach_layers(server, root.digest, (b"one", {"predicateType": "a"}), (b"two", {}))
    attach_layers(
        server,
        root.digest,
        (b"simple", {"dev.cosignproject.cosign/signature": "MEUC"}),
        ending=".sig",
        media_type=SIMPLE,
    )
    found = texts(search(server, root))
    assert found.keys() == {b"one", b"two", b"simple"}
    assert found[b"one"].annotations == {"predicateType": "a"}
    assert found[b"one"].place == f"tag {subject_tag(root.digest)}.att"
    assert found[b"simple"].annotations == {"dev.cosignproject.cosign/signature": "MEUC"}
    assert found[b"one"].claimed is None


def test_what_the_fallback_tag_lists(server: LoopbackRegistry):
    root = server.add_image("app", "v1")
    one = server.add_artifact("app", b"one", DSSE, subject=root, artifact_type=STATEMENT)
    index_of(server, root, one.to_json())
    found = texts(search(server, root))
    assert found.keys() == {b"one"}


def test_a_fallback_index_with_the_wrong_types_is_read_by_content(server: LoopbackRegistry):
    """cosign#4641: the type of the empty config in place of the artifact's, and no annotations."""
    root = server.add_image("app", "v1")
    one = server.add_artifact("app", b"one", SIGSTORE, subject=root, artifact_type=SIGSTORE)
    index_of(server, root, one.to_json() | {"artifactType": media.EMPTY})
    (found,) = search(server, root).attachments
    assert (found.raw, found.media_type, found.artifact_type) == (b"one", SIGSTORE, SIGSTORE)


def test_one_kind_never_hides_another(server: LoopbackRegistry):
    """conforma/cli#3185, kyverno#16678: whoever found one kind did not look for the others."""
    root = server.add_image("app", "v1")
    bundle = server.add_artifact("app", b"sigstore", SIGSTORE, subject=root, artifact_type=SIGSTORE)
    index_of(server, root, bundle.to_json())
    attach_layers(server, root.digest, (b"attestation", {}))
    attach_layers(server, root.digest, (b"signature", {}), ending=".sig", media_type=SIMPLE)
    with Registry(server.name, Access(insecure=True)) as registry:
        attach(Repository(registry, "app"), root, b"ours")
    assert texts(search(server, root)).keys() == {b"sigstore", b"attestation", b"signature", b"ours"}


def test_what_two_places_name_is_found_once(complete: LoopbackRegistry):
    root = complete.add_image("app", "v1")
    one = complete.add_artifact("app", b"one", DSSE, subject=root, tag=f"{subject_tag(root.digest)}.nav-{0:016x}")
    index_of(complete, root, one.to_json())
    assert len(search(complete, root).attachments) == 1
    assert complete.count("GET", f"/blobs/{sha256(b'one')}") == 1


def test_buildkit_statements_inside_the_index(complete: LoopbackRegistry):
    amd64, arm64 = Platform("linux", "amd64"), Platform("linux", "arm64")
    children = {
        one: complete.add_image("app", files={"app": str(one).encode()}, platform=one) for one in (amd64, arm64)
    }
    entries = []
    for child in children.values():
        statement = complete.add_artifact(
            "app", b"about " + str(child.digest).encode(), STATEMENT, annotations={"in-toto.io/predicate-type": "p"},
            config_type=media.OCI_CONFIG,
        )  # fmt: skip
        annotations = {media.ATTESTATION_TYPE: "attestation-manifest", media.ATTESTATION_SUBJECT: str(child.digest)}
        entries.append(
            statement.to_json() | {"platform": {"os": "unknown", "architecture": "unknown"}, "annotations": annotations}
        )
    complete.add_index("app", children, tag="v1", more=tuple(entries))
    with Registry(complete.name, Access(insecure=True)) as registry:
        found = resolve_reference(registry, Reference.parse(f"{complete.name}/app:v1"))
        image = found.image()
        inside = find_attached(found.repository, subjects_of(image, found.root.digest), image).attachments
    assert {one.subject: one.raw for one in inside} == {
        child.digest: b"about " + str(child.digest).encode() for child in children.values()
    }
    assert {one.place for one in inside} == {"index entry"}
    assert all(one.annotations["in-toto.io/predicate-type"] == "p" for one in inside)


# --- what is no evidence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media_type", "evidence"),
    [
        (STATEMENT, True), (DSSE, True), (SIGSTORE, True), (SIMPLE, True), (BUNDLE, True),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", True),
        ("application/vnd.in-toto.test-result+dsse", True),
        ("application/vnd.oci.image.layer.v1.tar+gzip", False), ("application/spdx+json", False), ("", False),
        ("application/vnd.in-totoXjson", False), ("text/plain", False),
    ],
)  # fmt: skip
def test_evidence_is_told_by_its_media_type(media_type: str, evidence: bool):
    assert is_evidence(media_type) is evidence


def test_what_is_no_evidence_is_named_and_not_fetched(complete: LoopbackRegistry):
    root = complete.add_image("app", "v1")
    complete.add_artifact("app", bytes(100_000), "application/vnd.cncf.helm.chart.content.v1.tar+gzip", subject=root)
    (one,) = search(complete, root).attachments
    assert (one.raw, one.problem) == (None, "not read: not a type of evidence")
    assert complete.count("GET", "/blobs/") == 0


def test_an_image_under_the_fallback_tag_attaches_nothing(server: LoopbackRegistry):
    root = server.add_image("app", "v1")
    server.add_image("app", subject_tag(root.digest), {"app": b"another"})
    found = search(server, root)
    assert [one.raw for one in found.attachments] == [None]
    assert all(one.problem for one in found.attachments)


def test_an_index_that_is_attached_is_a_problem_and_no_evidence(complete: LoopbackRegistry):
    root = complete.add_image("app", "v1")
    complete.add_manifest(
        "app",
        {"schemaVersion": 2, "mediaType": media.OCI_INDEX, "manifests": [], "subject": root.to_json()},
        media.OCI_INDEX,
    )
    (one,) = search(complete, root).attachments
    assert "an index, where a manifest is attached" in one.problem


def test_a_tag_that_cannot_be_understood_is_a_problem_and_hides_no_other(server: LoopbackRegistry):
    root = server.add_image("app", "v1")
    attach_layers(server, root.digest, (b"one", {}))
    server.add_manifest("app", b"{}", "text/plain", tag=f"{subject_tag(root.digest)}.sig")
    found = search(server, root)
    assert [one.raw for one in found.attachments] == [b"one", None]
    assert "neither a manifest nor an index" in found.attachments[1].problem


def test_other_tags_of_the_digest_are_left_alone(complete: LoopbackRegistry):
    root = complete.add_image("app", "v1")
    for ending in (".sbom", ".other", "-x"):
        complete.add_image("app", f"{subject_tag(root.digest)}{ending}", {"app": ending.encode()})
    assert search(complete, root).attachments == ()


# --- attaching --------------------------------------------------------------------------------------------------------


def test_what_we_attach_is_found_and_nothing_is_written_twice(server: LoopbackRegistry):
    root = server.add_image("app", "v1")
    with Registry(server.name, Access(insecure=True)) as registry:
        repository = Repository(registry, "app")
        first = attach(repository, root, b"bundle", annotations={"a": "b"})
        server.forget()
        assert attach(repository, root, b"bundle", annotations={"a": "b"}) == first
        assert server.count("POST|PATCH|PUT") == 0
    (one,) = search(server, root).attachments
    assert (one.raw, one.artifact_type, one.annotations) == (b"bundle", BUNDLE, {"a": "b"})
    manifest = json.loads(server.contents["app"].manifests[str(first.manifest.digest)][1])
    assert manifest["config"] == {
        "mediaType": media.EMPTY,
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "size": 2,
    }
    assert manifest["subject"]["digest"] == str(root.digest)
    assert first.listed == ("referrers API" if server.behaviour.referrers else "fallback tag")


def test_the_fallback_index_is_what_other_tools_expect():
    with LoopbackRegistry(Behaviour(referrers=False, subject=False)) as server:
        root = server.add_image("app", "v1")
        theirs = server.add_artifact("app", b"theirs", DSSE, subject=root)
        index_of(server, root, theirs.to_json() | {"unknown": "field"})
        with Registry(server.name, Access(insecure=True)) as registry:
            ours = attach(Repository(registry, "app"), root, b"ours", annotations={"a": "b"})
        held = server.contents["app"]
        index = json.loads(held.manifests[held.tags[subject_tag(root.digest)]][1])
    assert index["schemaVersion"] == 2
    assert index["mediaType"] == media.OCI_INDEX
    assert index["manifests"] == [
        theirs.to_json() | {"unknown": "field"},
        ours.manifest.to_json(),
    ]
    assert ours.manifest.to_json()["artifactType"] == BUNDLE
    assert ours.manifest.to_json()["annotations"] == {"a": "b"}


def test_what_somebody_else_keeps_under_the_fallback_tag_stays():
    with LoopbackRegistry(Behaviour(referrers=False, subject=False)) as server:
        root = server.add_image("app", "v1")
        image = server.add_image("app", subject_tag(root.digest), {"app": b"another"})
        with Registry(server.name, Access(insecure=True)) as registry:
            assert attach(Repository(registry, "app"), root, b"ours").listed == ""
        assert server.contents["app"].tags[subject_tag(root.digest)] == str(image.digest)
        assert b"ours" in texts(search(server, root))


def test_a_fallback_index_that_is_too_long_to_be_read_grows_no_more():
    with LoopbackRegistry(Behaviour(referrers=False, subject=False)) as server:
        root = server.add_image("app", "v1")
        entries = [server.add_artifact("app", bytes([number]), DSSE, subject=root).to_json() for number in range(4)]
        index_of(server, root, *entries)
        before = server.contents["app"].tags[subject_tag(root.digest)]
        with Registry(server.name, Access(insecure=True), replace(NETWORK, referrers=3)) as registry:
            assert attach(Repository(registry, "app"), root, b"ours").listed == ""
        assert server.contents["app"].tags[subject_tag(root.digest)] == before


def test_a_registry_with_a_list_that_stays_empty_gets_the_fallback_tag():
    with LoopbackRegistry(Behaviour(subject=False)) as server:
        root = server.add_image("app", "v1")
        empty = b'{"schemaVersion": 2, "manifests": []}'
        server.fault("GET", "/referrers/", fault.other_bytes(empty))
        with Registry(server.name, Access(insecure=True)) as registry:
            assert attach(Repository(registry, "app"), root, b"ours").listed == "fallback tag"
        assert b"ours" in texts(search(server, root))


def test_a_tag_that_names_something_else_is_not_overwritten():
    with LoopbackRegistry(Behaviour(referrers=False, subject=False)) as server:
        root = server.add_image("app", "v1")
        with Registry(server.name, Access(insecure=True)) as registry:
            repository = Repository(registry, "app")
            first = attach(repository, root, b"ours")
            squatter = server.add_artifact("app", b"squatter", DSSE, tag=first.tag)
            second = attach(repository, root, b"ours")
        assert server.contents["app"].tags[first.tag] == str(squatter.digest)
        assert second.tag == f"{subject_tag(root.digest)}.nav-{first.manifest.digest.hex[:32]}"
        assert server.contents["app"].tags[second.tag] == str(first.manifest.digest)
        assert second.manifest == first.manifest
        assert b"ours" in texts(search(server, root))


@pytest.mark.parametrize("where", ["/blobs/uploads/", "/manifests/"])
def test_an_attachment_that_could_not_be_stored_says_so(complete: LoopbackRegistry, where: str):
    from navicert.errors import Unavailable

    root = complete.add_image("app", "v1")
    complete.fault("PUT|PATCH|POST", where, fault.status(500))
    with Registry(complete.name, Access(insecure=True)) as registry, pytest.raises(Unavailable):
        attach(Repository(registry, "app"), root, b"ours")
    complete.heal()
    assert search(complete, root).attachments == ()


@pytest.mark.parametrize("behaviour", [Behaviour(), BEHAVIOURS["without the API"], BEHAVIOURS["heeds If-Match"]])
def test_fifty_writers_at_once_lose_nothing(behaviour: Behaviour):
    with LoopbackRegistry(behaviour) as server:
        root = server.add_image("app", "v1")

        def write(number: int) -> None:
            with Registry(server.name, Access(insecure=True)) as registry:
                attach(Repository(registry, "app"), root, f"bundle {number}".encode())

        with ThreadPoolExecutor(max_workers=50) as pool:
            list(pool.map(write, range(50)))
        assert texts(search(server, root)).keys() == {f"bundle {number}".encode() for number in range(50)}


def test_a_writer_that_loses_the_race_for_the_index_tries_again():
    with LoopbackRegistry(BEHAVIOURS["heeds If-Match"]) as server:
        root = server.add_image("app", "v1")
        index_of(server, root)
        tag = subject_tag(root.digest)
        theirs = server.add_artifact("app", b"theirs", DSSE, subject=root)
        answered = []

        def overtake(request: fault.Request, right: fault.Response) -> fault.Response:
            answered.append(right.status)
            index_of(server, root, theirs.to_json())
            return right

        server.fault("GET", f"/manifests/{tag}$", overtake, times=1)
        with Registry(server.name, Access(insecure=True)) as registry:
            ours = attach(Repository(registry, "app"), root, b"ours")
        held = server.contents["app"]
        listed = [entry["digest"] for entry in json.loads(held.manifests[held.tags[tag]][1])["manifests"]]
    assert answered == [200]
    assert listed == [str(theirs.digest), str(ours.manifest.digest)]


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_chain_pushed_as_one_bundle_costs_the_same_however_long_it_is(complete: LoopbackRegistry):
    counts = set()
    for steps in (1, 5, 50):
        root = complete.add_image("app", "v1", {"app": bytes([steps])})
        with Registry(complete.name, Access(insecure=True)) as registry:
            attach(Repository(registry, "app"), root, b'{"payload":""}\n' * steps)
        complete.forget()
        assert len(search(complete, root).attachments) == 1
        counts.add(complete.count("GET", "/v2/app/"))
    assert counts == {4}  # the referrers, the tags (ours is among them), its manifest, its layer
