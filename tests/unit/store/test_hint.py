"""What documents say of themselves: read from every form, believed in none."""

from __future__ import annotations

import json

import pytest

from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.store import Piece
from navicert.store.hint import (
    BUNDLE,
    LAYOUT,
    LINK,
    STATEMENT,
    UNKNOWN,
    Hint,
    filed_traits,
    filing_of,
    hint_of,
    read_hint,
)
from navicert.store.schema import number
from navicert.store.trait import Trait
from navicert.testing import artifacts, chain, digests, key, signer

BOB = key("bob").id
APP = f"sha256:{sha256(b'app').hex}"
SOURCE = f"sha256:{sha256(b'source').hex}"
BODY = Link(
    "build",
    materials=artifacts({"src": b"source", "git": {"gitCommit": "AB" * 20}}),
    products=artifacts({"app": b"app"}),
    environment={"navicert": {"run-id": "r1"}},
)
STATEMENT_BODY = Statement((ResourceDescriptor("app", None, digests(b"app")),), "https://example.com/scan")


@pytest.mark.parametrize("form", ["dsse", "metablock"])
def test_a_link_says_its_step_artifacts_and_run(form: str) -> None:
    hint = read_hint(seal(BODY, signer("bob"), signer("ann"), form=form))
    assert (hint.kind, hint.name, hint.types, hint.runs) == (LINK, "build", ("link",), ("r1",))
    assert hint.signers == (BOB, key("ann").id)
    assert hint.products == {APP}
    assert hint.materials == {SOURCE, "gitCommit:" + "ab" * 20}


def test_a_link_that_nobody_signed_says_the_same() -> None:
    raw = json.loads(seal(BODY, signer("bob")))
    hint = read_hint(json.dumps({**raw, "signatures": []}).encode())
    assert (hint.name, hint.signers) == ("build", ())


def test_a_link_in_a_statement_says_what_a_link_says() -> None:
    predicate = {"name": "build", "materials": [{"name": "src", "digest": {"sha256": sha256(b"source").hex}}]}
    body = Statement(STATEMENT_BODY.subjects, "https://in-toto.io/attestation/link/v0.3", predicate)
    hint = read_hint(seal(body, signer("bob")))
    assert (hint.kind, hint.name, hint.types) == (STATEMENT, "build", ("https://in-toto.io/attestation/link/v0.3",))
    assert (hint.products, hint.materials) == ({APP}, {SOURCE})


def test_a_statement_with_a_bad_link_predicate_is_still_about_its_subjects() -> None:
    body = Statement(STATEMENT_BODY.subjects, "https://in-toto.io/attestation/link/v0.3", {"name": 1})
    hint = read_hint(seal(body, signer("bob")))
    assert (hint.kind, hint.name, hint.products) == (STATEMENT, "", {APP})


@pytest.mark.parametrize(
    "predicate",
    [
        {"materials": [{"uri": "x", "digest": {"sha256": sha256(b"source").hex}}, {"digest": 1}, "odd"]},
        {"buildDefinition": {"resolvedDependencies": [{"digest": {"sha256": sha256(b"source").hex}}]}},
        {"buildDefinition": 1, "materials": [{"digest": {"sha256": sha256(b"source").hex.upper()}}]},
    ],
)
def test_provenance_says_what_went_in(predicate: dict[str, object]) -> None:
    body = Statement(STATEMENT_BODY.subjects, "https://slsa.dev/provenance/v1", predicate)
    assert read_hint(seal(body, signer("bob"))).materials == {SOURCE}


def test_a_layout_says_that_it_is_one() -> None:
    hint = read_hint(seal(chain().step("a", by="bob").layout(), signer("ann")))
    assert (hint.kind, hint.names, hint.types) == (LAYOUT, (), ("layout",))
    assert set(filed_traits(hint, "all")) == {(Trait.FILED, "all"), (Trait.SUBLAYOUT, "all")}


def test_a_sigstore_bundle_says_what_its_envelope_says() -> None:
    media = "application/vnd.dev.sigstore.bundle.v0.3+json"
    material = {"publicKey": {"hint": BOB}}
    envelope = json.loads(seal(STATEMENT_BODY, signer("bob")))
    bundle = {"mediaType": media, "verificationMaterial": material, "dsseEnvelope": envelope}
    hint = read_hint(json.dumps(bundle, indent=2).encode())
    assert (hint.kind, hint.types, hint.products, hint.signers) == (
        BUNDLE,
        ("https://example.com/scan",),
        {APP},
        (BOB,),
    )
    assert read_hint(json.dumps({"mediaType": media, "messageSignature": {}}).encode()) == Hint(BUNDLE)
    assert read_hint(json.dumps({"mediaType": media, "dsseEnvelope": {"payload": 1}}).encode()) == Hint(UNKNOWN)


def test_json_lines_say_what_their_lines_say() -> None:
    lines = [seal(STATEMENT_BODY, signer("eve")), b"", seal(BODY, signer("bob")), b'{"something": "else"}']
    hint = read_hint(b"\n".join(lines))
    assert (hint.kind, hint.name) == (BUNDLE, "build")
    assert set(hint.types) == {"https://example.com/scan", "link"}
    two = read_hint(seal(BODY, signer("bob")) + b"\n" + seal(Link("test"), signer("bob")))
    assert (two.name, set(two.names)) == ("", {"build", "test"})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"1",
        b'{"signed": {}, "signatures": []}',
        b'{"mediaType": "application/json"}',
        b'{"a": 1}\nnot json',
        b'{"payload": "!!", "payloadType": "application/vnd.in-toto+json", "signatures": []}',
        b"[" * 100_000,
        b'{"a": 1}\n' * 10,
    ],
    ids=range(11),
)
def test_what_is_no_document_says_nothing(raw: bytes) -> None:
    assert read_hint(raw) == Hint(UNKNOWN)


def test_an_envelope_around_something_else_still_names_its_signers() -> None:
    raw = json.loads(seal(BODY, signer("bob")))
    raw["payload"] = "e30="
    assert read_hint(json.dumps(raw).encode()) == Hint(UNKNOWN, signers=(BOB,))


def test_what_could_not_be_read_says_nothing() -> None:
    assert hint_of(Piece("x", None, "damaged")) == Hint()


def test_a_document_is_filed_by_the_first_key_that_it_names_or_by_its_digest() -> None:
    raw = seal(BODY, signer("bob"))
    piece = Piece("x", raw, None, "build", ("all.01234567",))
    filing = filing_of(piece, raw, Hint(signers=("../../x", BOB)))
    assert (filing.step, filing.keyid, filing.scope) == ("build", BOB, ("all.01234567",))
    assert filing_of(piece, raw, Hint()).keyid == sha256(raw).hex
    assert filing_of(Piece("x", raw), raw, Hint(signers=(BOB,))).keyid == ""


class TestNumbers:
    def test_fit_into_what_databases_count_in(self) -> None:
        for text in ("", "build", "\ud800", "sha256:" + "f" * 64, "sha256:" + "0" * 64, APP):
            assert -(2**63) <= number(text) < 2**63

    def test_differ_for_what_differs(self) -> None:
        texts = ["", "build", "build ", APP, SOURCE, APP.replace("sha256", "sha512"), "sha256:" + "z" * 64]
        assert len({number(text) for text in texts}) == len(texts)
