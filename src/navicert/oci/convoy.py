"""Copying an image together with everything attached to it.

What is attached goes first and the image's name last: whoever finds the image at its new place finds all of it.
Afterwards the destination is asked anew, and every manifest must be there again.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Unavailable
from navicert.oci.attachment import list_attached
from navicert.oci.companion import Companion, companions
from navicert.oci.destination import Destination, RegistryDestination
from navicert.oci.image import read_image
from navicert.oci.referrers import subjects_of
from navicert.oci.shelf import Placed
from navicert.oci.transfer import Copied, Nearest, Progress, copy_image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Convoy:
    """What was copied: the image, and what is attached to it."""

    image: Copied
    companions: tuple[Companion, ...]
    sent: int
    """Blobs that were sent, all together."""
    sent_bytes: int
    held: int
    """Blobs that were there already."""


def copy_convoy(
    source: Placed,
    destination: Destination,
    tag: str,
    *,
    workers: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Convoy:
    """Copies `source` and its companions to `destination`, the image to be called `tag`. Raises as `copy_image` and
    `companions` do; then the image has no name at the destination, and it may be done again."""
    shelf = source.shelf
    image = read_image(Nearest(source, destination), source.root, shelf.limits)
    found = companions(shelf, subjects_of(image, source.root.digest))
    copies = []
    for companion in found:
        for name in companion.tags or ("",):
            copies.append(copy_image(shelf, companion.descriptor, destination, name, workers=workers))
        _list(companion, destination)
    copied = copy_image(source, source.root, destination, tag, workers=workers, progress=progress)
    copies.append(copied)
    return Convoy(
        copied,
        tuple(found),
        sum(one.sent for one in copies),
        sum(one.sent_bytes for one in copies),
        sum(one.found for one in copies),
    )


def check_convoy(convoy: Convoy, copy: Placed) -> None:
    """Asks the destination for the image and everything attached to it. Raises `Unavailable`, naming it, where
    something is not found again."""
    if copy.root.digest != convoy.image.root.digest:
        raise Unavailable("not the image that was copied", path=copy.origin, expected=str(convoy.image.root.digest))
    there = companions(copy.shelf, subjects_of(copy.image(), copy.root.digest))
    missing = {one.descriptor.digest for one in convoy.companions} - {one.descriptor.digest for one in there}
    if missing:
        raise Unavailable(
            "copied, and not found again at the destination",
            path=copy.origin,
            got=", ".join(sorted(map(str, missing))[:5]),
            remedy="copy it again; see what the registry lists with evidence list",
        )


def _list(companion: Companion, destination: Destination) -> None:
    """Sees to it that what was found by a list is in the list of a registry that keeps none by itself."""
    if not companion.listed or not isinstance(destination, RegistryDestination):
        return
    list_attached(destination.repository, companion.subject, companion.descriptor, acknowledged=False)
