"""What is attached to an image in its registry, in every shape in which somebody attaches something.

====================================  =================================================================================
the referrers API                     manifests with a `subject`: Sigstore bundles, DSSE envelopes, our own bundles
the tag `sha256-<hex>`                the same, listed in an index, where a registry has no such API
the tags `sha256-<hex>.nav-…`         our own, one tag each: what two writers put there at once is never lost
`sha256-<hex>.att`, `….sig`           cosign's attestations and signatures, one layer each
entries of the image index            what BuildKit says about each platform, unsigned
====================================  =================================================================================

All of them are always asked, for the index and for every platform: what one place holds says nothing about another.
Everything found is only that: found. Whoever can push can attach, and write any subject, type and annotation; these are
hints, and the documents are judged by who signed them and what they say.
Spec: OCI distribution-spec "Listing referrers", "Referrers tag schema"; cosign SIGNATURE_SPEC, BUNDLE_SPEC; BuildKit
attestation-storage.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed, Refused
from navicert.limits import Limits
from navicert.oci import media
from navicert.oci.exchange import Missing
from navicert.oci.image import Image
from navicert.oci.listing import attached_entries
from navicert.oci.manifest import Descriptor, Document, Manifest
from navicert.oci.shelf import Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

NAV: Final = ".nav-"
"""What stands behind the digest in the tags of our own bundles."""

_COSIGN: Final = (".att", ".sig")
_EVIDENCE: Final = re.compile(
    r"application/vnd\.(navicert\.pack\.v1\+tar|in-toto\b.*|dsse\.envelope\.v1\+json|dev\.sigstore\.bundle\b.*|dev\.cosign\.simplesigning\.v1\+json)"
)
_TAG_DIGITS: Final = 16  # of an artifact's digest in its tag, at least
_WORKERS: Final = 8  # manifests read at a time: a registry's answer takes much longer than what is done with it


@dataclass(frozen=True, slots=True)
class Attachment:
    """One document found with an image. Nothing about it is verified but that its bytes are those of its digest.

    Either `raw` is there, or `problem` says why not: what cannot be read is reported, never skipped.
    """

    subject: Digest
    """The digest that it was found for."""
    place: str
    """Where it was found, for people: `referrers API`, `tag sha256-….att`, `index entry`."""
    manifest: Digest
    """The manifest that holds it."""
    digest: Digest
    """Its own."""
    media_type: str
    artifact_type: str = ""
    """What its manifest says it is; else the media type of the manifest's config."""
    claimed: Digest | None = None
    """The subject that its manifest states."""
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the manifest and the layer; the layer's stand over the manifest's."""
    raw: bytes | None = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One place that was asked, and what it answered: `3 found`, `none`, `not served`."""

    subject: Digest
    place: str
    answer: str


@dataclass(frozen=True, slots=True)
class Found:
    """Everything attached to an image: documents, and all the places that were asked for them."""

    attachments: tuple[Attachment, ...]
    asked: tuple[Asked, ...]


def is_evidence(media_type: str) -> bool:
    """Whether a layer of this media type is a document that may be evidence: an attestation, envelope, bundle or
    signature."""
    return _EVIDENCE.fullmatch(media_type) is not None


def subject_tag(digest: Digest) -> str:
    """The tag under which things attached to `digest` are filed: `sha256-<hex>`."""
    return f"{digest.algorithm[:32]}-{digest.hex[:64]}"


