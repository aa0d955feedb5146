"""JSON lines: which file holds several documents, and which they are."""

from __future__ import annotations

import json

import pytest

from navicert.dataclass import replace
from navicert.envelope.jsonlines import members_of
from navicert.errors import LimitExceeded
from navicert.limits import LOCAL

ONE, OTHER = b'{"payload": "YQ==", "signatures": []}', b'{"_type": "link"}'


def found(raw: bytes) -> list[tuple[int, bytes]]:
    return [(member.line, member.raw) for member in members_of(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        ONE,
        ONE + b"\n",
        b"\n\n" + ONE + b"\r\n\r\n",
        json.dumps(json.loads(ONE), indent=1).encode(),
        # Written without indentation, and with an object that fills a line.
        b'{\n"signatures": [\n{"sig": "YQ=="}\n],\n"payload": "YQ=="\n}\n',
        b"[\n" + ONE + b"\n]",
        b"steps:\n- name: build\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_single_document_stands_for_itself(raw: bytes) -> None:
    assert found(raw) == [(0, raw)]
    assert members_of(raw)[0].place("a.json") == "a.json"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\n \n"])
def test_lines_are_documents_and_empty_ones_are_not(end: bytes) -> None:
    raw = ONE + end + OTHER + end
    assert [document for _, document in found(raw)] == [ONE, OTHER]
    assert members_of(raw)[0].place("a.jsonl") == "a.jsonl:1"


def test_lines_keep_their_numbers() -> None:
    assert found(b"\n" + ONE + b"\n\n" + OTHER) == [(2, ONE), (4, OTHER)]


@pytest.mark.parametrize("odd", [b"not JSON", b'{"cut', b"{}}", b"\xff\xfe", b"[" * 100_000])
def test_a_line_that_is_none_hides_no_other(odd: bytes) -> None:
    assert found(odd + b"\n" + ONE) == [(1, odd), (2, ONE)]
    assert found(ONE + b"\n" + odd) == [(1, ONE), (2, odd)]


def test_lines_are_limited_in_number() -> None:
    few = replace(LOCAL, evidence_files=2)
    assert len(members_of(ONE + b"\n" + OTHER, few)) == 2
    with pytest.raises(LimitExceeded, match="evidence_files"):
        members_of(ONE + b"\n" + OTHER + b"\n" + ONE, few, path="a.jsonl")
