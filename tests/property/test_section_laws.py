"""Lists of artifacts that are cut out of a text as a whole are those that the strict reader reads, or none are.

The quick way must not be led astray: not by separators, quotes and braces in paths, not by lists that stand elsewhere,
not by text that is no JSON.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navicert.envelope.document import open_document
from navicert.envelope.dsse import PAYLOAD_TYPE, cut_payload, decode_base64, encode_base64
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model import section
from navicert.model.artifact import Artifacts
from navicert.model.link import Link
from navicert.model.passage import Pool
from navicert.model.section import CANONICAL, INDENTED, SPACED, Form, read_sections, write_sections
from navicert.strictjson import loads

FORMS = [SPACED, INDENTED, CANONICAL]
H = "ab" * 32

# Paths of whatever the forms are made of, digests of all shapes.
paths = st.sampled_from(
    ["a", "b/c", "", "é", '"', "\\", "\n", "\x00", "\x01", '": {"sha256": "', '"}, "', '"}}', "}}", '":{"sha256":"',
     '"\n   },\n   "', '"},"', "7396452018839206741", '"materials": {"', "\ud800", "\x7f", "\u2028"]
) | st.text(max_size=4)  # fmt: skip
digests = st.sampled_from(
    [{"sha256": H}, {"sha256": "cd" * 32}, {"sha256": H.upper()}, {"sha256": "ab"}, {}, {"sha512": H}, {"sha256": 1},
     {"sha256": H, "sha512": H}, H, {"sha256": {"sha256": H}}, {"sha256": '"},"x":{"sha256":"'}]
)  # fmt: skip
plain = st.dictionaries(paths, st.just({"sha256": H}) | st.just({"sha256": "cd" * 32}), max_size=5)
lists: st.SearchStrategy[object] = (
    plain | st.dictionaries(paths, digests, max_size=3) | st.just([]) | st.just(7396452018839206741)
)
others = st.fixed_dictionaries(
    {},
    optional={
        "byproducts": st.fixed_dictionaries({}, optional={"stdout": paths, "materials": lists, "n": st.integers()}),
        "environment": st.fixed_dictionaries(
            {}, optional={"products": lists, "variables": st.lists(paths, max_size=2)}
        ),
        "name": st.just("step") | paths,
        "extra": lists,
    },
)
links = st.builds(
    lambda materials, products, other: (
        {"_type": "link", "name": "step", "materials": materials, "products": products} | other
    ),
    lists,
    lists,
    others,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what is short is read so."""
    monkeypatch.setattr(section, "LEAST", 1)
    monkeypatch.setattr("navicert.envelope.dsse.LEAST", 1)
    monkeypatch.setattr("navicert.model.passage._GRAIN", 1)


def strictly(text: bytes, inside: str) -> Link | None:
    try:
        document = loads(text)
        assert isinstance(document, dict)
        return Link.from_json(document[inside] if inside else document)
    except (Malformed, KeyError, AssertionError):
        return None


def agree(text: bytes, inside: str = "", pool: Pool | None = None) -> bool:
    """Whether both ways read `text` alike; the quick one may pass it on."""
    document = read_sections(text, LOCAL, inside=inside, pool=pool)
    if document is None:
        return True
    try:
        found = Link.from_json(document[inside] if inside else document)
    except Malformed:
        found = None
    return found == strictly(text, inside)


def written(document: object, form: Form) -> bytes | None:
    try:
        return form.write(document).encode("utf-8", "surrogatepass")
    except Malformed:
        return None


@given(links, st.sampled_from(FORMS))
@example({"_type": "link", "name": "x", "materials": {'"},"': {"sha256": H}}, "products": {"a": {"sha256": H}}}, SPACED)
@example({"_type": "link", "name": "x", "byproducts": {"materials": {"a": {"sha256": H}}}, "materials": {}}, SPACED)
def test_what_is_cut_out_is_what_the_strict_reader_reads(link: dict[str, object], form: Form) -> None:
    text = written(link, form)
    assert text is None or agree(text)
    text = written({"signatures": [], "signed": link}, form)
    assert text is None or agree(text, "signed")


@given(links, st.sampled_from(FORMS), st.data())
def test_text_that_was_tampered_with_is_never_read_as_something_else(
    link: dict[str, object], form: Form, data: st.DataObject
) -> None:
    text = written(link, form)
    if text is None:
        return
    snippets = [
        b"",
        b'"',
        b"{",
        b"}",
        b",",
        b" ",
        b"\n",
        b"\\",
        b"\x00",
        b"\x01",
        b'"a"',
        f'{{"sha256":"{H}"}}'.encode(),
    ]
    snippets += [part.encode() for one in FORMS for part in (one.begin, one.pair, one.following, one.end)]
    pool = Pool()  # in which the text as it was stands, and then each as it has become
    assert agree(text, pool=pool)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + data.draw(st.sampled_from(snippets)) + text[end:]
        assert agree(text)
        assert agree(text, pool=pool)


