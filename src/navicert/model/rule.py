"""Artifact rules: what a step may consume and produce.

Spec: in-toto v1.0 §4.3.3 (grammar).
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.enumeration import Enum
from navicert.errors import Malformed
from navicert.model.field import as_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class RuleKind(Enum):
    """The keyword that a rule begins with."""

    MATCH = "MATCH"
    CREATE = "CREATE"
    DELETE = "DELETE"
    MODIFY = "MODIFY"
    ALLOW = "ALLOW"
    DISALLOW = "DISALLOW"
    REQUIRE = "REQUIRE"


class Side(Enum):
    """Which of the two lists of a link is meant."""

    MATERIALS = "materials"
    PRODUCTS = "products"


SIDES: Final = tuple(Side)
"""Both, in their order."""

_KINDS: Final = {kind.value: kind for kind in RuleKind}
_WORDS: Final = {kind: word for word, kind in _KINDS.items()}
_SIDES: Final = {side.value.upper(): side for side in Side}
_GRAMMAR: Final = "MATCH pattern [IN prefix] WITH (MATERIALS|PRODUCTS) [IN prefix] FROM step"


@dataclass(frozen=True, slots=True)
class Rule:
    """One artifact rule. All fields after `pattern` belong to MATCH only; a prefix is None where `IN` is absent."""

    kind: RuleKind
    pattern: str
    source_prefix: str | None = None
    dest_prefix: str | None = None
    dest_type: Side | None = None
    step: str | None = None
    spelling: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The words as they were written, keywords in whatever case; empty for a rule that was not parsed."""

    @staticmethod
    def parse(value: object, where: str = "") -> Rule:
        """The rule that a JSON array of strings spells. Keywords in any case; everything else as it is.

        Raises `Malformed` for every other number of words and every other word in a keyword's place.
        """
        words = as_texts(value, where)
        kind = _KINDS.get(words[0]) or _KINDS.get(words[0].upper()) if words else None
        if kind is None:
            got = repr([*words[:1]])[:60]
            raise Malformed("not an artifact rule", pointer=where, expected=", ".join(_KINDS), got=got)
        if kind is not RuleKind.MATCH:
            if len(words) != 2:
                raise Malformed(
                    f"{kind.value} rule has {len(words)} words", pointer=where, expected=f"{kind.value} pattern"
                )
            return Rule(kind, words[1], spelling=words)
        return _match(words, where)

    def pack(self) -> list[str]:
        """The JSON array of this rule, keywords in upper case."""
        words = [_WORDS[self.kind], self.pattern]
        if self.dest_type is not None and self.step is not None:
            if self.source_prefix is not None:
                words += ["IN", self.source_prefix]
            words += ["WITH", self.dest_type.value.upper()]
            if self.dest_prefix is not None:
                words += ["IN", self.dest_prefix]
            words += ["FROM", self.step]
        return words

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} {self.pattern}" if self.dest_type is None else " ".join(self.pack())


def _match(words: tuple[str, ...], where: str) -> Rule:
    def wrong() -> Malformed:
        return Malformed("not a MATCH rule", pointer=where, expected=_GRAMMAR, got=" ".join(words)[:120])

    rest = words[2:]
    if len(words) not in (6, 8, 10):
        raise wrong()
    source_prefix = dest_prefix = None
    if rest[0].upper() == "IN":
        source_prefix, rest = rest[1], rest[2:]
    if len(rest) < 4 or rest[0].upper() != "WITH" or rest[1].upper() not in _SIDES:
        raise wrong()
    side, rest = _SIDES[rest[1].upper()], rest[2:]
    if rest[0].upper() == "IN" and len(rest) == 4:
        dest_prefix, rest = rest[1], rest[2:]
    if len(rest) != 2 or rest[0].upper() != "FROM":
        raise wrong()
    return Rule(RuleKind.MATCH, words[1], source_prefix, dest_prefix, side, rest[1], words)
