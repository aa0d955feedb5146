"""What is attached to an image, read like a store: asked once, nothing believed, nothing left out silently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest
from tests.cosign_layer import attach_layers
from tests.image_chain import layout, links

from navicert.envelope.document import seal
from navicert.errors import Refused, Unavailable
from navicert.limits import NETWORK
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, PACK, attach
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import Resolved, resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.store import Filing, Piece
from navicert.store.attachment import AttachmentSource
from navicert.store.pack import Pack, write_pack
from navicert.testing import fault, signer
from navicert.testing.registry import LoopbackRegistry

SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        registry.add_image("app", "v1")
        yield registry


@pytest.fixture
def image(server: LoopbackRegistry) -> Iterator[Resolved]:
    with ExitStack() as cleanup:
        registry = cleanup.enter_context(Registry(server.name, Access(insecure=True), wait=lambda seconds: None))
        yield resolve_reference(registry, Reference.parse(f"{server.name}/app:v1"))


def link(image: Resolved) -> bytes:
    products = image_artifacts("app", image.image())
    return seal(links(products)[-1], signer("bob"))


def put(image: Resolved, raw: bytes, media_type: str = BUNDLE) -> None:
    attach(image.repository, image.root, raw, media_type)


def pieces(image: Resolved, **more: Any) -> list[Piece]:
    with closing(AttachmentSource(image, **more)) as source:
        return list(source.pieces())


def test_it_asks_nothing_until_somebody_wants_to_know_and_then_once(server: LoopbackRegistry, image: Resolved) -> None:
    put(image, link(image))
    server.forget()
    source = AttachmentSource(image)
    assert server.seen == ()
    first = list(source.pieces())
    asked = len(server.seen)
    assert asked > 0
    assert list(source.pieces()) == first
    assert list(source.asked())
    assert len(server.seen) == asked


def test_every_shape_becomes_documents_and_what_is_none_says_why(server: LoopbackRegistry, image: Resolved) -> None:
    good = link(image)
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": json.loads(good)}
    bundle["verificationMaterial"] = {"publicKey": {}}
    for raw in (good, json.dumps(bundle).encode(), good + b"\n" + good, b'{"_type": "x"}', b"oops"):
        put(image, raw)
    put(image, write_pack(Pack(seal(layout(), signer("owner")), (Filing("build", "ab" * 32, good),))), PACK)
    put(image, b"no pack", PACK)
    put(image, b"{}", SIMPLE)
    found = pieces(image)
    assert sum(piece.raw is not None for piece in found) == 5
    problems = " ".join(piece.problem or "" for piece in found)
    for reason in ("unsigned: nobody vouches for it", "a signature of cosign", "tar"):
        assert reason in problems
    assert all(f"{server.name}/app@sha256:" in piece.origin for piece in found)
    assert any(": line 2" in piece.origin for piece in found)
    assert [piece.step_hint for piece in found if piece.step_hint] == ["build"]


def test_what_cosign_keeps_beside_an_attestation_comes_with_it(server: LoopbackRegistry, image: Resolved) -> None:
    raw, beside = link(image), {"dev.sigstore.cosign/certificate": "PEM", "dev.cosignproject.cosign/signature": ""}
    attach_layers(server, image.root.digest, (raw, beside), (raw + b"\n" + raw + b"\n", beside))
    alone, *lines = pieces(image)
    assert alone.annotations == beside
    # What stands beside a file of several is about none of them.
    assert [one.annotations for one in lines] == [{}, {}]


def test_layouts_of_packs_are_given_each_once_and_believed_by_nobody(image: Resolved) -> None:
    mine, theirs = (seal(layout(), signer(name)) for name in ("owner", "eve"))
    good = link(image)
    for raw in (mine, mine, theirs):
        put(image, write_pack(Pack(raw, (Filing("build", "ab" * 32, good),))), PACK)
    source = AttachmentSource(image)
    assert sorted(source.layouts().values()) == sorted([mine, theirs])
    assert all(origin.endswith(": root.layout") for origin in source.layouts())
    assert len(list(source.packs())) == 2


def test_it_tells_how_far_it_has_come_and_when_it_is_over(image: Resolved) -> None:
    put(image, link(image))
    put(image, b"oops")
    told: list[tuple[int, int]] = []
    pieces(image, progress=lambda done, size: told.append((done, size)))
    assert sorted(done for done, _ in told) == [0, 1, 2]
    assert told[-1] == (0, 0)


def test_it_is_over_also_where_it_could_not_be_found_out(server: LoopbackRegistry, image: Resolved) -> None:
    server.fault("GET", "/referrers/", fault.status(500))
    told: list[tuple[int, int]] = []
    with pytest.raises((Refused, Unavailable)):
        pieces(image, progress=lambda done, size: told.append((done, size)))
    assert told == [(0, 0)]


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_an_error_is_never_nothing_found(server: LoopbackRegistry, image: Resolved, code: int) -> None:
    put(image, link(image))
    server.fault("GET", "/referrers/", fault.status(code))
    with pytest.raises((Refused, Unavailable)):
        pieces(image)


def test_an_attachment_that_was_exchanged_is_a_piece_with_the_reason(server: LoopbackRegistry, image: Resolved) -> None:
    put(image, link(image))
    held = server.contents["app"]
    (digest,) = [d for d, raw in held.blobs.items() if raw == link(image)]
    held.blobs[digest] = b"x" * len(held.blobs[digest])
    (piece,) = pieces(image)
    assert piece.raw is None
    assert "another digest" in str(piece.problem)


def test_too_many_lines_are_one_piece_with_the_reason(image: Resolved) -> None:
    put(image, b"{}\n" * 20)
    (piece,) = pieces(image, limits=replace(NETWORK, evidence_files=10))
    assert "limit evidence_files" in str(piece.problem)
