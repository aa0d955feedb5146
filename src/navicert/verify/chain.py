"""Judging one layout: evidence for each step, a choice that holds together, rules, then inspections.

Spec: in-toto v1.0 §5.2 (2 to 12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.rule import Side
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, failed, passed, warned
from navicert.verify.candidates import collect
from navicert.verify.case import Case, InspectionResult
from navicert.verify.explain import Chapter
from navicert.verify.inspections import judge_inspections, results_of
from navicert.verify.rules import Record, ends_closed, sources
from navicert.verify.rulings import Judge, Rulings, rules_of
from navicert.verify.selection import Choice, Constraint, Exhausted, Search
from navicert.verify.setting import Outcomes, Setting, may_pass
from navicert.verify.steps import judge_step, revoked_artifact
from navicert.verify.sublayouts import sublayouts_by
from navicert.verify.target import Products, is_bound
from navicert.verify.thresholds import Group

Domains = Mapping[str, Sequence[Group]]
"""For each step that has enough evidence, the groups to choose from."""


def judge_layout(setting: Setting) -> Outcomes:
    """The checks of one layout, everything judged that can be."""
    layout, place = setting.layout, setting.place
    candidates = collect(setting, sublayouts_by(judge_layout))
    domains = {name: found.eligible for name, found in candidates.items() if found.eligible}
    results = results_of(setting)
    rulings = Rulings(setting, {name: Record(r.materials, r.products) for name, r in results.items()})
    constraints = _constraints(rulings, domains, results)
    checks = [_expiry(setting), *_form(setting)]
    try:
        choice = _choose(setting, domains, constraints)
    except Exhausted:
        limit = setting.case.limits.selections
        reason = f"no consistent choice among contradictory links found within the limit selections ({limit})"
        checks.append(failed("chain.selection", "", reason))
        choice = {name: groups[0] for name, groups in domains.items()}
    chapters = tuple(
        Chapter(name, choice[name].who, choice[name].record)
        for name in (s.name for s in layout.steps)
        if name in choice
    )
    judge = Judge(rulings, choice, chapters, frozenset(candidates.keys() - choice.keys()))
    checks += [judge_step(setting, step, candidates[step.name], choice.get(step.name), judge) for step in layout.steps]
    blocker = next((f"{place.path}/{check.name}" for check in checks if not may_pass(check)), None)
    inspected = judge_inspections(setting, results, judge, blocker)
    checks += inspected.checks
    holds = all(may_pass(check) for check in checks)
    summaries = _summaries(setting, domains, constraints, choice) if holds else ()
    return Outcomes(tuple(checks), summaries, chapters, inspected.tied)


def target_step(case: Case, layout: Layout) -> str:
    """The step whose products bind the target: the one asked for, else the last."""
    return case.target_step or (layout.steps[-1].name if layout.steps else "")


# --- the layout itself ---------------------------------------------------------------------------------------------


def _expiry(setting: Setting) -> Check:
    expires, now = format_timestamp(setting.layout.expires), format_timestamp(setting.case.at)
    facts = {"expires": expires, "at": now}
    if setting.layout.expires <= setting.case.at:
        reason = f"expired on {expires}; judged for {now}"
        return failed("layout.expired", "", reason, spec="§5.2 (2)", facts=facts)
    return passed("layout.expired", "", f"valid until {expires}", spec="§5.2 (2)", facts=facts)


def _form(setting: Setting) -> list[Check]:
    """What the layout itself leaves open."""
    layout, profile = setting.layout, setting.case.profile
    checks: list[Check] = []
    if not layout.steps:
        say = failed if profile.refuses_empty_layout else warned
        checks.append(say("layout.empty", "", "the layout has no steps, so nothing is verified", spec="§4.3.1"))
    if not profile.warns_of_loose_rules:
        return checks
    items: list[Step | Inspection] = [*layout.steps, *layout.inspections]
    extra = sorted({*layout.extra, *(name for item in items for name in item.extra)})
    if extra:
        reason = f"fields that are not judged: {', '.join(extra[:5])}"
        checks.append(setting.loose("layout.unknown-field", reason, facts={"fields": extra[:100]}))
    open_ended = [
        f"{item.name} {side.value}"
        for item in items
        for side in Side
        if rules_of(item, side) and not ends_closed(rules_of(item, side))
    ]
    if open_ended:
        more = f" and {len(open_ended) - 5} more" if len(open_ended) > 5 else ""
        reason = f'no final "DISALLOW *", so what no rule names is allowed: {", ".join(open_ended[:5])}{more}'
        checks.append(setting.loose("layout.open-ended", reason, facts={"items": open_ended[:100]}))
    return checks


# --- choosing ------------------------------------------------------------------------------------------------------


def _constraints(rulings: Rulings, domains: Domains, results: Mapping[str, InspectionResult]) -> tuple[Constraint, ...]:
    """What a choice of groups must satisfy: the rules of every step, and of every inspection that was run."""
    layout = rulings.setting.layout
    constraints = [_step_constraint(rulings, step, domains) for step in layout.steps if step.name in domains]
    for inspection in layout.inspections:
        result = results.get(inspection.name)
        about = _about(inspection, domains)
        if result is not None and not result.problem and about:
            record = Record(result.materials, result.products)
            constraints.append(_inspection_constraint(rulings, inspection, record, about))
    return tuple(constraints)


def _step_constraint(rulings: Rulings, step: Step, domains: Domains) -> Constraint:
    def holds(choice: Choice) -> bool:
        record = choice[step.name].record
        return revoked_artifact(rulings.setting, record) is None and rulings.hold(step, record, choice)

    return Constraint(tuple(dict.fromkeys((step.name, *_about(step, domains)))), holds)


def _inspection_constraint(
    rulings: Rulings, inspection: Inspection, record: Record, about: tuple[str, ...]
) -> Constraint:
    return Constraint(about, lambda choice: rulings.hold(inspection, record, choice))


def _about(item: Step | Inspection, domains: Domains) -> tuple[str, ...]:
    named = sources((*item.expected_materials, *item.expected_products))
    return tuple(name for name in domains if name in named)


def _choose(setting: Setting, domains: Domains, constraints: tuple[Constraint, ...]) -> dict[str, Group]:
    """A consistent choice that binds the target, else a consistent one, else the first group of each step. Raises
    `Exhausted`."""
    first = {name: groups[0] for name, groups in domains.items()}
    if all(len(groups) == 1 for groups in domains.values()):
        return first
    case = setting.case
    target, step = case.target, target_step(case, setting.layout)
    if target is not None and setting.is_root and step in domains:
        binding = Constraint((step,), lambda choice: is_bound(target, Products("", choice[step].record.products)))
        bound = Search(domains, (*constraints, binding), case.limits.selections).first()
        if bound is not None:
            return bound
    return Search(domains, constraints, case.limits.selections).first() or first


def _summaries(
    setting: Setting, domains: Domains, constraints: tuple[Constraint, ...], choice: Mapping[str, Group]
) -> tuple[Link, ...]:
    """A summary link for each distinct pair of first materials and last products that some consistent choice has, the
    chosen one first: a layout above may need another than the one that was shown. Spec: §5.2 (12)."""
    steps = setting.layout.steps
    if not steps:
        return (Link(""),)
    first, last = steps[0].name, steps[-1].name
    summaries = [_summary(choice[first], choice[last])]
    search = Search(domains, constraints, setting.case.limits.selections)
    for i, opening in enumerate(domains[first]):
        for j, closing in enumerate(domains[last]):
            summary = _summary(opening, closing)
            if (first == last and i != j) or summary in summaries:
                continue
            try:
                if search.first({first: i, last: j}) is not None:
                    summaries.append(summary)
            except Exhausted:
                return tuple(summaries)
    return tuple(summaries)


def _summary(first: Group, last: Group) -> Link:
    final = last.members[0]
    return Link("", final.command, first.record.materials, last.record.products, final.byproducts)
