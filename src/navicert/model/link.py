"""The link: what one step consumed, ran and produced.

Spec: in-toto v1.0 §4.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from navicert.digest import DigestSet
from navicert.errors import LimitExceeded
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object, as_text, as_texts, required, unknown
from navicert.strictjson import pointer

_KNOWN: Final = frozenset({"_type", "name", "command", "materials", "products", "byproducts", "environment"})

Artifacts = Mapping[str, DigestSet]
"""Artifact path → digests."""


@dataclass(frozen=True, slots=True)
class Link:
    """The record of one step. `byproducts` and `environment` are JSON objects as received; `extra` holds the fields
    that this version does not know."""

    name: str
    command: tuple[str, ...] = ()
    materials: Artifacts = field(default_factory=dict)
    products: Artifacts = field(default_factory=dict)
    byproducts: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Link:
        """The link of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
        document = as_object(value, where)
        return Link(
            name=as_text(required(document, "name", where), f"{where}/name"),
            command=as_texts(document.get("command", []), f"{where}/command"),
            materials=_artifacts(document.get("materials", {}), f"{where}/materials", limits),
            products=_artifacts(document.get("products", {}), f"{where}/products", limits),
            byproducts=as_object(document.get("byproducts", {}), f"{where}/byproducts"),
            environment=as_object(document.get("environment", {}), f"{where}/environment"),
            extra=unknown(document, _KNOWN),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this link, every field present."""
        return {
            "_type": "link",
            "name": self.name,
            "command": list(self.command),
            "materials": {path: digests.to_json() for path, digests in self.materials.items()},
            "products": {path: digests.to_json() for path, digests in self.products.items()},
            "byproducts": dict(self.byproducts),
            "environment": dict(self.environment),
            **self.extra,
        }


def _artifacts(value: object, where: str, limits: Limits) -> Artifacts:
    entries = as_object(value, where)
    if len(entries) > limits.artifacts:
        raise LimitExceeded(
            "too many artifacts (limit artifacts)",
            pointer=where,
            expected=f"at most {limits.artifacts}",
            got=str(len(entries)),
        )
    read = DigestSet.from_json
    return {path: read(digests, pointer(where, path)) for path, digests in entries.items()}


def complete_link(document: Mapping[str, object]) -> dict[str, object]:
    """`document` with upstream's defaults for the fields that it lacks; no field is changed or dropped."""
    defaults: dict[str, object] = {
        "_type": "link",
        "name": None,
        "command": [],
        "materials": {},
        "products": {},
        "byproducts": {},
        "environment": {},
    }
    return defaults | dict(document)
