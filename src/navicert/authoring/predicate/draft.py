"""A predicate that was made, and what its maker should know about it."""

from __future__ import annotations

from navicert.authoring.predicate.about import About
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.predicate import Kind, kind_named, read_predicate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Draft:
    """A predicate with its type URI. `warnings` say what of the report is not in it, or what looks odd."""

    type: str
    predicate: Mapping[str, object]
    warnings: tuple[str, ...] = field(default=())
    about: About | None = None
    """What the report says that it is about; None where it is no report."""

    def checked(self) -> Draft:
        """This draft, if it has what its type asks for. Raises `Malformed` with a pointer into the predicate."""
        read_predicate(self.type, self.predicate, "")
        return self


def known_kind(name: str) -> Kind:
    """The kind with this short name, which is there."""
    kind = kind_named(name)
    if kind is None:
        raise Malformed("no such predicate type", got=name)
    return kind
