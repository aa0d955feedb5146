"""Signed documents: opened as received, given out only verified, sealed as in-toto seals them.

Spec: in-toto v1.0 §4.2 (Metablock); DSSE v1.0.2 (envelope).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from navicert.crypto.key import Key
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import (
    Sealed,
    Verified,
    add_signatures,
    open_document,
    peek,
    seal,
)
from navicert.envelope.dsse import PAYLOAD_TYPE, decode_base64, encode_base64, pae
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import Limits
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.strictjson import canonical
from navicert.testing import key, signer

LINK = Link("build", ("make",), {"a": DigestSet.of({"sha256": "ab"})})
LAYOUT = Layout(datetime(2030, 1, 1, tzinfo=UTC), (Step("build"),))
STATEMENT = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab"})),), "https://example.com/p")
ANN, BEA = signer("ann"), signer("bea")


def doc(raw: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(raw)
    return document


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def verified(data: bytes, *names: str) -> Verified[Any] | None:
    return open_document(data).verified_by([key(name) for name in names])


@pytest.mark.parametrize("form", ["dsse", "metablock"])
class TestBothForms:
    @pytest.mark.parametrize("body", [LINK, LAYOUT])
    def test_what_was_sealed_is_given_out_to_whom_the_key_belongs(self, form: str, body: Link | Layout) -> None:
        data = seal(body, ANN, form=form)
        sealed = open_document(data, path="a.link")
        assert (sealed.form, sealed.origin, sealed.digest, sealed.raw) == (form, "a.link", sha256(data), data)
        assert [s.keyid for s in sealed.signatures] == [ANN.keyid]
        found = sealed.verified_by([key("ann")])
        assert found is not None
        assert found.body == body
        assert found.signers == (key("ann"),)
        assert (found.digest, found.origin) == (sealed.digest, "a.link")
        assert peek(sealed).body == body

    def test_nobody_else_opens_it(self, form: str) -> None:
        data = seal(LINK, ANN, form=form)
        assert verified(data, "bea") is None
        assert verified(data) is None

    def test_all_who_signed_are_named_and_nobody_twice(self, form: str) -> None:
        data = seal(LINK, ANN, BEA, ANN, form=form)
        found = verified(data, "bea", "cid", "ann", "ann")
        assert found is not None
        assert set(found.signers) == {key("ann"), key("bea")}
        assert len(found.signers) == 2

    def test_a_changed_document_is_nobodys(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        if form == "dsse":
            payload = decode_base64(document["payload"], "").replace(b"build", b"built")
            document["payload"] = encode_base64(payload)
        else:
            document["signed"]["name"] = "built"
        assert verified(raw(document), "ann") is None

    def test_a_field_added_after_signing_makes_it_nobodys(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        if form == "dsse":
            payload = json.loads(decode_base64(document["payload"], ""))
            document["payload"] = encode_base64(raw({**payload, "injected": True}))
        else:
            document["signed"]["injected"] = True
        assert verified(raw(document), "ann") is None

    def test_a_field_that_was_signed_and_is_not_known_stays_under_the_signature(self, form: str) -> None:
        data = seal(replace(LINK, extra={"unknown": [1]}), ANN, form=form)
        found = verified(data, "ann")
        assert found is not None
        assert found.body.extra == {"unknown": [1]}

    def test_a_key_id_is_only_a_hint(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        for keyid in (key("bea").id, "00000000", key("ann").legacy_id):
            document["signatures"][0]["keyid"] = keyid
            found = verified(raw(document), "bea", "ann")
            assert found is not None
            assert found.signers == (key("ann"),)

    def test_a_bad_signature_before_a_good_one_of_the_same_id_does_no_harm(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        good = document["signatures"][0]
        bad = {**good, "sig": encode_base64(b"\x00" * 64) if form == "dsse" else "00" * 64}
        document["signatures"] = [bad, good]
        assert verified(raw(document), "ann") is not None

    def test_signature_checks_are_bounded(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        document["signatures"] *= 5
        sealed = open_document(raw(document), Limits(signature_attempts=9))
        with pytest.raises(LimitExceeded, match="signature_attempts"):
            sealed.verified_by([key("bea"), key("cid")])
        assert sealed.verified_by([key("ann")]) is not None

    def test_signatures_are_limited_in_number(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        document["signatures"] *= 5
        open_document(raw(document), Limits(signatures=5))
        with pytest.raises(LimitExceeded):
            open_document(raw(document), Limits(signatures=4))

    def test_what_was_answered_is_not_asked_again(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        sealed = open_document(seal(LINK, ANN, form=form))
        memo: dict[tuple[str, bytes, bytes], bool] = {}
        assert sealed.verified_by([key("ann"), key("bea")], memo=memo) is not None
        monkeypatch.setattr(Key, "verify", _never)
        assert sealed.verified_by([key("bea"), key("ann")], memo=memo) is not None

    def test_content_is_the_same_in_every_envelope_and_digest_is_not(self, form: str) -> None:
        one = seal(LINK, ANN, form=form)
        other = raw({**doc(one), "unsigned": "field"})
        third = add_signatures(open_document(one), BEA)
        found = [verified(data, "ann", "bea") for data in (one, other, third)]
        assert len({f.content for f in found if f is not None}) == 1
        assert len({f.digest for f in found if f is not None}) == 3

    def test_adding_a_signature_touches_nothing_that_was_signed(self, form: str) -> None:
        document = doc(seal(replace(LINK, extra={"unknown": 1}), ANN, form=form))
        if form == "dsse":  # any bytes that parse
            document["payload"] = encode_base64(decode_base64(document["payload"], "") + b"\n ")
            message = pae(PAYLOAD_TYPE, decode_base64(document["payload"], ""))
            document["signatures"][0]["sig"] = encode_base64(ANN.sign(message))
        data = add_signatures(open_document(raw(document)), BEA)
        found = verified(data, "ann", "bea")
        assert found is not None
        assert set(found.signers) == {key("ann"), key("bea")}

    def test_signing_again_replaces_the_signature_of_the_same_key(self, form: str) -> None:
        data = add_signatures(open_document(seal(LINK, ANN, BEA, form=form)), ANN)
        assert [s["keyid"] for s in doc(data)["signatures"]] == [BEA.keyid, ANN.keyid]

    def test_replacing_leaves_the_new_signatures_only(self, form: str) -> None:
        data = add_signatures(open_document(seal(LINK, ANN, form=form)), BEA, replace=True)
        assert [s["keyid"] for s in doc(data)["signatures"]] == [BEA.keyid]

    def test_nothing_is_sealed_without_a_signer(self, form: str) -> None:
        with pytest.raises(Refused, match="nothing to sign with"):
            seal(LINK, form=form)
        with pytest.raises(Refused):
            add_signatures(open_document(seal(LINK, ANN, form=form)))

    @pytest.mark.parametrize("signatures", [None, {}, "x", [None], [[]], [{}], [{"keyid": "ab"}], [{"sig": 1}]])
    def test_odd_signatures_are_refused_where_they_stand(self, form: str, signatures: object) -> None:
        document = {**doc(seal(LINK, ANN, form=form)), "signatures": signatures}
        with pytest.raises(Malformed) as caught:
            open_document(raw(document))
        assert caught.value.pointer.startswith("/signatures")

    def test_a_document_without_signatures_is_nobodys(self, form: str) -> None:
        assert verified(raw({**doc(seal(LINK, ANN, form=form)), "signatures": []}), "ann") is None

    def test_the_field_must_be_there(self, form: str) -> None:
        document = doc(seal(LINK, ANN, form=form))
        del document["signatures"]
        with pytest.raises(Malformed, match='"signatures" is missing'):
            open_document(raw(document))


def _never(*arguments: object) -> bool:
    raise AssertionError("asked again")


class TestDsse:
    def test_is_written_as_in_toto_writes_it(self) -> None:
        data = seal(LINK, ANN)
        document = doc(data)
        assert data == json.dumps(document, sort_keys=True).encode()
        assert document["payloadType"] == PAYLOAD_TYPE
        assert decode_base64(document["payload"], "") == json.dumps(LINK.to_json(), sort_keys=True).encode()

    def test_is_signed_over_type_and_payload(self) -> None:
        document = doc(seal(LINK, ANN))
        message = pae(PAYLOAD_TYPE, decode_base64(document["payload"], ""))
        assert key("ann").verify(decode_base64(document["signatures"][0]["sig"], ""), message)

    @pytest.mark.parametrize("keyid", [None, "", ...])
    def test_needs_no_key_id(self, keyid: object) -> None:
        document = doc(seal(LINK, ANN))
        document["signatures"][0]["keyid"] = keyid
        if keyid is ...:
            del document["signatures"][0]["keyid"]
        sealed = open_document(raw(document))
        assert sealed.signatures[0].keyid is None
        found = sealed.verified_by([key("bea"), key("ann")])
        assert found is not None
        assert found.signers == (key("ann"),)

    def test_is_read_in_either_alphabet(self) -> None:
        document = doc(seal(LINK, ANN))
        document["payload"] = document["payload"].replace("+", "-").replace("/", "_")
        document["signatures"][0]["sig"] = document["signatures"][0]["sig"].replace("+", "-").replace("/", "_")
        assert verified(raw(document), "ann") is not None

    @pytest.mark.parametrize(
        ("field", "value", "where"),
        [
            ("payload", None, "/payload"),
            ("payload", 1, "/payload"),
            ("payload", "%%", "/payload"),
            ("payloadType", None, "/payloadType"),
            ("payloadType", 1, "/payloadType"),
            ("payloadType", "text/plain", "/payloadType"),
            ("payloadType", "application/vnd.in-toto.x", "/payloadType"),
            ("payloadType", "application/json", "/payloadType"),
            ("signatures", [{"sig": "%%"}], "/signatures/0/sig"),
            ("signatures", [{"sig": "aaaa", "keyid": 1}], "/signatures/0/keyid"),
        ],
    )
    def test_an_odd_field_is_refused_where_it_stands(self, field: str, value: object, where: str) -> None:
        with pytest.raises(Malformed) as caught:
            open_document(raw({**doc(seal(LINK, ANN)), field: value}), path="a.link")
        assert caught.value.pointer == where
        assert caught.value.path == "a.link"

    def test_the_type_is_signed(self) -> None:
        document = doc(seal(STATEMENT, ANN))
        document["payloadType"] = "application/vnd.in-toto.other+json"
        assert verified(raw(document), "ann") is None

    @pytest.mark.parametrize("body", [LINK, LAYOUT])
    def test_a_link_or_layout_has_the_one_payload_type(self, body: Link | Layout) -> None:
        document = _sealed_as("application/vnd.in-toto.link+json", raw(body.to_json()))
        with pytest.raises(Malformed, match="wrong payload type") as caught:
            verified(document, "ann")
        assert caught.value.pointer.startswith("/payload#")

    def test_a_statement_may_have_a_type_of_its_own(self) -> None:
        document = _sealed_as("application/vnd.in-toto.provenance+json", raw(STATEMENT.to_json()))
        found = verified(document, "ann")
        assert found is not None
        assert found.body == STATEMENT

    @pytest.mark.parametrize(
        ("payload", "where"),
        [
            (b"not JSON", "/payload#"),
            (b"[]", "/payload#/"),
            (b'{"_type": "link"}', "/payload#/"),
            (b'{"_type": "link", "name": "a", "name": "b"}', "/payload#/"),
            (b'{"_type": "link", "name": 1}', "/payload#/name"),
        ],
    )
    def test_a_signed_payload_that_is_no_document_is_malformed(self, payload: bytes, where: str) -> None:
        sealed = open_document(_sealed_as(PAYLOAD_TYPE, payload), path="a.link")
        for read in (lambda: sealed.verified_by([key("ann")]), lambda: peek(sealed)):
            with pytest.raises(Malformed) as caught:
                read()
            assert caught.value.pointer == where
            assert caught.value.path == "a.link"

    def test_what_nobody_signed_is_not_even_read(self) -> None:
        sealed = open_document(_sealed_as(PAYLOAD_TYPE, b"not JSON"))
        assert sealed.verified_by([key("bea")]) is None

    def test_limits_hold_inside_the_payload(self) -> None:
        data = _sealed_as(PAYLOAD_TYPE, raw(LINK.to_json() | {"extra": [[[[[[]]]]]]}))
        sealed = open_document(data, Limits(json_depth=4))
        with pytest.raises(LimitExceeded, match="json_depth"):
            sealed.verified_by([key("ann")])


def _sealed_as(kind: str, payload: bytes) -> bytes:
    signature = {"keyid": ANN.keyid, "sig": encode_base64(ANN.sign(pae(kind, payload)))}
    return raw({"payload": encode_base64(payload), "payloadType": kind, "signatures": [signature]})


def _metablock(signed: dict[str, Any], message: bytes | None = None) -> bytes:
    signature = {"keyid": ANN.keyid, "sig": ANN.sign(canonical(signed) if message is None else message).hex()}
    return raw({"signed": signed, "signatures": [signature]})


class TestMetablock:
    def test_is_written_as_in_toto_writes_it(self) -> None:
        data = seal(LAYOUT, ANN, form="metablock")
        document = doc(data)
        assert data == json.dumps(document, indent=1, separators=(",", ": "), sort_keys=True).encode()
        assert document["signed"] == LAYOUT.to_json()
        assert document["signatures"][0]["sig"] == ANN.sign(canonical(LAYOUT.to_json())).hex()

    def test_a_statement_has_no_place_in_it(self) -> None:
        with pytest.raises(Malformed, match="cannot be sealed so"):
            seal(STATEMENT, ANN, form="metablock")
        with pytest.raises(Malformed, match="cannot be sealed so"):
            seal(LINK, ANN, form="jws")
        with pytest.raises(Malformed, match="unknown document type"):
            open_document(_metablock(STATEMENT.to_json()))

    def test_an_unsigned_default_is_filled_in_where_upstream_signed_it(self) -> None:
        short = {"_type": "link", "name": "build", "materials": {"a": {"sha256": "ab"}}, "command": ["make"]}
        found = verified(_metablock(short, canonical(LINK.to_json())), "ann")
        assert found is not None
        assert found.body == LINK

    def test_what_was_signed_without_defaults_is_read_without_them(self) -> None:
        short = {"_type": "link", "name": "build", "unknown": 1}
        found = verified(_metablock(short), "ann")
        assert found is not None
        assert found.body == Link("build", extra={"unknown": 1})

    def test_completing_never_drops_a_field(self) -> None:
        short = {"_type": "link", "name": "build", "injected": 1}
        without = {**Link("build").to_json()}
        assert verified(_metablock(short, canonical(without)), "ann") is None

    def test_a_layout_completed_by_upstream_verifies_and_one_without_expiry_is_refused(self) -> None:
        short = {"_type": "layout", "expires": "2030-01-01T00:00:00Z", "steps": [{"name": "build"}], "inspect": []}
        found = verified(_metablock(short, canonical(LAYOUT.to_json())), "ann")
        assert found is not None
        assert found.body == LAYOUT
        del short["expires"]
        with pytest.raises(Malformed, match='"expires" is missing') as caught:
            verified(_metablock(short), "ann")
        assert caught.value.pointer.startswith("/signed")

    def test_two_signers_over_two_forms_are_not_added_up(self) -> None:
        short: dict[str, Any] = {"_type": "link", "name": "build"}
        signatures = [
            {"keyid": ANN.keyid, "sig": ANN.sign(canonical(short)).hex()},
            {"keyid": BEA.keyid, "sig": BEA.sign(canonical(Link("build").to_json())).hex()},
        ]
        found = verified(raw({"signed": short, "signatures": signatures}), "ann", "bea")
        assert found is not None
        assert len(found.signers) == 1

    def test_the_form_that_more_signed_is_taken(self) -> None:
        short: dict[str, Any] = {"_type": "link", "name": "build"}
        whole = canonical(Link("build").to_json())
        signatures = [
            {"keyid": signer("cid").keyid, "sig": signer("cid").sign(canonical(short)).hex()},
            {"keyid": ANN.keyid, "sig": ANN.sign(whole).hex()},
            {"keyid": BEA.keyid, "sig": BEA.sign(whole).hex()},
        ]
        found = verified(raw({"signed": short, "signatures": signatures}), "ann", "bea", "cid")
        assert found is not None
        assert set(found.signers) == {key("ann"), key("bea")}

    @pytest.mark.parametrize(
        ("document", "where"),
        [
            ({"signed": [], "signatures": []}, "/signed"),
            ({"signed": {}, "signatures": []}, "/signed/_type"),
            ({"signed": {"_type": 1}, "signatures": []}, "/signed/_type"),
            ({"signed": {"_type": ["link"]}, "signatures": []}, "/signed/_type"),
            ({"signed": {"_type": "link"}, "signatures": [{"sig": "00"}]}, "/signatures/0"),
            ({"signed": {"_type": "link"}, "signatures": [{"keyid": 1, "sig": "00"}]}, "/signatures/0/keyid"),
            ({"signed": {"_type": "link"}, "signatures": [{"keyid": "a", "sig": "zz"}]}, "/signatures/0/sig"),
            (
                {"signed": {"_type": "link"}, "signatures": [{"keyid": "a", "signature": "0", "other_headers": "04"}]},
                "/signatures/0/signature",
            ),
        ],
    )
    def test_an_odd_field_is_refused_where_it_stands(self, document: object, where: str) -> None:
        with pytest.raises(Malformed) as caught:
            open_document(raw(document), path="a.link")
        assert (caught.value.pointer, caught.value.path) == (where, "a.link")

    def test_an_openpgp_signature_is_kept_and_verifies_with_no_other_key(self) -> None:
        document = doc(seal(LINK, ANN, form="metablock"))
        document["signatures"] = [{"keyid": "ab" * 20, "signature": "00ff", "other_headers": "04"}]
        sealed = open_document(raw(document))
        (signature,) = sealed.signatures
        assert (signature.keyid, signature.value) == ("ab" * 20, b"\x00\xff")
        assert signature.fields["other_headers"] == "04"
        assert sealed.verified_by([key("ann")]) is None

    def test_a_float_cannot_have_been_signed(self) -> None:
        document = doc(seal(LINK, ANN, form="metablock"))
        document["signed"]["byproducts"] = {"seconds": 1.5}
        with pytest.raises(Malformed, match="floats cannot be signed"):
            verified(raw(document), "ann")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not JSON"),
        (b"[]", "wrong type"),
        (b"{}", "not a signed document .*got an object with no field"),
        (b'{"b": 1, "a": 2}', "not a signed document .*got an object with a, b"),
        (b'{"payload": "", "signed": {}}', "both a DSSE envelope and a Metablock"),
        (b'{"payload": "", "payload": ""}', "duplicate key"),
    ],
)
def test_what_is_no_signed_document_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what) as caught:
        open_document(data, path="a.link")
    assert caught.value.path == "a.link"


def test_a_document_has_at_most_the_allowed_size() -> None:
    with pytest.raises(LimitExceeded):
        open_document(seal(LINK, ANN), Limits(document_bytes=10))


class TestVerified:
    """Only a signature check gives a document out."""

    def forge(self) -> list[Callable[[], object]]:
        sealed = open_document(seal(LINK, BEA))
        content = sealed.digest
        return [
            lambda: Verified(LINK, (key("ann"),), content, sealed, None),  # type: ignore[arg-type]
            lambda: Verified(LINK, (key("ann"),), content, sealed, object()),  # type: ignore[arg-type]
            lambda: replace(_of(sealed), signers=()),
        ]

    def test_cannot_be_made_by_hand(self) -> None:
        for attempt in self.forge():
            with pytest.raises(TypeError, match="verified_by"):
                attempt()


def _of(sealed: Sealed) -> Verified[Any]:
    found = sealed.verified_by([key("bea")])
    assert found is not None
    return found


class TestKeyOrder:
    """Exact id first, then who answers to the id, then all others; each signature is one key's."""

    def test_the_hinted_key_is_asked_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        original = Key.verify

        def listening(self: Key, *question: Any) -> bool:
            asked.append(self.short)
            return original(self, *question)

        monkeypatch.setattr(Key, "verify", listening)
        people = [key(name) for name in ("cid", "bea", "ann")]
        sealed = open_document(seal(LINK, ANN))
        assert sealed.verified_by(people) is not None
        assert asked == [key("ann").short]
        asked.clear()
        document = doc(seal(LINK, ANN))
        document["signatures"][0]["keyid"] = key("ann").legacy_id
        assert open_document(raw(document)).verified_by(people) is not None
        assert asked == [key("ann").short]
