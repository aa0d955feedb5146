"""The containers, Metablock and DSSE: what is signed, and how signatures and payload are written.

Spec: in-toto v1.0 §4.2; ITE-5 and DSSE v1.0.2.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from vectors.generators.material import (
    ONE,
    PLAIN,
    TYPE,
    Document,
    Edit,
    block,
    dsse,
    edited,
    entry,
    envelope,
    layout_of,
    link_of,
    metablock,
    name_of,
    pae,
    reopened,
    signature,
    swap,
    without,
)
from vectors.generators.vector import PASS, Expected, Vector, evidence_of, fails, of, passes

from navicert.strictjson import canonical
from navicert.testing import signer

LINK = name_of("build", "bob")
RECEIVED = "in-toto v1.0 §4.2: the signature is over the canonical form of signed"
DSSE = "DSSE v1.0.2: the signature is over PAE(payload type, payload)"
EITHER = "DSSE v1.0.2: base64 in the standard or the URL-safe alphabet"
HINT = "DSSE v1.0.2: the key id is an unauthenticated hint and may be missing"


def _layout(raw: bytes, strict: Expected, *, attack: str, spec: str, in_toto: str, control: str = "") -> Vector:
    control = control or ("" if strict.expect == "pass" else "plain-dsse" if b'"payload"' in raw else "plain")
    return Vector(attack, spec, raw, strict, in_toto, control=control, evidence=evidence_of(PLAIN))


def _unsigned(says: str) -> Expected:
    return fails("signature", "layout.owner", says)


def _refused(says: str, id: str = "Malformed") -> Expected:
    return fails("envelope", id, says)


def _signed_layout() -> bytes:
    return metablock(layout_of(PLAIN), "owner")


def _envelope(edit: Edit) -> bytes:
    return json.dumps(edited(json.loads(dsse(layout_of(PLAIN), "owner")), edit), sort_keys=True).encode()


# --- over what the signature is ------------------------------------------------------------------------------------


def field_added_after_signing() -> Vector:
    """A field that the reader does not know was put into `signed` after it was signed. Whoever signs again what it
    understood of the document finds the signature good."""
    raw = reopened(_signed_layout(), lambda document: document["signed"].update(comment="approved by the auditors"))
    return _layout(
        raw,
        _unsigned("no valid signature of this key"),
        attack="content smuggled into a signed document",
        spec=RECEIVED,
        in_toto="pass",
        control="field-signed-with-the-rest",
    )


def field_signed_with_the_rest() -> Vector:
    """The same field, signed: another implementation knows it, and its documents must verify."""
    document = layout_of(PLAIN, lambda layout: layout.update(comment="approved by the auditors"))
    return _layout(
        metablock(document, "owner"),
        passes("layout.unknown-field"),
        attack="none: the reader that forgets what it does not know refuses what others signed honestly",
        spec=RECEIVED,
        in_toto="SignatureVerificationError",
    ).having(upstream=PASS)


def defaults_signed_and_left_out() -> Vector:
    """Fields that hold their default are missing in the file, and the signature is over the completed document, as
    in-toto in Python makes it."""
    whole = layout_of(PLAIN)
    short = edited(whole, without("readme"))
    without("_type", "threshold")(short["steps"][0])
    return _layout(
        metablock(short, "owner", over=whole),
        PASS,
        attack="none: both ways of signing a document with missing fields are in use",
        spec="in-toto v1.0 §4.3: fields with defaults",
        in_toto="pass",
    )


def defaults_neither_signed_nor_there() -> Vector:
    """The same file, signed as it is, as in-toto in Go makes it."""
    short = layout_of(PLAIN, without("readme"))
    without("_type", "threshold")(short["steps"][0])
    return _layout(
        metablock(short, "owner"),
        PASS,
        attack="none: both ways of signing a document with missing fields are in use",
        spec=RECEIVED,
        in_toto="SignatureVerificationError",
    )


def field_left_out_that_is_no_default() -> Vector:
    """The threshold was 2 when the layout was signed; now it is missing, and the default would be 1."""
    whole = layout_of(PLAIN, lambda layout: layout["steps"][0].update(threshold=2))
    short = edited(whole, None)
    without("threshold")(short["steps"][0])
    return _layout(
        metablock(short, "owner", over=whole),
        _unsigned("no valid signature of this key"),
        attack="a requirement removed from a signed document",
        spec=RECEIVED,
        in_toto="SignatureVerificationError",
        control="defaults-signed-and-left-out",
    )


def signed_over_the_file() -> Vector:
    """The signature is over the text of `signed` as the file has it, indented."""
    document = layout_of(PLAIN)
    text = json.dumps(document, indent=1, sort_keys=True).encode()
    return _layout(
        metablock(document, "owner", over=text),
        _unsigned("no valid signature of this key"),
        attack="a signature over one spelling of the document",
        spec=RECEIVED,
        in_toto="SignatureVerificationError",
    )


def payload_signed_without_its_type() -> Vector:
    """The signature in the envelope is over the payload alone."""
    payload = json.dumps(layout_of(PLAIN)).encode()
    return _layout(
        envelope(payload, [entry(payload, "owner")]),
        _unsigned("no valid signature of this key"),
        attack="a signature made for another protocol, put into an envelope",
        spec=DSSE,
        in_toto="SignatureVerificationError",
    )


def payload_signed_under_another_type() -> Vector:
    """The owner signed these bytes as text/plain; the envelope says that they are a layout."""
    payload = json.dumps(layout_of(PLAIN)).encode()
    return _layout(
        envelope(payload, [entry(pae(payload, "text/plain"), "owner")]),
        _unsigned("no valid signature of this key"),
        attack="a signed note that is passed off as a policy",
        spec=DSSE,
        in_toto="SignatureVerificationError",
    )


def pae_length_in_bytes() -> Vector:
    """The payload is not ASCII, and its length in the signed message counts bytes."""
    payload = json.dumps(layout_of(PLAIN, lambda layout: layout.update(readme="Größe")), ensure_ascii=False).encode()
    return _layout(dsse(payload, "owner"), PASS, attack="none: lengths are of bytes", spec=DSSE, in_toto="pass")


def pae_length_in_characters() -> Vector:
    """The same payload, its length counted in characters, two fewer."""
    payload = json.dumps(layout_of(PLAIN, lambda layout: layout.update(readme="Größe")), ensure_ascii=False).encode()
    message = b"DSSEv1 28 %b %d %b" % (TYPE.encode(), len(payload.decode()), payload)
    return _layout(
        dsse(payload, "owner", over=message),
        _unsigned("no valid signature of this key"),
        attack="a length that fits two readings of one message",
        spec="DSSE v1.0.2: lengths are of bytes, in decimal",
        in_toto="SignatureVerificationError",
        control="pae-length-in-bytes",
    )


KIND = "application/vnd.in-toto.größe+json"


def _statement(attack: str, strict: Expected, *, length: int | None = None) -> Vector:
    """The link as a statement under a payload type that is not ASCII; `length` is the length of the type that is
    signed, if not the right one."""
    link = link_of()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": digest} for path, digest in link["products"].items()],
        "predicateType": "https://in-toto.io/attestation/link/v0.3",
        "predicate": {
            "name": "build",
            "command": link["command"],
            "materials": [{"name": path, "digest": digest} for path, digest in link["materials"].items()],
        },
    }
    payload = json.dumps(statement).encode()
    right = pae(payload, KIND)
    wrong = None if length is None else swap(right, f"DSSEv1 {len(KIND.encode())} ", f"DSSEv1 {length} ")
    return of(
        ONE,
        attack=attack,
        spec="DSSE v1.0.2: lengths are of bytes, in decimal",
        in_toto="InvalidMetadata",
        strict=strict,
        evidence={LINK: dsse(payload, "bob", kind=KIND, over=wrong)},
        refused={} if strict.expect == "pass" else {LINK: "signature"},
    )


def pae_type_length_in_bytes() -> Vector:
    """A statement under a payload type that is not ASCII, the length of the type counted in bytes."""
    return _statement("none: the length of the type is of bytes too", PASS)


def pae_type_length_in_characters() -> Vector:
    """The same statement, the length of the type counted in characters, two fewer."""
    return _statement(
        "an encoder that counts characters signs what others read otherwise",
        fails("signature", "step.threshold", "no valid signature"),
        length=len(KIND),
    ).having(control="pae-type-length-in-bytes")


# --- the Metablock -------------------------------------------------------------------------------------------------


def unknown_document_type() -> Vector:
    """Neither layout nor link."""
    return _layout(
        metablock(layout_of(PLAIN, lambda layout: layout.update(_type="policy")), "owner"),
        _refused("unknown document type"),
        attack="a document that is read as what it does not say it is",
        spec="in-toto v1.0 §4.2: _type",
        in_toto="FormatError",
    )


def metablock_and_envelope_in_one() -> Vector:
    """One object is both: its Metablock is signed by the owner, its envelope by a stranger."""
    other = json.loads(dsse(layout_of(PLAIN), "mallory"))
    document = json.loads(_signed_layout()) | {name: other[name] for name in ("payload", "payloadType")}
    return _layout(
        json.dumps(document, sort_keys=True).encode(),
        _refused("both a DSSE envelope and a Metablock"),
        attack="two documents in one file, of which each reader verifies and uses another",
        spec="ITE-5: either container",
        in_toto="SignatureVerificationError",
        control="plain",
    )


def neither_metablock_nor_envelope() -> Vector:
    """The layout without any container."""
    return _layout(
        json.dumps(layout_of(PLAIN)).encode(),
        _refused("not a signed document"),
        attack="an unsigned document taken for a signed one",
        spec="in-toto v1.0 §4.2: signed and signatures",
        in_toto="InvalidMetadata",
    )


def signatures_missing() -> Vector:
    """There is no list of signatures at all."""
    return _layout(
        json.dumps({"signed": layout_of(PLAIN)}).encode(),
        _refused('required field "signatures" is missing'),
        attack="absence taken for nothing to check",
        spec="in-toto v1.0 §4.2: signatures",
        in_toto="SignatureVerificationError",
    )


def signatures_as_object() -> Vector:
    """The signatures stand in an object instead of an array."""
    entry = signature(canonical(layout_of(PLAIN)), "owner")
    return _layout(
        json.dumps({"signed": layout_of(PLAIN), "signatures": {"0": entry}}).encode(),
        _refused("expected array"),
        attack="a container whose elements are looked at in another way than meant",
        spec="in-toto v1.0 §4.2: signatures is a list",
        in_toto="FormatError",
    )


def signature_without_value() -> Vector:
    """The entry names a key and holds no signature."""
    return _layout(
        reopened(_signed_layout(), lambda document: document["signatures"][0].pop("sig")),
        _refused('required field "sig" is missing'),
        attack="an entry that only claims to be a signature",
        spec="in-toto v1.0 §4.2: keyid and sig",
        in_toto="FormatError",
    )


def signature_not_hexadecimal() -> Vector:
    """The signature is right, and written in base64."""
    sig = base64.b64encode(signer("owner").sign(canonical(layout_of(PLAIN)))).decode()
    return _layout(
        reopened(_signed_layout(), lambda document: document["signatures"][0].update(sig=sig)),
        _refused("signature is not hexadecimal"),
        attack="an encoding that is guessed",
        spec="in-toto v1.0 §4.2: sig is hexadecimal",
        in_toto="SignatureVerificationError",
    )


def signature_in_upper_case() -> Vector:
    """Hexadecimal in upper case is the same number."""
    return _layout(
        reopened(_signed_layout(), _upper),
        PASS,
        attack="none: hexadecimal is read in either case",
        spec="in-toto v1.0 §4.2: sig is hexadecimal",
        in_toto="pass",
    )


def _upper(document: Document) -> None:
    document["signatures"][0]["sig"] = document["signatures"][0]["sig"].upper()


def link_where_layout_belongs() -> Vector:
    """The owner's key also signed a link, and the link is presented as the layout."""
    return _layout(
        metablock(link_of(), "owner"),
        fails("model", "Malformed", "not a layout"),
        attack="a signed document of one kind used as another",
        spec="in-toto v1.0 §4.2: _type",
        in_toto="AttributeError",
    )


