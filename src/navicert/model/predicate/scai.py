"""The SCAI predicate: attributes of software, or of what made it.

Spec: in-toto attestation framework, spec/predicates/scai.md (v0.3; attribute-report v0.2 has the same fields).
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Attribute:
    """One assertion. `target` is what it is about, if not the subject; `conditions` are a JSON object as received."""

    attribute: str
    target: ResourceDescriptor | None = None
    conditions: Mapping[str, object] = field(default_factory=dict)
    evidence: ResourceDescriptor | None = None


@dataclass(frozen=True, slots=True)
class ScaiPredicate:
    """Assertions, at least one, and who or what made the subject."""

    attributes: tuple[Attribute, ...]
    producer: ResourceDescriptor | None = None

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> ScaiPredicate:
        """The report of a predicate. Raises `Malformed`, also for one that asserts nothing."""
        reader = Reader(predicate, where)
        attributes = tuple(
            Attribute(
                one.text("attribute"), one.descriptor("target"), one.mapping("conditions"), one.descriptor("evidence")
            )
            for one in reader.children("attributes")
        )
        if not attributes:
            raise Malformed("asserts nothing", pointer=reader.at("attributes"), expected="at least one attribute")
        return ScaiPredicate(attributes, reader.descriptor("producer"))
