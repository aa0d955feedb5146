"""Steps and inspections seen alike: a name, a command, and two lists of rules, with the words to point at them."""

from __future__ import annotations

from navicert.authoring.pattern import Glob
from navicert.authoring.sentence import rule_text
from navicert.dataclass import dataclass
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.requirement import Requirement, Role
from navicert.model.rule import Rule, RuleKind, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BRACES = frozenset("{}")


@dataclass(frozen=True, slots=True)
class Item:
    """One step or inspection; `order` counts through steps, then inspections."""

    body: Step | Inspection
    pointer: str
    order: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.body.name

    @property
    def is_step(self) -> bool:
        """Whether it is a step."""
        return isinstance(self.body, Step)

    @property
    def requirement(self) -> Requirement | None:
        """What is demanded of the predicate that it rests on; None where it rests on a link."""
        return self.body.predicate if isinstance(self.body, Step) else None

    @property
    def is_tied(self) -> bool:
        """Whether it is a predicate that has to be about certain artifacts, whatever its rules."""
        return self.requirement is not None and (bool(self.requirement.subjects) or "/" in self.name)

    @property
    def sides(self) -> tuple[Side, ...]:
        """The lists that its evidence has: an informing predicate has no products."""
        requirement = self.requirement
        return (Side.MATERIALS,) if requirement is not None and requirement.role is Role.INFORM else tuple(Side)

    @property
    def place(self) -> str:
        """It in words."""
        return f'{"step" if self.is_step else "inspection"} "{self.name}"'

    @property
    def command(self) -> tuple[str, ...]:
        """What is run."""
        return self.body.expected_command if isinstance(self.body, Step) else self.body.run

    @property
    def command_pointer(self) -> str:
        """Where its command stands."""
        return f"{self.pointer}/{'expected_command' if self.is_step else 'run'}"

    def rules(self, side: Side) -> tuple[Rule, ...]:
        """The rules for one side."""
        return self.body.expected_materials if side is Side.MATERIALS else self.body.expected_products

    def rule_place(self, side: Side, index: int) -> str:
        """The rule number `index` (from 0) in words."""
        return f"{self.place}, {side.value} rule {index + 1} ({shown(self.rules(side)[index])})"

    def rule_pointer(self, side: Side, index: int) -> str:
        """The JSON pointer of the rule number `index` (from 0)."""
        return f"{self.pointer}/expected_{side.value}/{index}"


def items(layout: Layout) -> tuple[Item, ...]:
    """All steps, then all inspections."""
    steps = [Item(step, f"/steps/{i}", i) for i, step in enumerate(layout.steps)]
    after = len(steps)
    return (*steps, *(Item(body, f"/inspect/{i}", after + i) for i, body in enumerate(layout.inspections)))


def all_rules(item: Item) -> Iterator[tuple[Side, int, Rule]]:
    """Every rule of `item` with its side and number."""
    for side in Side:
        for index, rule in enumerate(item.rules(side)):
            yield side, index, rule


def shown(rule: Rule) -> str:
    """`rule` on one line of bounded length."""
    text = rule_text(rule)
    return text if len(text) <= 90 else f"{text[:60]} … {text[-26:]}"


def folder(prefix: str | None) -> str:
    """What a prefix stands for: its text with one slash behind it. Spec: in-toto v1.0 §4.3.3 (`IN`)."""
    if not prefix:
        return ""
    prefix = prefix.replace("\\", "/")
    return prefix if prefix.endswith("/") else f"{prefix}/"


def source_glob(rule: Rule, *, open_braces: bool = False) -> Glob:
    """The paths of the item's own list that `rule` may take."""
    return Glob.of(rule.pattern, folder(rule.source_prefix), open_braces=open_braces)


def has_braces(rule: Rule) -> bool:
    """Whether parameters may change what `rule` says."""
    return any(_BRACES & set(text) for text in (rule.pattern, rule.source_prefix or "", rule.dest_prefix or ""))


def never_applies(rule: Rule, side: Side) -> bool:
    """Whether nothing can be what `rule` is for: what was created is no material, what was deleted no product."""
    return rule.kind is (RuleKind.CREATE if side is Side.MATERIALS else RuleKind.DELETE)


def closing(item: Item, side: Side) -> Rule | None:
    """The rule that no artifact gets past: the first `DISALLOW *` or `ALLOW *`; None where the list has neither."""
    return next(
        (
            rule
            for rule in item.rules(side)
            if rule.kind in (RuleKind.DISALLOW, RuleKind.ALLOW) and source_glob(rule).universal
        ),
        None,
    )


def is_closed(item: Item, side: Side) -> bool:
    """Whether every artifact that no rule takes is forbidden."""
    rule = closing(item, side)
    return rule is not None and rule.kind is RuleKind.DISALLOW
