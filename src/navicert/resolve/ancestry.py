"""`NAME=from:DOCKERFILE`: the images that a Dockerfile builds on, as artifacts.

The image below the last stage becomes `NAME/…`, every other one that the build takes anything from
`NAME/image/<reference>/…`, each with index, manifests, configs, layers and content as in `navicert.resolve.image`.
After the file there may be, in any order,

- `,stage=S`: the stage that is built, where that is not the last;
- `,arg=NAME=VALUE`: what the builder is given as `--build-arg`, for variables in FROM lines;
- `,metadata=FILE`: what BuildKit wrote by `--metadata-file`. Then the digests are those that the builder used, and the
  images are looked up when the command has ended, because only then is there such a file;
- `,built=IMAGE`: the image that is built, as `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `registry:REF` or `image:NAME`.
  buildah writes into its manifest what it was built on; that is looked up by its digest, when the command has ended.

Without either an image is looked up where builders look: in docker and podman of this machine, else in its registry.
Of an image in a registry the layers are not read: its config says what they are, and a base that is not what it says
cannot be built on.
"""

from __future__ import annotations

import os
from typing import Final

from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed
from navicert.oci.image import Image
from navicert.oci.reference import Reference
from navicert.resolve.artifact import Notes, ResolveOptions
from navicert.resolve.dockerfile import Origins, origins, read_dockerfile
from navicert.resolve.image import checked_name, image_artifacts
from navicert.resolve.lookup import held, pulled
from navicert.resolve.tree import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEME: Final = "from"


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Which Dockerfile, which stage of it, built with which arguments, and where the builder says what it used."""

    dockerfile: str
    stage: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    metadata: str = ""
    built: str = ""

    @staticmethod
    def parse(location: str) -> Ancestry:
        """What `from:DOCKERFILE[,…]` names. Raises `Malformed`."""
        path, *options = location.removeprefix(f"{SCHEME}:").split(",")
        if not path:
            raise Malformed("no Dockerfile is named", expected="NAME=from:DOCKERFILE", got=ascii(location[:100]))
        texts: dict[str, str] = {}
        arguments: dict[str, str] = {}
        for option in options:
            name, _, value = option.partition("=")
            key, equals, text = value.partition("=")
            if name == "arg" and key and equals and key not in arguments:
                arguments[key] = text
            elif name in ("stage", "metadata", "built") and value and name not in texts:
                texts[name] = value
            else:
                raise Malformed(
                    "not an option of from:, or given twice",
                    expected="stage=S, arg=NAME=VALUE, metadata=FILE, built=IMAGE",
                    got=ascii(option[:100]),
                )
        if "metadata" in texts and "built" in texts:
            raise Malformed("two builders cannot both say what was built from", expected="metadata=FILE or built=IMAGE")
        return Ancestry(path, texts.get("stage", ""), arguments, texts.get("metadata", ""), texts.get("built", ""))

    @property
    def late(self) -> bool:
        """Whether the builder says what it used, which is when it has ended."""
        return bool(self.metadata or self.built)


def told_afterwards(spec: str) -> bool:
    """Whether what `spec` names is known only when the build has ended. Raises `Malformed`."""
    _, _, location = spec.partition("=")
    return location.startswith(f"{SCHEME}:") and Ancestry.parse(location).late


def resolve_ancestry(name: str, location: str, options: ResolveOptions, notes: Notes) -> dict[str, DigestSet]:
    """The artifacts of the images that the Dockerfile at `location` builds on, under `name`. Raises `Malformed` for
    what cannot be told from it, and what `resolve_image` raises."""
    checked_name(name)
    ancestry = Ancestry.parse(location)
    path = ancestry.dockerfile
    stages = read_dockerfile(_read(path, options), ancestry.arguments, path, options.limits)
    found = origins(stages, ancestry.stage, path)
    used = _used(ancestry, options)
    artifacts: dict[str, DigestSet] = {}
    if found.base is None:
        notes.add("built from scratch, so it has no base", path)
    if ancestry.built:
        artifacts |= _built_on(name, found, ancestry, options, notes)
    elif found.base is not None:
        artifacts |= image_artifacts(name, _find(found.base, used, options, notes, path))
    for reference, text in {Reference.parse(text): text for text in found.others}.items():
        artifacts |= image_artifacts(f"{name}/image/{reference}", _find(text, used, options, notes, path))
    named = (Reference.parse(text) for text in (found.base, *found.others) if text is not None)
    for reference in sorted(used.keys() - {replace(one, digest=None) for one in named}):
        # What named contexts, variables and the frontend brought in: the Dockerfile does not say so, the builder does.
        artifacts |= image_artifacts(f"{name}/image/{reference}", pulled(reference.at(used[reference]), options))
    if options.strict and not artifacts:
        raise Malformed("built from scratch alone, so this records nothing", path=path)
    return artifacts


def _built_on(
    name: str, found: Origins, ancestry: Ancestry, options: ResolveOptions, notes: Notes
) -> dict[str, DigestSet]:
    if found.through_stage:
        raise Malformed(
            "the stage that is built is FROM another stage, and builders then call that one the base",
            path=ancestry.dockerfile,
            remedy="leave out built=: the image below is then looked up by its name",
        )
    from navicert.resolve.annotation import built_on

    return built_on(name, ancestry.built, found.base, options, notes)


def _used(ancestry: Ancestry, options: ResolveOptions) -> dict[Reference, Digest]:
    if not ancestry.metadata:
        return {}
    from navicert.resolve.buildkit import used_images

    return used_images(_read(ancestry.metadata, options), ancestry.metadata, options.limits)


def _read(path: str, options: ResolveOptions) -> bytes:
    limit = options.limits.manifest_bytes
    try:
        with open(os.path.join(options.root, path), "rb") as file:
            raw = file.read(limit + 1)
    except FileNotFoundError as error:
        raise Malformed("no such file", path=path) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if len(raw) > limit:
        raise Malformed("too large (limit manifest_bytes)", path=path, expected=f"at most {limit} bytes")
    return raw


def _find(text: str, used: dict[Reference, Digest], options: ResolveOptions, notes: Notes, path: str) -> Image:
    """The image that a FROM line calls `text`."""
    reference = Reference.parse(text)
    if used:
        digest = used.get(replace(reference, digest=None))
        if digest is None or reference.digest not in (None, digest):
            raise Malformed(
                "the builder says that it used another image, or none",
                path=path,
                expected=str(reference),
                got=", ".join(str(one.at(used[one])) for one in _alike(reference, used)) or "none of this name",
            )
        return pulled(reference.at(digest), options)
    return held(text, reference, options, notes) or pulled(reference, options)


def _alike(reference: Reference, used: dict[Reference, Digest]) -> Sequence[Reference]:
    return [one for one in sorted(used) if one.name == reference.name]
