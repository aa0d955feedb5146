"""What a policy demands of attestations: which predicate, of which role, about which artifacts, saying what, how old.

Spec: in-toto ITE-10 and ITE-11 (drafts), whose two classes of predicates are the two roles here.
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.enumeration import Enum
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_list, as_name, as_object, as_text, required
from navicert.model.predicate import kind_of
from navicert.model.rule import Rule, RuleKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f]")

_TIMES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "provenance": (("runDetails", "metadata", "finishedOn"), ("metadata", "buildFinishedOn")),
    "vsa": (("timeVerified",), ("time_verified",)),
    "vulns": (("metadata", "scanFinishedOn"),),
    "vuln": (("metadata", "scanFinishedOn"),),
    "svr": (("timeCreated",),),
    "custom": (("Timestamp",),),
    "cyclonedx": (("metadata", "timestamp"),),
    "spdx": (("creationInfo", "created"),),
    "openvex": (("timestamp",),),
}
"""Kind of predicate → where, in one version or another, it says when what it reports was over."""

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
"""What `claimed` says of statements that nobody signed."""

AGE_LIMIT: Final = 100 * 366 * 24 * 3600
"""The longest age that a policy may allow, in seconds: beyond a century somebody mistook the unit."""


def times_of(predicate_type: str) -> tuple[tuple[str, ...], ...]:
    """Where predicates of this type say their time: names of fields, one path for each version; none where no place is
    known, and the policy has to say it."""
    kind = kind_of(predicate_type)
    return () if kind is None else _TIMES.get(kind.name, ())


class Role(Enum):
    """How a predicate stands to its subject."""

    TRANSFORM = "transform"
    """Its subjects are products: provenance."""
    INFORM = "inform"
    """Its subjects are what it looked at, so they count as materials, and it has no products: a test result, a scan."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One rule about the content of a statement: an expression of CEL that must be true. `optional`: it holds as well
    where it asks for a claim that the statement does not make."""

    rule: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """What is demanded of a predicate, apart from who signs it and the artifact rules, which belong to its step.

    `subjects` are MATCH rules read from the other end: every artifact there that the pattern names, and at least one,
    is among the subjects by its digest, whatever it is called. `max_age` is in seconds; `time` is an expression of CEL
    for the moment that it counts from, empty where the predicate type says it. `claimed`: statements that nobody signed
    are meant, as far as the image index that they stand in is pinned by other evidence; signed ones are not.
    """

    name: str
    types: tuple[str, ...]
    role: Role
    subjects: tuple[Rule, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    max_age: int | None = None
    time: str = ""
    claimed: bool = False

    @staticmethod
    def from_json(document: Mapping[str, object], where: str, limits: Limits = LOCAL) -> Requirement:
        """The requirement of a JSON object, its other fields left alone. Raises `Malformed`."""
        role = as_text(required(document, "role", where), f"{where}/role")
        if role not in {one.value for one in Role}:
            raise Malformed(
                "no such role", pointer=f"{where}/role", expected="transform or inform", got=repr(role)[:60]
            )
        max_age = document.get("max_age")
        made = Requirement(
            name=as_name(required(document, "name", where), f"{where}/name"),
            types=_types(required(document, "types", where), f"{where}/types"),
            role=Role(role),
            subjects=_subjects(document.get("subjects", []), f"{where}/subjects", limits),
            attributes=read_attributes(document.get("attributes", []), f"{where}/attributes", limits),
            max_age=None if max_age is None else _age(max_age, f"{where}/max_age"),
            time=_expression(document.get("time", ""), f"{where}/time", limits),
            claimed=_claimed(document.get("claimed", REFUSED), f"{where}/claimed"),
        )
        made.check(where)
        return made

    def accepts(self, predicate_type: str) -> bool:
        """Whether predicates of this type are meant. Where a type may have any version behind it (SPDX, CycloneDX,
        OpenVEX), the type without a version means all."""
        if predicate_type in self.types:
            return True
        kind = kind_of(predicate_type)
        return kind is not None and kind.versioned and min(kind.types, key=len) in self.types

    def check(self, where: str) -> None:
        """Raise `Malformed` where it demands what could not be judged."""
        if self.time and self.max_age is None:
            raise Malformed("a time without an age", pointer=f"{where}/time", remedy="say max_age, or leave it out")
        if self.max_age is not None and not self.time:
            unknown = [one for one in self.types if not times_of(one)]
            if unknown:
                raise Malformed(
                    "no telling how old such a statement is",
                    pointer=f"{where}/max_age",
                    got=unknown[0],
                    remedy='say where its time stands, such as time: "predicate.finishedOn"',
                )

    def to_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        document: dict[str, object] = {"name": self.name, "types": list(self.types), "role": self.role.value}
        document["subjects"] = [rule.pack() for rule in self.subjects]
        document["attributes"] = attributes_json(self.attributes)
        if self.max_age is not None:
            document["max_age"] = self.max_age
        if self.time:
            document["time"] = self.time
        if self.claimed:
            document["claimed"] = ACCEPTED
        return document


def attributes_json(attributes: tuple[Attribute, ...]) -> list[object]:
    """What `read_attributes` reads."""
    return [{"rule": one.rule, "if_absent": "pass"} if one.optional else {"rule": one.rule} for one in attributes]


def _types(value: object, where: str) -> tuple[str, ...]:
    types = tuple(as_text(item, f"{where}/{i}") for i, item in enumerate(as_list(value, where, most=64)))
    if not types:
        raise Malformed("no predicate type", pointer=where, expected="at least one URI")
    for i, one in enumerate(types):
        if not one or _BLANK.search(one):
            raise Malformed("not a predicate type", pointer=f"{where}/{i}", expected="a URI", got=repr(one)[:80])
        kind = kind_of(one)
        if kind is not None and kind.name == "link":
            raise Malformed(
                "a link is no predicate of a step but its record",
                pointer=f"{where}/{i}",
                got=one,
                remedy="name who performs the step instead: then a link is demanded, in whatever envelope",
            )
    if len(set(types)) < len(types):
        raise Malformed("predicate type named twice", pointer=where)
    return types


def _subjects(value: object, where: str, limits: Limits) -> tuple[Rule, ...]:
    rules = tuple(Rule.parse(item, f"{where}/{i}") for i, item in enumerate(as_list(value, where, most=limits.rules)))
    for i, rule in enumerate(rules):
        check_subject_rule(rule, f"{where}/{i}")
    return rules


def check_subject_rule(rule: Rule, where: str) -> None:
    """Raise `Malformed` where `rule` cannot say what a statement has to be about."""
    if rule.kind is not RuleKind.MATCH or rule.source_prefix is not None:
        raise Malformed(
            "a rule about subjects is a MATCH without a prefix of its own",
            pointer=where,
            expected="MATCH pattern WITH (MATERIALS|PRODUCTS) [IN prefix] FROM step",
            got=str(rule)[:120],
            remedy="subjects are found by their digests, so what they are called does not matter",
        )


def read_attributes(value: object, where: str, limits: Limits) -> tuple[Attribute, ...]:
    """The attribute rules of a JSON array. Raises `Malformed`."""
    attributes = []
    for i, item in enumerate(as_list(value, where, most=limits.attributes)):
        place = f"{where}/{i}"
        document = as_object(item, place)
        odd = sorted(document.keys() - {"rule", "if_absent"})
        if odd:
            raise Malformed("unknown field", pointer=place, expected="rule and if_absent", got=repr(odd[0])[:60])
        absent = as_text(document.get("if_absent", "fail"), f"{place}/if_absent")
        if absent not in ("pass", "fail"):
            raise Malformed(
                "not an answer", pointer=f"{place}/if_absent", expected="pass or fail", got=repr(absent)[:60]
            )
        rule = _expression(required(document, "rule", place), f"{place}/rule", limits)
        if not rule.strip():
            raise Malformed("an empty rule", pointer=f"{place}/rule", expected="an expression of CEL")
        attributes.append(Attribute(rule, absent == "pass"))
    return tuple(attributes)


def _expression(value: object, where: str, limits: Limits) -> str:
    text = as_text(value, where)
    if len(text.encode("utf-8", "surrogatepass")) > limits.cel_bytes:
        raise Malformed(
            "expression too long (limit cel_bytes)", pointer=where, expected=f"at most {limits.cel_bytes} bytes"
        )
    return text


def _claimed(value: object, where: str) -> bool:
    text = as_text(value, where)
    if text not in (ACCEPTED, REFUSED):
        raise Malformed("not an answer", pointer=where, expected=f"{ACCEPTED} or {REFUSED}", got=repr(text)[:60])
    return text == ACCEPTED


def _age(value: object, where: str) -> int:
    seconds = as_integer(value, where)
    if not 1 <= seconds <= AGE_LIMIT:
        raise Malformed("not an age", pointer=where, expected=f"1 to {AGE_LIMIT} seconds", got=str(seconds))
    return seconds
