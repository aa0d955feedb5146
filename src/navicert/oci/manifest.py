"""Descriptors, indexes and manifests: the documents by which an image names its parts.

Every object is read the way that all runtimes would understand it: runtimes written in Go match field names without
regard to case, so a field that differs from a known one only by case is refused instead of being passed over.
Spec: OCI image-spec descriptor.md, image-index.md, manifest.md; Docker image manifest v2 schema 2.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Final

from navicert.dataclass import dataclass, field, replace
from navicert.digest import Digest, sha256
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_list, as_object, as_text, required
from navicert.oci import media
from navicert.strictjson import loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_ALGORITHMS: Final = frozenset({"sha256", "sha512"})
_DESCRIPTOR: Final = frozenset({"mediaType", "digest", "size", "annotations", "platform", "artifactType", "urls"})
_PLATFORM: Final = frozenset({"os", "architecture", "variant", "os.version"})
_MANIFEST: Final = frozenset(
    {"schemaVersion", "mediaType", "config", "layers", "subject", "artifactType", "manifests", "annotations"}
)
_INDEX: Final = frozenset({"schemaVersion", "mediaType", "manifests", "subject", "artifactType", "layers", "config"})

# One platform has one name: these spellings mean the same to every runtime.
_ARCHITECTURE: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_VARIANT: Final = {("arm64", "v8"): "", ("arm64", "8"): "", ("amd64", "v1"): "", ("arm", ""): "v7"}


def view(value: object, where: str, known: frozenset[str]) -> dict[str, object]:
    """The JSON object `value`. Raises `Malformed` for a field that a reader without regard to case would take for one
    of `known`, because two readers would then see two different images."""
    document = as_object(value, where)
    if document.keys() <= known:
        return document
    folded = {name.casefold(): name for name in known}
    for name in document:
        twin = folded.get(name.casefold())
        if twin is not None and twin != name:
            raise Malformed(
                f'field "{twin}" spelled in another case',
                pointer=where or "/",
                got=ascii(name),
                remedy="some runtimes would read it and others not; rebuild the image",
            )
    return document


def optional_text(document: Mapping[str, object], name: str, where: str) -> str:
    """The string field `name`, empty where it is absent or null."""
    value = document.get(name)
    return "" if value is None else as_text(value, pointer(where, name))


def read_digest(value: object, where: str) -> Digest:
    """The digest of a JSON string. Raises `Malformed` unless it is SHA-256 or SHA-512 in lower case."""
    text = as_text(value, where)
    try:
        digest = Digest.parse(text)
    except Malformed as error:
        error.pointer = where
        raise
    if digest.algorithm not in _ALGORITHMS or str(digest) != text:
        raise Malformed(
            "not a content digest", pointer=where, expected="sha256 or sha512, lower case", got=repr(text[:80])
        )
    return digest


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """What an image runs on. `str` gives `os/arch[/variant]`, Windows builds as `os(version)/arch`."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @staticmethod
    def of(os: str, architecture: str, variant: str = "", os_version: str = "", *, where: str = "") -> Platform:
        """The platform in its one spelling. Raises `Malformed` for parts that could not stand in an artifact's name."""
        for part, optional in ((os, False), (architecture, False), (variant, True), (os_version, True)):
            if not _PART.fullmatch(part) and not (optional and not part):
                raise Malformed("not a platform", pointer=where, expected="os and architecture", got=repr(part[:60]))
        architecture = _ARCHITECTURE.get(architecture, architecture)
        return Platform(os, architecture, _VARIANT.get((architecture, variant), variant), os_version)

    @staticmethod
    def from_json(value: object, where: str) -> Platform:
        """The platform of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
        document = view(value, where, _PLATFORM)
        texts = [optional_text(document, name, where) for name in ("os", "architecture", "variant", "os.version")]
        return Platform.of(*texts, where=where)

    @property
    def known(self) -> bool:
        """Whether a runtime could choose this platform; BuildKit marks what is not an image as `unknown/unknown`."""
        return (self.os, self.architecture) != ("unknown", "unknown")

    def __str__(self) -> str:
        os = f"{self.os}({self.os_version})" if self.os_version else self.os
        return "/".join(part for part in (os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to bytes: what they are, how many, and their digest."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    @staticmethod
    def from_json(value: object, where: str) -> Descriptor:
        """The descriptor of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
        document = view(value, where, _DESCRIPTOR)
        size = as_integer(required(document, "size", where), f"{where}/size")
        if size < 0:
            raise Malformed("negative size", pointer=f"{where}/size", got=str(size))
        platform = document.get("platform")
        return Descriptor(
            media_type=as_text(required(document, "mediaType", where), f"{where}/mediaType"),
            digest=read_digest(required(document, "digest", where), f"{where}/digest"),
            size=size,
            platform=None if platform is None else Platform.from_json(platform, f"{where}/platform"),
            annotations=_annotations(document.get("annotations"), f"{where}/annotations"),
            artifact_type=optional_text(document, "artifactType", where),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this descriptor; without its platform, which only an index gives."""
        fields: dict[str, object] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.artifact_type:
            fields["artifactType"] = self.artifact_type
        if self.annotations:
            fields["annotations"] = dict(self.annotations)
        return fields


def _annotations(value: object, where: str = "/annotations") -> dict[str, str]:
    given = {} if value is None else as_object(value, where)
    return {name: as_text(text, pointer(where, name)) for name, text in given.items()}


def _subject(body: Mapping[str, object]) -> Descriptor | None:
    value = body.get("subject")
    return None if value is None else Descriptor.from_json(value, "/subject")


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest, index or config: the bytes as received, and their SHA-256."""

    raw: bytes = field(repr=False)
    media_type: str
    digest: Digest

    @staticmethod
    def of(raw: bytes, media_type: str, verified: Digest | None = None) -> Document:
        """The document of `raw`, whose digest `verified` was computed from these very bytes, where it was."""
        known = verified is not None and verified.algorithm == "sha256"
        return Document(raw, media_type, verified if known and verified is not None else sha256(raw))


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform, or an artifact: its config and its layers, lowest first."""

    document: Document
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    """What this says that it is attached to: a claim of whoever pushed it."""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        """Whether this is something that a runtime could start."""
        return self.config.media_type in media.CONFIGS

    @staticmethod
    def parse(document: Document, limits: Limits = LOCAL, *, path: str = "") -> Manifest:
        """The manifest that `document` holds. Raises `Malformed`, naming `path` and the JSON pointer."""
        body = _body(document, media.MANIFESTS, _MANIFEST, "manifests", limits, path)
        with naming(path):
            layers = as_list(required(body, "layers", ""), "/layers", most=limits.layers)
            return Manifest(
                document,
                Descriptor.from_json(required(body, "config", ""), "/config"),
                tuple(Descriptor.from_json(layer, f"/layers/{i}") for i, layer in enumerate(layers)),
                optional_text(body, "artifactType", ""),
                _subject(body),
                _annotations(body.get("annotations")),
            )


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests, one per platform, and of what speaks about them."""

    document: Document
    manifests: tuple[Descriptor, ...]

    @staticmethod
    def parse(document: Document, limits: Limits = LOCAL, *, path: str = "") -> Index:
        """The index that `document` holds. Raises `Malformed`, naming `path` and the JSON pointer."""
        body = _body(document, media.INDEXES, _INDEX, "layers", limits, path)
        with naming(path):
            manifests = as_list(required(body, "manifests", ""), "/manifests", most=limits.layers)
            return Index(
                document, tuple(Descriptor.from_json(entry, f"/manifests/{i}") for i, entry in enumerate(manifests))
            )


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Names the file `path` in whatever is refused inside."""
    try:
        yield
    except Malformed as error:
        raise error.at(path) from None


def read_json(raw: bytes, limits: Limits, path: str) -> object:
    """The JSON value of a manifest, index or config. Raises `Malformed` and `LimitExceeded`, naming `path`."""
    return loads(raw, replace(limits, document_bytes=limits.manifest_bytes), path=path)


def _body(
    document: Document, kinds: frozenset[str], known: frozenset[str], foreign: str, limits: Limits, path: str
) -> dict[str, object]:
    value = read_json(document.raw, limits, path)
    with naming(path):
        body = view(value, "", known)
        if body.get("schemaVersion") != 2:
            raise Malformed(
                "not a manifest of schema version 2",
                pointer="/schemaVersion",
                got=repr(body.get("schemaVersion"))[:20],
                remedy="convert the image, for instance with skopeo copy --format oci",
            )
        # A document that is a manifest to one reader and an index to another stands for two images at once.
        if foreign in body:
            raise Malformed(f'both an index and a manifest: field "{foreign}" does not belong here', pointer="/")
        stated = optional_text(body, "mediaType", "")
        if document.media_type not in kinds or stated not in ("", document.media_type):
            raise Malformed(
                "media type differs from the descriptor's",
                pointer="/mediaType",
                expected=document.media_type,
                got=repr(stated),
            )
    return body
