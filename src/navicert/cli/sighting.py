"""Where evidence for an image was seen: kept in stores by whoever pushes or pulls, told to whoever finds none."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.cli.terminal import complain
from navicert.errors import NavicertError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from navicert.oci.shelf import Placed
    from navicert.store.attachment import AttachmentSource
    from navicert.store.sighting import Sighting


def remember(stores: Iterable[object], placed: Placed, source: AttachmentSource) -> None:
    """Have each of `stores` that can remember that there is evidence beside the image `placed`, if that is in a
    registry. One that cannot is named, and nothing else comes of it."""
    from navicert.oci.remote import Resolved
    from navicert.store.sighting import Remembering, Sighting

    if not isinstance(placed, Resolved):
        return
    now = datetime.now(UTC)
    sightings = [Sighting(digest, str(placed.reference), now) for digest in digests_of(source)]
    for store in stores:
        if isinstance(store, Remembering):
            try:
                store.remember(sightings)
            except NavicertError as error:
                complain(f"warning: not remembered where the evidence is: {error}")


def remembered(store: object, source: AttachmentSource) -> list[Sighting] | None:
    """What `store` remembers of the image of `source`, other places than its own; None where it remembers nothing at
    all. Raises as reading from the store does."""
    from navicert.store.sighting import SHOWN, Remembering, usable

    if not isinstance(store, Remembering):
        return None
    found = usable(store.sightings(digests_of(source), 10 * SHOWN))
    return [one for one in found if one.place != source.place][:SHOWN]


def remedy(sighting: Sighting, source: AttachmentSource, target: str) -> str:
    """What to do about evidence that was seen elsewhere. A copy puts the image of that place in place of `target`, so
    it is suggested only where that is the same, by its digest; otherwise the evidence can be read where it is."""
    from navicert.oci.reference import Reference

    if Reference.parse(sighting.place).digest == source.root:
        return f"navicert evidence copy {sighting.place} {target}"
    return f"navicert verify --evidence-from registry:{sighting.place} reads it there"


def digests_of(source: AttachmentSource) -> list[str]:
    """By what an image is remembered: index, manifests, and contents, which stay when it is converted."""
    from navicert.oci.referrers import subjects_of
    from navicert.resolve.image import image_identity

    contents = [platform.content for platform in image_identity(source.image).platforms]
    return [str(digest) for digest in dict.fromkeys((*subjects_of(source.image, source.root), *contents))]
