"""JSON that two parsers could read differently, or that exhausts one."""

from __future__ import annotations

import json

from vectors.generators.material import (
    ONE,
    PLAIN,
    dsse,
    entry,
    envelope,
    layout_of,
    link_of,
    metablock,
    name_of,
    pae,
    signature,
    swap,
)
from vectors.generators.vector import Vector, evidence_of, fails, of

from navicert.strictjson import canonical

SPEC = "in-toto v1.0 §4.1: documents are JSON objects"
LINK = name_of("build", "bob")


def _layout(raw: bytes, says: str, *, attack: str, in_toto: str, spec: str = SPEC, id: str = "Malformed") -> Vector:
    """PLAIN with this layout, which no careful parser reads."""
    return Vector(
        attack,
        spec,
        raw,
        fails("json", id, says),
        in_toto,
        control="plain-dsse" if b'"payload"' in raw else "plain",
        evidence=evidence_of(PLAIN),
    )


def _link(raw: bytes, says: str, *, attack: str, in_toto: str, spec: str = SPEC, control: str = "plain") -> Vector:
    """PLAIN with this link, which no careful parser reads."""
    return of(
        ONE,
        attack=attack,
        spec=spec,
        in_toto=in_toto,
        strict=fails("json", "step.threshold", says),
        evidence={LINK: raw},
        refused={LINK: "json"},
        control=control,
    )


def _signed_layout() -> bytes:
    return metablock(layout_of(PLAIN), "owner")


def plain() -> Vector:
    """One step, one link, every document a Metablock. Most other cases differ from this one in one thing."""
    return of(PLAIN, attack="none: the control of most cases", spec="in-toto v1.0 §5.2", in_toto="pass")


def plain_dsse() -> Vector:
    """The same in DSSE envelopes."""
    chain = ONE.having(form="dsse").file(dsse(link_of(), "bob"), "build", LINK.split(".")[1])
    return of(chain, attack="none: the control of cases in DSSE", spec="ITE-5", in_toto="pass")


def duplicate_key_in_layout() -> Vector:
    """The threshold stands twice, 2 and then 1. A parser that keeps the first sees another policy than one that keeps
    the last, and each finds a signature over what the other sees."""
    raw = swap(_signed_layout(), '"threshold": 1', '"threshold": 2,\n    "threshold": 1')
    return _layout(
        raw,
        'duplicate key "threshold"',
        attack="two readers of one signed policy see different policies",
        in_toto="pass",
    )


def duplicate_key_spelled_with_an_escape() -> Vector:
    """The second key is written with an escape: the same key to a parser, another one to a search in the text."""
    raw = swap(_signed_layout(), '"threshold": 1', '"threshold": 2,\n    "thre\\u0073hold": 1')
    return _layout(
        raw, 'duplicate key "threshold"', attack="a duplicate key hidden from whoever greps for it", in_toto="pass"
    )


def duplicate_key_in_payload() -> Vector:
    """The payload of the envelope, signed as it is, has two lists of steps: one empty, one not."""
    payload = swap(json.dumps(layout_of(PLAIN)).encode(), '"steps": [', '"steps": [], "steps": [')
    return _layout(
        dsse(payload, "owner"),
        'duplicate key "steps"',
        attack="a signed payload that is empty to one reader and full to another",
        in_toto="pass",
    )


def duplicate_key_in_envelope() -> Vector:
    """Two lists of signatures: one by a stranger, one by the owner."""
    document = json.loads(_signed_layout())
    strange = json.dumps([signature(canonical(layout_of(PLAIN)), "mallory")])
    raw = swap(metablock(document["signed"], "owner"), '"signatures": [', f'"signatures": {strange},\n "signatures": [')
    return _layout(
        raw, 'duplicate key "signatures"', attack="who signed depends on which of two lists is read", in_toto="pass"
    )


def duplicate_key_in_link() -> Vector:
    """Two digests under one path: which of them did the functionary report?"""
    raw = metablock(link_of(), "bob")
    inner = json.loads(raw)["signed"]["products"]["app"]["sha256"]
    twice = swap(raw, f'"sha256": "{inner}"', f'"sha256": "{"0" * 64}",\n    "sha256": "{inner}"')
    return _link(twice, 'duplicate key "sha256"', attack="one link, two reports", in_toto="pass")


def not_a_number() -> Vector:
    """NaN is no JSON, and is unequal to itself."""
    raw = dsse(json.dumps(link_of(edit=lambda link: link["byproducts"].update(load=float("nan")))).encode(), "bob")
    return _link(
        raw,
        "NaN is not JSON",
        attack="a value that no comparison holds for",
        in_toto="FormatError",
        control="float-in-dsse",
    )


def infinity() -> Vector:
    """A number beyond the range of doubles: an error to one parser, infinity to another."""
    payload = swap(json.dumps(link_of()).encode(), '"byproducts": {}', '"byproducts": {"load": 1e999}')
    return _link(
        dsse(payload, "bob"),
        "number out of range",
        attack="a number that parsers turn into different values",
        in_toto="FormatError",
        control="float-in-dsse",
    )


