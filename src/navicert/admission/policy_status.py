"""What a policy of the cluster is told of itself: whether it is in force, why not, and when what it rests on ends.

All replicas say the same of the same policy, so none has to lead: each writes only where what is there differs, on the
version that it has read, and each policy at most once in a while. What is written is for people, and is never read back
to judge by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from navicert.admission.cluster import Cluster, Conflict, Object
from navicert.admission.ending import Ending, endings
from navicert.admission.policy import PolicyDocument
from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.model.field import as_object
from navicert.report.line import cut, escape
from navicert.timestamp import format_timestamp
from navicert.verify.case import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

READY: Final = "Ready"
"""The type of the condition."""
PAUSE_SECONDS: Final = 60.0
"""How long a policy is left alone after its status was written: two versions that disagree do not fight."""
MOST: Final = 20
"""How many policies are written in one round."""
_ENDINGS: Final = 16
_CONDITIONS: Final = 16
_MESSAGE: Final = 500

Layouts = Callable[[PolicyDocument], Policy | None]
"""Gives the layout that stands in a policy, and None where it comes from elsewhere. Raises `Malformed`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a policy is `ready`: it can be judged by, and images can pass. `reason` is one word for programs."""

    ready: bool
    reason: str
    message: str
    expires: tuple[Ending, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """A policy as an object of the cluster, the path of which is `path`, and what was read of it."""

    path: str
    object: Object
    found: PolicyDocument | Malformed


def standing_of(found: PolicyDocument | Malformed, layouts: Layouts, at: datetime) -> Standing:
    """How it stands with a policy at the moment `at`."""
    if isinstance(found, Malformed):
        return Standing(False, "Malformed", f"not understood: {found}")
    if found.delegate:
        return Standing(True, "Delegates", "leaves the judgement to policies of namespaces")
    try:
        layout = layouts(found)
    except Malformed as error:
        return Standing(False, "LayoutUnreadable", f"layout unreadable: {error}")
    keys = [Ending("key", f"of owner {key.short}", key.expires) for key in found.owners if key.expires is not None]
    if layout is None:
        return Standing(
            True, "InForce", f"in force, mode {found.mode.value}; the layout comes from elsewhere", tuple(keys)
        )
    expires = endings(layout)
    signed = 0 if layout.verified is None else len(layout.verified.signers)
    need = len(layout.owners) if layout.need is None else layout.need
    if signed < need:
        message = f"the layout is signed by {signed} of the {need} owners that it needs: nothing passes"
        return Standing(False, "LayoutNotSigned", message, expires)
    past = [one for one in expires if one.kind == "layout" and one.at <= at]
    if past:
        message = f"the layout expired on {format_timestamp(past[0].at)}: renew it"
        return Standing(False, "LayoutExpired", message, expires)
    return Standing(True, "InForce", f"in force, mode {found.mode.value}", expires)


def status_of(standing: Standing, one: Mapping[str, object], at: datetime) -> dict[str, object]:
    """The status of the object `one`, as it is to be. The time of the last transition stays where there was none, and
    conditions of others stay."""
    metadata = as_object(one.get("metadata") or {}, "/metadata")
    generation = metadata.get("generation")
    condition: dict[str, object] = {
        "type": READY,
        "status": "True" if standing.ready else "False",
        "reason": standing.reason,
        "message": cut(escape(standing.message), _MESSAGE),
        "observedGeneration": generation if isinstance(generation, int) else 0,
    }
    own, others = _conditions(one)
    same = own.get("status") == condition["status"]
    before = own.get("lastTransitionTime")
    condition["lastTransitionTime"] = before if same and isinstance(before, str) else format_timestamp(at)
    ends = [{"kind": end.kind, "name": end.name, "at": format_timestamp(end.at)} for end in standing.expires[:_ENDINGS]]
    return {
        "observedGeneration": condition["observedGeneration"],
        "conditions": [condition, *others],
        "expires": ends,
    }


def _conditions(one: Mapping[str, object]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Our condition as it is, and those of others."""
    status = one.get("status")
    found = status.get("conditions") if isinstance(status, dict) else None
    listed = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    own = next((entry for entry in listed if entry.get("type") == READY), {})
    return own, [entry for entry in listed if entry.get("type") != READY][:_CONDITIONS]


class StatusWriter:
    """Keeps the status of the policies that `observed` gives, in `cluster`. While `stale` says why these may be old
    nothing is written."""

    def __init__(
        self,
        cluster: Cluster,
        observed: Callable[[], Iterable[Observed]],
        layouts: Layouts,
        *,
        stale: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._observed = observed
        self._layouts = layouts
        self._stale = stale
        self._clock = clock
        self._written: dict[str, float] = {}

    def round(self, at: datetime) -> int:
        """Write what differs, and say of how many policies. Raises `Unavailable` where something could not be written
        for another reason than that somebody was quicker, after the others were."""
        if self._stale():
            return 0
        now = self._clock()
        self._written = {path: when for path, when in self._written.items() if now - when < PAUSE_SECONDS}
        count, problem = 0, None
        for one in self._observed():
            if count >= MOST:
                break
            wanted = status_of(standing_of(one.found, self._layouts, at), one.object, at)
            if one.object.get("status") == wanted or one.path in self._written:
                continue
            self._written[one.path] = now
            count += 1
            metadata = as_object(one.object.get("metadata") or {}, "/metadata")
            change = {"metadata": {"resourceVersion": metadata.get("resourceVersion")}, "status": wanted}
            try:
                self._cluster.patch(f"{one.path}/status", change)
            except Conflict:
                count -= 1  # another replica was quicker, or the policy has changed: looked at again later
            except Unavailable as error:
                count -= 1
                problem = error
        if problem is not None:
            raise problem
        return count