def statement_where_layout_belongs() -> Vector:
    """An attestation signed by the owner is presented as the layout."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://example.org/anything/v1",
        "predicate": {},
    }
    return _layout(
        dsse(statement, "owner"),
        fails("model", "Malformed", "not a layout"),
        attack="a signed document of one kind used as another",
        spec="ITE-5: layouts and links in envelopes",
        in_toto="InvalidMetadata",
    )


# --- the envelope --------------------------------------------------------------------------------------------------


def wrong_payload_type() -> Vector:
    """The envelope says that it holds plain JSON, and is signed so."""
    payload = json.dumps(layout_of(PLAIN)).encode()
    return _layout(
        dsse(payload, "owner", kind="application/json"),
        _refused("unknown payload type"),
        attack="a document meant for another program",
        spec="ITE-5: payloadType is application/vnd.in-toto+json",
        in_toto="InvalidMetadata",
    )


def payload_type_of_a_predicate() -> Vector:
    """A layout under the payload type of an attestation: the type is known, and does not hold layouts."""
    payload = json.dumps(layout_of(PLAIN)).encode()
    return _layout(
        dsse(payload, "owner", kind="application/vnd.in-toto.provenance+json"),
        fails("model", "Malformed", "wrong payload type for a layout or link"),
        attack="a document that is dispatched by its content instead of its declared type",
        spec="ITE-5: payloadType is application/vnd.in-toto+json",
        in_toto="InvalidMetadata",
    )


def _recoded(attack: str, in_toto: str, strict: Expected, recode: Any) -> Vector:
    # Four characters that differ in the two alphabets: ">>>???" encodes to both of them.
    layout = layout_of(PLAIN, lambda document: document.update(readme=">>>???~~~   "))
    raw = dsse(layout, "owner")
    text = json.loads(raw)["payload"]
    if not ({"+", "/"} & set(text)) or not text.endswith("="):
        raise ValueError("this payload shows no difference between the alphabets")
    return _layout(swap(raw, text, json.dumps(recode(text))[1:-1]), strict, attack=attack, spec=EITHER, in_toto=in_toto)


def base64_url_safe() -> Vector:
    """The payload in the URL-safe alphabet."""
    return _recoded(
        "none: both alphabets are allowed", "pass", PASS, lambda text: text.replace("+", "-").replace("/", "_")
    )


def base64_without_padding() -> Vector:
    """The padding is cut off."""
    return _recoded(
        "an encoding that some decoders complete and others cut",
        "Error",
        _refused("not base64"),
        lambda t: t.rstrip("="),
    ).having(control="base64-url-safe")


def base64_of_two_alphabets() -> Vector:
    """The first special character in the URL-safe alphabet, the others in the standard one."""
    return _recoded(
        "an encoding that lenient decoders skip characters of",
        "pass",
        _refused("not base64"),
        lambda text: text.replace("+", "-", 1) if "+" in text and "/" in text else text.replace("/", "_", 1),
    ).having(control="base64-url-safe")


def base64_with_line_feeds() -> Vector:
    """The payload is broken into lines, as in mail."""
    return _recoded(
        "an encoding that lenient decoders skip characters of",
        "Error",
        _refused("not base64"),
        lambda text: "\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
    ).having(control="base64-url-safe")


def signature_without_keyid() -> Vector:
    """The envelope does not say whose signature it is."""
    return _layout(
        _envelope(lambda document: document["signatures"][0].pop("keyid")),
        PASS,
        attack="none: all keys are tried",
        spec=HINT,
        in_toto="KeyError",
    )


def signature_under_another_keyid() -> Vector:
    """The owner's signature under the id of somebody else."""
    return _layout(
        _envelope(lambda document: document["signatures"][0].update(keyid=signer("mallory").keyid)),
        PASS,
        attack="none: whoever signed is known by the key that verifies, not by what the envelope says",
        spec=HINT,
        in_toto="SignatureVerificationError",
    )


