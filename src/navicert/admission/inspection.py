"""Inspections at admission: those that are built in look at reports beside the image; commands are never run.

A report counts only as what the chain recorded: its digest is taken from a verified document, and the bytes with that
digest are looked for among what is attached to the image. What else lies there under the same name is not looked at.
"""

from __future__ import annotations

from navicert.admission.limits import WEBHOOK
from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed, Refused
from navicert.limits import Limits
from navicert.model.layout import Inspection
from navicert.model.link import Link
from navicert.oci.exchange import Missing
from navicert.oci.manifest import Manifest
from navicert.oci.referrers import Attachment
from navicert.oci.shelf import Shelf
from navicert.store.attachment import AttachmentSource
from navicert.verify.builtin import is_built_in, run_built_in
from navicert.verify.case import Exhibit, InspectionResult
from navicert.verify.foundation import Layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class AttachedInspector:
    """Runs built-in inspections on files that `exhibits` record and that are attached to the image, by `places`: what
    was found, and the shelf that it was found on."""

    def __init__(
        self, exhibits: Sequence[Exhibit], places: Sequence[tuple[AttachmentSource, Shelf]], limits: Limits = WEBHOOK
    ) -> None:
        self._exhibits = exhibits
        self._places = places
        self._limits = limits

    def inspect(self, inspection: Inspection) -> InspectionResult:
        """What running `inspection` gave; `problem` for a command, and for a report that is not there. Raises
        `Unavailable` where that cannot be found out."""
        if not is_built_in(inspection.run):
            return InspectionResult(
                None, problem="commands are not run at admission – use a built-in inspection: navicert inspect"
            )
        read: dict[str, DigestSet] = {}

        def file(name: str) -> bytes:
            digest, raw = self._read(name)
            read[name] = DigestSet.of({digest.algorithm: digest.hex})
            return raw

        def layers(place: str) -> Layers:
            raise Malformed(
                "an image in a folder is not there at admission", path=place, remedy="look at target instead"
            )

        try:
            value, reason = run_built_in(inspection.run, file, layers)
        except (Malformed, Refused) as error:
            return InspectionResult(None, problem=str(error))
        return InspectionResult(value, read, read, output=reason)

    def _read(self, name: str) -> tuple[Digest, bytes]:
        """The file called `name`: a digest that was recorded for it, and the bytes that have it. Raises `Malformed`."""
        recorded = self._recorded(name)
        if not recorded:
            raise Malformed("no step recorded a file of this name", path=name)
        for source, shelf in self._places:
            for attachment in source.found.attachments:
                if attachment.digest in recorded:
                    raw = attachment.raw if attachment.raw is not None else self._fetch(shelf, attachment)
                    return attachment.digest, raw
        raise Malformed(
            "recorded, and not attached to the image",
            path=name,
            expected=" or ".join(sorted(map(str, recorded))[:3]),
            remedy="attach the report to the image",
        )

    def _recorded(self, name: str) -> set[Digest]:
        """Every digest that a verified link has for the file `name`."""
        found: set[Digest] = set()
        for exhibit in self._exhibits:
            body = exhibit.document.body
            if isinstance(body, Link):
                for side in (body.products, body.materials):
                    digests = side.get(name)
                    found |= set() if digests is None else set(digests.strong)
        return found

    def _fetch(self, shelf: Shelf, attachment: Attachment) -> bytes:
        document = shelf.manifest(attachment.manifest)
        if isinstance(document, Missing):
            raise Malformed("listed, and not in the registry", path=document.path)
        manifest = Manifest.parse(document, self._limits, path=shelf.locate(attachment.manifest))
        layer = next(layer for layer in manifest.layers if layer.digest == attachment.digest)
        return shelf.read_blob(layer, self._limits.sbom_bytes)
