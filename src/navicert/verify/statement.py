"""Judging attestations by themselves, without a layout: who signed, about what, of which type, saying what.

Everything is asked of the same bytes, in this order: the signature, the statement, its subject, its type, its
predicate. A document that fails one of them by being somebody else's business (another signer, another subject,
another type) is a near miss where others are to the point; all that are to the point must pass, because one that says
the opposite must not hide behind one that is fine.

Spec: in-toto attestation framework, validation model; spec/v1/statement.md (subjects match by digest only).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.envelope.body import Body, describe
from navicert.errors import Malformed
from navicert.model.predicate import Kind, kind_named, kind_of, read_predicate
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.verdict import Check, Verdict, all_of, at_least, failed, note, passed, skipped, warned
from navicert.verify.inquiry import ROOT, Artifact, Inquiry, Specimen
from navicert.verify.signatory import judge_signature
from navicert.verify.target import Products, bound_by_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final

_SHOWN: Final = 5
_SPEC: Final = "Statement v1"


def judge(inquiry: Inquiry, specimens: Sequence[Specimen]) -> Verdict:
    """The verdict on `specimens`, the documents of one file. None at all is no pass."""
    inputs = tuple(dict.fromkeys(one.digest for one in specimens))
    if not specimens:
        leaf = failed("attestation.none", "", "there is no document to judge")
        return Verdict(all_of(ROOT, "", (leaf,)), inquiry.at, inquiry.digest, inputs)
    opinions = [_Opinion.of(inquiry, one) for one in _distinct(specimens)]
    pertinent = [one for one in opinions if one.pertinent]
    if pertinent:
        checks = [one.check for one in pertinent]
        checks += [note("evidence.near-miss", one.origin, one.reason) for one in opinions if not one.pertinent]
    elif len(opinions) == 1:
        checks = [opinions[0].check]
    else:
        opinions.sort(key=lambda one: -one.progress)
        reason = f"none of {len(opinions)} documents is what was asked for"
        checks = [at_least(1, "attestation.none", "", tuple(one.check for one in opinions), reason)]
    return Verdict(all_of(ROOT, "", tuple(checks), _headline(inquiry, pertinent)), inquiry.at, inquiry.digest, inputs)


def _headline(inquiry: Inquiry, pertinent: Sequence[_Opinion]) -> str:
    """What was found, where all of it passes."""
    about = "no artifact was given" if inquiry.artifact is None else f"about {inquiry.artifact.name}"
    if len(pertinent) == 1:
        return f"{pertinent[0].reason}; {about}"
    return f"{len(pertinent)} attestations; {about}"


def _distinct(specimens: Sequence[Specimen]) -> list[Specimen]:
    """`specimens` without those of which the same content by the same signers was there before."""
    seen: set[object] = set()
    kept = []
    for one in specimens:
        verified = one.verified
        identity: object = one.digest
        if verified is not None:
            identity = (verified.content, frozenset(verified.signers), frozenset(verified.identities))
        if identity not in seen:
            seen.add(identity)
            kept.append(one)
    return kept


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What was found about one document. `progress` counts the questions that it answered well; it is `pertinent`
    where somebody who was asked for signed it, about the artifact, with the type that was asked for."""

    origin: str
    check: Check
    reason: str
    progress: int
    pertinent: bool

    @staticmethod
    def of(inquiry: Inquiry, specimen: Specimen) -> _Opinion:
        """All questions asked of one document, each only if the one before went well."""
        origin = specimen.origin
        signature = judge_signature(inquiry, specimen)
        checks = [signature]
        for question in _questions(inquiry, specimen):
            if not checks[-1].outcome.passes:
                break
            checks += question()
        progress = sum(check.outcome.passes for check in checks)
        bad = next((check for check in checks if not check.outcome.passes), None)
        reached = {check.id for check in checks if check.outcome.passes}
        pertinent = {"attestation.signature", "attestation.subject", "attestation.type"} <= reached
        if specimen.over_file and not inquiry.type:
            pertinent = {"attestation.signature", "attestation.subject"} <= reached
        cause = "" if bad is None else f"{ROOT}/attestation[{origin}]/{bad.name}"
        done = {check.id for check in checks}
        if cause and not pertinent and not specimen.over_file:
            checks += [skipped(id, origin, "not judged", cause=cause) for id in _QUESTIONS if id not in done]
        said = _said(inquiry, specimen)
        reason = said if bad is None else bad.reason
        return _Opinion(origin, all_of("attestation", origin, tuple(checks), said), reason, progress, pertinent)


