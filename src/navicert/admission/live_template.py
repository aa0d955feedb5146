"""The templates of StatefulSets and DaemonSets, as the API server has them at this moment.

Their controllers make Pods of ControllerRevisions, which no webhook is asked about and whoever may write those chooses.
So what such a Pod says of broken glass is held against the set itself, whose every change was reviewed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from navicert.admission.glass import Maker, Mark, mark_of, set_behind
from navicert.admission.images import find_images
from navicert.admission.review import Kind, Review
from navicert.dataclass import dataclass
from navicert.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from concurrent.futures import Future

    from navicert.admission.cluster import Cluster
    from navicert.admission.worker import Workers

_PLURALS: Final[Mapping[str, str]] = {"StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
_LANE: Final = "templates of sets"
"""Where the API server is asked, beside the lanes of registries."""


@dataclass(frozen=True, slots=True)
class LiveTemplate:
    """What a template says now: its mark of broken glass, and its images (role, name and text)."""

    mark: Mark | None
    images: frozenset[tuple[str, str, str]]


class LiveTemplates(Protocol):
    """Where templates are looked up."""

    def find(self, namespace: str, maker: Maker) -> LiveTemplate | None:
        """The template of the set `maker`; None where it is not there any more, or another one by that name is. Raises
        `Unavailable`, and `Malformed` for an object that is not of the shape of its kind."""


class ClusterTemplates:
    """The templates of the sets in `cluster`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def find(self, namespace: str, maker: Maker) -> LiveTemplate | None:
        """As `LiveTemplates.find`: one request, of what the API server has now."""
        from urllib.parse import quote

        if maker.kind not in _PLURALS or not maker.uid:
            return None
        place, name = quote(namespace, safe=""), quote(maker.name, safe="")
        found = self._cluster.get(f"/apis/apps/v1/namespaces/{place}/{_PLURALS[maker.kind]}/{name}")
        metadata = None if found is None else found.get("metadata")
        if found is None or not isinstance(metadata, dict) or metadata.get("uid") != maker.uid:
            return None
        kind = Kind("apps", "v1", maker.kind)
        uses = find_images(kind, found)
        return LiveTemplate(mark_of(kind, found), frozenset((use.role, use.name, use.text) for use in uses))


def behind(
    review: Review, templates: LiveTemplates | None, workers: Workers
) -> Generator[Sequence[Future[Any]], None, LiveTemplate | None]:
    """What the set behind a Pod says now, where the Pod says that its glass is broken: a step of a decision. What
    cannot be found out lets nothing in."""
    maker = set_behind(review)
    if templates is None or maker is None or mark_of(review.kind, review.body) is None:
        return None
    try:
        work = workers.submit(_LANE, partial(templates.find, review.namespace, maker))
    except Unavailable:
        return None
    yield [work]
    return work.result() if work.done() and work.exception() is None else None
