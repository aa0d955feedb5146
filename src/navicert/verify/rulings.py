"""What the artifact rules of a step or inspection come to, as checks.

Spec: in-toto v1.0 §5.3.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.model.layout import Inspection, Step
from navicert.model.rule import SIDES, Rule, RuleKind, Side
from navicert.verdict import Check, all_of, failed, passed, skipped, warned
from navicert.verify.explain import Chapter, Story
from navicert.verify.pattern import Pattern
from navicert.verify.profile import Profile
from navicert.verify.rules import Application, Record, apply_rules, match_paths, sources
from navicert.verify.selection import Choice
from navicert.verify.setting import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Final

SPEC = "§5.3"

# Asked for each rule.
_IDS: Final = {kind: f"rule.{kind.value.lower()}" for kind in RuleKind}
_NAMES: Final = {side: side.value for side in SIDES}


def rules_of(item: Step | Inspection, side: Side) -> tuple[Rule, ...]:
    """The rules of `item` on one side."""
    return item.expected_materials if side is Side.MATERIALS else item.expected_products


@dataclass(frozen=True, slots=True)
class Rulings:
    """Applies rules within one layout, each combination of records once. `found` is what its inspections found."""

    setting: Setting
    found: Mapping[str, Record]
    _named: dict[tuple[str, Side], frozenset[str]] = field(default_factory=dict)
    """The steps that the rules of an item match against."""
    _place: tuple[object, ...] = field(init=False, repr=False, compare=False)
    """Where the layout stands: its lineage and path."""
    _strong: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = self.setting.place
        object.__setattr__(self, "_place", (place.lineage, place.path))
        object.__setattr__(self, "_strong", self.setting.strong)

    def apply(self, item: Step | Inspection, side: Side, record: Record, choice: Choice) -> tuple[Application, ...]:
        """What the rules of `item` do to `record`, where the steps are those of `choice`."""
        rules = rules_of(item, side)
        named = self._named.get((item.name, side))
        if named is None:
            named = self._named[item.name, side] = sources(rules)
        records: dict[str, Record] = {}
        identity: tuple[object, ...] = ()
        if named:
            records = {name: choice[name].record for name in named if name in choice}
            if isinstance(item, Inspection):
                # Inspections see one another, and what they find themselves.
                records |= {name: record for name, record in self.found.items() if name in named}
            identity = tuple([(name, id(r.materials), id(r.products)) for name, r in sorted(records.items())])
        key = (self._place, item.name, side, id(record.materials), id(record.products), identity)
        memo = self.setting.memo
        known = memo.applications.get(key)
        if known is None:
            applied = apply_rules(rules, side, record, records.get, strong=self._strong, patterns=memo.patterns)
            known = memo.applications[key] = (applied, (record, *records.values()))
        return known[0]

    def hold(self, item: Step | Inspection, record: Record, choice: Choice) -> bool:
        """Whether all rules of `item` hold."""
        return not any(
            self._fails(application) for side in SIDES for application in self.apply(item, side, record, choice)
        )

    def _fails(self, application: Application) -> bool:
        profile = self.setting.case.profile
        if application.offending or (application.mismatches and profile.match_must_hold):
            return True
        return self.setting.case.strict and profile.warns_of_loose_rules and is_idle(application)


def is_idle(application: Application) -> bool:
    """Whether this is a MATCH that matched nothing at all."""
    return application.rule.kind is RuleKind.MATCH and not application.consumed and not application.mismatches


@dataclass(slots=True)
class Judge:
    """Turns applications into checks, in the order of the layout: a change that was reported once is not reported as
    new by the steps that inherit it."""

    rulings: Rulings
    choice: Choice
    chapters: tuple[Chapter, ...]
    missing: frozenset[str]
    """The steps that have not enough evidence to be matched against."""
    _reported: dict[tuple[object, ...], str] = field(default_factory=dict)

    @property
    def _setting(self) -> Setting:
        return self.rulings.setting

    def judge(self, item: Step | Inspection, record: Record) -> list[Check]:
        """A check for each side of `item` that has rules."""
        return [self._side(item, side, record) for side in SIDES if rules_of(item, side)]

    def _side(self, item: Step | Inspection, side: Side, record: Record) -> Check:
        rules, setting, missing = rules_of(item, side), self.rulings.setting, self.missing
        warns = setting.case.profile.warns_of_loose_rules
        check_id = f"{'step' if isinstance(item, Step) else 'inspection'}.{_NAMES[side]}"
        changed: dict[str, str] = {}
        checks: list[Check] = []
        applications = self.rulings.apply(item, side, record, self.choice)
        leaves = setting.memo.leaves
        for application in applications:
            rule, consumed = application.rule, application.consumed
            holds = not (application.mismatches or application.offending)
            if holds and (consumed or rule.kind is not RuleKind.MATCH):
                # Most are: many steps have the same rules, and whatever holds is told in the same words.
                place = (id(rule), application.index, len(consumed))
                known = leaves.get(place)
                if known is None:
                    subject = f"{application.index + 1} {rule}"
                    known = leaves[place] = rule, passed(_IDS[rule.kind], subject, _count(consumed, "artifact"))
                checks.append(known[1])
                continue
            subject = f"{application.index + 1} {rule}"
            if application.mismatches:
                here = f"{setting.path_of(item)}/{check_id}[{item.name}]"
                check = self._mismatch(item, side, application, subject, here)
                if not check.outcome.passes:
                    # What only warns is nobody's cause: a verdict that fails must have one.
                    changed |= dict.fromkeys((m.path for m in application.mismatches), f"{here}/{check.name}")
            elif application.offending and rule.kind is RuleKind.REQUIRE:
                check = self._absence(application, subject, side, record)
            elif application.offending:
                check = self._leftover(application, subject, side, record, rules, changed)
            elif rule.step in missing:
                cause = setting.threshold_path(rule.step)
                check = skipped("rule.match", subject, "there is nothing to match against", cause=cause)
            elif warns and not consumed and is_idle(application):
                check = setting.loose("rule.match-nothing", "consumes no artifact", subject, spec=SPEC)
            else:
                check = passed(_IDS[rule.kind], subject, _count(consumed, "artifact"))
            checks.append(check)
        reason = f"{_count(rules, 'rule')} on {_count(record.side(side), 'artifact')}"
        return all_of(check_id, item.name, tuple(checks), reason, facts=self._course(applications, side, record))

    def _course(self, applications: Sequence[Application], side: Side, record: Record) -> Mapping[str, object]:
        """What UPSTREAM tells of rules that failed: the artifacts in the order of the link, and what each rule up to
        the first that fails consumed."""
        if self._setting.case.profile is not Profile.UPSTREAM or not any(one.offending for one in applications):
            return {}
        return {
            "side": side.value,
            "materials": list(record.materials),
            "products": list(record.products),
            "rules": [[" ".join(one.rule.spelling or one.rule.pack()), list(one.consumed)] for one in applications],
            "failed": next(index for index, one in enumerate(applications) if one.offending),
        }

    @property
    def _story(self) -> Story:
        return Story(self.chapters, self._setting.case.limits.report_items)

    def _mismatch(
        self, item: Step | Inspection, side: Side, application: Application, subject: str, here: str
    ) -> Check:
        """A MATCH that found its artifact with another digest, which nothing else consumed."""
        rule, found = application.rule, application.mismatches
        verb = "differs" if len(found) == 1 else "differ"
        source = rule.dest_type.value if rule.dest_type else ""
        reason = f'{_named([m.path for m in found])} {verb} from the {source} of step "{rule.step}"'
        facts = self._story.mismatches(found, rule, item.name, side)
        if not self._setting.case.profile.match_must_hold:
            return warned("rule.match-unsatisfied", subject, reason, facts=facts, spec=SPEC)
        changes = [(m.counterpart, m.actual, m.expected) for m in found]
        earlier = [self._reported.get(change) for change in changes]
        cause = earlier[0] if all(earlier) else None
        check = failed("rule.match-unsatisfied", subject, reason, facts=facts, spec=SPEC, cause=cause)
        for change in changes:
            self._reported.setdefault(change, f"{here}/{check.name}")
        return check

    def _absence(self, application: Application, subject: str, side: Side, record: Record) -> Check:
        """A REQUIRE that did not find its artifact in the queue."""
        path = application.offending[0]
        facts = self._story.leftovers(application, side, record.side(side), ())
        why = "an earlier rule consumed it: put REQUIRE first" if path in record.side(side) else "is not there"
        return failed("rule.require", subject, f'"{path}": {why}', facts=facts, spec=SPEC)

    def _leftover(
        self,
        application: Application,
        subject: str,
        side: Side,
        record: Record,
        rules: Sequence[Rule],
        changed: Mapping[str, str],
    ) -> Check:
        """A DISALLOW that found something left."""
        found = application.offending
        facts = self._story.leftovers(application, side, record.side(side), rules)
        before = rules[: application.index]
        causes = [changed.get(path) or self._unmatched(path, before) for path in found]
        reason = f"{_named(found)}: no rule allows {'it' if len(found) == 1 else 'them'}"
        cause = causes[0] if all(causes) else None
        return failed("rule.disallow", subject, reason, facts=facts, spec=SPEC, cause=cause)

    def _unmatched(self, path: str, rules: Sequence[Rule]) -> str | None:
        """The check of the step without evidence because of which no MATCH accepted `path`."""
        for rule in rules:
            if rule.step in self.missing:
                pattern = Pattern(rule.pattern)
                paths, _ = match_paths(rule, pattern, lambda wanted: [path] if wanted.matches(path) else [])
                if paths:
                    return self._setting.threshold_path(rule.step)
        return None


def _count(things: Collection[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(f'"{path}"' for path in paths[:3]) + more
