"""Pinning: the patch that writes a digest behind each tag of a Pod, and changes nothing else.

Only of Pods: what makes them (a Deployment, a Job) belongs to whoever wrote it, and is compared with a repository by
GitOps tools. The tag stays, because people read it. Doing it again changes nothing.
"""

from __future__ import annotations

from navicert.admission.images import ImageUse
from navicert.admission.review import Operation
from navicert.digest import Digest
from navicert.oci.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def pinned(uses: Iterable[ImageUse], digests: Mapping[Reference, Digest]) -> tuple[Operation, ...]:
    """The patch that pins every one of `uses` whose reference is in `digests` and has none of its own."""
    operations = []
    for use in uses:
        digest = None if use.reference is None or use.reference.pinned else digests.get(use.reference)
        if digest is not None:
            operations.append(Operation("replace", use.pointer, f"{use.text}@{digest}"))
    return tuple(operations)
