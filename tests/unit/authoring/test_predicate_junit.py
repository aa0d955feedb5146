"""JUnit XML becomes a test result; hostile XML, and reports in which nothing ran, do not."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.authoring.predicate.junit import SKIPPED, junit_draft
from navicert.digest import DigestSet
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.statement import ResourceDescriptor


def suite(*cases: str, **attributes: str) -> bytes:
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    inside = f'<testsuite name="s"{stated}>{"".join(cases)}</testsuite>'
    return f'<?xml version="1.0"?><testsuites>{inside}</testsuites>'.encode()


def case(name: str, inside: str = "", classname: str = "a.B") -> str:
    return f'<testcase classname="{classname}" name="{name}">{inside}</testcase>'


def made(*reports: bytes, **more: Any) -> Any:
    return junit_draft({f"{i}.xml": raw for i, raw in enumerate(reports)}, **more)


def lists(*reports: bytes) -> tuple[str, list[str], list[str], list[str]]:
    predicate = made(*reports).predicate
    return predicate["result"], predicate["passedTests"], predicate["warnedTests"], predicate["failedTests"]


BROKEN = '<failure message="no">trace</failure>'


def test_tests_are_sorted_into_what_became_of_them() -> None:
    raw = suite(case("ok"), case("bad", BROKEN), case("worse", "<error/>"), case("flaky", "<flakyFailure/>"))
    assert lists(raw) == ("FAILED", ["a.B.ok"], ["a.B.flaky"], ["a.B.bad", "a.B.worse"])


def test_a_run_without_failures_passed_and_one_with_flaky_tests_is_warned_of() -> None:
    assert lists(suite(case("ok", "<system-out>&lt;failure/&gt;</system-out>")))[0] == "PASSED"
    assert lists(suite(case("ok"), case("flaky", "<rerunFailure/>")))[0] == "WARNED"
    assert lists(suite(case("flaky", "<rerunFailure/><failure/>")))[0] == "FAILED"


def test_what_did_not_run_is_in_a_list_of_its_own() -> None:
    draft = made(suite(case("ok"), case("later", "<skipped/>")))
    assert draft.predicate["passedTests"] == ["a.B.ok"]
    assert draft.predicate[SKIPPED] == ["a.B.later"]
    assert "1 of the tests" in draft.warnings[0]


@pytest.mark.parametrize("others", [case("x"), case("x") * 3, case("x", "<skipped/>")])
def test_a_name_under_which_a_test_failed_is_not_among_those_that_passed(others: str) -> None:
    for raw in (suite(others, case("x", BROKEN)), suite(case("x", BROKEN), others)):
        assert lists(raw) == ("FAILED", [], [], ["a.B.x"])


def test_several_reports_are_one_run() -> None:
    assert lists(suite(case("a")), suite(case("b", BROKEN))) == ("FAILED", ["a.B.a"], [], ["a.B.b"])
    assert lists(suite(case("a")), suite(case("a", BROKEN))) == ("FAILED", [], [], ["a.B.a"])


@pytest.mark.parametrize(
    "raw",
    [
        suite(case("ok"), failures="1"),
        suite(case("ok"), errors="2", failures="0"),
        suite(case("ok"), case("bad", BROKEN), failures="2"),
        suite(case("ok"), "<error>no setup</error>"),
        b'<testsuite errors="1"><testcase name="ok"/></testsuite>',
    ],
)
def test_a_failure_that_is_counted_and_not_shown_is_one(raw: bytes) -> None:
    assert lists(raw)[0] == "FAILED"


def test_a_suite_around_others_counts_theirs() -> None:
    raw = (
        b'<testsuites><testsuite failures="1" errors="1"><testsuite failures="1" errors="1">'
        b'<testcase name="x"><failure/></testcase><testcase name="y"><error/></testcase>'
        b"</testsuite></testsuite></testsuites>"
    )
    assert lists(raw) == ("FAILED", [], [], ["x", "y"])


def test_names_are_those_of_class_and_test() -> None:
    cases = b'<testcase name="a"/><testcase name="b" classname=""/><testcase name="c" classname="K"/>'
    raw = b'<testsuite xmlns="x">' + cases + b"</testsuite>"
    assert lists(raw)[1] == ["K.c", "a", "b"]


def test_the_configuration_and_the_address_are_in_it() -> None:
    config = ResourceDescriptor("ci.yml", digests=DigestSet.of({"sha256": "a" * 64}))
    predicate = made(suite(case("a")), configuration=[config], url="https://example.com/1").predicate
    assert predicate["configuration"] == [{"name": "ci.yml", "digest": {"sha256": "a" * 64}}]
    assert predicate["url"] == "https://example.com/1"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (suite(), "no test ran"),
        (suite(case("a", "<skipped/>")), "1 skipped"),
        (b"<testsuites/>", "no test ran"),
        (b"", "not XML"),
        (b"<testsuite>", "not XML"),
        (b'<html><testcase name="a"/></html>', "not a JUnit report"),
        (b"<testsuite><testcase/></testsuite>", "without name"),
        (suite(case("a", case("b"))), "inside a test"),
        (suite(case("a"), failures="many"), "not a number"),
        (suite(case("a"), failures="-1"), "not a number"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "not XML"),
        (b"\x00\x01", "not XML"),
    ],
)
def test_what_is_no_report_or_one_of_nothing_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        made(raw)


LAUGHS = b"".join(b'<!ENTITY l%d "%b">' % (i, b"&l%d;" % (i - 1) * 10 if i else b"lol") for i in range(10))


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE testsuite>",
        b"<!DOCTYPE testsuite [" + LAUGHS + b"]>",
        b'<!DOCTYPE testsuite SYSTEM "http://127.0.0.1/evil.dtd">',
        b'<!DOCTYPE testsuite [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE testsuite [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>',
    ],
)
def test_a_document_type_is_refused_before_anything_is_expanded(doctype: bytes) -> None:
    raw = b'<?xml version="1.0"?>' + doctype + b'<testsuite><testcase name="&l9;&x;"/></testsuite>'
    with pytest.raises(Malformed, match="document type"):
        made(raw)


def test_reports_are_bounded() -> None:
    deep = b"<testsuite>" * 100
    with pytest.raises(LimitExceeded, match="deep"):
        made(deep)
    with pytest.raises(LimitExceeded, match="artifacts"):
        made(suite(*map(case, "abc")), limits=Limits(artifacts=2))
    with pytest.raises(LimitExceeded, match="document_bytes"):
        made(suite(case("a")), limits=Limits(document_bytes=10))
