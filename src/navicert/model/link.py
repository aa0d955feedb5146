"""The link: what one step consumed, ran and produced.

Spec: in-toto v1.0 §4.4.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.digest import DigestSet
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts
from navicert.model.field import as_object, as_text, as_texts, required, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from navicert.model.passage import Pool

_KNOWN: Final = frozenset({"_type", "name", "command", "materials", "products", "byproducts", "environment"})


@dataclass(frozen=True, slots=True)
class Link:
    """The record of one step. `byproducts` and `environment` are JSON objects as received; `extra` holds the fields
    that this version does not know."""

    name: str
    command: tuple[str, ...] = ()
    materials: Mapping[str, DigestSet] = field(default_factory=dict)
    products: Mapping[str, DigestSet] = field(default_factory=dict)
    byproducts: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "materials", Artifacts.of(self.materials))
        object.__setattr__(self, "products", Artifacts.of(self.products))

    def share(self, pool: Pool) -> None:
        """Let the lists be those of `pool` that equal them: this changes nothing that can be told."""
        for name in ("materials", "products"):
            object.__setattr__(self, name, pool.share(Artifacts.of(getattr(self, name))))

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Link:
        """The link of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
        document = as_object(value, where)
        return Link(
            name=as_text(required(document, "name", where), f"{where}/name"),
            command=as_texts(document.get("command", []), f"{where}/command"),
            materials=Artifacts.from_json(document.get("materials", {}), f"{where}/materials", limits),
            products=Artifacts.from_json(document.get("products", {}), f"{where}/products", limits),
            byproducts=as_object(document.get("byproducts", {}), f"{where}/byproducts"),
            environment=as_object(document.get("environment", {}), f"{where}/environment"),
            extra=unknown(document, _KNOWN),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this link, every field present."""
        lists = {name: Artifacts.of(getattr(self, name)).to_json() for name in ("materials", "products")}
        return self.described() | lists

    def described(self) -> dict[str, object]:
        """As `to_json`, with the lists as they are: for `model.section`, which writes them."""
        return {
            "_type": "link",
            "name": self.name,
            "command": list(self.command),
            "materials": self.materials,
            "products": self.products,
            "byproducts": dict(self.byproducts),
            "environment": dict(self.environment),
            **self.extra,
        }


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