def find_attached(
    shelf: Shelf,
    subjects: Iterable[Digest],
    image: Image | None = None,
    *,
    wanted: Callable[[str], bool] = is_evidence,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Everything attached to `subjects` (of an image: `subjects_of`) and inside the index of `image`.

    Layers whose media type is not `wanted` are named, and not read. `progress` is told how many manifests and bytes of
    layers have been read, by any thread. What somebody attached badly is a `problem` of that
    attachment. Raises `Refused` and `Unavailable` where a place could not be asked, which is not the same as empty;
    `LimitExceeded` where more is attached than `Limits.referrers`.
    """
    search = _Search(shelf, wanted, progress)
    for subject in dict.fromkeys(subjects):
        search.ask(subject)
    attachments = search.read()
    if image is not None:
        attachments += search.inside(image)
    return Found(tuple(attachments), tuple(search.asked))


def subjects_of(image: Image, root: Digest) -> list[Digest]:
    """The digests that something may be attached to: of the index (or manifest) `root`, and of every platform."""
    manifests = [entry.manifest.document.digest for entry in image.platforms if entry.manifest is not None]
    return list(dict.fromkeys([root, *manifests]))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One manifest that is to be read, unless its `document` is there already."""

    subject: Digest
    place: str
    digest: Digest
    document: Document | None = None


class _Search:
    """One search: the candidates so far, and what may still be read."""

    def __init__(
        self, shelf: Shelf, wanted: Callable[[str], bool], progress: Callable[[int, int], None] | None
    ) -> None:
        self._progress = progress
        self._done = 0
        self.shelf = shelf
        self.limits: Limits = shelf.limits
        self.wanted = wanted
        self.asked: list[Asked] = []
        self._candidates: dict[Digest, _Candidate] = {}
        self._problems: list[Attachment] = []
        self._lock = threading.Lock()
        self._bytes = 0

    # --- places ----------------------------------------------------------------------------------------------------

    def ask(self, subject: Digest) -> None:
        """Asks every place for what is attached to `subject`."""
        entries = self.shelf.referrers(subject)
        served = not isinstance(entries, Missing)
        if isinstance(entries, Missing):
            self.asked.append(Asked(subject, "referrers API", "not served"))
        else:
            self._list(subject, "referrers API", entries)
        stem = subject_tag(subject)
        tags = self._tags(subject, stem, served)
        if stem in tags:
            self._file(subject, stem, self._document(stem))
        # Ours are called after their digest: those that a list has named already are not fetched a second time.
        named = {digest.hex[:_TAG_DIGITS] for digest in self._candidates}
        rest = [tag for tag in tags if tag != stem and tag.partition(NAV)[2][:_TAG_DIGITS] not in named]
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            documents = list(pool.map(self._document, rest))
        for tag, document in zip(rest, documents, strict=True):
            self._file(subject, tag, document)

    def _file(self, subject: Digest, tag: str, document: Document | Malformed | None) -> None:
        """Keeps what was found under a tag."""
        place = f"tag {tag}"
        if isinstance(document, Malformed):
            self._problem(subject, place, subject, str(document))
        elif document is None:
            self.asked.append(Asked(subject, place, "none"))
        elif tag == subject_tag(subject):
            self._fallback(subject, place, document)
        else:
            self._add(_Candidate(subject, place, document.digest, document=document))
            self.asked.append(Asked(subject, place, "1 found"))

    def _tags(self, subject: Digest, stem: str, served: bool) -> list[str]:
        """The tags to look at. The list says which there are; where there is no list, those with fixed names are tried,
        and without the referrers API that would overlook our own."""
        own = f"{stem}{NAV}"
        fixed = [stem, *(f"{stem}{ending}" for ending in _COSIGN)]
        place = f"tags {stem}*"
        try:
            found = self.shelf.tags(prefix=stem)
        except (Refused, LimitExceeded):
            if not served:
                raise
            self.asked.append(Asked(subject, place, "not served"))
            return fixed
        if isinstance(found, Missing):
            self.asked.append(Asked(subject, place, "none"))
            return fixed
        known = [tag for tag in found if tag in fixed or tag.startswith(own)]
        self.asked.append(Asked(subject, place, f"{len(known)} found" if known else "none"))
        if len(known) > self.limits.referrers:
            raise LimitExceeded(
                "too many tags attached to one image (limit referrers)",
                path=self.shelf.locate(subject),
                expected=f"at most {self.limits.referrers}",
                got=str(len(known)),
            )
        return known

    def _document(self, tag: str) -> Document | Malformed | None:
        """What `tag` names; None where there is no such tag, and the reason where it cannot be understood."""
        try:
            found = self.shelf.manifest(tag)
        except Malformed as error:
            return error
        return None if isinstance(found, Missing) else found

    def _fallback(self, subject: Digest, place: str, document: Document) -> None:
        path = self.shelf.locate(subject_tag(subject))
        try:
            entries = list(attached_entries(document.raw, self.limits, path))
        except LimitExceeded:
            raise
        except Malformed as error:
            # An image that somebody tagged so: nothing is attached by it.
            self._problem(subject, place, document.digest, str(error))
            self.asked.append(Asked(subject, place, "none"))
            return
        self._list(subject, place, entries)

    def _list(self, subject: Digest, place: str, entries: list[Descriptor | Malformed]) -> None:
        for entry in entries:
            if isinstance(entry, Malformed):
                self._problem(subject, place, subject, str(entry))
            else:
                self._add(_Candidate(subject, place, entry.digest))
        self.asked.append(Asked(subject, place, f"{len(entries)} found" if entries else "none"))

    def _add(self, candidate: _Candidate) -> None:
        """Keeps `candidate`, unless it was found before."""
        known = self._candidates.setdefault(candidate.digest, candidate)
        if known.document is None and candidate.document is not None:
            self._candidates[candidate.digest] = replace(known, document=candidate.document)
        if len(self._candidates) > self.limits.referrers:
            raise LimitExceeded(
                "too many manifests attached to one image (limit referrers)",
                path=self.shelf.locate(candidate.subject),
                expected=f"at most {self.limits.referrers}",
            )

    def _problem(self, subject: Digest, place: str, digest: Digest, problem: str) -> None:
        self._problems.append(Attachment(subject, place, digest, digest, "", problem=problem))

    # --- documents -------------------------------------------------------------------------------------------------

    def read(self) -> list[Attachment]:
        """Every document of every candidate, in the order in which they were found."""
        candidates = list(self._candidates.values())
        with ThreadPoolExecutor(max_workers=min(_WORKERS, len(candidates) or 1)) as pool:
            found = pool.map(self._all_of, candidates)
            documents = [attachment for attachments in found for attachment in attachments]
        return [*documents, *self._problems]

    def inside(self, image: Image) -> list[Attachment]:
        """What the index of `image` holds about its platforms."""
        found = []
        for entry in image.attestations:
            digest = entry.manifest.document.digest
            candidate = _Candidate(entry.subject, "index entry", digest, document=entry.manifest.document)
            found += list(self._layers(candidate, entry.manifest, entry.subject))
        if image.index is not None:
            self.asked.append(Asked(image.index.digest, "index entries", f"{len(found)} found" if found else "none"))
        return found

    def _all_of(self, candidate: _Candidate) -> list[Attachment]:
        read = list(self._read(candidate))
        with self._lock:
            self._done += 1
            done, size = self._done, self._bytes
        if self._progress is not None:
            self._progress(done, size)
        return read

    def _read(self, candidate: _Candidate) -> Iterator[Attachment]:
        path = self.shelf.locate(candidate.digest)
        try:
            document = candidate.document or self._fetch(candidate)
            if document.media_type not in media.MANIFESTS:
                raise Malformed("an index, where a manifest is attached", path=path)
            manifest = Manifest.parse(document, self.limits, path=path)
        except Malformed as error:
            yield Attachment(
                candidate.subject, candidate.place, candidate.digest, candidate.digest, "", problem=str(error)
            )
            return
        yield from self._layers(candidate, manifest, manifest.subject.digest if manifest.subject else None)

    def _fetch(self, candidate: _Candidate) -> Document:
        found = self.shelf.manifest(candidate.digest)
        if isinstance(found, Missing):
            raise Malformed("listed, and not in the registry", path=found.path)
        return found

    def _layers(self, candidate: _Candidate, manifest: Manifest, claimed: Digest | None) -> Iterator[Attachment]:
        for layer in manifest.layers:
            if layer.media_type == media.EMPTY:
                continue
            raw, problem = self._layer(layer)
            yield Attachment(
                candidate.subject,
                candidate.place,
                candidate.digest,
                layer.digest,
                layer.media_type,
                manifest.artifact_type or manifest.config.media_type,
                claimed,
                {**manifest.annotations, **layer.annotations},
                raw,
                problem,
            )

    def _layer(self, layer: Descriptor) -> tuple[bytes | None, str]:
        """The bytes of `layer`, or why they are not there."""
        if not self.wanted(layer.media_type):
            return None, "not read: not a type of evidence"
        if layer.size > self.limits.attachment_bytes:
            return None, f"too large (limit attachment_bytes): {layer.size} bytes"
        with self._lock:
            if self._bytes + layer.size > self.limits.attached_bytes:
                return None, "not read: too much is attached to this image (limit attached_bytes)"
            self._bytes += layer.size
        try:
            return self.shelf.read_blob(layer, self.limits.attachment_bytes), ""
        except Malformed as error:
            return None, str(error)
