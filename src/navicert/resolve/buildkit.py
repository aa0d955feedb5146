"""What BuildKit says that it built from: the file that `docker buildx build --metadata-file` writes.

It names every image with the digest that was used, as materials of a SLSA provenance statement: the builder's word
about itself, as good as whoever records it. Spec: BuildKit "SLSA provenance"; buildx "build --metadata-file"; package
URL type `docker`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from navicert.dataclass import replace
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text
from navicert.oci.reference import Reference
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PROVENANCE: Final = "buildx.build.provenance"
_IMAGE: Final = "pkg:docker/"


def used_images(raw: bytes, path: str, limits: Limits = LOCAL) -> dict[Reference, Digest]:
    """Every image that the build used → the digest that it had, references without digest. Raises `Malformed` where
    the file names none, or one image with several digests."""
    try:
        document = as_object(loads(raw, limits), "")
        found: dict[Reference, Digest] = {}
        # With several platforms there is one for each, called …provenance/linux/amd64.
        for name in sorted(document):
            if name == _PROVENANCE or name.startswith(f"{_PROVENANCE}/"):
                for reference, digest in _materials(as_object(document[name], f"/{name}"), f"/{name}"):
                    if found.setdefault(reference, digest) != digest:
                        raise Malformed("one image with two digests", got=str(reference))
    except Malformed as error:
        raise error.at(path) from None
    if not found:
        raise Malformed(
            "no image that was built from",
            path=path,
            expected=f"{_PROVENANCE} with images as materials",
            remedy="build with BUILDX_METADATA_PROVENANCE=max",
        )
    return found


def _materials(provenance: dict[str, object], where: str) -> Iterator[tuple[Reference, Digest]]:
    lists = [(provenance.get("materials"), f"{where}/materials")]
    definition = provenance.get("buildDefinition")
    if isinstance(definition, dict):
        lists.append((definition.get("resolvedDependencies"), f"{where}/buildDefinition/resolvedDependencies"))
    for value, place in lists:
        for index, item in enumerate(as_list([] if value is None else value, place)):
            entry = as_object(item, f"{place}/{index}")
            uri = as_text(entry.get("uri", ""), f"{place}/{index}/uri")
            if uri.startswith(_IMAGE):
                digests = as_object(entry.get("digest", {}), f"{place}/{index}/digest")
                text = as_text(digests.get("sha256", ""), f"{place}/{index}/digest/sha256")
                yield _reference(uri), Digest.parse(f"sha256:{text}")


def _reference(uri: str) -> Reference:
    """The reference, without digest, that `pkg:docker/[HOST/]NAME[@TAG][?digest=…&platform=…]` names."""
    path, _, query = uri.removeprefix(_IMAGE).partition("#")[0].partition("?")
    name, _, tag = path.partition("@")
    if not tag and any(part.startswith("digest=") for part in query.split("&")):
        return replace(Reference.parse(unquote(name)), tag="")
    return Reference.parse(f"{unquote(name)}:{unquote(tag)}" if tag else unquote(name))
