"""The release predicate: the subjects are the files of one release of a package.

Spec: in-toto attestation framework, spec/predicates/release.md (version 0.2, whose type URI ends in v0.1).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.purl import PackageUrl
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ReleasePredicate:
    """Which release it is. `package_id` stays the same when the package is renamed, and may be empty."""

    purl: str
    package: PackageUrl
    package_id: str = ""

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> ReleasePredicate:
        """The release of a predicate. Raises `Malformed`, also for a package URL without version."""
        reader = Reader(predicate, where)
        purl = reader.text("purl")
        package = PackageUrl.parse(purl, reader.at("purl"))
        if not package.version:
            raise Malformed("a release without version", pointer=reader.at("purl"), got=repr(purl[:80]))
        return ReleasePredicate(purl, package, reader.maybe_text("packageId") or reader.maybe_text("releaseId"))
