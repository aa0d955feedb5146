"""`NAME=oci:DIR[:TAG]`: an image as artifacts that any in-toto verifier can judge, the same through every medium.

==============================================  ======================================================================
`NAME/index`                                    the image index, where the image has one of its own
`NAME/<os>/<arch>[/<variant>]/manifest`         the manifest: what a push creates; a docker-archive has none
`NAME/<os>/<arch>[/<variant>]/config`           the config, whose digest is the image id
`NAME/<os>/<arch>[/<variant>]/layers`           the unpacked layers, lowest first (`layers_bytes`)
`NAME/<os>/<arch>[/<variant>]/content`          what runs, on which layers (`content_bytes`)
==============================================  ======================================================================

Each has one digest, SHA-256. `content` stays the same when an image is converted between Docker and OCI or recompressed
and changes with every layer, entry point, variable or user: rules follow an image by it.

An image that docker or podman has is read with `image:NAME`, one in a registry with `registry:REF`, layers and all.
Other locations: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, each with `:TAG` or `@sha256:…` where there are
several images. As in every tool for images, the path ends at the first colon.
"""

from __future__ import annotations

import os
import re
from typing import Final

from navicert.dataclass import dataclass
from navicert.digest import Digest, DigestSet, sha256
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.oci.image import Image, PlatformImage
from navicert.oci.manifest import Platform
from navicert.resolve.artifact import Notes, ResolveOptions, refuse_unwritable
from navicert.strictjson import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class ImageLocation:
    """Where an image is: the medium (`oci`, `oci-archive`, `docker-archive`), the path, and a tag or digest."""

    medium: str
    path: str
    reference: str = ""

    def __str__(self) -> str:
        mark = "" if not self.reference else "@" if self.reference.startswith("sha256:") else ":"
        return f"{self.medium}:{self.path}{mark}{self.reference}"


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image and the name that its artifacts are recorded under."""

    name: str
    location: ImageLocation


@dataclass(frozen=True, slots=True)
class PlatformIdentity:
    """The digests that stand for the image on one platform. `config` is the image id; `manifest` is None for a
    docker-archive."""

    platform: Platform
    config: Digest
    content: Digest
    manifest: Digest | None = None


@dataclass(frozen=True, slots=True)
class ImageIdentity:
    """The digests that a target is bound by: of the index, where there is one, and of every platform."""

    platforms: tuple[PlatformIdentity, ...]
    index: Digest | None = None


def _oci(path: str, reference: str, limits: Limits) -> Image:
    from navicert.oci.layout import open_layout

    return open_layout(path, reference, limits)


def _oci_archive(path: str, reference: str, limits: Limits) -> Image:
    from navicert.oci.layout import open_oci_archive

    return open_oci_archive(path, reference, limits)


def _docker_archive(path: str, reference: str, limits: Limits) -> Image:
    from navicert.oci.docker import open_docker_archive

    return open_docker_archive(path, reference, limits)


_MEDIA: Final[dict[str, Callable[[str, str, Limits], Image]]] = {
    "oci": _oci,
    "oci-archive": _oci_archive,
    "docker-archive": _docker_archive,
}

MEDIA: Final = tuple(_MEDIA)
"""The media that images are read from."""


def parse_image_location(text: str) -> ImageLocation:
    """The location that `MEDIUM:PATH[:TAG|@DIGEST]` names. Raises `Malformed` for another medium or no path."""
    medium, colon, rest = text.partition(":")
    if medium not in _MEDIA or not colon:
        raise Malformed("not the location of an image", expected=_expected(), got=ascii(text[:100]))
    if "@sha256:" in rest:
        path, _, digest = rest.rpartition("@")
        reference = str(Digest.parse(digest))
    else:
        path, _, reference = rest.partition(":")
    if not path or (rest.endswith(":") and not reference) or "\0" in path:
        raise Malformed("image location without a path or tag", expected=_expected(), got=ascii(text[:100]))
    return ImageLocation(medium, path, reference)


def parse_image_spec(text: str) -> ImageSpec:
    """The image that `NAME=MEDIUM:PATH[:TAG|@DIGEST]` names. Raises `Malformed`."""
    name, equals, location = text.partition("=")
    if not equals:
        raise Malformed("image without a name", expected=f"NAME={_expected()}", got=ascii(text[:100]))
    return ImageSpec(checked_name(name), parse_image_location(location))


def _expected() -> str:
    return "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG], registry:REF or image:NAME"


def checked_name(name: str) -> str:
    """`name`, if images can be recorded under it. Raises `Malformed`."""
    # The name becomes the first part of artifact names, in which `*` or `..` would mean something else to a rule.
    if not _NAME.fullmatch(name):
        raise Malformed(
            "not a usable name for an image",
            expected="letters, digits, . _ - and /, such as app",
            got=ascii(name[:100]),
        )
    return name


def open_image(location: ImageLocation, limits: Limits = LOCAL, *, root: str = "") -> Image:
    """The image at `location`, every blob checked; relative paths start at the folder `root`. Raises `Malformed` for an
    image that is damaged, incomplete, ambiguous or dangerous, and `Unavailable` where it cannot be read."""
    return _MEDIA[location.medium](os.path.join(root, location.path), location.reference, limits)


def resolve_image(
    name: str, location: str, options: ResolveOptions, notes: Notes | None = None
) -> dict[str, DigestSet]:
    """The artifacts of the image at `location`, under `name`. Raises what `open_image` raises, and for an image of a
    registry or engine what `resolve_reference` and `open_engine_image` do."""
    name = checked_name(name)
    medium, _, rest = location.partition(":")
    if medium == "registry":
        return image_artifacts(name, _pulled(rest, options))
    if medium == "image":
        from navicert.resolve.engine import open_engine_image

        image, program = open_engine_image(rest, options.limits)
        if notes is not None:
            notes.add(f"saved by {program}", location)
        return image_artifacts(name, image)
    place = parse_image_location(location)
    refuse_unwritable(place.path)
    return image_artifacts(name, open_image(place, options.limits, root=options.root))


def _pulled(text: str, options: ResolveOptions) -> Image:
    """The image that the reference `text` names in its registry, every layer read once."""
    from navicert.oci.access import Access
    from navicert.oci.reference import Reference
    from navicert.oci.registry import Registry
    from navicert.oci.remote import resolve_reference

    reference = Reference.parse(text)
    access = Access.from_environment(ca_file=options.ca_file, insecure=options.insecure)
    with Registry(reference.registry, access) as registry:
        found = resolve_reference(registry, reference)
        image = found.image()
        found.check_layers(image)
        return image


def image_artifacts(name: str, image: Image) -> dict[str, DigestSet]:
    """The artifacts of `image`, named as in the description of this module, in the order of their names."""
    digests: dict[str, Digest] = {}
    if image.index is not None:
        digests[f"{name}/index"] = image.index.digest
    for entry in image.platforms:
        prefix = f"{name}/{entry.platform}"
        if entry.manifest is not None:
            digests[f"{prefix}/manifest"] = entry.manifest.document.digest
        digests[f"{prefix}/config"] = entry.config.document.digest
        digests[f"{prefix}/layers"] = sha256(layers_bytes(entry))
        digests[f"{prefix}/content"] = sha256(content_bytes(entry))
    return {artifact: DigestSet.of({"sha256": digests[artifact].hex}) for artifact in sorted(digests)}


def image_identity(image: Image) -> ImageIdentity:
    """The digests that `image` is bound by."""
    return ImageIdentity(
        tuple(
            PlatformIdentity(
                entry.platform,
                entry.config.document.digest,
                sha256(content_bytes(entry)),
                None if entry.manifest is None else entry.manifest.document.digest,
            )
            for entry in image.platforms
        ),
        None if image.index is None else image.index.digest,
    )


def image_layers(image: Image) -> dict[str, tuple[str, ...]]:
    """The diff-ids of `image` as `alg:hex`, lowest layer first, by platform."""
    return {str(entry.platform): tuple(map(str, entry.config.diff_ids)) for entry in image.platforms}


def layers_bytes(image: PlatformImage) -> bytes:
    """The bytes whose SHA-256 is `…/layers`: the canonical JSON array of the diff-ids as `alg:hex` strings, lowest
    layer first, for instance `["sha256:ab…","sha256:cd…"]`; `[]` without layers."""
    return canonical([str(diff_id) for diff_id in image.config.diff_ids])


def content_bytes(image: PlatformImage) -> bytes:
    """The bytes whose SHA-256 is `…/content`: the canonical JSON object of what the image config says about

    - `architecture`, `os`, `variant`: strings as written;
    - `config`: an object of `Cmd`, `Entrypoint`, `Env` (arrays of strings in order), `ExposedPorts`, `Volumes` (sorted
      arrays of their names), `Labels` (an object), `StopSignal`, `User`, `WorkingDir` (strings);
    - `diff_ids`: the array of `layers_bytes`.

    Whatever is absent, null or empty is left out, at both levels. Times, history, author and the fields that a
    conversion to OCI drops (health check, shell, on-build triggers) have no part in it.
    """
    config = image.config
    fields: dict[str, object] = {
        "architecture": config.architecture,
        "config": dict(config.run),
        "diff_ids": [str(diff_id) for diff_id in config.diff_ids],
        "os": config.platform.os,
        "variant": config.variant,
    }
    return canonical({name: value for name, value in fields.items() if value})
