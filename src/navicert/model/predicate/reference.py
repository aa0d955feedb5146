"""The reference predicate: documents about the subjects that lie elsewhere.

Spec: in-toto attestation framework, spec/predicates/reference.md (v0.1).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ReferencePredicate:
    """Who provides the documents, and where they lie. One without a digest may be any document by tomorrow."""

    attester: str
    references: tuple[ResourceDescriptor, ...]

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> ReferencePredicate:
        """The references of a predicate. Raises `Malformed`, also for none, and one without location or media type."""
        reader = Reader(predicate, where)
        attester = reader.child("attester").text("id")
        entries = reader.children("references")
        if not entries:
            raise Malformed("refers to nothing", pointer=reader.at("references"), expected="at least one reference")
        for entry in entries:
            entry.text("downloadLocation")
            entry.text("mediaType")
        return ReferencePredicate(attester, tuple(_descriptor(entry) for entry in entries))


def _descriptor(entry: Reader) -> ResourceDescriptor:
    """A reference as a descriptor. Here the location alone is enough to name a document, if not to know it again."""
    fields = dict(entry.fields)
    if not any(entry.has(name) for name in ("uri", "digest", "content")):
        fields["uri"] = entry.text("downloadLocation")
    return ResourceDescriptor.from_json(fields, entry.where)
