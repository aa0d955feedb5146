"""What becomes of a whole review: one ruling for each image and policy, and the answer that follows from all of them.

Pure. Whatever does not pass under a policy that enforces refuses the object; what only warns or is audited is told. The
first refusal is explained within a kilobyte, with the command that shows the same without the cluster.
"""

from __future__ import annotations

from typing import Final

from navicert.admission.cause import Cause
from navicert.admission.ending import Ending, notices
from navicert.admission.images import ImageUse
from navicert.admission.judgement import Judgement
from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.admission.policy import ExceptionDocument, Mode, PolicyDocument
from navicert.admission.review import Answer, Operation, Review
from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.enumeration import Enum
from navicert.report.line import cut, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_ANNOTATION: Final = 500


class Outcome(Enum):
    """What the API server is told, and under which condition."""

    ALLOWED = "allowed"
    WARNED = "warned"
    AUDITED = "audited"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one policy comes to for one image. `waived` says by what a refusal does not count: the name of an exception,
    or who broke the glass and why."""

    use: ImageUse
    policy: PolicyDocument | None
    judgement: Judgement
    digest: Digest | None = None
    exception: ExceptionDocument | None = None
    broken_glass: str = ""
    mode: Mode = Mode.ENFORCE

    @property
    def waived(self) -> bool:
        """Whether a refusal does not count."""
        return self.exception is not None or bool(self.broken_glass)

    @property
    def image(self) -> str:
        """The image for people: by digest, where that is known."""
        if self.use.reference is None:
            return cut(escape(self.use.text), 120) or "(no image)"
        return str(self.use.reference if self.digest is None else self.use.reference.at(self.digest))


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole. `reason` is one word or check id: of the first refusal, else of what let the object pass."""

    review: Review
    outcome: Outcome
    reason: str
    rulings: tuple[Ruling, ...] = ()
    refusal: Cause | None = None
    """Why the object as a whole is refused, whatever its images."""
    early: tuple[ImageUse, ...] = ()
    """Images by tag that were judged by what the tag stands for now."""
    notes: tuple[str, ...] = ()
    patch: tuple[Operation, ...] | None = None
    expiring: tuple[str, ...] = ()
    """What expires soon, as warnings."""

    @property
    def allowed(self) -> bool:
        """Whether the object is let in."""
        return self.outcome is not Outcome.DENIED


def decided(review: Review, reason: str, *notes: str, patch: tuple[Operation, ...] | None = None) -> Decision:
    """That nothing stands in the way, and nothing had to be judged."""
    return Decision(review, Outcome.ALLOWED, reason, notes=notes, patch=patch)


def refuse(review: Review, id: str, reason: str) -> Decision:
    """That the object as a whole is refused."""
    return Decision(review, Outcome.DENIED, id, refusal=Cause(id, cut(escape(reason), _ANNOTATION)))


def conclude(review: Review, rulings: Iterable[Ruling], at: datetime, early: Iterable[ImageUse] = ()) -> Decision:
    """What follows from `rulings`. No ruling at all is a refusal: nothing was judged."""
    found = tuple(rulings)
    if not found:
        return refuse(review, "image.unjudged", "no image of this object was judged")
    failing = [one for one in found if not one.judgement.passed]
    standing = [one for one in failing if not one.waived]
    by_mode = {mode: [one for one in standing if one.mode is mode] for mode in Mode}
    outcome = Outcome.ALLOWED
    for mode, result in (
        (Mode.AUDIT, Outcome.AUDITED),
        (Mode.WARN, Outcome.WARNED),
        (Mode.ENFORCE, Outcome.DENIED),
    ):
        if by_mode[mode]:
            outcome = result
    gravest = by_mode[Mode.ENFORCE] or by_mode[Mode.WARN] or by_mode[Mode.AUDIT]
    reason = _reason(gravest[0]) if gravest else _waiver(failing)
    return Decision(review, outcome, reason, found, early=tuple(early), expiring=tuple(_expiring(found, at)))


def _reason(ruling: Ruling) -> str:
    return ruling.judgement.cause.id if ruling.judgement.cause is not None else "verified"


def _waiver(failing: Sequence[Ruling]) -> str:
    if any(one.broken_glass for one in failing):
        return "break-glass"
    return "exception" if failing else "verified"


def _expiring(rulings: Sequence[Ruling], at: datetime) -> Iterator[str]:
    """What the passes rest on that ends within a fortnight."""
    found: set[Ending] = set()
    for judgement in (ruling.judgement for ruling in rulings if ruling.judgement.passed):
        if judgement.expires is not None:
            found.add(Ending("layout", judgement.layout, judgement.expires))
        found.update(judgement.endings)
    yield from notices(found, at)


# --- the answer ----------------------------------------------------------------------------------------------------


