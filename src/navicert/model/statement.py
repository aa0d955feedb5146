"""The attestation statement: a predicate about subjects.

Spec: in-toto attestation framework, spec/v1/statement.md and resource_descriptor.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required, unknown

STATEMENT_TYPES: Final = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
"""The statement versions that are read; the first is the one written."""

_KNOWN: Final = frozenset({"_type", "subject", "predicateType", "predicate"})


_NO_DIGESTS: Final = DigestSet()


@dataclass(frozen=True, slots=True)
class ResourceDescriptor:
    """One artifact that a statement speaks of. At least one of name, uri and digests is present."""

    name: str | None = None
    uri: str | None = None
    digests: DigestSet = _NO_DIGESTS

    @staticmethod
    def from_json(value: object, where: str) -> ResourceDescriptor:
        """The descriptor of a JSON object. Raises `Malformed` for one that identifies nothing."""
        document = as_object(value, where)
        name = document.get("name")
        uri = document.get("uri")
        descriptor = ResourceDescriptor(
            None if name is None else as_text(name, f"{where}/name"),
            None if uri is None else as_text(uri, f"{where}/uri"),
            DigestSet.from_json(document.get("digest", {}), f"{where}/digest"),
        )
        if not descriptor.name and not descriptor.uri and not descriptor.digests:
            raise Malformed("identifies nothing", pointer=where, expected="one of name, uri and digest")
        return descriptor


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
        """The statement of a JSON object. Raises `Malformed` for an unknown version, no subject or a subject without
        a digest."""
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
        predicate = document.get("predicate")
        return Statement(
            subjects=descriptors,
            predicate_type=as_text(required(document, "predicateType", where), f"{where}/predicateType"),
            predicate={} if predicate is None else as_object(predicate, f"{where}/predicate"),
            type=kind,
            extra=unknown(document, _KNOWN),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this statement."""
        return {
            "_type": self.type,
            "subject": [_descriptor(subject) for subject in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
            **self.extra,
        }


def _descriptor(subject: ResourceDescriptor) -> dict[str, object]:
    fields: dict[str, object] = {"name": subject.name, "uri": subject.uri, "digest": subject.digests.to_json()}
    return {name: value for name, value in fields.items() if value}
