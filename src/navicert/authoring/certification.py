"""Who may sign by a certificate: roots that cannot vouch, and constraints that accept everybody or nobody."""

from __future__ import annotations

from navicert.authoring.finding import Finding, Severity, found
from navicert.authoring.policy import Policy
from navicert.errors import Malformed
from navicert.model.constraint import ANYTHING, CertificateConstraint
from navicert.model.layout import Step
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


def certificate_findings(policy: Policy, at: datetime) -> Iterator[Finding]:
    """What is wrong with the certificates of `policy`, and with what it asks of those of others."""
    layout = policy.layout
    for name, objects in (("rootcas", layout.rootcas), ("intermediatecas", layout.intermediatecas)):
        for id, value in objects.items():
            yield from _authority(policy, value, f"authority {id[:8]}", pointer(f"/{name}", id), at)
    asked = [step for step in layout.steps if step.certificates]
    if layout.rootcas and not asked:
        yield found(
            "certificate.unused",
            "the layout trusts certificate authorities, and no step is performed by holders of certificates",
            "give a step cert_constraints, or leave rootcas out",
            pointer="/rootcas",
        )
    for index, step in enumerate(layout.steps):
        where = f"/steps/{index}/cert_constraints"
        if step.certificates and not layout.rootcas:
            yield found(
                "certificate.no-root",
                "it may be performed by holders of certificates, and the layout has no root that vouches for any",
                "add the certificate of the authority to rootcas",
                place=f'step "{step.name}"',
                pointer=where,
            )
        for number, constraint in enumerate(step.certificates):
            yield from _constraint(step, constraint, layout.rootcas, f"{where}/{number}")


def _authority(policy: Policy, value: Mapping[str, object], place: str, where: str, at: datetime) -> Iterator[Finding]:
    from navicert.crypto.certificate_key import authority_of

    try:
        certificate = authority_of(value)
    except Malformed as error:
        remedy = "put the certificate of one authority, in PEM, into keyval.certificate"
        yield found("certificate.unusable", error.what, remedy, place=place, pointer=where)
        return
    if not certificate.is_ca or not certificate.may_certify:
        yield found(
            "certificate.no-authority",
            f"{certificate.subject} may not issue certificates, so it vouches for nobody",
            "name the authority, or list its key among the keys of the step",
            place=place,
            pointer=where,
        )
    until, end = certificate.not_after, policy.expires
    if not certificate.valid_at(at) or (end is not None and until < end):
        past = until < at
        yield found(
            "certificate.expires",
            f"{certificate.subject} is valid until {format_timestamp(until)}"
            + ("" if past else ", and the layout for longer"),
            "name a newer certificate of the authority, or let the layout expire before it",
            place=place,
            pointer=where,
            severity=Severity.ERROR if past else None,
        )


def _constraint(
    step: Step, constraint: CertificateConstraint, roots: Mapping[str, object], where: str
) -> Iterator[Finding]:
    place = f'step "{step.name}"'
    reasons = []
    if constraint.extra:
        reasons.append(f'"{min(constraint.extra)[:40]}" is no field of it')
    if not constraint.roots:
        reasons.append("it names no root")
    elif constraint.roots != (ANYTHING,) and not set(constraint.roots) & roots.keys():
        reasons.append("none of its roots is in rootcas")
    if reasons:
        yield found(
            "constraint.nobody",
            f"it accepts nobody: {', and '.join(reasons)}",
            'write "roots": ["*"], or the ids of roots in rootcas',
            place=place,
            pointer=where,
        )
    elif constraint.accepts_anybody:
        yield found(
            "constraint.anybody",
            "whoever has any certificate of the roots may perform it",
            "say what the certificate must say, such as its URI or common name",
            place=place,
            pointer=where,
        )
