"""What an image says that it was built on: annotations of its manifest, which buildah writes.

They name the image below the last FROM and the digest of the manifest that the builder had for it: the builder's word
about itself, as good as whoever records it. Only a manifest in the OCI format has them.
Which image has that digest is looked up where builders look; whether it lies below is what `image-base` judges.
Spec: OCI image-spec annotations.md, "org.opencontainers.image.base.*".
"""

from __future__ import annotations

from typing import Final

from navicert.dataclass import dataclass, replace
from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed
from navicert.oci.image import Image, PlatformImage
from navicert.oci.reference import Reference
from navicert.resolve.artifact import Notes, ResolveOptions
from navicert.resolve.image import image_artifacts, open_image, parse_image_location
from navicert.resolve.lookup import held, pulled

BASE_NAME: Final = "org.opencontainers.image.base.name"
BASE_DIGEST: Final = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class Stated:
    """What `image`, which is in `origin`, says that it was built on: the reference, and the digest of its manifest."""

    origin: str
    image: PlatformImage
    reference: Reference
    digest: Digest

    @property
    def pinned(self) -> Reference:
        """The base, by its digest."""
        return self.reference.at(self.digest)

    def lies_below(self, base: Image) -> bool:
        """Whether the lowest layers are those of `base`, of the same platform."""
        own = self.image.config.diff_ids
        return any(
            entry.platform == self.image.platform and entry.config.diff_ids == own[: len(entry.config.diff_ids)]
            for entry in base.platforms
        )


def stated_bases(image: Image) -> tuple[Stated, ...]:
    """What each platform of `image` says that it was built on; nothing for one that says that it was built from
    scratch. Raises `Malformed` where one says nothing, or half of it."""
    return tuple(stated for entry in image.platforms if (stated := _stated(entry, image.origin)) is not None)


def _stated(entry: PlatformImage, path: str) -> Stated | None:
    annotations = {} if entry.manifest is None else entry.manifest.annotations
    name, text = annotations.get(BASE_NAME), annotations.get(BASE_DIGEST)
    if name == "" and text == "":
        return None
    if not name or not text:
        raise Malformed(
            f"the image for {entry.platform} does not say what it was built on",
            path=path,
            expected=f"{BASE_NAME} and {BASE_DIGEST} among the annotations of its manifest",
            remedy="build it with buildah in the OCI format, or leave out built=",
        )
    try:
        return Stated(path, entry, replace(Reference.parse(name), digest=None), Digest.parse(text))
    except Malformed as error:
        raise error.at(path) from None


def built_on(name: str, location: str, base: str | None, options: ResolveOptions, notes: Notes) -> dict[str, DigestSet]:
    """The artifacts, under `name`, of what the image at `location` says that it was built on, for every platform.
    `base` is what the Dockerfile calls it, None for scratch.

    Raises `Malformed` where the image says nothing or another base than the Dockerfile, and what looking up an image
    raises.
    """
    image = _opened(location, options)
    stated = stated_bases(image)
    expected = 0 if base is None else len(image.platforms)
    if len(stated) != expected or not all(_called(base or "", one.reference) for one in stated):
        raise Malformed(
            "the image says that it was built on another image, or none",
            path=location,
            expected=base or "none, as in the Dockerfile",
            got=", ".join(str(one.pinned) for one in stated) or "built from scratch",
        )
    artifacts: dict[str, DigestSet] = {}
    for one in stated:
        found, digests = _looked_up(name, one, options, notes)
        _check_pinned(one, found, Reference.parse(base or "").digest, options, notes)
        if not one.lies_below(found):
            notes.add("stated as the base, and its layers are not the lowest of the image", str(one.pinned))
        for artifact, value in digests.items():
            if artifacts.setdefault(artifact, value) != value:
                raise Malformed("two bases for one platform", path=location, got=artifact)
    return artifacts


def _opened(location: str, options: ResolveOptions) -> Image:
    medium, _, rest = location.partition(":")
    if medium == "registry":
        return pulled(Reference.parse(rest), options)
    if medium == "image":
        from navicert.resolve.engine import open_engine_image

        return open_engine_image(rest, options.limits)[0]
    return open_image(parse_image_location(location), options.limits, root=options.root)


def _called(text: str, stated: Reference) -> bool:
    """Whether a FROM line that says `text` means `stated`. A digest says more than a tag; where there is no host, the
    builder has a list of them."""
    wanted = Reference.parse(text)
    if wanted.digest is None and wanted.tag != stated.tag:
        return False
    if wanted.name == stated.name:
        return True
    name = text.partition("@")[0]
    bare = name.rpartition(":")[0] if ":" in name else name
    host = bare.partition("/")[0] if "/" in bare else ""
    return not ("." in host or ":" in host or host == "localhost") and stated.name.endswith(f"/{bare}")


def _looked_up(name: str, stated: Stated, options: ResolveOptions, notes: Notes) -> tuple[Image, dict[str, DigestSet]]:
    """The base that `stated` names by its digest, and its artifacts under `name`."""
    reference = replace(stated.pinned, tag="")
    found = held(str(reference), reference, options, notes)
    if found is None:
        found = pulled(reference, options)
        return found, image_artifacts(name, found)
    artifacts = image_artifacts(name, found)
    # An engine makes a manifest anew for what it saves; the one that the builder had is known by its digest only.
    artifacts.pop(f"{name}/index", None)
    for entry in found.platforms:
        artifacts[f"{name}/{entry.platform}/manifest"] = DigestSet.of({stated.digest.algorithm: stated.digest.hex})
    return found, artifacts


def _check_pinned(stated: Stated, base: Image, pinned: Digest | None, options: ResolveOptions, notes: Notes) -> None:
    """Raises `Malformed` unless `base` is what the Dockerfile pins by digest: the same, or a platform of that index."""
    if pinned in (None, stated.digest):
        return
    reference = replace(stated.reference.at(pinned), tag="")
    named = held(str(reference), reference, options, notes) or pulled(reference, options)
    configs = {entry.config.document.digest for entry in named.platforms}
    if not configs & {entry.config.document.digest for entry in base.platforms}:
        raise Malformed(
            "the image says that it was built on another image than the Dockerfile pins",
            path=stated.origin,
            expected=str(reference),
            got=str(stated.pinned),
        )
