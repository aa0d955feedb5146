"""Docker archives: what `docker save` writes. One config and the layers' tars by name; no manifest with digests.

Spec: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format" (manifest.json).
"""

from __future__ import annotations

import hashlib
import re
from itertools import chain
from typing import Final

from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_text, as_texts, required
from navicert.oci import media
from navicert.oci.archive import Archive, open_archive
from navicert.oci.compression import Budget, detect, unpack
from navicert.oci.config import Config
from navicert.oci.image import Image, PlatformImage
from navicert.oci.manifest import Document, naming, read_json, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_CONTENTS: Final = "manifest.json"
_FIELDS: Final = frozenset({"Config", "RepoTags", "Layers"})
_HEX: Final = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.json)?$")


@dataclass(frozen=True, slots=True)
class _Item:
    """One image of the archive: the names of its config and layers, and its tags."""

    config: str
    layers: tuple[str, ...]
    tags: tuple[str, ...]


def open_docker_archive(path: str | Path, reference: str = "", limits: Limits = LOCAL) -> Image:
    """The image `reference` (a tag as `docker save` wrote it, such as `app:latest`) of the archive at `path`, plain or
    gzip-compressed, layers checked against the config. Without a reference the archive must hold one image.

    Raises `Malformed`, naming the entry or the tags to choose from; `Unavailable` where the file cannot be read.
    """
    with open_archive(path, limits) as archive:
        saved = choose(archive, reference, limits)
        _check_layers(archive, saved, limits)
        return Image(str(path), (PlatformImage(saved.config.platform, saved.config),))


@dataclass(frozen=True, slots=True)
class Saved:
    """One image in an archive: its config, and the names of its layers' tars, lowest first."""

    config: Config
    layers: tuple[str, ...]


def choose(archive: Archive, reference: str, limits: Limits) -> Saved:
    """The image `reference` of `archive`; layers are not read. Raises `Malformed`."""
    if not archive.holds(_CONTENTS):
        raise Malformed(
            "not a docker archive: no manifest.json",
            path=archive.origin,
            remedy="an OCI layout is read by oci-archive:",
        )
    item = _select(_items(archive, limits), reference, archive.locate(_CONTENTS))
    return Saved(_config(archive, item, limits), item.layers)


def _items(archive: Archive, limits: Limits) -> list[_Item]:
    where = archive.locate(_CONTENTS)
    value = read_json(archive.document(_CONTENTS, limits), limits, where)
    with naming(where):
        return [_item(entry, f"/{i}", limits) for i, entry in enumerate(as_list(value, "", most=limits.layers))]


def _item(value: object, where: str, limits: Limits) -> _Item:
    body = view(value, where, _FIELDS)
    tags, layers = body.get("RepoTags"), body.get("Layers")
    return _Item(
        as_text(required(body, "Config", where), f"{where}/Config"),
        as_texts([] if layers is None else layers, f"{where}/Layers", most=limits.layers),
        as_texts([] if tags is None else tags, f"{where}/RepoTags", most=limits.layers),
    )


def _select(items: list[_Item], reference: str, path: str) -> _Item:
    wanted = _short(reference)
    found = [item for item in items if not reference or wanted in map(_short, item.tags)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(ascii(tag) for item in items for tag in item.tags)[:20]) or "(no tags)"
    if not items:
        raise Malformed("no image in the archive", path=path)
    if not found:
        raise Malformed(f"no image {reference!a} in the archive", path=path, expected=f"one of {names}")
    raise Malformed("several images in the archive", path=path, expected=f"one of {names}", remedy="name the tag")


def _short(tag: str) -> str:
    # `docker save` writes app:latest where other tools write docker.io/library/app:latest.
    return tag.removeprefix("docker.io/").removeprefix("library/")


def _config(archive: Archive, item: _Item, limits: Limits) -> Config:
    where = archive.locate(item.config)
    document = Document.of(archive.document(item.config, limits), media.DOCKER_CONFIG)
    named = _HEX.search(item.config)
    if named and named[1] != document.digest.hex:
        raise Malformed(
            "config has another digest than its name: it was changed or damaged",
            path=where,
            expected=f"sha256:{named[1]}",
            got=str(document.digest),
        )
    config = Config.parse(document, limits, path=where)
    if len(item.layers) != len(config.diff_ids):
        raise Malformed(
            "manifest.json and config differ in the number of layers",
            path=archive.locate(_CONTENTS),
            expected=f"{len(config.diff_ids)} as in the config",
            got=str(len(item.layers)),
        )
    return config


def _check_layers(archive: Archive, saved: Saved, limits: Limits) -> None:
    budget = Budget(limits, archive.origin)
    hashed: dict[tuple[int, str], Digest] = {}
    pairs = zip(saved.layers, saved.config.diff_ids, strict=True)
    for name, diff_id in sorted(pairs, key=lambda pair: archive.position(pair[0])):
        # Several names may be links to one tar.
        place = (archive.position(name), diff_id.algorithm)
        got = hashed.get(place)
        if got is None:
            got = hashed[place] = _diff_id(archive, name, diff_id.algorithm, budget)
        if got != diff_id:
            raise Malformed(
                "layer is not what the config states",
                path=archive.locate(name),
                expected=str(diff_id),
                got=str(got),
            )


def _diff_id(archive: Archive, name: str, algorithm: str, budget: Budget) -> Digest:
    chunks = archive.chunks(name)
    first = next(chunks, b"")
    hasher = hashlib.new(algorithm)
    # No media type is stated here, so the content tells: `docker load` looks at it in the same way.
    for block in unpack(chain((first,), chunks), detect(first), budget, path=archive.locate(name)):
        hasher.update(block)
    return Digest(algorithm, hasher.hexdigest())