def nested_ten_thousand_deep() -> Vector:
    """Ten thousand arrays inside one another, in a field that nobody judges: parsers that recurse run out of stack."""
    deep = b"[" * 10_000 + b"]" * 10_000
    payload = swap(json.dumps(link_of()).encode(), '"byproducts": {}', b'"byproducts": {"deep": ' + deep + b"}")
    return _link(
        dsse(payload, "bob"),
        "nested too deeply",
        attack="a small file that overflows the parser's stack",
        spec="RFC 8259 §9: a parser may limit the depth of nesting",
        in_toto="RecursionError",
        control="nested-thirty-deep",
    )


def nested_thirty_deep() -> Vector:
    """Thirty levels are unusual and harmless."""
    payload = swap(
        json.dumps(link_of()).encode(), '"byproducts": {}', f'"byproducts": {{"deep": {"[" * 30}{"]" * 30}}}'
    )
    return of(
        ONE,
        attack="none: a limit on depth must leave room",
        spec="RFC 8259 §9: a parser may limit the depth of nesting",
        in_toto="pass",
        evidence={LINK: dsse(payload, "bob")},
    )


def not_utf_8() -> Vector:
    """The readme holds an é as one byte, ISO 8859-1. The signature is over what a lenient reader makes of it."""
    document = layout_of(PLAIN, lambda layout: layout.update(readme="caf\ufffd"))
    raw = swap(metablock(document, "owner"), "caf\\ufffd", b"caf\xe9")
    return _layout(
        raw,
        "not UTF-8",
        attack="bytes that are replaced by something on reading, so that different files have one signature",
        in_toto="UnicodeDecodeError",
        spec="RFC 8259 §8.1: JSON that is exchanged is UTF-8",
    )


def byte_order_mark() -> Vector:
    """Three invisible bytes before the first brace."""
    return _layout(
        b"\xef\xbb\xbf" + _signed_layout(),
        "byte order mark",
        attack="the same document under another digest, read by some and not by others",
        in_toto="JSONDecodeError",
        spec="RFC 8259 §8.1: no byte order mark is added",
    )


def utf_16() -> Vector:
    """The whole document in UTF-16, as some editors save it."""
    return _layout(
        _signed_layout().decode().encode("utf-16"),
        "not UTF-8",
        attack="an encoding that parsers guess",
        in_toto="UnicodeDecodeError",
        spec="RFC 8259 §8.1: JSON that is exchanged is UTF-8",
    )


def lone_surrogate() -> Vector:
    """Half of a surrogate pair, as an escape. It stands for no character, and has no UTF-8."""
    payload = json.dumps(layout_of(PLAIN, lambda layout: layout.update(readme="half \ud800"))).encode()
    return _layout(
        dsse(payload, "owner"),
        "lone surrogate",
        attack="text that cannot be written down again, or is replaced silently",
        in_toto="UnicodeEncodeError",
        spec="RFC 8259 §8.2: unpaired surrogates lead to unpredictable behaviour",
    )


def surrogate_pair() -> Vector:
    """Both halves together are one character beyond the basic plane, and fine."""
    payload = json.dumps(layout_of(PLAIN, lambda layout: layout.update(readme="whole \U0001f6a2"))).encode()
    return of(
        PLAIN,
        attack="none: a check for surrogates must let pairs pass",
        spec="RFC 8259 §7: characters beyond the basic plane are escaped as a pair",
        in_toto="pass",
        layout=dsse(payload, "owner"),
    )


def trailing_data() -> Vector:
    """A second document follows the first."""
    return _layout(
        _signed_layout() + b"\n{}",
        "extra data",
        attack="something appended that one reader ignores and another one reads",
        in_toto="JSONDecodeError",
    )


def trailing_comma() -> Vector:
    """A comma after the last element, which lenient parsers allow."""
    raw = swap(_signed_layout(), '"inspect": []', '"inspect": [],\n  "also": [1,]')
    return _layout(raw, "not JSON", attack="a dialect that only some parsers read", in_toto="JSONDecodeError")


def empty_file() -> Vector:
    """No byte at all."""
    return _layout(b"", "not JSON", attack="absence taken for an empty policy", in_toto="JSONDecodeError")


def array_instead_of_object() -> Vector:
    """Well-formed JSON, and no object."""
    vector = _layout(
        b"[]", "expected object", attack="an empty container taken for a document", in_toto="InvalidMetadata"
    )
    return vector.having(strict=fails("envelope", "Malformed", "expected object"))


def damaged_payload() -> Vector:
    """The payload is signed, and is no JSON: it ends in the middle."""
    payload = json.dumps(layout_of(PLAIN)).encode()[:-20]
    return _layout(
        envelope(payload, [entry(pae(payload), "owner")]),
        "not JSON",
        attack="a signature vouches for bytes, not for their sense",
        in_toto="JSONDecodeError",
    )
