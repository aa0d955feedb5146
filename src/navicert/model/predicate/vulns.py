"""The vulns predicate: what a scanner found, and with which database.

Spec: in-toto attestation framework, spec/predicates/vulns_02.md (v0.2) and vuln.md (v0.1). The text of v0.1 puts each
finding into an object `vulnerability`, its example does not: both are read.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.strictjson import type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Severity:
    """How grave a vulnerability is, by one method: `nvd` says `HIGH`, `cvss_score` says `7.5`."""

    method: str
    score: str


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One finding, with its severities, at least one."""

    id: str
    severities: tuple[Severity, ...]


@dataclass(frozen=True, slots=True)
class VulnsPredicate:
    """One scan. Without findings it is clean, as far as the scanner's database of `database_updated` knows."""

    scanner: str
    version: str
    database: str
    database_version: str
    database_updated: datetime
    findings: tuple[Vulnerability, ...]
    started: datetime
    finished: datetime

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> VulnsPredicate:
        """The scan of a predicate. Raises `Malformed`, also where there is no list of findings: none is not clean."""
        reader = Reader(predicate, where)
        scanner = reader.child("scanner")
        database = scanner.child("db")
        metadata = reader.child("metadata")
        scanner.array("result")
        found = VulnsPredicate(
            scanner.text("uri"),
            scanner.maybe_text("version"),
            database.maybe_text("uri"),
            database.maybe_text("version"),
            database.moment("lastUpdate"),
            tuple(_finding(one) for one in scanner.children("result")),
            metadata.moment("scanStartedOn"),
            metadata.moment("scanFinishedOn"),
        )
        if found.finished < found.started:
            raise Malformed("a scan that ended before it began", pointer=metadata.at("scanFinishedOn"))
        return found


def _finding(entry: Reader) -> Vulnerability:
    one = entry.child("vulnerability") if entry.has("vulnerability") else entry
    severities = tuple(Severity(severity.text("method"), _score(severity)) for severity in one.children("severity"))
    if not severities:
        raise Malformed('required field "severity" is missing', pointer=one.where)
    return Vulnerability(one.text("id"), severities)


def _score(severity: Reader) -> str:
    """A score as text. Some scanners write numbers, which the specification has as strings."""
    score = severity.fields.get("score")
    if isinstance(score, int | float) and not isinstance(score, bool):
        return str(score)
    if score is not None and not isinstance(score, str):
        raise Malformed("wrong type", pointer=severity.at("score"), expected="string", got=type_name(score))
    return severity.text("score")
