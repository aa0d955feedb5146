"""What already runs, judged as if it were to start now: what would be refused once policies enforce.

A Pod names its images as its author wrote them; what a node really runs stands in its status, by digest. That is what
is judged where it is there, because a tag may have moved since. Modes do not count: the question is what would break.
"""

from __future__ import annotations

import json

from navicert.admission.decision import Ruling
from navicert.admission.examiner import Examiner
from navicert.admission.judgement import Standing
from navicert.dataclass import dataclass, field
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.oci.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """One object that was looked at."""

    kind: str
    version: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(slots=True)
class Finding:
    """What came out for one image under one policy, and all places where it is used."""

    image: str
    policy: str
    standing: Standing
    cause: str
    waived: bool
    places: list[Place] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether it would be kept out."""
        return self.standing is not Standing.PASSED and not self.waived


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole. `objects` were looked at; `odd` are those that could not be judged as objects, with the reason."""

    objects: int
    findings: tuple[Finding, ...]
    odd: tuple[tuple[Place, str], ...] = ()

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What would be kept out."""
        return tuple(one for one in self.findings if one.refused)

    @property
    def unknown(self) -> bool:
        """Whether something could not be found out, and nothing was found that would be kept out for certain."""
        refused = self.refused
        return bool(refused) and all(one.standing is Standing.UNKNOWN for one in refused) and not self.odd


def audit(
    desk: Examiner, objects: Iterable[Mapping[str, object]], review: Callable[[Mapping[str, object]], bytes]
) -> Audit:
    """What `desk` decides on each of `objects`, made into a review by `review`."""
    found: dict[tuple[str, str], Finding] = {}
    odd: list[tuple[Place, str]] = []
    count = 0
    for body in objects:
        count += 1
        place = place_of(body)
        decision = desk.run(review(as_it_runs(body)), desk.validating)
        if decision.refusal is not None:
            odd.append((place, str(decision.refusal)))
        for ruling in decision.rulings:
            _add(found, ruling, place)
    ordered = sorted(found.values(), key=lambda one: (not one.refused, -len(one.places), one.image, one.policy))
    return Audit(count, tuple(ordered), tuple(odd))


def _add(found: dict[tuple[str, str], Finding], ruling: Ruling, place: Place) -> None:
    policy = "" if ruling.policy is None else ruling.policy.label
    finding = found.get((ruling.image, policy))
    if finding is None:
        cause = "" if ruling.judgement.cause is None else str(ruling.judgement.cause)
        finding = Finding(ruling.image, policy, ruling.judgement.standing, cause, ruling.exception is not None)
        found[ruling.image, policy] = finding
    if place not in finding.places:
        finding.places.append(place)


def place_of(body: Mapping[str, object]) -> Place:
    """What an object is called."""
    metadata = body.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return Place(
        str(body.get("kind") or "?"),
        str(body.get("apiVersion") or "?"),
        str(named.get("namespace") or ""),
        str(named.get("name") or "?"),
    )


def as_it_runs(body: Mapping[str, object]) -> Mapping[str, object]:
    """A Pod with the digests that its status reports behind its images; everything else as it is."""
    status, spec = body.get("status"), body.get("spec")
    if body.get("kind") != "Pod" or not isinstance(status, dict) or not isinstance(spec, dict):
        return body
    changed = json.loads(json.dumps(spec))
    lists = {
        "containers": "containerStatuses",
        "initContainers": "initContainerStatuses",
        "ephemeralContainers": "ephemeralContainerStatuses",
    }
    for name, reported in lists.items():
        running = dict(_running(status.get(reported)))
        for container in changed.get(name) or ():
            if isinstance(container, dict):
                digest = running.get(str(container.get("name")))
                container["image"] = _pinned(container.get("image"), digest)
    return {**body, "spec": changed}


def _running(statuses: object) -> Iterator[tuple[str, Digest]]:
    """Container → the digest that the node says it runs."""
    for status in statuses if isinstance(statuses, list) else ():
        if isinstance(status, dict) and isinstance(status.get("imageID"), str):
            try:
                yield str(status.get("name")), Digest.parse(status["imageID"].rpartition("@")[2])
            except Malformed:
                continue  # an id without a digest says nothing about what was pulled


def _pinned(image: object, digest: Digest | None) -> object:
    if not isinstance(image, str) or digest is None:
        return image
    try:
        return image if Reference.parse(image).pinned else f"{image}@{digest}"
    except Malformed:
        return image
