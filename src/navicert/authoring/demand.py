"""Predicates that a step requires, as their author writes them: short names for types, persons by name, ages in words.

The format is described in docs/reference/policy-document.md.
"""

from __future__ import annotations

import re
from typing import Final, Protocol, TypeVar

from navicert.authoring.node import Spot, Word
from navicert.authoring.sentence import parse_rule
from navicert.dataclass import dataclass
from navicert.limits import Limits
from navicert.model.predicate import kind_named, types
from navicert.model.predicate.provenance import is_provenance
from navicert.model.requirement import (
    ACCEPTED,
    AGE_LIMIT,
    REFUSED,
    Attribute,
    Requirement,
    Role,
    check_subject_rule,
)
from navicert.model.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

FIELDS: Final = {
    "name": "name",
    "type": "type",
    "types": "type",
    "by": "by",
    "functionaries": "by",
    "certificates": "certificates",
    "threshold": "threshold",
    "role": "role",
    "subjects": "subjects",
    "materials": "materials",
    "expected_materials": "materials",
    "products": "products",
    "expected_products": "products",
    "attributes": "attributes",
    "max age": "max_age",
    "max_age": "max_age",
    "time": "time",
    "claimed": "claimed",
}
_ATTRIBUTE: Final = {"rule": "rule", "if absent": "if_absent", "if_absent": "if_absent"}
_AGE: Final = re.compile(r"([0-9]{1,6}) *(second|minute|hour|day|week)s?")
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Placed(Protocol):
    """Gives what `read` gives; a refusal by it names the file, the line and the pointer of `spot`."""

    def __call__(self, spot: Spot, read: Callable[[], T]) -> T:
        """What `read` gives."""


@dataclass(frozen=True, slots=True)
class PredicateReader:
    """Reads what belongs to the predicate alone. `placed` lets a refusal name file, line and pointer."""

    placed: Placed
    limits: Limits

    def requirement(self, spot: Spot, found: Mapping[str, Spot]) -> Requirement:
        """The requirement that the fields `found` of `spot` write. Raises `Malformed`."""
        if "type" not in found or found["type"].missing:
            raise spot.wrong("a predicate without a type", remedy=f"write one of {', '.join(types())}, or its URI")
        words = self._words(found["type"], "the type of a predicate, or a list of them")
        accepted = tuple(dict.fromkeys(type for word in words for type in self._types(word, found["type"])))
        made = Requirement(
            name=self._name(found.get("name"), words, spot),
            types=accepted,
            role=self._role(found.get("role"), accepted),
            subjects=self._subjects(found.get("subjects")),
            attributes=self.attributes(found.get("attributes")),
            max_age=self._age(found.get("max_age")),
            time="" if "time" not in found else found["time"].text("an expression of CEL"),
            claimed=self._claimed(found.get("claimed")),
        )

        def read_back() -> Requirement:
            # By the reader of the document itself, so that nothing is signed that it would refuse.
            made.check(spot.where)
            return Requirement.from_json(made.to_json(), spot.where, self.limits)

        return self.placed(spot, read_back)

    def _types(self, word: str, spot: Spot) -> tuple[str, ...]:
        kind = kind_named(word)
        if kind is not None:
            return kind.types
        if ":" in word or "/" in word:
            return (word,)
        import difflib

        near = difflib.get_close_matches(word, types(), n=1, cutoff=0.6)
        remedy = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(types())}, or a URI"
        raise spot.wrong(f'no predicate type "{word[:60]}"', remedy=remedy)

    def _name(self, spot: Spot | None, words: tuple[str, ...], whole: Spot) -> str:
        if spot is not None and not spot.missing:
            return spot.text("a name")
        if not _PLAIN.fullmatch(words[0]):
            raise whole.wrong("a predicate without a name", remedy='write "name: …", such as "name: tests"')
        return words[0]

    def _role(self, spot: Spot | None, accepted: tuple[str, ...]) -> Role:
        if spot is None or spot.missing:
            return Role.TRANSFORM if all(is_provenance(type) for type in accepted) else Role.INFORM
        text = spot.text("transform or inform")
        if text not in {role.value for role in Role}:
            raise spot.wrong("no such role", expected="transform or inform", got=repr(text[:40]))
        return Role(text)

    def _subjects(self, spot: Spot | None) -> tuple[Rule, ...]:
        if spot is None or spot.missing:
            return ()
        single = isinstance(spot.node, Word)
        return tuple(self._subject(one) for one in ((spot,) if single else spot.items("a list of MATCH rules")))

    def _subject(self, spot: Spot) -> Rule:
        def read() -> Rule:
            if isinstance(spot.node, Word):
                rule = parse_rule(spot.text("a MATCH rule"), spot.where)
            else:
                rule = Rule.parse([item.text("a word of the rule") for item in spot.items("a rule")], spot.where)
            check_subject_rule(rule, spot.where)
            return rule

        return self.placed(spot, read)

    def attributes(self, spot: Spot | None) -> tuple[Attribute, ...]:
        """The attribute rules that `spot` writes; none where there is nothing."""
        if spot is None or spot.missing:
            return ()
        single = isinstance(spot.node, Word)
        return tuple(self._attribute(one) for one in ((spot,) if single else spot.items("a list of expressions")))

    def _attribute(self, spot: Spot) -> Attribute:
        if isinstance(spot.node, Word):
            return Attribute(spot.text("an expression of CEL"))
        found = spot.known(_ATTRIBUTE, "an attribute rule")
        if "rule" not in found:
            raise spot.wrong("an attribute rule without its rule", remedy='write "rule: …"')
        absent = found.get("if_absent")
        answer = "fail" if absent is None or absent.missing else absent.text("pass or fail")
        if answer not in ("pass", "fail"):
            raise spot.wrong("not an answer", expected="pass or fail", got=repr(answer[:40]))
        return Attribute(found["rule"].text("an expression of CEL"), answer == "pass")

    def _claimed(self, spot: Spot | None) -> bool:
        if spot is None or spot.missing:
            return False
        text = spot.text(f"{ACCEPTED} or {REFUSED}")
        if text not in (ACCEPTED, REFUSED):
            raise spot.wrong("not an answer", expected=f"{ACCEPTED} or {REFUSED}", got=repr(text[:40]))
        return text == ACCEPTED

    def _age(self, spot: Spot | None) -> int | None:
        if spot is None or spot.missing:
            return None
        text = spot.text("an age, such as 7 days").strip().lower()
        match = _AGE.fullmatch(text)
        seconds = int(match[1]) * _UNITS[match[2]] if match else 0
        if not 1 <= seconds <= AGE_LIMIT:
            raise spot.wrong("not an age", expected='"90 minutes", "7 days" or "2 weeks"', got=repr(text[:40]))
        return seconds

    def _words(self, spot: Spot, expected: str) -> tuple[str, ...]:
        single = isinstance(spot.node, Word)
        words = tuple(one.text(expected) for one in ((spot,) if single else spot.items(expected)))
        if not words or not all(words):
            raise spot.wrong("an empty word", expected=expected)
        return words


