"""Companions: the manifests attached to an image, whole and with their tags, to be copied with it.

Whoever looks for evidence reads documents (`navicert.oci.referrers`); whoever copies needs the manifests that hold
them, of every kind, understood or not. Spec: OCI distribution-spec "Listing referrers", "Referrers tag schema".
"""

from __future__ import annotations

from navicert.dataclass import dataclass, replace
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.oci import media
from navicert.oci.exchange import Missing
from navicert.oci.listing import attached_entries
from navicert.oci.manifest import Descriptor, Document, Manifest
from navicert.oci.referrers import subject_tag
from navicert.oci.shelf import Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Companion:
    """One manifest attached to `subject`. `tags` are those that attach it; `listed`: a list of referrers names it."""

    subject: Digest
    descriptor: Descriptor
    tags: tuple[str, ...] = ()
    listed: bool = False


def companions(shelf: Shelf, subjects: Iterable[Digest]) -> list[Companion]:
    """Everything attached to `subjects`, each manifest once. Raises `Malformed` for what is listed and not there, and
    `LimitExceeded` beyond `Limits.referrers`: a copy that leaves something behind silently would be no copy."""
    found: dict[Digest, Companion] = {}
    for subject in subjects:
        for one in _of(shelf, subject):
            known = found.get(one.descriptor.digest, one)
            tags = tuple(dict.fromkeys((*known.tags, *one.tags)))
            found[one.descriptor.digest] = replace(known, tags=tags, listed=known.listed or one.listed)
            if len(found) > shelf.limits.referrers:
                raise LimitExceeded(
                    "too many manifests attached to one image (limit referrers)",
                    path=shelf.locate(subject),
                    expected=f"at most {shelf.limits.referrers}",
                )
    return list(found.values())


def _of(shelf: Shelf, subject: Digest) -> Iterable[Companion]:
    stem = subject_tag(subject)
    listed = shelf.referrers(subject)
    entries: list[Descriptor | Malformed] = [] if isinstance(listed, Missing) else listed
    tags = shelf.tags(prefix=stem)
    for tag in [stem, f"{stem}.att", f"{stem}.sig"] if isinstance(tags, Missing) else tags:
        document = shelf.manifest(tag)
        if isinstance(document, Missing):
            continue
        if tag == stem:
            entries += _fallback(shelf, document)
        elif tag.startswith(f"{stem}."):
            yield Companion(subject, _described(shelf, document), (tag,))
    for entry in entries:
        if isinstance(entry, Malformed):
            raise entry
        found = shelf.manifest(entry.digest)
        if isinstance(found, Missing):
            raise Malformed("listed, and not there", path=found.path)
        yield Companion(subject, _described(shelf, found), (), listed=True)


def _fallback(shelf: Shelf, document: Document) -> list[Descriptor | Malformed]:
    if document.media_type not in media.INDEXES:
        return []  # an image that somebody tagged so: nothing is attached by it
    return list(attached_entries(document.raw, shelf.limits, shelf.locate(document.digest)))


def _described(shelf: Shelf, document: Document) -> Descriptor:
    """The descriptor of a manifest, as a list of referrers shows it."""
    artifact_type = ""
    annotations: dict[str, str] = {}
    if document.media_type in media.MANIFESTS:
        manifest = Manifest.parse(document, shelf.limits, path=shelf.locate(document.digest))
        artifact_type = manifest.artifact_type or manifest.config.media_type
        if artifact_type in media.CONFIGS:
            artifact_type = ""
        annotations = dict(manifest.annotations)
    return Descriptor(document.media_type, document.digest, len(document.raw), None, annotations, artifact_type)
