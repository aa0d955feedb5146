"""Declarations as attestations: who runs the platform says, signed, of one artifact what no evidence can show.

Each is a SCAI report about the artifact, with an attribute `DECLARED_…` for a requirement that can be declared, by a
signer that the expectations name as declarer. It counts like what the expectations declare themselves: as declared, and
never as evidence.

Spec: in-toto attestation framework, predicates/scai.md; SLSA v0.1 requirements.md.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.model.predicate import read_predicate
from navicert.model.predicate.scai import ScaiPredicate
from navicert.slsa.account import Inquiry
from navicert.slsa.attestation import Attestation
from navicert.slsa.levels import DECLARABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PREFIX: Final = "DECLARED_"


def attribute_of(name: str) -> str:
    """The attribute that declares the requirement `name`: `DECLARED_TWO_PERSON`."""
    return PREFIX + name.upper().replace("-", "_")


_NAMES: Final = {attribute_of(name): name for name in DECLARABLE}


def declarations_of(inquiry: Inquiry) -> dict[str, str]:
    """Requirement → who declares it of the artifact. An attribute with conditions, or about a part of it, is none."""
    found: dict[str, str] = {}
    for one in inquiry.pool.others:
        names = _declared(one)
        if not names or inquiry.artifact.uncovered(one.statement):
            continue
        if any(rule.signed(one, inquiry.at) is not None for rule in inquiry.expectations.declarers):
            for name in names:
                found.setdefault(name, f"{one.origin}, signed by {one.signers}")
    return found


def _declared(one: Attestation) -> list[str]:
    try:
        report = read_predicate(one.statement.predicate_type, one.statement.predicate)
    except Malformed:
        return []  # what cannot be read declares nothing; others may
    if not isinstance(report, ScaiPredicate):
        return []
    whole = (said for said in report.attributes if not said.conditions and said.target is None)
    return [_NAMES[said.attribute] for said in whole if said.attribute in _NAMES]
