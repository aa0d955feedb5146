"""Sightings: where evidence for an image was seen, as a store remembers it.

A tool that copies only the image leaves its evidence behind. Whoever then finds none is told where there was some when
it was last pushed or pulled with this store. That is a hint and nothing else: nothing is fetched because of it, nothing
counts because of it, and what is in it may be wrong or a lie.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.interface import Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Final

MOST: Final = 10_000
"""Sightings that a store keeps; the oldest give way."""
SHOWN: Final = 5
"""Sightings that are told of one image."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Evidence for what has `digest` (`sha256:hex`: an index, a manifest or a content) was seen beside the image
    `place`, a reference with a digest."""

    digest: str
    place: str
    at: datetime


@runtime_checkable
class Remembering(Protocol):
    """A store that remembers sightings."""

    def remember(self, sightings: Sequence[Sighting]) -> None:
        """Keep these, in place of earlier ones of the same digest and place. Raises `Unavailable`."""

    def sightings(self, digests: Sequence[str], most: int) -> list[Sighting]:
        """Up to `most` sightings of any of `digests`, the newest first. Raises as reading from the store does."""


def usable(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Those whose place is the reference of an image with a digest, each place once, the newest first."""
    from navicert.oci.reference import Reference

    found: dict[str, Sighting] = {}
    for one in sorted(sightings, key=lambda sighting: sighting.at, reverse=True):
        try:
            reference = Reference.parse(one.place)
        except Malformed:
            continue  # whatever it is, nobody is to be shown it as the source of a copy
        if reference.pinned:
            found.setdefault(str(reference), one)
    return list(found.values())
