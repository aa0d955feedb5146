"""The svr predicate: which properties a verifier found that the subjects have.

Spec: in-toto attestation framework, spec/predicates/svr.md (v0.1, v0.2).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SvrPredicate:
    """A verifier, the moment at which it looked, and the properties that it found, at least one."""

    verifier: str
    created: datetime
    properties: tuple[str, ...]
    policies: tuple[ResourceDescriptor, ...] = ()

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> SvrPredicate:
        """The result of a predicate. Raises `Malformed`, also for one without properties: it says nothing."""
        reader = Reader(predicate, where)
        verifier = reader.child("verifier")
        properties = reader.texts("properties")
        if not properties or not all(properties):
            raise Malformed("names no property", pointer=reader.at("properties"), expected="at least one")
        return SvrPredicate(
            verifier.text("id"), reader.moment("timeCreated"), properties, verifier.descriptors("policies")
        )
