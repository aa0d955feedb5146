"""Cosign's vuln predicate: the report of a scanner as it is, with a few facts around it.

Spec: sigstore/cosign, specs/COSIGN_VULN_ATTESTATION_SPEC.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CosignVulnPredicate:
    """One scan. `report` is what the scanner wrote, in its own form."""

    scanner: str
    version: str
    database: str
    database_version: str
    report: Mapping[str, object]
    started: datetime | None = None
    finished: datetime | None = None
    invocation: str = ""
    """URI of the job that ran the scanner; may be empty."""

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> CosignVulnPredicate:
        """The scan of a predicate. Raises `Malformed`, also for one without a report: that is not a clean one."""
        reader = Reader(predicate, where)
        scanner = reader.child("scanner")
        database = scanner.maybe_child("db")
        metadata = reader.maybe_child("metadata")
        report = scanner.child("result").fields
        if not report:
            raise Malformed("an empty report", pointer=scanner.at("result"), expected="what the scanner wrote")
        return CosignVulnPredicate(
            scanner.maybe_text("uri"),
            scanner.maybe_text("version"),
            database.maybe_text("uri"),
            database.maybe_text("version"),
            report,
            metadata.maybe_moment("scanStartedOn"),
            metadata.maybe_moment("scanFinishedOn"),
            reader.maybe_child("invocation").maybe_text("uri"),
        )
