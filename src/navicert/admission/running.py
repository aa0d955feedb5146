"""What runs in a cluster: all its Pods, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from navicert.admission.listing import pages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from navicert.admission.cluster import Cluster, Object

_PODS: Final = "/api/v1/pods"


def pods(cluster: Cluster, excluded: Collection[str] = ()) -> Iterator[Object]:
    """Every Pod of `cluster`, those in the namespaces `excluded` left out. Raises `Unavailable` where they may not be
    listed."""
    for page in pages(cluster, _PODS):
        for entry in page.items:
            metadata = entry.get("metadata")
            if isinstance(metadata, dict) and metadata.get("namespace") in excluded:
                continue
            # The API server leaves out of a list's entries what all of them have in common.
            yield {"apiVersion": "v1", "kind": "Pod", **entry}
