"""What is about to be used, as digests to bind: a file, a folder, or an image."""

from __future__ import annotations

import os

from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.resolve import IMAGE_SCHEMES, resolve
from navicert.resolve.artifact import ResolveOptions
from navicert.verify.case import Part, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from navicert.oci.image import Image
    from navicert.oci.reference import Reference

    PlatformScope = Literal["index", "every-platform", "either"]

REGISTRY = "registry:"
"""What stands before a reference that is not to be taken for a file."""


def reference_of(spec: str) -> Reference | None:
    """The image in a registry that `spec` names: `registry:REF`, or a reference with a host. None where it names
    something else, and always where there is a file or folder of that name. Raises `Malformed` for `registry:` and
    something that is no reference."""
    if os.path.lexists(spec):
        return None
    if not spec.startswith(REGISTRY):
        head, slash, _ = spec.partition("/")
        if (
            not slash
            or head.partition(":")[0] in (*IMAGE_SCHEMES, "file")
            or not (head == "localhost" or "." in head or ":" in head)
        ):
            return None
    from navicert.oci.reference import Reference

    if spec.startswith(REGISTRY):
        return Reference.parse(spec.removeprefix(REGISTRY))
    try:
        return Reference.parse(spec)
    except Malformed:
        return None


def open_target(spec: str, limits: Limits = LOCAL, scope: PlatformScope = "either") -> Target:
    """The target that `spec` names: a path, or an image as `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE`.
    `scope` says what of an image must be bound: the index (of an image without one its manifest), every platform by
    itself, or whichever of them is.

    Raises `Malformed` for what does not exist, is empty or cannot be bound, and `Unavailable` for what cannot be read.
    """
    scheme = spec.partition(":")[0]
    if scheme in IMAGE_SCHEMES and not os.path.exists(spec):
        from navicert.resolve.image import open_image, parse_image_location

        return image_target(spec, open_image(parse_image_location(spec), limits), scope)
    path = spec.removeprefix("file:")
    if os.path.isdir(path):
        return _directory(path, limits)
    if os.path.isfile(path):
        return _file(path, limits)
    raise Malformed(
        "no such target",
        path=spec,
        expected="a file, a folder, or an image: HOST/NAME:TAG, registry:REF, oci:DIR, oci-archive:F, docker-archive:F",
    )


def _file(path: str, limits: Limits) -> Target:
    folder, name = os.path.split(path)
    options = ResolveOptions(base_path=folder, excludes=(), expand=False, strict=True, limits=limits)
    (digests,) = resolve(name, options).artifacts.values()
    (digest,) = digests.strong
    texts = _texts((digest.hex,)) | {sha256(f"{digest.hex}  {name}\n".encode()).hex: f"{digest.hex}  {name}"}
    return Target(path, "file", (Part(name, frozenset({digest.hex}), texts),))


def _directory(path: str, limits: Limits) -> Target:
    # Nothing is left out: a file that no rule covers would be used all the same.
    options = ResolveOptions(base_path=path, excludes=(), expand=False, strict=True, limits=limits)
    resolved = resolve(".", options)
    odd = [line for line in resolved.warnings if "skipped" in line]
    if odd:
        raise Malformed("cannot be bound as a whole", path=path, got=odd[0], remedy="remove them, or name single files")
    parts = tuple(
        Part(name, frozenset(digest.hex for digest in digests.strong), path=name)
        for name, digests in resolved.artifacts.items()
    )
    return Target(path, "directory", parts)


def image_target(name: str, image: Image, scope: PlatformScope = "either") -> Target:
    """The image `image` as a target called `name`."""
    from navicert.resolve.image import image_identity, image_layers

    identity = image_identity(image)
    parts = []
    for platform in identity.platforms:
        named = [platform.config.hex] if platform.manifest is None else [platform.config.hex, platform.manifest.hex]
        parts.append(Part(str(platform.platform), frozenset({*named, platform.content.hex}), _texts(named)))
    whole = None
    if identity.index is not None:
        whole = Part("index", frozenset({identity.index.hex}), _texts((identity.index.hex,)))
    if whole is not None and scope == "index":
        parts = []
    if scope == "every-platform":
        whole = None
    return Target(name, "image", tuple(parts), whole, image_layers(image))


def _texts(ids: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each text file that tools write an id to → the id: with and without algorithm and line feed."""
    return {
        sha256(f"{prefix}{hexadecimal}{end}".encode()).hex: f"sha256:{hexadecimal}"
        for hexadecimal in ids
        for prefix in ("sha256:", "")
        for end in ("\n", "")
    }