def keyid_of_the_owner_on_anothers_signature() -> Vector:
    """A stranger's signature under the owner's id."""
    payload = json.dumps(layout_of(PLAIN)).encode()
    return _layout(
        envelope(payload, [entry(pae(payload), "mallory", signer("owner").keyid)]),
        _unsigned("no valid signature of this key"),
        attack="an id taken for an identity",
        spec=HINT,
        in_toto="SignatureVerificationError",
        control="signature-under-another-keyid",
    )


def bad_signature_before_a_good_one() -> Vector:
    """Two entries under the owner's id: the first is none of its signatures, the second is."""
    message = canonical(layout_of(PLAIN))
    bad = signature(b"something else", "owner")
    return _layout(
        block(layout_of(PLAIN), [bad, signature(message, "owner")]),
        PASS,
        attack="none: a leftover of an earlier signing must not hide the valid signature",
        spec="in-toto v1.0 §5.2 (1): some signature verifies",
        in_toto="SignatureVerificationError",
    )


def payload_as_object() -> Vector:
    """The payload is the layout itself, not its base64."""
    return _layout(
        _envelope(lambda document: document.update(payload=layout_of(PLAIN))),
        _refused("/payload"),
        attack="a payload that is encoded anew to be checked",
        spec="DSSE v1.0.2: payload is base64",
        in_toto="AttributeError",
    )
