"""The attestation statement: a predicate about subjects.

Spec: in-toto attestation framework, spec/v1/statement.md and resource_descriptor.md.
"""

from __future__ import annotations

import binascii
from types import MappingProxyType

from navicert.dataclass import dataclass, field
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

STATEMENT_TYPES: Final = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
"""The statement versions that are read; the first is the one written."""

_KNOWN: Final = frozenset({"_type", "subject", "predicateType", "predicate"})


_NO_DIGESTS: Final = DigestSet()
_NONE: Final[Mapping[str, object]] = MappingProxyType({})
_DESCRIBED: Final = frozenset({"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"})


@dataclass(frozen=True, slots=True)
class ResourceDescriptor:
    """One artifact that a statement speaks of. At least one of uri, digests and content is present.

    `content` is what the artifact holds, where it is small enough to be carried along; `annotations` are a JSON object
    as received. Spec: spec/v1/resource_descriptor.md.
    """

    name: str | None = None
    uri: str | None = None
    digests: DigestSet = _NO_DIGESTS
    content: bytes | None = None
    download_location: str | None = None
    media_type: str | None = None
    annotations: Mapping[str, object] = _NONE
    extra: Mapping[str, object] = _NONE

    @staticmethod
    def from_json(value: object, where: str) -> ResourceDescriptor:
        """The descriptor of a JSON object. Raises `Malformed` for one that identifies nothing."""
        document = as_object(value, where)
        content, annotations = document.get("content"), document.get("annotations")
        digests = document.get("digest")
        descriptor = ResourceDescriptor(
            _text(document, "name", where),
            _text(document, "uri", where),
            _NO_DIGESTS if digests is None else DigestSet.from_json(digests, f"{where}/digest", opaque=True),
            None if content is None else _decoded(content, f"{where}/content"),
            _text(document, "downloadLocation", where),
            _text(document, "mediaType", where),
            _NONE if annotations is None else as_object(annotations, f"{where}/annotations"),
            unknown(document, _DESCRIBED) or _NONE,
        )
        if not descriptor.uri and not descriptor.digests and not descriptor.content:
            raise Malformed("identifies nothing", pointer=where, expected="one of uri, digest and content")
        return descriptor

    def to_json(self) -> dict[str, object]:
        """The JSON object of this descriptor, without what is unset."""
        fields: dict[str, object] = {
            "name": self.name,
            "uri": self.uri,
            "digest": self.digests.to_json(),
            "content": None if self.content is None else binascii.b2a_base64(self.content, newline=False).decode(),
            "downloadLocation": self.download_location,
            "mediaType": self.media_type,
            "annotations": dict(self.annotations),
        }
        return {name: value for name, value in fields.items() if value} | dict(self.extra)


def _text(document: Mapping[str, object], name: str, where: str) -> str | None:
    value = document.get(name)
    return None if value is None else as_text(value, f"{where}/{name}")


def _decoded(value: object, where: str) -> bytes:
    """The bytes of a field in base64, as JSON carries them: standard, or URL-safe as some write it."""
    text = as_text(value, where)
    try:
        return binascii.a2b_base64(text.replace("-", "+").replace("_", "/"), strict_mode=True)
    except ValueError as error:
        raise Malformed("not base64", pointer=where, expected="standard or URL-safe base64 with padding") from error


@dataclass(frozen=True, slots=True)
class Statement:
    """A predicate (a JSON object as received) about subjects, each of which carries a digest."""

    subjects: tuple[ResourceDescriptor, ...]
    predicate_type: str
    predicate: Mapping[str, object] = field(default_factory=dict)
    type: str = STATEMENT_TYPES[0]
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Statement:
        """The statement of a JSON object. Raises `Malformed` for an unknown version, no subject, a subject without a
        digest, no predicate type and, in v0.1, for subjects that cannot be told apart by their names."""
        document = as_object(value, where)
        kind = as_text(required(document, "_type", where), f"{where}/_type")
        if kind not in STATEMENT_TYPES:
            raise Malformed(
                "unknown statement version", pointer=f"{where}/_type", expected=" or ".join(STATEMENT_TYPES), got=kind
            )
        subjects = as_list(required(document, "subject", where), f"{where}/subject", most=limits.artifacts)
        if not subjects:
            raise Malformed("statement without subject", pointer=f"{where}/subject", expected="at least one")
        descriptors = tuple(ResourceDescriptor.from_json(s, f"{where}/subject/{i}") for i, s in enumerate(subjects))
        for i, descriptor in enumerate(descriptors):
            if not descriptor.digests:
                raise Malformed("subject without digest", pointer=f"{where}/subject/{i}")
        if kind == STATEMENT_TYPES[1]:
            _check_names(descriptors, f"{where}/subject")
        predicate_type = as_text(required(document, "predicateType", where), f"{where}/predicateType")
        if not predicate_type:
            raise Malformed("statement without predicate type", pointer=f"{where}/predicateType", expected="a URI")
        predicate = document.get("predicate")
        return Statement(
            subjects=descriptors,
            predicate_type=predicate_type,
            predicate={} if predicate is None else as_object(predicate, f"{where}/predicate"),
            type=kind,
            extra=unknown(document, _KNOWN),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this statement."""
        return {
            "_type": self.type,
            "subject": [subject.to_json() for subject in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
            **self.extra,
        }


def _check_names(subjects: tuple[ResourceDescriptor, ...], where: str) -> None:
    """Raise `Malformed` unless each subject has a name of its own; `_` is the name of what has none.

    Spec: spec/v0.1.0/README.md (subject). Version 1 leaves names to those who want them.
    """
    seen: set[str] = set()
    for i, subject in enumerate(subjects):
        if not subject.name:
            raise Malformed("subject without name, which this version requires", pointer=f"{where}/{i}")
        if subject.name in seen:
            raise Malformed("subject named twice", pointer=f"{where}/{i}/name", got=repr(subject.name)[:80])
        if subject.name != "_":
            seen.add(subject.name)
