"""Attaching a document to an image, so that nobody's is lost.

Not on a registry without the referrers API, and not where fifty writers attach at once. A document becomes an artifact:
a manifest with one layer, an empty config, and the image as its subject. It gets a tag of its own, made of the image's
digest and its own, which nobody else writes to: that tag is the truth. Where the registry lists no referrers, the index
under `sha256-<hex>` is maintained as well, for other tools; it is rewritten as a whole by everyone, so an entry may get
lost there, and nothing of ours relies on it.
Spec: OCI image-spec "Guidelines for artifact usage"; OCI distribution-spec "Pushing manifests with subject".
"""

from __future__ import annotations

import json
from typing import Final, Literal

from navicert.dataclass import dataclass
from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable
from navicert.model.field import as_list, as_object
from navicert.oci import media
from navicert.oci.compression import BLOCK
from navicert.oci.exchange import Missing
from navicert.oci.listing import attached_entries
from navicert.oci.manifest import Descriptor
from navicert.oci.referrers import NAV, subject_tag
from navicert.oci.registry import Repository
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

BUNDLE: Final = "application/vnd.in-toto.bundle"
"""The media type of a bundle of attestations, one envelope a line."""

PACK: Final = "application/vnd.navicert.pack.v1+tar"
"""The media type of a whole chain in one artifact: the file that `navicert.store.pack` writes."""

_EMPTY: Final = b"{}"
_TAG_DIGITS: Final = (16, 32, 52)  # of the artifact's digest in its tag; more only where somebody took the shorter one,
# and no more than the 128 characters of a tag have room for

Listed = Literal["referrers API", "fallback tag", ""]
"""Where other tools find an attachment, beside its own tag; empty for nowhere, as far as could be found out."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What was stored: the artifact's manifest, its tag, and where else it is listed."""

    manifest: Descriptor
    tag: str
    listed: Listed


def attach(
    repository: Repository,
    subject: Descriptor,
    data: bytes,
    media_type: str = BUNDLE,
    *,
    artifact_type: str = "",
    annotations: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Attached:
    """Attaches `data` to `subject`, which need not be there yet. Doing it again with the same changes nothing, because
    the artifact's bytes follow from its parts. `progress` is told how many bytes have been sent, and of how many.
    Raises what the methods of `Registry` raise; then it may be done again.
    """
    registry, name = repository.registry, repository.name
    layer = Descriptor(media_type, sha256(data), len(data))
    config = Descriptor(media.EMPTY, sha256(_EMPTY), len(_EMPTY))
    raw = artifact_bytes(subject, config, layer, artifact_type or media_type, annotations or {})
    manifest = Descriptor(
        media.OCI_MANIFEST, sha256(raw), len(raw), None, annotations or {}, artifact_type or media_type
    )
    tag, there = _free_tag(repository, subject.digest, manifest.digest)
    if there:
        acknowledged = False
    else:
        registry.push_blob(name, config, lambda: iter((_EMPTY,)))
        registry.push_blob(name, layer, lambda: _blocks(data, progress))
        acknowledged = registry.put_manifest(name, raw, media.OCI_MANIFEST, tag).subject
    return Attached(manifest, tag, list_attached(repository, subject.digest, manifest, acknowledged))


def _blocks(data: bytes, progress: Callable[[int, int], None] | None) -> Iterator[bytes]:
    """`data` in blocks; with each it is told how many bytes before it were taken."""
    for start in range(0, len(data), BLOCK) or (0,):
        if progress is not None:
            progress(start, len(data))
        yield data[start : start + BLOCK]


def artifact_bytes(
    subject: Descriptor, config: Descriptor, layer: Descriptor, artifact_type: str, annotations: Mapping[str, str]
) -> bytes:
    """The manifest of an artifact: the same bytes for the same parts."""
    body: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media.OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config.to_json(),
        "layers": [layer.to_json()],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size).to_json(),
    }
    if annotations:
        body["annotations"] = dict(sorted(annotations.items()))
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _free_tag(repository: Repository, subject: Digest, artifact: Digest) -> tuple[str, bool]:
    """The tag for `artifact`, and whether it is there already. A tag that names something else is left alone."""
    for digits in _TAG_DIGITS:
        tag = f"{subject_tag(subject)}{NAV}{artifact.hex[:digits]}"
        found = repository.registry.manifest(repository.name, tag)
        if isinstance(found, Missing):
            return tag, False
        if found.digest == artifact:
            return tag, True
    raise Refused("every tag for this document names something else", path=repository.locate(subject))


def list_attached(repository: Repository, subject: Digest, manifest: Descriptor, acknowledged: bool) -> Listed:
    """Sees to it that `manifest` is listed, and says where. `acknowledged`: the registry said that it lists it.

    The attachment is stored already and has its own tag, so whatever goes wrong here (some registries stumble over two
    writers of one tag, or take no index with entries that are gone) only leaves it unlisted.
    """
    # Some say that they list it and have no list; some have a list that stays empty: what the list shows counts.
    try:
        entries = repository.registry.referrers(repository.name, subject)
        if not isinstance(entries, Missing) and (acknowledged or _holds(entries, manifest)):
            return "referrers API"
        return "fallback tag" if _add_to_index(repository, subject, manifest) else ""
    except LimitExceeded:
        return "referrers API"  # a list too long to be read through
    except Unavailable:
        return ""


def _holds(entries: Iterable[Descriptor | Malformed], manifest: Descriptor) -> bool:
    return any(isinstance(entry, Descriptor) and entry.digest == manifest.digest for entry in entries)


def _add_to_index(repository: Repository, subject: Digest, manifest: Descriptor) -> bool:
    """Adds `manifest` to the index under the fallback tag, and returns whether it is there afterwards."""
    registry, tag = repository.registry, subject_tag(subject)
    path = registry.locate(repository.name, tag)
    for _ in range(registry.limits.attempts):
        reply = registry.manifest_reply(repository.name, tag, media.OCI_INDEX)
        index: dict[str, object] = {"schemaVersion": 2, "mediaType": media.OCI_INDEX}
        entries: list[object] = []
        match = ""
        if not isinstance(reply, Missing):
            try:
                known = list(attached_entries(reply.body, registry.limits, path))
                index |= as_object(loads(reply.body, registry.limits, path=path), "")
            except Malformed:
                return False  # what somebody else keeps there, or a list that is full, is not ours to overwrite
            if _holds(known, manifest):
                return True
            entries = as_list(index["manifests"], "/manifests")
            match = reply.headers.get("etag", "")
        index["manifests"] = [*entries, manifest.to_json()]
        raw = json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode()
        registry.put_manifest(repository.name, raw, media.OCI_INDEX, tag, match=match)
        # Whoever wrote in between may have overwritten it: the next round looks.
    return False
