"""Breaking the glass: who may have an image let in that does not pass, and how that reaches the Pods of a workload.

Whoever creates an object says so by an annotation, which counts by the groups of her who sends it, and by nothing else.
Pods of a Deployment are sent by a controller. Their annotation counts because it comes from a template in which only
members can have put it: whoever else adds it, or changes an image beside it, is refused (`objection`). So it names its
end and stands beside images by digest only. StatefulSets and DaemonSets make Pods of ControllerRevisions, which this
webhook does not see: of such a Pod it counts only as far as the set itself says the same now (`live_template.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from navicert.admission.images import ImageUse, is_pod, pod_metadata_of
from navicert.admission.policy import PolicyDocument
from navicert.admission.review import Kind, Review
from navicert.admission.vocabulary import BREAK_GLASS, BREAK_GLASS_UNTIL
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.report.line import cut, escape
from navicert.timestamp import format_timestamp, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from navicert.admission.live_template import LiveTemplate

LONGEST: Final = timedelta(days=7)
"""How far ahead the end in a template may be: an emergency, and not a policy."""
_CARRIED: Final = frozenset(
    {
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("", "ReplicationController"),
    }
)
"""Group and kind of what makes Pods of a template."""
_SETS: Final = frozenset({("apps", "DaemonSet"), ("apps", "StatefulSet")})
"""Those that make them of ControllerRevisions."""
_OWNERS: Final[Mapping[tuple[str, str], frozenset[tuple[str, str]]]] = {
    ("", "Pod"): frozenset({("apps", "ReplicaSet"), ("batch", "Job"), ("", "ReplicationController")}),
    ("apps", "ReplicaSet"): frozenset({("apps", "Deployment")}),
    ("batch", "Job"): frozenset({("batch", "CronJob")}),
}
"""Kind → the kinds of owners for which a controller makes it of the template that was reviewed."""
CONTROLLERS: Final = frozenset(
    {
        "system:kube-controller-manager",
        *(
            f"system:serviceaccount:kube-system:{name}-controller"
            for name in "cronjob daemon-set deployment job replicaset replication statefulset".split()
        ),
    }
)
"""The users as which Kubernetes' own controllers make objects of templates."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a template, or a Pod, says of broken glass: why, and until when, as it was written."""

    reason: str
    until: str

    def end(self, at: datetime) -> datetime | None:
        """Until when it holds; None where it does not at the moment `at`."""
        try:
            end = parse_timestamp(self.until)
        except Malformed:
            return None
        return end if self.reason and at < end <= at + LONGEST else None


def mark_of(kind: Kind, body: Mapping[str, object] | None) -> Mark | None:
    """The mark on the Pods that an object makes, or on a Pod itself; None where there is none."""
    annotations = pod_metadata_of(kind, body or {}).get("annotations")
    if not isinstance(annotations, dict) or BREAK_GLASS not in annotations:
        return None
    reason, until = annotations.get(BREAK_GLASS), annotations.get(BREAK_GLASS_UNTIL, "")
    return Mark(reason.strip() if isinstance(reason, str) else "", until if isinstance(until, str) else "")


@dataclass(frozen=True, slots=True)
class Maker:
    """The object of whose template a controller makes another one."""

    group: str
    kind: str
    name: str
    uid: str


def set_behind(review: Review) -> Maker | None:
    """The StatefulSet or DaemonSet for which Kubernetes' own controller makes this Pod; None of everything else."""
    maker = _maker(review) if is_pod(review.kind) else None
    return maker if maker is not None and (maker.group, maker.kind) in _SETS else None


def broken_glass(
    review: Review, policy: PolicyDocument, use: ImageUse, at: datetime, *, carried: bool, live: LiveTemplate | None
) -> str:
    """Who breaks the glass of `policy` for the image `use`, and why; empty where nobody does who may. `carried`: marks
    of templates count; `live` is the template of the set behind a Pod, where that is known."""
    if not policy.break_glass:
        return ""
    member = not policy.break_glass.isdisjoint(review.user.groups)
    who = cut(escape(review.user.name), 60)
    own = _annotation(review.body, BREAK_GLASS).strip()
    if member and own:
        return f"{who}: {cut(escape(own), 100)}"
    mark = mark_of(review.kind, review.body) if carried else None
    if mark is None:
        return ""
    confirmed = live is not None and live.mark == mark and (use.role, use.name, use.text) in live.images
    reviewed = _is_copied(review) or (set_behind(review) is not None and confirmed)
    if not (reviewed or (member and _is_carried(review.kind))):
        return ""
    end = mark.end(at)
    return "" if end is None else f"{who}: {cut(escape(mark.reason), 100)} (until {format_timestamp(end)})"


def objection(
    review: Review,
    uses: Sequence[ImageUse],
    old: Iterable[ImageUse],
    about: Callable[[ImageUse], Iterable[PolicyDocument]],
    at: datetime,
) -> str:
    """Why this template may not say what it says of broken glass, to be asked where marks of templates count; empty
    where it may. Pods that controllers make of it later are let in by that."""
    mark = mark_of(review.kind, review.body)
    if mark is None or not _is_carried(review.kind) or _is_copied(review):
        return ""
    before = mark_of(review.kind, review.old) if review.operation == "UPDATE" else None
    if mark == before and _texts(uses) == _texts(old):
        return ""
    groups = [policy.break_glass for use in uses for policy in about(use) if policy.break_glass]
    if not groups:
        return f"no policy lets anybody set {BREAK_GLASS} in a template with these images"
    if any(one.isdisjoint(review.user.groups) for one in groups):
        named = ", ".join(sorted(frozenset().union(*groups)))
        return f"only members of {cut(escape(named), 200)} may set {BREAK_GLASS} in a template, or change its images"
    if any(use.identity is None for use in uses):
        return f"{BREAK_GLASS} in a template counts for images by digest only (name@sha256:...)"
    if mark.end(at) is None:
        most = format_timestamp(at + LONGEST)
        return f"{BREAK_GLASS} in a template needs a reason, and {BREAK_GLASS_UNTIL} with its end, at most {most}"
    return ""


def _texts(uses: Iterable[ImageUse]) -> set[tuple[str, str, str]]:
    return {(use.role, use.name, use.text) for use in uses}


def _is_carried(kind: Kind) -> bool:
    return (kind.group, kind.name) in _CARRIED


def _is_copied(review: Review) -> bool:
    """Whether Kubernetes' own controller makes this of a template that was reviewed."""
    maker = _maker(review)
    kind = ("", "Pod") if is_pod(review.kind) else (review.kind.group, review.kind.name)
    return maker is not None and (maker.group, maker.kind) in _OWNERS.get(kind, ())


def _maker(review: Review) -> Maker | None:
    """The owner for which Kubernetes' own controller makes this; None where somebody else does, or owners disagree."""
    if review.operation != "CREATE" or review.subresource or review.user.name not in CONTROLLERS:
        return None
    metadata = (review.body or {}).get("metadata")
    owners = metadata.get("ownerReferences") if isinstance(metadata, dict) else None
    ruling = [
        one for one in (owners if isinstance(owners, list) else ()) if isinstance(one, dict) and one.get("controller")
    ]
    if len(ruling) != 1:
        return None
    one = ruling[0]
    group = str(one.get("apiVersion") or "").rpartition("/")[0]
    return Maker(group, str(one.get("kind")), str(one.get("name") or ""), str(one.get("uid") or ""))


def _annotation(body: Mapping[str, object] | None, name: str) -> str:
    metadata = (body or {}).get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(name) if isinstance(annotations, dict) else None
    return text if isinstance(text, str) else ""
