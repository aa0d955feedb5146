"""Texts made to be cut in the wrong place: each is left to the strict reader, by one check each."""

from __future__ import annotations

import json

import pytest

from navicert.envelope.document import open_document, peek
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model import section
from navicert.model.artifact import Artifacts
from navicert.model.link import Link
from navicert.model.section import INDENTED, LEAST, read_sections, write_sections

ONE, TWO, THREE = "ab" * 32, "cd" * 32, "ef" * 32
MANY = {f"src/{number}": {"sha256": f"{number:064x}"} for number in range(1000)}


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "LEAST", 1)


def link(materials: str, more: str = "") -> bytes:
    """The text of a link with `materials` written so."""
    return f'{{"_type":"link","name":"x",{more}"materials":{materials},"products":{{}}}}'.encode()


@pytest.mark.usefixtures("_small")
def test_a_list_in_the_usual_form_is_cut_out() -> None:
    document = read_sections(link(f'{{"a":{{"sha256":"{ONE}"}},"b":{{"sha256":"{TWO}"}}}}'))
    assert document is not None
    assert isinstance(document["materials"], Artifacts)
    assert document["materials"].to_json() == {"a": {"sha256": ONE}, "b": {"sha256": TWO}}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "text",
    [
        # A second digest where a path should begin: no JSON, though quotes, digits and separators add up.
        link(f'{{"a":{{"sha256":"{ONE}":{{"sha256":"x"}},"{TWO}"}},"b":{{"sha256":"{THREE}"}}}}'),
        link(f'{{"a":{{"sha256":"{ONE}"}},"b":{{"sha256":"{TWO}":{{"sha256":"{THREE}"}}}}'),
        # Characters that stand for separators while the list is split.
        link(f'{{"a\x01{ONE}\x00b":{{"sha256":"{TWO}"}}}}'),
        link(f'{{"a":{{"sha256":"{ONE}\x00b\x01{TWO}"}}}}'),
        link(f'{{"a\n":{{"sha256":"{ONE}"}}}}'),
        # Twice the same path: the last one would win.
        link(f'{{"a":{{"sha256":"{ONE}"}},"a":{{"sha256":"{TWO}"}}}}'),
        # Escapes: what is written otherwise may be the same path, or hide a quote.
        link(f'{{"a":{{"sha256":"{ONE}"}},"\\u0061":{{"sha256":"{TWO}"}}}}'),
        link(f'{{"a\\"b":{{"sha256":"{ONE}"}}}}'),
        # A quote that ends the path too early: no JSON.
        link(f'{{"a"b":{{"sha256":"{ONE}"}}}}'),
        # Other digests.
        link(f'{{"a":{{"sha256":"{ONE.upper()}"}}}}'),
        link('{"a":{"sha256":"abc"}}'),
        link(f'{{"a":{{"sha256":"{ONE}"}},"b":{{"sha256":"{ONE}","md5":"00"}}}}'),
        link(f'{{"a":{{"sha256":"{ONE}"}},"b":{{}}}}'),
        # Not UTF-8.
        link(f'{{"a":{{"sha256":"{ONE}"}}}}').replace(b'"a"', b'"\xff"'),
        # In another place than it seems.
        link("{}", f'"environment":{{"materials":{{"a":{{"sha256":"{ONE}"}}}}}},'),
        link("7396452018839206741", f'"environment":{{"materials":{{"a":{{"sha256":"{ONE}"}}}}}},'),
        # Followed by something that is no JSON, or doubled.
        link(f'{{"a":{{"sha256":"{ONE}"}}}}x'),
        link(f'{{"a":{{"sha256":"{ONE}"}}}},"materials":{{}}'),
        link(f'{{"a":{{"sha256":"{ONE}"}}}}').replace(b'"link"', b'"layout"'),
    ],
)
def test_what_is_not_certain_is_left_to_the_strict_reader(text: bytes) -> None:
    document = read_sections(text)
    assert document is None or not any(isinstance(value, Artifacts) for value in document.values())


@pytest.mark.usefixtures("_small")
def test_a_list_beyond_the_limit_is_left_to_the_strict_reader() -> None:
    text = link(f'{{"a":{{"sha256":"{ONE}"}},"b":{{"sha256":"{TWO}"}}}}')
    assert read_sections(text, Limits(artifacts=1)) is None
    assert read_sections(text, Limits(document_bytes=len(text) - 1)) is None
    assert read_sections(text, Limits(artifacts=2, document_bytes=len(text))) is not None


def test_short_documents_are_read_as_any() -> None:
    assert read_sections(link(f'{{"a":{{"sha256":"{ONE}"}}}}')) is None


@pytest.mark.parametrize("form", ["dsse", "metablock"])
def test_a_document_beyond_the_limit_is_refused_before_it_is_looked_at(form: str) -> None:
    raw = (
        b'{"payload": "' + b"A" * LEAST + b'"}'
        if form == "dsse"
        else json.dumps({"signed": {"materials": MANY}}).encode()
    )
    with pytest.raises(Malformed, match="document_bytes"):
        open_document(raw, Limits(document_bytes=LEAST - 1))


def test_large_links_of_both_containers_are_opened_so_and_read_the_same() -> None:
    described = {"_type": "link", "name": "x", "materials": MANY, "products": MANY}
    raw = json.dumps({"signatures": [], "signed": described}, indent=1, sort_keys=True).encode()
    assert read_sections(raw, LOCAL, inside="signed") is not None
    assert peek(open_document(raw)).body == Link.from_json(described)


def test_what_holds_no_link_is_written_as_any_document() -> None:
    document = {"signatures": [], "signed": ["materials"]}
    assert json.loads(write_sections(document, INDENTED, inside="signed")) == document