def answer(decision: Decision, id: str, limits: AdmissionLimits = ADMISSION) -> Answer:
    """The answer to the API server; `id` finds the decision again in the log of the webhook."""
    message = "" if decision.allowed else bounded(denial(decision, limits), limits.message_bytes)
    warnings = tuple(dict.fromkeys(cut(text, limits.warning_characters) for text in _warnings(decision)))
    if len(warnings) > limits.warnings:
        left = len(warnings) - limits.warnings + 1
        warnings = (*warnings[: limits.warnings - 1], f"… {left} more warnings")
    return Answer(decision.review.uid, decision.allowed, message, warnings, _annotations(decision, id), decision.patch)


def denial(decision: Decision, limits: AdmissionLimits = ADMISSION) -> str:
    """Why the object is refused: the first refusal in full, how many more there are, and how to see it offline."""
    if decision.refusal is not None:
        return str(decision.refusal)
    first, *more = [one for one in decision.rulings if _refuses(one)]
    others = f" (and {len(more)} more refusal{'s' * (len(more) != 1)})" if more else ""
    policy = f"policy {first.policy.label}: " if first.policy is not None else ""
    head = f"{first.use}: image {first.image}: {policy}"
    tail = f"{others}{_offline(first)}"
    room = limits.message_bytes - len(f"{head}{tail}".encode())
    return f"{head}{bounded(str(first.judgement.cause), max(room, 120))}{tail}"


def _refuses(ruling: Ruling) -> bool:
    return not ruling.judgement.passed and not ruling.waived and ruling.mode is Mode.ENFORCE


def _offline(ruling: Ruling) -> str:
    """The command that shows the same without the cluster."""
    policy = ruling.policy
    if policy is None or policy.problem or ruling.digest is None or ruling.use.reference is None:
        return ""
    source = policy.layout
    layout = "" if source.raw is None and source.image is None else f"--layout {_file(source.file, 'LAYOUT')} "
    named = [f"--owner {_file(file, 'OWNER.pub')}" for file in policy.owned[:2]]
    for one in policy.identities[:2]:
        option = "--owner-identity" if one.san.expression is None else "--owner-identity-matching"
        named.append(f"{option} {_word(one.san.text, 'NAME')} --owner-issuer {_word(one.issuer.text, 'URL')}")
    if policy.trusted_root is not None:
        named.append("--trusted-root ROOT.json")
    owners = " ".join(named)
    image = f"{ruling.use.reference.name}@{ruling.digest}"
    return f"; see: navicert verify {layout}{owners} registry:{image}"


def _file(path: str, placeholder: str) -> str:
    """A path as an argument; `placeholder` for what is no file, and for paths that no shell would take as they are."""
    plain = path and len(path) <= 120 and all(letter.isalnum() or letter in "/._-" for letter in path)
    return path if plain else placeholder


def _word(text: str, placeholder: str) -> str:
    """A name as an argument; `placeholder` for what a shell would not take as it is."""
    plain = len(text) <= 200 and all(letter.isascii() and (letter.isalnum() or letter in "/._-:@+=") for letter in text)
    return text if plain else placeholder


def bounded(text: str, most: int) -> str:
    """`text` in at most `most` bytes of UTF-8."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode("utf-8", "ignore") + "…"


def _warnings(decision: Decision) -> Iterator[str]:
    yield from decision.notes
    for ruling in decision.rulings:
        cause, name = ruling.judgement.cause, "" if ruling.policy is None else ruling.policy.label
        if ruling.exception is not None:
            one = ruling.exception
            yield f"{ruling.use}: admitted by exception {one.name} until {one.not_after:%Y-%m-%d} ({one.owner})"
        elif ruling.broken_glass and cause is not None:
            yield f"{ruling.use}: glass broken by {ruling.broken_glass}; policy {name} refuses it: {cause.id}"
        elif cause is not None and ruling.mode is Mode.WARN:
            yield f"{ruling.use}: policy {name} would refuse {cut(ruling.image, 60)}: {cause}"
        yield from ruling.judgement.warnings
    for use in decision.early:
        yield f"{use}: judged by what its tag stands for now; Pods are judged by digest when they are made"
    yield from decision.expiring


def _annotations(decision: Decision, id: str) -> dict[str, str]:
    """What the audit log keeps of it."""
    found = {"decision": decision.outcome.value, "decision-id": id, "reason": decision.reason}
    failing = [one for one in decision.rulings if not one.judgement.passed]
    shown = failing or list(decision.rulings)
    if shown:
        first = shown[0]
        found |= {"image": first.image, "policy": "" if first.policy is None else first.policy.label}
        if first.digest is not None:
            found["digest"] = str(first.digest)
        layout = first.judgement.layout or (first.judgement.cause.layout if first.judgement.cause else "")
        if layout:
            found["layout"] = layout
        if first.judgement.cause is not None:
            found["cause"] = str(first.judgement.cause)
    if decision.refusal is not None:
        found["cause"] = str(decision.refusal)
    exceptions = sorted({one.exception.name for one in failing if one.exception is not None})
    if exceptions:
        found["exceptions"] = ", ".join(exceptions)
    glass = next((one.broken_glass for one in failing if one.broken_glass), "")
    if glass:
        found["break-glass"] = glass
    return {name: bounded(text, _ANNOTATION) for name, text in found.items()}