_QUESTIONS: Final = (
    "attestation.signature",
    "attestation.statement",
    "attestation.subject",
    "attestation.type",
    "attestation.predicate",
)


def _questions(inquiry: Inquiry, specimen: Specimen) -> Iterator[Callable[[], list[Check]]]:
    """What is asked of a document that is signed as asked."""
    origin, verified = specimen.origin, specimen.verified
    if specimen.over_file:
        yield lambda: _file(inquiry, origin)
    elif verified is not None:
        body = verified.body
        yield lambda: _statement(origin, body)
        if isinstance(body, Statement):
            yield lambda: _subject(inquiry, origin, body)
            yield lambda: _type(inquiry, origin, body)
            yield lambda: _predicate(inquiry, origin, body)


def _said(inquiry: Inquiry, specimen: Specimen) -> str:
    """In a few words what a document is that was verified, and by whom; nothing of others."""
    who = ", ".join([*(key.short for key in specimen.signers), *map(str, specimen.identities)])
    if not who:
        return ""
    body = None if specimen.verified is None else specimen.verified.body
    if body is None:
        return f"a signature of the file itself, signed by {who}"
    if not isinstance(body, Statement):
        return f"a {describe(body)}, signed by {who}"
    kind = kind_of(body.predicate_type)
    return f"{kind.title if kind else body.predicate_type}, signed by {who}"


# --- about what ----------------------------------------------------------------------------------------------------


def _file(inquiry: Inquiry, origin: str) -> list[Check]:
    """What a signature of a file says: that its signer vouches for these bytes, and nothing else."""
    if inquiry.artifact is None:
        return [failed("attestation.subject", origin, "no file was given that it could be over")]
    checks = [passed("attestation.subject", origin, f"is over {inquiry.artifact.name} itself")]
    if inquiry.type:
        reason = f"is the signature of a file, which has no type, and {inquiry.type} was asked for"
        checks.append(failed("attestation.type", origin, reason))
    return checks


def _statement(origin: str, body: Body) -> list[Check]:
    if isinstance(body, Statement):
        return [passed("attestation.statement", origin, body.type.removeprefix("https://in-toto.io/"), spec=_SPEC)]
    reason = f"is a {describe(body)}, which is judged by a layout: navicert verify"
    return [failed("attestation.statement", origin, reason, spec=_SPEC)]


def _subject(inquiry: Inquiry, origin: str, statement: Statement) -> list[Check]:
    artifact = inquiry.artifact
    subjects = statement.subjects
    facts = {"subjects": [_shown(subject) for subject in subjects[:20]]}
    if artifact is None:
        reason = f"no artifact was given to compare with; it is about {_list(subjects)}"
        return [warned("attestation.subject", origin, reason, spec=_SPEC, facts=facts)]
    found = _named_by(artifact, subjects)
    if found:
        return [passed("attestation.subject", origin, f"is about {artifact.name} ({found})", spec=_SPEC, facts=facts)]
    reason = f"is not about {artifact.name}: {_why_not(artifact, subjects)}"
    return [failed("attestation.subject", origin, reason, spec=_SPEC, facts=facts)]


def _named_by(artifact: Artifact, subjects: Sequence[ResourceDescriptor]) -> str:
    """The name of what agrees with `artifact` among `subjects`; empty where it is not all there."""
    if artifact.target is None:
        return next((_name(subject) for subject in subjects if subject.digests.agrees(artifact.digests)), "")
    named: dict[str, DigestSet] = {}
    for i, subject in enumerate(subjects):
        # Two subjects may have one name: the later one is told apart by its number.
        name = _name(subject)
        named[f"{i}:{name}" if name in named else name] = subject.digests
    return ", ".join(bound_by_digest(artifact.target, Products(artifact.name, named))[:_SHOWN])


