"""Cosign's sign predicate: a signature on an image in the form of an attestation. It claims nothing.

Spec: sigstore/cosign, specs/BUNDLE_SPEC.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CosignSignPredicate:
    """That somebody signed the subject. `annotations` are what they wrote on it, mostly nothing."""

    annotations: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> CosignSignPredicate:
        """The predicate, which may hold anything and usually holds nothing."""
        return CosignSignPredicate(dict(predicate))
