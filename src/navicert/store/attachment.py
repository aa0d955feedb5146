"""Evidence attached to an image, read like a store: packs, bundles and envelopes of every shape become pieces.

Nothing of it is believed for being there: whoever can push can attach. What cannot be evidence for a layout is a piece
with the reason, so that a verdict can say why it does not count.
"""

from __future__ import annotations

from typing import Final

from navicert.dataclass import replace
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import NETWORK, Limits
from navicert.oci.answer import answering
from navicert.oci.attachment import PACK
from navicert.oci.image import Image
from navicert.oci.referrers import Attachment, Found, find_attached, subjects_of
from navicert.oci.shelf import Placed
from navicert.store import Piece, Pin
from navicert.store.directory import file_names
from navicert.store.document import documents
from navicert.store.pack import Pack, parse_pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENTRY: Final = "index entry"
"""The place of what an image index holds itself."""
SIMPLE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
"""A signature of cosign on an image, which says nothing about how it was built."""


class AttachmentSource:
    """The documents attached to `image`, which is asked once, when they are first needed. `progress` is that of
    `find_attached`, told zeros when it is over."""

    def __init__(
        self, image: Placed, limits: Limits = NETWORK, *, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._image = image
        self._progress = progress
        self._limits = limits
        self._read: Image | None = None
        self._found: Found | None = None
        self._packs: dict[Digest, Pack | Malformed] = {}

    @property
    def image(self) -> Image:
        """The image itself, read once. Raises `Unavailable`, also for a place that gives something else than it."""
        if self._read is None:
            with answering():
                self._read = self._image.image()
        return self._read

    @property
    def place(self) -> str:
        """The image's reference or location, with its digest."""
        return self._image.origin

    @property
    def root(self) -> Digest:
        """The digest of the index or manifest that the image is."""
        return self._image.root.digest

    @property
    def found(self) -> Found:
        """All attachments, and the places that were asked. Raises `Refused` and `Unavailable` where one could not be
        asked, or gave an answer that is none."""
        if self._found is None:
            subjects = subjects_of(self.image, self._image.root.digest)
            try:
                with answering():
                    self._found = find_attached(self._image.shelf, subjects, self.image, progress=self._progress)
            finally:
                if self._progress is not None:
                    self._progress(0, 0)
        return self._found

    def origin(self, attachment: Attachment) -> str:
        """Where an attachment is, for people."""
        return f"{self._image.shelf.locate(attachment.manifest)} ({attachment.place})"

    def asked(self) -> Iterator[tuple[str, str]]:
        """Every place that was asked, in words, and what it answered."""
        for one in self.found.asked:
            yield f"{self._image.shelf.locate(one.subject)} ({one.place})", one.answer

    def packs(self) -> Iterator[tuple[Attachment, Pack]]:
        """The packs that were pushed, with what holds them; those that cannot be read are pieces with the reason."""
        for attachment in self.found.attachments:
            pack = self._pack(attachment)
            if isinstance(pack, Pack):
                yield attachment, pack

    def layouts(self) -> dict[str, bytes]:
        """Where each layout is → its bytes, of the layouts in packs. Whose they are is for owners' keys to say."""
        layouts: dict[bytes, str] = {}
        for attachment, pack in self.packs():
            layouts.setdefault(pack.layout, f"{self.origin(attachment)}: root.layout")
        return {origin: raw for raw, origin in layouts.items()}

    def pieces(self) -> Iterator[Piece]:
        """Every document, in the order of what was found. Raises as `find_attached` does."""
        for attachment in self.found.attachments:
            yield from self._pieces(attachment)

    def close(self) -> None:
        """Nothing is held open by it."""

    def _pack(self, attachment: Attachment) -> Pack | Malformed | None:
        """The pack that an attachment is, or why it is none; None where it is something else."""
        if attachment.media_type != PACK or attachment.raw is None:
            return None
        known = self._packs.get(attachment.digest)
        if known is None:
            try:
                bounds = replace(self._limits, document_bytes=self._limits.attachment_bytes)
                known = parse_pack(attachment.raw, bounds)
            except Malformed as error:
                known = error
            self._packs[attachment.digest] = known
        return known

    def _pieces(self, attachment: Attachment) -> Iterator[Piece]:
        origin, raw = self.origin(attachment), attachment.raw
        if raw is None:
            yield Piece(origin, None, attachment.problem.removeprefix("not read: "))
            return
        if attachment.media_type == SIMPLE:
            yield Piece(origin, None, "a signature of cosign: it says nothing about a step")
            return
        pack = self._pack(attachment)
        if isinstance(pack, Malformed):
            yield Piece(origin, None, str(pack))
        elif pack is not None:
            for parts, filing in zip(file_names(pack.filings), pack.filings, strict=True):
                yield Piece(f"{origin}: {'/'.join(parts)}", filing.raw, None, filing.step, filing.scope)
        elif attachment.place == ENTRY:
            yield Piece(origin, raw, pin=Pin(self.root, attachment.subject))
        else:
            for piece in documents(raw, self._limits):
                # What stands beside a file is about the whole of it.
                beside = attachment.annotations if piece.raw == raw else {}
                yield replace(piece, origin=f"{origin}{piece.origin}", annotations=beside)
