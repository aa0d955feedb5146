"""Predicates and reports, whatever is in them: they are read, or refused, and never anything else."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.authoring.test_predicate_bill import SYFT
from tests.unit.authoring.test_predicate_scan import GRYPE, TRIVY
from tests.unit.report.test_report_predicate import ALL

from navicert.authoring.predicate.bill import bill_draft
from navicert.authoring.predicate.junit import junit_draft
from navicert.authoring.predicate.scan import Facts, scan_draft
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.predicate import KINDS, read_predicate
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.report.predicate import said_by

SUBJECT = ResourceDescriptor("app", digests=DigestSet.of({"sha256": "ab" * 32}))
types = st.sampled_from([type for kind in KINDS for type in (*kind.types, f"{kind.types[-1]}/v2.3")])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "a", "PASSED", "2026-01-01T00:00:00Z", "pkg:a/b@1", "https://openvex.dev/ns", "3.0", "é\x1b"]
    )
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, trail: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    found = [trail] if trail else []
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += places(child, (*trail, key))
    return found


@st.composite
def bent(draw: Any, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """One of `documents` in which up to three things are others, or gone."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        trail = draw(st.sampled_from(places(document) or [("x",)]))
        node: Any = document
        for step in trail[:-1]:
            node = node[step]
        if draw(st.booleans()) or (isinstance(node, dict) and trail[-1] not in node):
            node[trail[-1]] = draw(values)
        else:
            del node[trail[-1]]
    return document


@settings(deadline=None)
@given(types, bent(list(ALL.values())) | st.dictionaries(st.text(max_size=4), values, max_size=4))
def test_a_predicate_is_read_or_refused_and_what_is_read_can_be_told(type: str, predicate: dict[str, Any]) -> None:
    before = copy.deepcopy(predicate)
    try:
        read = read_predicate(type, predicate)
    except Malformed:
        read = None
    said = said_by(Statement((SUBJECT,), type, predicate))
    assert bool(said.problem) == (read is None and bool(said.title))
    assert all(isinstance(item, str) for _, items in said.lines for item in items)
    assert all(isinstance(text, str) for text in said.silences)
    assert predicate == before


@settings(deadline=None)
@given(bent([SYFT, {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a"}]}]))
def test_a_bill_is_taken_or_refused(document: dict[str, Any]) -> None:
    try:
        made = bill_draft(json.dumps(document).encode(), "2026-01-01T00:00:00Z")
    except Malformed:
        return
    assert read_predicate(made.type, made.predicate) is not None
    json.dumps(made.predicate)


@settings(deadline=None)
@given(bent([TRIVY, GRYPE]))
def test_a_report_is_taken_or_refused(document: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    try:
        made = scan_draft(json.dumps(document).encode(), Facts("", datetime(2026, 1, 1, tzinfo=UTC)))
    except Malformed:
        return
    assert read_predicate(made.type, made.predicate) is not None


pieces = st.sampled_from(
    ["<testsuites>", "</testsuites>", "<testsuite>", '<testsuite failures="1">', "</testsuite>", "<testcase/>",
     '<testcase name="a">', '<testcase name="b"/>', "</testcase>", "<failure/>", "<error>", "</error>", "<skipped/>",
     "<!-- -->", "<![CDATA[x]]>", "&lt;", "&x;", "<!DOCTYPE x>", "<?x?>", "text", "\x00", "é"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=20))
def test_xml_is_a_report_or_refused(text: str) -> None:
    try:
        made = junit_draft({"a.xml": text.encode("utf-8", "surrogatepass")})
    except Malformed:
        return
    predicate: Any = made.predicate
    assert predicate["passedTests"] or predicate["warnedTests"] or predicate["failedTests"]
    failures = "<failure" in text or "<error" in text or 'failures="1"' in text
    assert failures or predicate["result"] == "PASSED"