def _why_not(artifact: Artifact, subjects: Sequence[ResourceDescriptor]) -> str:
    ours = dict(artifact.digests)
    for subject in subjects:
        for name, value in subject.digests:
            if ours.get(name, "").lower() == value.lower() and subject.digests.differs(artifact.digests):
                return f"the {name} of {_name(subject)} agrees with it and another digest does not"
    if not any(subject.digests.decides for subject in subjects):
        return f"its subjects have only digests that decide nothing ({_list(subjects)})"
    algorithms = {name for subject in subjects for name, _ in subject.digests}
    if artifact.target is None and algorithms.isdisjoint(ours):
        return f"it has {', '.join(sorted(algorithms))} and no {' or '.join(sorted(ours))}"
    return f"it is about {_list(subjects)}"


def _list(subjects: Sequence[ResourceDescriptor]) -> str:
    more = f" and {len(subjects) - _SHOWN} more" if len(subjects) > _SHOWN else ""
    return ", ".join(_shown(subject) for subject in subjects[:_SHOWN]) + more


def _name(subject: ResourceDescriptor) -> str:
    return subject.name or subject.uri or "a subject without name"


def _shown(subject: ResourceDescriptor) -> str:
    return f"{_name(subject)} {subject.digests}"


# --- saying what ---------------------------------------------------------------------------------------------------


def _type(inquiry: Inquiry, origin: str, statement: Statement) -> list[Check]:
    found, wanted = statement.predicate_type, inquiry.type
    kind = kind_of(found)
    if wanted:
        if found == wanted or _covers(wanted, kind, found):
            return [passed("attestation.type", origin, found)]
        return [failed("attestation.type", origin, f"is of type {found}, and {wanted} was asked for")]
    if kind is not None:
        return [passed("attestation.type", origin, found)]
    reason = f"is of type {found}, which is not known here, so nothing can be said about it"
    return [failed("attestation.type", origin, reason)]


def _covers(wanted: str, kind: Kind | None, found: str) -> bool:
    """Whether a type is asked for by its short name, or by the URI without version that stands for all of them."""
    if kind is None:
        return False
    named = kind_named(wanted)
    if named is not None:
        return named is kind
    return kind.versioned and wanted == kind.types[-1] and kind.covers(found)


def _predicate(inquiry: Inquiry, origin: str, statement: Statement) -> list[Check]:
    id = "attestation.predicate"
    try:
        predicate = read_predicate(statement.predicate_type, statement.predicate)
    except Malformed as error:
        return [failed(id, origin, f"its predicate is not what its type asks for: {error}")]
    if predicate is None:
        reason = f"nothing is known about type {statement.predicate_type}: its fields were not looked at"
        return [warned(id, origin, reason)]
    checks = [passed(id, origin, "has what its type asks for")]
    result = _result(origin, predicate)
    return checks if result is None else [*checks, result]


def _result(origin: str, predicate: object) -> Check | None:
    """What a document says of its subject by its own word; None where its type has no such word."""
    from navicert.model.predicate import test_result, vsa

    if isinstance(predicate, vsa.VerificationSummary):
        who = f"verifier {predicate.verifier_id}"
        if predicate.result != vsa.PASSED:
            return failed("attestation.result", origin, f"{who} says that it did not pass")
        return passed("attestation.result", origin, f"{who} says that it passed: {', '.join(predicate.levels)}")
    if not isinstance(predicate, test_result.ResultPredicate):
        return None
    if predicate.result == test_result.FAILED or predicate.failed:
        named = ", ".join(predicate.failed[:_SHOWN]) or "which, it does not say"
        return failed("attestation.result", origin, f"says {predicate.result}; tests that failed: {named}")
    if predicate.result == test_result.WARNED or predicate.warned:
        named = ", ".join(predicate.warned[:_SHOWN]) or "which, it does not say"
        return warned("attestation.result", origin, f"says {predicate.result}; tests with warnings: {named}")
    return passed("attestation.result", origin, f"says PASSED; {len(predicate.passed)} tests named")