@given(plain, plain, st.sampled_from(FORMS))
def test_ordinary_lists_are_cut_out(
    materials: dict[str, dict[str, str]], products: dict[str, dict[str, str]], form: Form
) -> None:
    """Else the strict reader would do all the work, and nobody would notice."""

    def simple(path: str) -> bool:
        return path.isascii() and path.isprintable() and not set(path) & set('"\\}')

    materials = {path: one for path, one in materials.items() if simple(path)}
    products = {path: one for path, one in products.items() if simple(path)}
    if not materials or not products or "7396452018839206741" in {*materials, *products}:
        return
    link = {"_type": "link", "name": "step", "materials": materials, "products": products}
    whole = {"signatures": [], "signed": link}
    document = read_sections(
        form.write(whole if form is INDENTED else link).encode(), inside="signed" * (form is INDENTED)
    )
    assert document is not None
    found = document["signed"] if form is INDENTED else document
    assert isinstance(found, dict)
    assert isinstance(found["materials"], Artifacts)
    assert found["materials"].to_json() == materials
    assert found["products"].to_json() == products


@given(plain, plain, others, st.sampled_from(FORMS), st.sampled_from(["", "signed"]))
@example(
    {"a": {"sha256": H}}, {}, {"byproducts": {"stdout": "7396452018839206741", "n": 7396452018839206741}}, SPACED, ""
)
def test_what_is_written_is_what_is_written_without(
    materials: dict[str, dict[str, str]],
    products: dict[str, dict[str, str]],
    other: dict[str, object],
    form: Form,
    inside: str,
) -> None:
    link = {"_type": "link", "name": "step", "materials": materials, "products": products} | other
    lists = {name: Artifacts.from_json(link[name], "") for name in ("materials", "products")}
    slow = {"signatures": [], "signed": link} if inside else link
    quick = {"signatures": [], "signed": link | lists} if inside else link | lists
    try:
        expected: bytes | None = form.write(slow).encode()
    except (Malformed, UnicodeEncodeError):
        expected = None
    if form is INDENTED and not inside:
        return  # indented lists have one depth
    try:
        found: bytes | None = write_sections(quick, form, inside=inside)
    except (Malformed, UnicodeEncodeError):
        found = None
    assert found == expected


@given(st.binary(max_size=60), st.data())
def test_a_payload_that_is_cut_out_is_what_the_strict_reader_reads(content: bytes, data: st.DataObject) -> None:
    envelope: dict[str, object] = {"payload": encode_base64(content), "payloadType": "x", "signatures": []}
    separators = data.draw(st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]))
    raw = json.dumps(envelope, separators=separators).encode()
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(raw)))
        snippet = data.draw(
            st.sampled_from([b'"', b"=", b"\\", b'"payload": "AAAA", ', b'{"payload": "AAAA"}', b"-", b"!"])
        )
        raw = raw[:at] + snippet + raw[at + data.draw(st.integers(0, 3)) :]
    document = cut_payload(raw, LOCAL)
    if document is None:
        return
    try:
        expected = loads(raw)
    except Malformed:
        expected = None
    assert isinstance(expected, dict)
    payload, text = document["payload"], expected["payload"]
    assert isinstance(payload, bytes)
    assert payload == decode_base64(text, "")
    assert {**document, "payload": text} == expected


@given(st.text(st.sampled_from("AB+/-_=!\n "), max_size=12))
def test_base64_is_what_the_strict_decoder_takes(text: str) -> None:
    import binascii

    urlsafe = "-" in text or "_" in text
    standard = text.translate(str.maketrans("-_", "+/")) if urlsafe else text
    try:
        expected: bytes | None = binascii.a2b_base64(standard.encode(), strict_mode=True)
    except ValueError:
        expected = None
    if urlsafe and ("+" in text or "/" in text):
        expected = None
    if len(text) % 4:  # RFC 4648 §4: four characters stand for three bytes; some strict decoders take a pad too many
        expected = None
    try:
        found: bytes | None = decode_base64(text, "")
    except Malformed:
        found = None
    assert found == expected


def test_a_number_that_stands_for_a_list_is_not_taken_for_one() -> None:
    for number in (7396452018839206741, 7396452018839206742, 7396452018839206743):
        link = {"_type": "link", "name": "x", "materials": {"a": {"sha256": H}}, "products": {}, "n": number}
        text = json.dumps(link, sort_keys=True).encode()
        assert agree(text)
        envelope: dict[str, object] = {"payload": number, "payloadType": "x", "signatures": []}
        with pytest.raises(Malformed):
            open_document(json.dumps(envelope).encode())
        envelope["payloadType"] = PAYLOAD_TYPE
        with pytest.raises(Malformed):
            open_document(json.dumps({"inside": {"payload": "AAAA"}} | envelope).encode())
