"""What attestations are about: things as resource descriptors, with the digests that statements name them by.

==========================  =====================================================================
`PATH`, `src/*.py`          a file, or each file that the pattern matches
`dir:PATH`                  a folder as one artifact
`git:PATH`                  the commit that is checked out, under `gitCommit`
`ALG:HEX`                   whatever has this digest: a strong one, or `gitCommit`, `gitTree`, …
`HOST/NAME:TAG`             an image in a registry, also `registry:REF`: its index, or its manifest
`oci:DIR[:TAG]`             an image in an OCI layout, also `oci-archive:FILE`: the same
`docker-archive:FILE`       an image as docker saves it, by its id
==========================  =====================================================================

Each may have `NAME=` before it; without, a file is called by its path and an image in a registry by its repository.
"""

from __future__ import annotations

import os

from navicert.dataclass import replace
from navicert.digest import DigestSet, digest_of
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.statement import ResourceDescriptor
from navicert.resolve import IMAGE_SCHEMES, resolve
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.target import reference_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from navicert.oci.image import Image
    from navicert.oci.reference import Reference
    from navicert.oci.shelf import Placed

    Find = Callable[[str], Placed]


def subjects_of(spec: str, find: Find, limits: Limits = LOCAL) -> tuple[ResourceDescriptor, ...]:
    """The subjects that `spec` names, at least one. `find` looks up images in registries.

    Raises `Malformed` for what cannot be understood, does not exist or has no digest that decides anything, and
    `Unavailable` for what cannot be read.
    """
    name, what = _split(spec)
    found = _found(what, find, limits)
    if name and len(found) > 1:
        raise Malformed("one name for several things", path=spec, got=f"{len(found)} of them")
    return tuple(replace(one, name=name) for one in found) if name else found


def names_of(spec: str, find: Find, limits: Limits = LOCAL) -> frozenset[str]:
    """Every digest (`alg:hex`) that somebody may call what `spec` names by: of an image those of its index, of every
    platform's manifest and of their configs, which are the image ids, also where it is an archive that is named as a
    file. Raises as `subjects_of` does."""
    found = {f"{name}:{value.lower()}" for one in subjects_of(spec, find, limits) for name, value in one.digests}
    image = _image(_split(spec)[1], find, limits)
    if image is not None:
        documents = [] if image.index is None else [image.index]
        for platform in image.platforms:
            documents.append(platform.config.document)
            if platform.manifest is not None:
                documents.append(platform.manifest.document)
        found.update(str(document.digest) for document in documents)
    return frozenset(found)


def _image(what: str, find: Find, limits: Limits) -> Image | None:
    """The image that `what` is, or holds; None where it is something else."""
    from navicert.resolve.image import open_image, parse_image_location

    if os.path.lexists(what):
        for medium in ("oci-archive", "docker-archive") if os.path.isfile(what) else ():
            try:
                return open_image(parse_image_location(f"{medium}:{what}"), limits)
            except Malformed:
                continue  # another kind of archive, or none
        return None
    if digest_of(what) is not None:
        return None
    if reference_of(what) is not None:
        return find(what).image()
    if what.partition(":")[0] in IMAGE_SCHEMES:
        return open_image(parse_image_location(what), limits)
    return None


def _split(spec: str) -> tuple[str, str]:
    """The name before `=` and what it names; no name where a file is called so, or nothing stands before."""
    name, equals, what = spec.partition("=")
    if not equals or os.path.lexists(spec):
        return "", spec
    if not name or not what:
        raise Malformed("not a subject", path=spec, expected="NAME=FILE, NAME=ALG:HEX or NAME=IMAGE")
    return name, what


def _found(what: str, find: Find, limits: Limits) -> tuple[ResourceDescriptor, ...]:
    if not os.path.lexists(what):
        digests = digest_of(what)
        if digests is not None:
            return (ResourceDescriptor(digests=digests),)
        reference = reference_of(what)
        if reference is not None:
            return (_remote(reference, find(what)),)
        if what.partition(":")[0] in IMAGE_SCHEMES:
            return (_local(what, limits),)
    options = ResolveOptions(excludes=(), strict=True, limits=limits)
    artifacts = resolve(what, options).artifacts
    return tuple(ResourceDescriptor(path, digests=digests) for path, digests in artifacts.items())


def _remote(reference: Reference, placed: Placed) -> ResourceDescriptor:
    digest = placed.root.digest
    return ResourceDescriptor(
        f"{reference.registry}/{reference.repository}", digests=DigestSet.of({"sha256": digest.hex})
    )


def _local(spec: str, limits: Limits) -> ResourceDescriptor:
    from navicert.resolve.image import open_image, parse_image_location

    location = parse_image_location(spec)
    return ResourceDescriptor(
        os.path.basename(location.path.rstrip("/")), digests=image_digests(open_image(location, limits))
    )


def image_digests(image: Image) -> DigestSet:
    """The digest that an image is called by: that of its index, else of its manifest, else of its config (the id)."""
    if image.index is not None:
        digest = image.index.digest
    else:
        (platform, *_) = image.platforms
        whole = platform.config if platform.manifest is None else platform.manifest
        digest = whole.document.digest
    return DigestSet.of({digest.algorithm: digest.hex})


def file_digests(path: str, algorithms: tuple[str, ...] = ("sha256",), limits: Limits = LOCAL) -> DigestSet:
    """The digests of the file at `path`. Raises `Unavailable` where it cannot be read."""
    folder, name = os.path.split(path)
    options = ResolveOptions(
        base_path=folder, excludes=(), expand=False, strict=True, algorithms=algorithms, limits=limits
    )
    (digests,) = resolve(name, options).artifacts.values()
    return digests
