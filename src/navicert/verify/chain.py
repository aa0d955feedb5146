"""Judging one layout: evidence for each step, a choice that holds together, rules, then inspections.

Spec: in-toto v1.0 §5.2 (2 to 12).
"""

from __future__ import annotations

from itertools import pairwise

from navicert.dataclass import dataclass, replace
from navicert.interface import Mapping, Sequence
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.rule import Side
from navicert.model.standing import is_claimed, making_step
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, failed, passed, warned
from navicert.verify.candidates import Candidates, collect
from navicert.verify.case import Case, Exhibit, InspectionResult
from navicert.verify.explain import Chapter
from navicert.verify.inspections import (
    is_about_target,
    judge_inspections,
    look_at_target,
    results_of,
    steps_looked_at,
    succeeded,
    tied,
)
from navicert.verify.rules import Record, ends_closed, sources
from navicert.verify.rulings import Judge, Rulings, rules_of
from navicert.verify.selection import Choice, Constraint, Exhausted, Search
from navicert.verify.setting import Outcomes, Prospect, Setting, Way, may_pass
from navicert.verify.steps import judge_step, revoked_artifact, ties_in
from navicert.verify.target import Products, is_bound
from navicert.verify.thresholds import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

Domains = Mapping[str, Sequence[Group]]
"""For each step that has enough evidence, the groups to choose from."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """What is known of one layout before a choice is made."""

    setting: Setting
    candidates: Mapping[str, Candidates]
    domains: Domains
    results: Mapping[str, InspectionResult]
    rulings: Rulings


def judge_layout(setting: Setting) -> Outcomes:
    """The checks of one layout, everything judged that can be."""
    candidates = collect(setting, _judge_sublayout)
    domains = {name: found.eligible for name, found in candidates.items() if found.eligible}
    results = results_of(setting)
    rulings = Rulings(setting, {name: Record(r.materials, r.products) for name, r in results.items()})
    bench = _Bench(setting, candidates, domains, results, rulings)
    checks = [_expiry(setting), *_form(setting)]
    try:
        choice = _choose(bench)
    except Exhausted:
        limit = setting.case.limits.selections
        reason = f"no consistent choice among contradictory links found within the limit selections ({limit})"
        checks.append(failed("chain.selection", "", reason))
        choice = {name: groups[0] for name, groups in domains.items()}
    outcomes = _judge(bench, choice, checks)
    # A layout above may need another way than the one that is shown; above the policy there is none.
    ways = outcomes.ways if setting.is_root else _ways(bench, checks, outcomes.ways)
    return replace(outcomes, ways=ways)


def _judge_sublayout(above: Setting, step: Step, exhibit: Exhibit) -> tuple[Check, tuple[tuple[Link, Check], ...]]:
    from navicert.verify.sublayouts import sublayouts_by

    return sublayouts_by(judge_layout)(above, step, exhibit)


def _judge(bench: _Bench, choice: Choice, before: Sequence[Check]) -> Outcomes:
    """What comes out where the steps are those of `choice`; `before` are the checks of the layout itself."""
    setting, candidates = bench.setting, bench.candidates
    steps = setting.layout.steps
    chapters = tuple(
        Chapter(step.name, choice[step.name].who, choice[step.name].record) for step in steps if step.name in choice
    )
    judge = Judge(bench.rulings, choice, chapters, frozenset(candidates.keys() - choice.keys()))
    checks = [
        *before,
        *_one_run(setting, choice),
        *(judge_step(setting, step, candidates[step.name], choice.get(step.name), judge) for step in steps),
    ]
    blocker = next((f"{setting.place.path}/{check.name}" for check in checks if not may_pass(check)), None)
    inspected = judge_inspections(setting, bench.results, judge, blocker)
    checks += inspected.checks
    ways: tuple[Way, ...] = ()
    if all(may_pass(check) for check in checks):
        summary = _summary(choice[steps[0].name], choice[making_step(setting.layout)]) if steps else Link("")
        ways = (Way(summary, tuple(checks)),)
    return Outcomes(tuple(checks), ways, chapters, inspected.tied, _prospects(bench, inspected.checks))


def _prospects(bench: _Bench, inspected: Sequence[Check]) -> tuple[Prospect, ...]:
    """What the inspections that have not passed might have tied to the chain, whatever the choice."""
    prospects = []
    asked = bench.setting.is_root and bench.setting.case.target is not None
    for inspection, check in zip(bench.setting.layout.inspections, inspected, strict=True):
        if asked and not check.outcome.passes:
            groups = [group for name in _about(inspection, bench.domains) for group in bench.domains[name]]
            found = frozenset(digest for group in groups for digest in Products("", group.record.products).by_digest())
            prospects.append(Prospect(inspection, check.outcome, found))
    return tuple(prospects)


def target_step(case: Case, layout: Layout) -> str:
    """The step whose products bind the target: the one asked for, else the last."""
    return case.target_step or making_step(layout)


def target_inspections(case: Case, layout: Layout) -> tuple[Inspection, ...]:
    """The inspections that may bind the target: the one asked for; all where none was."""
    return tuple(i for i in layout.inspections if case.target_step in (None, i.name))


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


def _constraints(bench: _Bench) -> tuple[Constraint, ...]:
    """What a choice of groups must satisfy: the rules of every step, and of every inspection that was run."""
    rulings, domains, results = bench.rulings, bench.domains, bench.results
    layout = rulings.setting.layout
    constraints = [_step_constraint(rulings, step, domains) for step in layout.steps if step.name in domains]
    constraints += _run_constraints(rulings.setting, domains)
    for inspection in layout.inspections:
        if is_about_target(inspection):
            constraints += _target_constraint(rulings.setting, inspection, domains)
            continue
        result = results.get(inspection.name)
        about = _about(inspection, domains)
        if result is not None and not result.problem and about:
            record = Record(result.materials, result.products)
            constraints.append(_inspection_constraint(rulings, inspection, record, about))
    return tuple(constraints)


def _step_constraint(rulings: Rulings, step: Step, domains: Domains) -> Constraint:
    def holds(choice: Choice) -> bool:
        record = choice[step.name].record
        if revoked_artifact(rulings.setting, record) is not None or not rulings.hold(step, record, choice):
            return False
        if is_claimed(step):
            from navicert.verify.claims import judge_pins

            if not all(pin.outcome.passes for pin in judge_pins(rulings.setting, choice[step.name], choice)):
                return False
        return step.predicate is None or all(tie.outcome.passes for tie in ties_in(step, record, choice))

    about = (step.name, *_about(step, domains), *_tied_to(rulings.setting, step, domains))
    return Constraint(tuple(dict.fromkeys(about)), holds)


def _tied_to(setting: Setting, step: Step, domains: Domains) -> tuple[str, ...]:
    """The steps that the evidence for `step` has to be about, or to be pinned by."""
    if step.predicate is None:
        return ()
    from navicert.verify.subjects import ties_of

    names = ties_of(step)
    if step.predicate.claimed:
        from navicert.verify.claims import pinning_steps

        names += pinning_steps(setting)
    return tuple(name for name in names if name in domains)


def _run_constraints(setting: Setting, domains: Domains) -> list[Constraint]:
    """The links that say to which run they belong say the same: each with the one before it, then all together."""
    names = [step.name for step in setting.layout.steps if step.predicate is None and step.name in domains]
    if not setting.ties_runs or len(names) < 2:
        return []
    pairs = [*pairwise(names), tuple(names)]
    return [
        Constraint(about, lambda choice, about=about: len(_runs(choice, about)) < 2)  # type: ignore[misc]
        for about in pairs
    ]


def _runs(choice: Choice, names: Sequence[str]) -> dict[str, str]:
    """The runs that the links of `choice` belong to, each with the first step that says so."""
    runs: dict[str, str] = {}
    for name in names:
        run = choice[name].run if name in choice else None
        if run is not None:
            runs.setdefault(run, name)
    return runs


def _one_run(setting: Setting, choice: Choice) -> list[Check]:
    """The check that all links belong to one run. Spec: Navicert, own policies."""
    if not setting.ties_runs:
        return []
    runs = _runs(choice, [step.name for step in setting.layout.steps if step.predicate is None])
    if len(runs) > 1:
        (one, first), (other, second) = list(runs.items())[:2]
        reason = f'step "{first}" belongs to run "{one}", step "{second}" to run "{other}"'
        return [failed("chain.run", "", reason, facts={"runs": list(runs)[:20]})]
    return [passed("chain.run", "", f'all links belong to run "{run}"') for run in runs]


def _inspection_constraint(
    rulings: Rulings, inspection: Inspection, record: Record, about: tuple[str, ...]
) -> Constraint:
    return Constraint(about, lambda choice: rulings.hold(inspection, record, choice))


def _target_constraint(setting: Setting, inspection: Inspection, domains: Domains) -> list[Constraint]:
    about = tuple(name for name in domains if name in steps_looked_at(inspection))
    if not about:
        return []
    return [Constraint(about, lambda choice: succeeded(look_at_target(setting, inspection, choice)))]


def _about(item: Step | Inspection, domains: Domains) -> tuple[str, ...]:
    named = sources((*item.expected_materials, *item.expected_products))
    return tuple(name for name in domains if name in named) if named else ()


def _choose(bench: _Bench) -> dict[str, Group]:
    """A consistent choice that binds the target, else a consistent one, else the first group of each step. Raises
    `Exhausted`."""
    setting, domains = bench.setting, bench.domains
    first = {name: groups[0] for name, groups in domains.items()}
    if all(len(groups) == 1 for groups in domains.values()):
        return first
    case, constraints = setting.case, _constraints(bench)
    binding = _binding(bench) if setting.is_root else None
    if binding is not None:
        bound = Search(domains, (*constraints, binding), case.limits.selections).first()
        if bound is not None:
            return bound
    return Search(domains, constraints, case.limits.selections).first() or first


def _binding(bench: _Bench) -> Constraint | None:
    """The condition that the target is bound, by its step or by an inspection; None where nothing could decide it."""
    case, layout, domains = bench.setting.case, bench.setting.layout, bench.domains
    target, step, inspections = case.target, target_step(case, layout), target_inspections(case, layout)
    ran = [i for i in inspections if i.name in bench.results and succeeded(bench.results[i.name])]
    asked = {step, *(name for inspection in ran for name in _about(inspection, domains))}
    about = tuple(name for name in domains if name in asked)
    if target is None or not about:
        return None

    def holds(choice: Choice) -> bool:
        offers = [Products("", choice[step].record.products)] if step in choice else []
        offers += [tied(i, bench.results[i.name], bench.rulings, choice) for i in ran]
        return any(is_bound(target, products) for products in offers)

    return Constraint(about, holds)


def _ways(bench: _Bench, before: Sequence[Check], shown: tuple[Way, ...]) -> tuple[Way, ...]:
    """A way for each distinct pair of first materials and last products that some consistent choice has, the one that
    is `shown` first. Each is judged by itself: it may rest on evidence that the others do without. Spec: §5.2 (12)."""
    domains, case = bench.domains, bench.setting.case
    steps = bench.setting.layout.steps
    if not shown or not steps:
        return shown
    first, last = steps[0].name, making_step(bench.setting.layout)
    ways = list(shown)
    seen = [shown[0].summary]
    several = any(len(domains[name]) > 1 for name in (first, last))
    search = Search(domains, _constraints(bench) if several else (), case.limits.selections)
    for i, opening in enumerate(domains[first]):
        for j, closing in enumerate(domains[last]):
            summary = _summary(opening, closing)
            if (first == last and i != j) or summary in seen or len(ways) >= case.limits.links_per_step:
                continue
            try:
                other = search.first({first: i, last: j})
            except Exhausted:
                return tuple(ways)
            if other is not None:
                seen.append(summary)
                ways += _judge(bench, other, before).ways
    return tuple(ways)


def _summary(first: Group, last: Group) -> Link:
    final = last.members[0]
    return Link("", final.command, first.record.materials, last.record.products, final.byproducts)
