"""Runs of tests as predicates: JUnit XML, as nearly every test runner writes it, as test-result v0.1.

The XML is read event by event and never expanded: a document type, and with it every entity, is refused, as no test
runner writes one. Spec: in-toto attestation framework, spec/predicates/test-result.md; the JUnit XML of Maven Surefire
(surefire-test-report.xsd), which the other runners follow.
"""

from __future__ import annotations

from xml.parsers import expat

from navicert.authoring.predicate.draft import Draft, known_kind
from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.predicate.test_result import FAILED, PASSED, WARNED
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

SKIPPED: Final = "navicert_skippedTests"
"""The field of our own for tests that did not run: the framework has no list of them."""

_BAD: Final = ("failure", "error")
_FLAKY: Final = ("flakyFailure", "flakyError", "rerunFailure", "rerunError")
"""What Surefire writes for a test that passed when it was run again (flaky), or failed again (rerun)."""


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of one or several reports by name, each in one list. A name under which some test failed is among
    those that failed, whatever else ran under it."""

    __test__ = False

    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]


def junit_draft(
    reports: Mapping[str, bytes],
    configuration: Sequence[ResourceDescriptor] = (),
    url: str = "",
    limits: Limits = LOCAL,
) -> Draft:
    """The predicate for one run of tests, whose `reports` (name → bytes) are looked at together.

    Raises `Malformed` for what is no report, and where no test ran: then there is no result.
    """
    tests = read_junit(reports, limits)
    if not (tests.passed or tests.warned or tests.failed):
        what = f"{len(tests.skipped)} skipped" if tests.skipped else "none is in the report"
        raise Malformed("no test ran", path=", ".join(list(reports)[:3]), got=what)
    result = FAILED if tests.failed else WARNED if tests.warned else PASSED
    predicate: dict[str, object] = {
        "result": result,
        "configuration": [one.to_json() for one in configuration],
        "passedTests": list(tests.passed),
        "warnedTests": list(tests.warned),
        "failedTests": list(tests.failed),
    }
    if url:
        predicate["url"] = url
    warnings = []
    if tests.skipped:
        predicate[SKIPPED] = list(tests.skipped)
        warnings.append(f"skipped, and in none of the lists: {len(tests.skipped)} of the tests")
    return Draft(known_kind("test-result").type, predicate, tuple(warnings)).checked()


def read_junit(reports: Mapping[str, bytes], limits: Limits = LOCAL) -> Tests:
    """The tests of all `reports` (name → bytes). Raises `Malformed` and `LimitExceeded`."""
    outcomes: dict[str, list[str]] = {}
    for path, raw in reports.items():
        try:
            reader = _Reader(limits)
            reader.read(raw)
        except Malformed as error:
            raise error.at(path) from None
        for name, outcome in reader.found:
            outcomes.setdefault(name, []).append(outcome)
    lists: dict[str, list[str]] = {"passed": [], "warned": [], "failed": [], "skipped": []}
    for name, found in sorted(outcomes.items()):
        worst = next(outcome for outcome in ("failed", "warned", "passed", "skipped") if outcome in found)
        lists[worst].append(name)
    return Tests(*(tuple(lists[name]) for name in ("passed", "warned", "failed", "skipped")))


@dataclass(slots=True)
class _Case:
    name: str
    outcome: str = "passed"


@dataclass(slots=True)
class _Suite:
    """One test suite that is open: what it says of itself, and what was seen in it."""

    name: str
    stated: int
    bad: int = 0


class _Reader:
    """Reads one report. Nothing is kept of it but names and outcomes."""

    def __init__(self, limits: Limits) -> None:
        self.found: list[tuple[str, str]] = []
        self._limits = limits
        self._open: list[str] = []
        self._suites: list[_Suite] = []
        self._case: _Case | None = None

    def read(self, raw: bytes) -> None:
        """Read all of `raw`. Raises `Malformed`."""
        if len(raw) > self._limits.document_bytes:
            raise LimitExceeded("report too large (limit document_bytes)", got=f"{len(raw)} bytes")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(raw, True)
        except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two for odd encodings
            raise Malformed(f"not XML: {error}", expected="a JUnit report") from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition("}")[2]
        if not self._open and tag not in ("testsuites", "testsuite"):
            raise Malformed("not a JUnit report", expected="<testsuites> or <testsuite>", got=f"<{tag[:40]}>")
        self._open.append(tag)
        if len(self._open) > self._limits.json_depth:
            raise LimitExceeded("XML too deep (limit json_depth)", expected=f"at most {self._limits.json_depth} levels")
        if tag == "testsuite":
            stated = _number(attributes, "failures") + _number(attributes, "errors")
            self._suites.append(_Suite(attributes.get("name", ""), stated))
        elif tag == "testcase":
            if self._case is not None:
                raise Malformed("a test inside a test", got=repr(self._case.name)[:60])
            self._case = _Case(self._name(attributes))
        elif self._case is not None:
            self._mark(self._case, tag)
        elif tag in _BAD and self._suites:
            # A suite that broke before its first test.
            self._fail(f"{self._suites[-1].name or 'suite'} ({tag})")

    def _mark(self, case: _Case, tag: str) -> None:
        if tag in _BAD:
            if case.outcome != "failed" and self._suites:
                self._suites[-1].bad += 1
            case.outcome = "failed"
        elif tag in _FLAKY and case.outcome == "passed":
            case.outcome = "warned"
        elif tag == "skipped" and case.outcome != "failed":
            case.outcome = "skipped"

    def _end(self, tag: str) -> None:
        tag = tag.rpartition("}")[2]
        self._open.pop()
        if tag == "testcase" and self._case is not None:
            self._add(self._case.name, self._case.outcome)
            self._case = None
        elif tag == "testsuite":
            suite = self._suites.pop()
            if suite.bad < suite.stated:
                # What it counts and does not show went wrong all the same.
                self._fail(f"{suite.name or 'suite'} ({suite.stated - suite.bad} failures that it does not name)")
            if self._suites:
                self._suites[-1].bad += max(suite.bad, suite.stated)

    def _fail(self, name: str) -> None:
        if self._suites:
            self._suites[-1].bad += 1
        self._add(name, "failed")

    def _add(self, name: str, outcome: str) -> None:
        self.found.append((name, outcome))
        if len(self.found) > self._limits.artifacts:
            raise LimitExceeded("too many tests (limit artifacts)", expected=f"at most {self._limits.artifacts}")

    def _name(self, attributes: Mapping[str, str]) -> str:
        name, classname = attributes.get("name", ""), attributes.get("classname", "")
        if not name:
            raise Malformed("a test without name", got=repr(classname)[:60])
        return f"{classname}.{name}" if classname else name


def _number(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed(f"not a number of {name}", expected="digits", got=repr(text)[:40])
    return int(text)


def _refuse_doctype(*_: object) -> None:
    raise Malformed("a document type in a test report", expected="XML without one: entities can expand without end")
