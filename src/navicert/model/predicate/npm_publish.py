"""npm's publish predicate: the registry took in a package.

Spec: npm/attestation, specs/publish/v0.1.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class NpmPublishPredicate:
    """Which package, in which version, on which registry."""

    name: str
    version: str
    registry: str

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> NpmPublishPredicate:
        """The publication of a predicate. Raises `Malformed`."""
        reader = Reader(predicate, where)
        return NpmPublishPredicate(reader.text("name"), reader.text("version"), reader.text("registry"))
