"""Static Pods, which a node runs from its own disk, and the copies of them that it makes in the API server."""

from __future__ import annotations

from typing import Final

from navicert.admission.images import is_pod
from navicert.admission.review import Review

_MIRROR: Final = "kubernetes.io/config.mirror"


def is_mirror(review: Review) -> bool:
    """Whether this is a node's copy of a Pod that it runs from its own disk: refusing it stops nothing, and changing it
    breaks it. Only the node that it runs on is believed."""
    body = review.body or {}
    metadata, spec = body.get("metadata"), body.get("spec")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    marked = isinstance(annotations, dict) and bool(annotations.get(_MIRROR))
    node = spec.get("nodeName") if isinstance(spec, dict) else None
    return (
        is_pod(review.kind)
        and marked
        and isinstance(node, str)
        and bool(node)
        and review.user.name == f"system:node:{node}"
        and "system:nodes" in review.user.groups
    )