def is_signed(spot: Spot, found: Mapping[str, Spot], requirement: Requirement) -> bool:
    """Whether the predicate at `spot` names functionaries who sign it, perhaps beside holders of certificates; a claim
    names neither. Raises `Malformed` where that and a signer, or nothing, is written."""
    named = [who for who in ("by", "certificates") if who in found and not found[who].missing]
    if requirement.claimed and (named or "threshold" in found):
        raise spot.wrong(
            "signers of a claim, which nobody signs", remedy="leave out by, certificates and threshold, or claimed"
        )
    if not named and not requirement.claimed:
        raise spot.wrong("nobody may sign this predicate", remedy='name functionaries, such as "by: alice"')
    return "by" in named


def record_named(spot: Spot, found: Mapping[str, Spot], name: str, predicates: Sequence[str]) -> str | None:
    """Which of its `predicates` the step at `spot`, called `name`, rests on; None where somebody performs it. Raises
    `Malformed` where that is not said."""
    performed = any(who in found and not found[who].missing for who in ("by", "certificates"))
    record = found.get("record")
    if record is not None and not record.missing:
        wanted = record.text("the name of a predicate")
        if performed:
            raise record.wrong("a step that is performed has a link for its record", remedy="leave one of them out")
        if wanted not in predicates:
            raise record.wrong(f'no predicate "{wanted[:60]}"', expected=", ".join(predicates) or "predicates")
        return wanted
    if performed:
        return None
    if not predicates:
        raise spot.wrong(f'nobody performs step "{name}"', remedy='name functionaries, such as "by: alice"')
    if len(predicates) > 1:
        raise spot.wrong(
            f'which predicate step "{name}" rests on is not said', remedy='write "record: …" with its name'
        )
    return predicates[0]
