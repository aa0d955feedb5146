"""One step on a trail: what is known of it, what was asked for it, and which documents were met."""

from __future__ import annotations

from navicert.dataclass import dataclass, field, replace
from navicert.model.rule import Side
from navicert.store.document import Document
from navicert.store.hint import Hint
from navicert.store.trait import Trait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

    from navicert.model.requirement import Requirement

_TRAITS: Final = {Side.MATERIALS: Trait.MATERIAL, Side.PRODUCTS: Trait.PRODUCT}


Place = tuple[str, Side]
Number = tuple[int, int]
"""The place of a store among all, and the number of a document in it."""


@dataclass(slots=True)
class Lead:
    """One document that the trail has met."""

    document: Document
    hint: Hint | None = None
    """What it says, once it has verified."""
    followed: bool = False


@dataclass(slots=True)
class Stage:
    """What is known of one step."""

    name: str
    threshold: int = 1
    neighbours: dict[Side, set[Place]] = field(default_factory=lambda: {side: set() for side in Side})
    values: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})
    """The digests in its documents that were followed."""
    asked: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})
    common: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})
    """Digests that too many of its documents have for each to be looked at."""
    answered: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})
    """Digests that some of its documents have."""
    runs: set[str] = field(default_factory=set)
    met: dict[Number, list[Lead]] = field(default_factory=dict)
    counted: bool = False
    complete: bool = False
    """All there is of it has been met."""
    followed: bool = False
    """Some document of it was."""
    unbound: bool = False
    """Nothing ties it to what is known: its newest documents were taken."""
    predicate: Requirement | None = None
    """What it rests on, where that is no link: statements, which do not say for which step they are."""

    def traits(self) -> Iterator[tuple[Side, Trait]]:
        """By what its documents are looked up for a digest on one side."""
        if self.predicate is None:
            yield from _TRAITS.items()
        elif self.predicate.role.value == "inform":
            yield Side.MATERIALS, Trait.PRODUCT  # its subjects, which an index keeps as products
        else:
            yield from _TRAITS.items()

    @property
    def label(self) -> str:
        """The step that an index has its documents under."""
        return self.name if self.predicate is None else ""

    def seen(self, hint: Hint) -> Hint | None:
        """What a document says, as evidence for this step; None where it is none."""
        if self.predicate is None:
            return hint if self.name in hint.names else None
        if hint.names or not any(self.predicate.accepts(type) for type in hint.types):
            return None
        if self.predicate.role.value == "inform":
            return replace(hint, materials=hint.products, products=frozenset())
        return hint


def verified(stage: Stage) -> list[tuple[Lead, Hint]]:
    """The documents of a step that have verified and are for it, with what they say."""
    met = (lead for leads in stage.met.values() for lead in leads)
    seen = [(lead, stage.seen(lead.hint)) for lead in met if lead.hint is not None]
    return [(lead, hint) for lead, hint in seen if hint is not None]


def coverage(hint: Hint, wanted: Mapping[Side, set[str]]) -> int:
    """How many of the digests that are looked for `hint` has."""
    return len(hint.materials & wanted[Side.MATERIALS]) + len(hint.products & wanted[Side.PRODUCTS])
