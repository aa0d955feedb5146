"""Judging one layout: evidence for each step, a choice that holds together, rules, inspections.

Spec: in-toto v1.0 §5.2 (2 to 12), §5.3. Steps are judged before inspections, so that nothing runs for a chain that
fails already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from navicert.crypto.key import Key
from navicert.errors import Malformed
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.principal import Principal
from navicert.model.rule import Rule, RuleKind, Side
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, Outcome, all_of, at_least, broke, failed, note, passed, skipped, warned
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Exhibit, InspectionResult
from navicert.verify.evidence import Claim, Evidence, claim_of, odd_path, run_id_of, same_artifacts
from navicert.verify.explain import Chapter, Story
from navicert.verify.rules import Application, Mismatch, Record, apply_rules, ends_closed, sources
from navicert.verify.selection import Choice, Constraint, Exhausted, Search
from navicert.verify.target import Products, is_bound
from navicert.verify.thresholds import Group, group, in_pubkeys_order


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the whole a layout stands: the path of its check, the sublayout folders that belong to it, and the
    layouts above it."""

    path: str
    folders: tuple[frozenset[str], ...] = ()
    lineage: tuple[str, ...] = ()


@dataclass(slots=True)
class Memo:
    """What one verification worked out already, so that resuming it after the inspections judges nothing twice."""

    claims: dict[str, Claim | str | None] = field(default_factory=dict)
    applications: dict[tuple[object, ...], tuple[Application, ...]] = field(default_factory=dict)
    pending: dict[str, Inspection] = field(default_factory=dict)
    sublayouts: int = 0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What judging one layout gave: its checks; a summary link for every way in which the chain holds together (none
    where it does not); the chosen chain; and what its inspections tie to the chain."""

    checks: tuple[Check, ...]
    summaries: tuple[Link, ...]
    chapters: tuple[Chapter, ...] = ()
    tied: tuple[Products, ...] = ()


@dataclass(slots=True)
class _Candidates:
    """What there is for one step. `eligible` groups meet the threshold; `misses` say what nearly counted."""

    evidence: list[Evidence] = field(default_factory=list)
    misses: list[tuple[str, str]] = field(default_factory=list)
    trees: dict[str, Check] = field(default_factory=dict)
    eligible: tuple[Group, ...] = ()
    weak: tuple[Group, ...] = ()


def judge_layout(case: Case, layout: Layout, authority: Authority, place: Place, memo: Memo) -> Outcomes:
    """The checks of `layout` (parameters filled in), judged with the evidence of `case`."""
    return _Judge(case, layout, authority, place, memo).run()


class _Judge:
    """One layout being judged."""

    def __init__(self, case: Case, layout: Layout, authority: Authority, place: Place, memo: Memo) -> None:
        self.case = case
        self.layout = layout
        self.authority = authority
        self.place = place
        self.memo = memo
        self.strong = case.profile.compares_strong_digests
        self.by_name, self.layouts, self.misnamed = self._index()
        self.candidates = {step.name: self._collect(step) for step in layout.steps}
        self.choice: dict[str, Group] = {}
        self.found: dict[str, Record] = {}
        self.reported: dict[tuple[object, ...], str] = {}

    # --- evidence --------------------------------------------------------------------------------------------------

    def _index(
        self,
    ) -> tuple[dict[str, list[tuple[Exhibit, Claim]]], list[Exhibit], dict[str, list[tuple[str, str]]]]:
        """The visible evidence by signed name; sublayouts; and near misses by the step that a file is named for."""
        by_name: dict[str, list[tuple[Exhibit, Claim]]] = {}
        layouts: list[Exhibit] = []
        misnamed: dict[str, list[tuple[str, str]]] = {}
        for exhibit in self.case.evidence:
            if not self._visible(exhibit):
                continue
            if isinstance(exhibit.document.body, Layout):
                layouts.append(exhibit)
                continue
            claim = self._claim(exhibit)
            if isinstance(claim, Claim):
                by_name.setdefault(claim.name, []).append((exhibit, claim))
                if exhibit.step not in (None, claim.name):
                    reason = f'is signed for another step, "{claim.name}"'
                    misnamed.setdefault(str(exhibit.step), []).append((exhibit.document.origin, reason))
            elif isinstance(claim, str) and exhibit.step is not None:
                misnamed.setdefault(exhibit.step, []).append((exhibit.document.origin, claim))
        return by_name, layouts, misnamed

    def _visible(self, exhibit: Exhibit) -> bool:
        folders = self.place.folders
        if len(exhibit.scope) > len(folders):
            return False
        return all(name in allowed for name, allowed in zip(exhibit.scope, folders, strict=False))

    def _claim(self, exhibit: Exhibit) -> Claim | str | None:
        """What the document claims; why it cannot be read; or None for what is no link."""
        key = str(exhibit.document.digest)
        if key not in self.memo.claims:
            try:
                self.memo.claims[key] = claim_of(exhibit.document.body)
            except Malformed as error:
                self.memo.claims[key] = f"has a bad link predicate: {error}"
        return self.memo.claims[key]

    def _collect(self, step: Step) -> _Candidates:
        found = _Candidates()
        authorised = self.authority.authorised(step)
        for refusal in self.case.refused:
            if step.name in (refusal.step, refusal.claimed):
                found.misses.append((refusal.origin, refusal.reason))
        found.misses += self.misnamed.get(step.name, [])
        for exhibit, claim in self.by_name.get(step.name, ()):
            signers = self._signers(exhibit, authorised, found)
            if signers is None:
                continue
            problem = self._disqualified(claim)
            if problem:
                found.misses.append((exhibit.document.origin, problem))
                continue
            found.evidence.append(
                Evidence(
                    step.name,
                    signers,
                    claim.record,
                    claim.command,
                    claim.byproducts,
                    exhibit.document.origin,
                    exhibit.document.digest,
                )
            )
        for exhibit in self.layouts:
            if exhibit.step in (None, step.name):
                signers = self._signers(exhibit, authorised, found)
                if signers is not None:
                    self._sublayout(step, exhibit, signers, found)
        self._weigh(step, found)
        return found

    def _signers(
        self, exhibit: Exhibit, authorised: Mapping[str, Key], found: _Candidates
    ) -> dict[Principal, Key] | None:
        """The principals whose signature counts for the step; None, with a near miss noted, where there are none."""
        document = exhibit.document
        revoked = self.case.revoked
        if str(document.digest) in revoked.digests:
            found.misses.append((document.origin, f"is revoked by its digest {document.digest}"))
            return None
        mine = [key for key in document.signers if key.fingerprint in authorised]
        if not mine:
            who = ", ".join(str(self.authority.principal(key)) for key in document.signers)
            found.misses.append((document.origin, f"is signed by {who}, who may not sign for this step"))
            return None
        signers: dict[Principal, Key] = {}
        for key in mine:
            principal = self.authority.principal(key)
            if revoked.denies_key(key) or revoked.denies_key(authorised[key.fingerprint]):
                found.misses.append((document.origin, f"is signed with a revoked key, {principal}"))
            elif principal.identity in revoked.identities:
                found.misses.append((document.origin, f"is signed by {principal}, who is revoked"))
            else:
                signers[principal] = authorised[key.fingerprint]
        return signers or None

    def _disqualified(self, claim: Claim) -> str:
        """Why a link of the right name and signer does not count, or nothing."""
        path = odd_path(claim.record)
        if path is not None:
            return f'names an artifact by a path that is not in normal form: "{path}"'
        if self.case.run_id is not None and run_id_of(claim.environment) != self.case.run_id:
            return f'belongs to run "{run_id_of(claim.environment)}", not to run "{self.case.run_id}"'
        return ""

    def _weigh(self, step: Step, found: _Candidates) -> None:
        """Group the evidence of `step` and sort the groups by whether they meet its threshold."""
        if len(found.evidence) > self.case.limits.links_per_step:
            found.misses.append(("", f"more than {self.case.limits.links_per_step} links (limit links_per_step)"))
            found.evidence.clear()
        if self.case.profile.selects_among_links:
            groups = group(found.evidence, strong=self.strong)
        else:
            ordered = in_pubkeys_order(found.evidence, step.pubkeys)
            groups = (Group(tuple(ordered)),) if ordered else ()
        found.eligible = tuple(g for g in groups if len(g.principals) >= step.threshold)
        found.weak = tuple(g for g in groups if len(g.principals) < step.threshold)

    def _sublayout(
        self, step: Step, exhibit: Exhibit, signers: Mapping[Principal, Key], found: _Candidates
    ) -> None:
        """Judge a sublayout; each way in which it holds is evidence for `step`. Spec: §4.3.2, §5.2 (5)."""
        origin = exhibit.document.origin
        path = f"{self._step_path(step)}/sublayout[{origin}]"
        tree, summaries = self._judge_sublayout(step, exhibit, signers, path)
        found.trees[origin] = tree
        if tree.outcome.passes or tree.outcome is Outcome.PENDING:
            for index, summary in enumerate(summaries):
                record = Record(summary.materials, summary.products)
                found.evidence.append(
                    Evidence(
                        step.name,
                        signers,
                        record,
                        summary.command,
                        summary.byproducts,
                        origin,
                        exhibit.document.digest,
                        True,
                        index,
                    )
                )

    def _judge_sublayout(
        self, step: Step, exhibit: Exhibit, signers: Mapping[Principal, Key], path: str
    ) -> tuple[Check, tuple[Link, ...]]:
        body = exhibit.document.body
        origin = exhibit.document.origin
        assert isinstance(body, Layout)
        digest = str(exhibit.document.digest)
        limits = self.case.limits
        self.memo.sublayouts += 1
        problem: Check | None = None
        if digest in self.place.lineage:
            problem = failed("sublayout.repeated", origin, "contains itself: the same layout stands above it")
        elif len(self.place.lineage) > limits.sublayout_depth:
            problem = failed(
                "sublayout.depth", origin, f"nested deeper than {limits.sublayout_depth} (limit sublayout_depth)"
            )
        elif self.memo.sublayouts > limits.sublayouts:
            problem = failed("sublayout.depth", origin, f"more than {limits.sublayouts} sublayouts (limit sublayouts)")
        if problem is None:
            names = frozenset(f"{step.name}.{alias[:8]}" for key in signers.values() for alias in (key.id, *key.ids))
            place = Place(path, (*self.place.folders, names), (*self.place.lineage, digest))
            try:
                authority = Authority.of(body, self.case.principals)
                outcomes = judge_layout(self.case, body, authority, place, self.memo)
            except Malformed as error:
                problem = failed("sublayout.malformed", origin, str(error))
            else:
                tree = all_of("sublayout", origin, outcomes.checks, "a layout stands for this step", spec="§5.2 (5)")
                return tree, outcomes.summaries
        return all_of("sublayout", origin, (problem,), problem.reason), ()

    # --- choosing --------------------------------------------------------------------------------------------------

    def run(self) -> Outcomes:
        """Judge everything, in the order of the spec."""
        checks = [self._expiry(), *self._form()]
        results = self._inspection_results()
        usable = {name: c.eligible for name, c in self.candidates.items() if c.eligible}
        summaries: tuple[Link, ...] = ()
        try:
            self._choose(usable, results)
        except Exhausted:
            checks.append(
                failed(
                    "chain.selection",
                    "",
                    f"no consistent choice found within {self.case.limits.selections} tries (limit selections)",
                )
            )
            self.choice = {name: groups[0] for name, groups in usable.items()}
        checks += [self._judge_step(step) for step in self.layout.steps]
        path, cause = self.place.path, next((c for c in checks if not _may_pass(c)), None)
        blocker = None if cause is None else f"{path}/{cause.name}"
        inspections, tied = self._judge_inspections(results, blocker)
        checks += inspections
        if blocker is None and all(_may_pass(check) for check in inspections):
            summaries = self._summaries(usable, results)
        return Outcomes(tuple(checks), summaries, self._chapters(), tied)

    def _constraints(self, usable: Mapping[str, object], results: Mapping[str, InspectionResult]) -> list[Constraint]:
        constraints = []
        for step in self.layout.steps:
            if step.name not in usable:
                continue
            named = sources((*step.expected_materials, *step.expected_products))
            about = tuple(dict.fromkeys((step.name, *(s for s in usable if s in named))))

            def holds(choice: Choice, step: Step = step) -> bool:
                record = choice[step.name].record
                if self._revoked_artifact(record) is not None:
                    return False
                return not any(
                    self._breaks(application, record.side(side))
                    for side in Side
                    for application in self._apply(step, side, record, choice)
                )

            constraints.append(Constraint(about, holds))
        for inspection in self.layout.inspections:
            result = results.get(inspection.name)
            named = sources((*inspection.expected_materials, *inspection.expected_products))
            about = tuple(s for s in usable if s in named)
            if result is None or result.problem or not about:
                continue

            def agrees(
                choice: Choice, inspection: Inspection = inspection, result: InspectionResult = result
            ) -> bool:
                record = Record(result.materials, result.products)
                return not any(
                    self._breaks(application, record.side(side))
                    for side in Side
                    for application in self._apply(inspection, side, record, choice)
                )

            constraints.append(Constraint(about, agrees))
        return constraints

    def _choose(self, usable: Mapping[str, Sequence[Group]], results: Mapping[str, InspectionResult]) -> None:
        """Set `self.choice`: a consistent one that binds the target, else a consistent one, else the first of each."""
        self.choice = {name: groups[0] for name, groups in usable.items()}
        if all(len(groups) == 1 for groups in usable.values()):
            return
        constraints = self._constraints(usable, results)
        budget = self.case.limits.selections
        target, step = self.case.target, self.target_step
        if target is not None and not self.place.lineage[1:] and step in usable:
            wanted = target
            binding = Constraint(
                (step,), lambda choice: is_bound(wanted, Products("", choice[step].record.products))
            )
            bound = Search(usable, [*constraints, binding], budget).first()
            if bound is not None:
                self.choice = bound
                return
        self.choice = Search(usable, constraints, budget).first() or self.choice

    @property
    def target_step(self) -> str:
        """The step whose products bind the target: the one asked for, else the last."""
        return self.case.target_step or (self.layout.steps[-1].name if self.layout.steps else "")

    def _summaries(
        self, usable: Mapping[str, Sequence[Group]], results: Mapping[str, InspectionResult]
    ) -> tuple[Link, ...]:
        """A summary link for each distinct pair of first materials and last products that some consistent choice has;
        the chosen one first. Spec: §5.2 (12)."""
        steps = self.layout.steps
        if not steps:
            return (Link(""),)
        first, last = steps[0].name, steps[-1].name
        summaries = [_summary(self.choice[first], self.choice[last])]
        if len(usable[first]) * len(usable[last]) == 1:
            return tuple(summaries)
        search = Search(usable, self._constraints(usable, results), self.case.limits.selections)
        for i, opening in enumerate(usable[first]):
            for j, closing in enumerate(usable[last]):
                summary = _summary(opening, closing)
                if (first == last and i != j) or summary in summaries:
                    continue
                try:
                    if search.first({first: i, last: j}) is not None:
                        summaries.append(summary)
                except Exhausted:
                    return tuple(summaries)
        return tuple(summaries)

    def _chapters(self) -> tuple[Chapter, ...]:
        return tuple(
            Chapter(step.name, self.choice[step.name].who, self.choice[step.name].record)
            for step in self.layout.steps
            if step.name in self.choice
        )

    # --- the layout itself -----------------------------------------------------------------------------------------

    def _expiry(self) -> Check:
        expires, now = format_timestamp(self.layout.expires), format_timestamp(self.case.at)
        if self.layout.expires <= self.case.at:
            reason = f"layout expired on {expires}; judged for {now}"
            return failed("layout.expired", "", reason, spec="§5.2 (2)", facts={"expires": expires, "at": now})
        return passed("layout.expired", "", f"valid until {expires}", spec="§5.2 (2)")

    def _form(self) -> list[Check]:
        """What the layout itself leaves open."""
        checks: list[Check] = []
        items: list[Step | Inspection] = [*self.layout.steps, *self.layout.inspections]
        if not self.layout.steps:
            say = failed if self.case.profile.refuses_empty_layout else warned
            checks.append(say("layout.empty", "", "layout has no steps: nothing would be verified", spec="§4.3.1"))
        if not self.case.profile.warns_of_loose_rules:
            return checks
        extra = sorted(
            {*self.layout.extra, *(name for item in items for name in item.extra)}
        )
        if extra:
            checks.append(self._loose("layout.unknown-field", f"fields that are not judged: {', '.join(extra[:5])}"))
        loose = [
            f"{item.name} {side.value}"
            for item in items
            for side, rules in ((Side.MATERIALS, item.expected_materials), (Side.PRODUCTS, item.expected_products))
            if rules and not ends_closed(rules)
        ]
        if loose:
            more = f" and {len(loose) - 5} more" if len(loose) > 5 else ""
            reason = f'no final "DISALLOW *", so what no rule names is allowed: {", ".join(loose[:5])}{more}'
            checks.append(self._loose("layout.open-ended", reason, facts={"items": loose[:100]}))
        return checks

    def _loose(self, id: str, reason: str, subject: str = "", **more: object) -> Check:
        """A warning, or with `strict` a failure."""
        return failed(id, subject, reason, **more) if self.case.strict else warned(id, subject, reason, **more)

    # --- steps -----------------------------------------------------------------------------------------------------

    def _step_path(self, step: Step) -> str:
        return f"{self.place.path}/step[{step.name}]"

    def _judge_step(self, step: Step) -> Check:
        found = self.candidates[step.name]
        chosen = self.choice.get(step.name)
        path = self._step_path(step)
        if chosen is None:
            trees = tuple(tree for tree in found.trees.values() if not _may_pass(tree))
            cause = f"{path}/{trees[0].name}" if trees and not found.weak else None
            checks = [*trees, self._threshold(step, found, found.weak[0] if found.weak else None, cause)]
            if step.expected_materials or step.expected_products:
                checks.append(
                    skipped("step.rules", step.name, "not judged without evidence", cause=f"{path}/step.threshold[{step.name}]")
                )
            return all_of("step", step.name, tuple(checks), f'step "{step.name}" has not enough evidence')
        origins = {member.origin for member in chosen.members}
        checks = [self._threshold(step, found, chosen, None)]
        checks += [tree for origin, tree in found.trees.items() if origin in origins]
        checks += self._remarks(step, found, chosen)
        revoked = self._revoked_artifact(chosen.record)
        if revoked is not None:
            checks.append(failed("artifact.revoked", step.name, f'artifact "{revoked[0]}" is revoked: {revoked[1]}'))
        for side, rules in ((Side.MATERIALS, step.expected_materials), (Side.PRODUCTS, step.expected_products)):
            if rules:
                checks.append(self._judge_rules(step, side, rules, chosen.record, path))
        return all_of("step", step.name, tuple(checks), f"performed by {chosen.who}")

    def _threshold(self, step: Step, found: _Candidates, chosen: Group | None, cause: str | None) -> Check:
        """At least `threshold` principals stand behind one report. Spec: §5.2 (4)."""
        children: list[Check] = []
        counted = 0
        if chosen is not None:
            counted = len(chosen.principals)
            for member in chosen.members:
                for principal in member.signers:
                    if all(principal.identity != child.facts["identity"] for child in children):
                        facts = {"identity": principal.identity, "digest": str(member.digest), "origin": member.origin}
                        what = "layout" if member.sublayout else "link"
                        children.append(
                            passed("link.signature", str(principal), f"signed {what} {member.origin}", facts=facts)
                        )
        children += [note("evidence.near-miss", origin, reason) for origin, reason in _unique(found.misses)]
        reason = f"{counted} of {step.threshold} required"
        people = {self.authority.principal(key) for key in self.authority.authorised(step).values()}
        if counted < step.threshold:
            reason = f"{counted} of {step.threshold} required signers"
            if len(found.weak) > 1:
                reason += f": {len(found.weak)} links disagree"
            elif len(people) < step.threshold:
                reason += f"; only {len(people)} may sign for it, so this can never pass"
            elif not found.evidence and not found.misses:
                reason = f"no evidence found for this step; expected from {', '.join(sorted(map(str, people)))}"
            elif not found.evidence:
                reason = f"no evidence that counts: {len(_unique(found.misses))} near miss(es)"
        summary = {"required": step.threshold, "found": counted, "authorised": sorted(str(p) for p in people)}
        return at_least(
            step.threshold,
            "step.threshold",
            step.name,
            tuple(children),
            reason,
            facts=summary,
            spec="§5.2 (4)",
            cause=cause,
        )

    def _remarks(self, step: Step, found: _Candidates, chosen: Group) -> list[Check]:
        """What does not decide (but for disagreement in UPSTREAM), and should be known."""
        checks: list[Check] = []
        if not self.case.profile.selects_among_links:
            odd = [m for m in chosen.members[1:] if not same_artifacts(chosen.record, m.record, strong=False)]
            if odd:
                say = failed if step.threshold > 1 else warned
                reason = f"links '{chosen.members[0].origin}' and '{odd[0].origin}' have different artifacts"
                checks.append(say("step.disagreement", step.name, reason, spec="§5.2 (6)"))
        for other in (*found.eligible, *found.weak):
            stray = [m.origin for m in other.members if m not in chosen.members]
            if other is not chosen and stray:
                reason = f"{', '.join(stray[:3])} ({other.who}) reports other artifacts and is not used"
                checks.append(warned("step.disagreement", step.name, reason))
        expected = step.expected_command
        for member in chosen.members:
            if (expected or self.case.profile.compares_every_command) and member.command != expected:
                reason = f"ran {_words(member.command)}, expected {_words(expected)}"
                checks.append(warned("step.command", member.origin, reason, spec="§5.2 (7)"))
            value = member.byproducts.get("return-value")
            if value not in (None, 0) or value is False:
                checks.append(warned("link.return-value", member.origin, f"the command returned {value!r}"))
        if self.case.profile.warns_of_loose_rules and not step.expected_materials and not step.expected_products:
            checks.append(self._loose("step.no-rules", "no rules: any artifacts are accepted", step.name))
        return checks + _path_remarks(step.name, chosen.record)

    def _revoked_artifact(self, record: Record) -> tuple[str, str] | None:
        denied = self.case.revoked.digests
        if not denied:
            return None
        for artifacts in (record.materials, record.products):
            for path, digests in artifacts.items():
                for digest in digests.strong:
                    if str(digest) in denied:
                        return path, str(digest)
        return None

    # --- rules -----------------------------------------------------------------------------------------------------

    def _apply(
        self, item: Step | Inspection, side: Side, record: Record, choice: Choice
    ) -> tuple[Application, ...]:
        """The item's rules on one side, each combination of records judged once."""
        rules = item.expected_materials if side is Side.MATERIALS else item.expected_products
        records = {name: choice[name].record for name in sources(rules) if name in choice}
        if isinstance(item, Inspection):
            # Inspections see one another, and what they find themselves. Spec: §5.3.
            records |= {name: found for name, found in self.found.items() if name in sources(rules)}
        identity = tuple((n, id(r.materials), id(r.products)) for n, r in sorted(records.items()))
        key = (self.place.path, item.name, side, id(record.materials), id(record.products), identity)
        known = self.memo.applications.get(key)
        if known is None:
            known = apply_rules(rules, side, record, records.get, strong=self.strong)
            self.memo.applications[key] = known
        return known

    def _breaks(self, application: Application, artifacts: Mapping[str, object]) -> bool:
        if application.offending or (application.mismatches and self.case.profile.match_must_hold):
            return True
        return self.case.strict and _idle_match(application) and bool(artifacts)

    def _judge_rules(
        self, item: Step | Inspection, side: Side, rules: Sequence[Rule], record: Record, path: str
    ) -> Check:
        group_id = f"{'step' if isinstance(item, Step) else 'inspection'}.{side.value}"
        here = f"{path}/{group_id}[{item.name}]"
        story = Story(self._chapters(), self.case.limits.report_items)
        checks: list[Check] = []
        mismatched: dict[str, str] = {}
        for application in self._apply(item, side, record, self.choice):
            subject = f"{application.index + 1} {application.rule}"
            if application.mismatches:
                check = self._mismatch(application, subject, here, story)
                for mismatch in application.mismatches:
                    mismatched[mismatch.path] = f"{here}/{check.name}"
            elif application.offending:
                check = self._offence(application, subject, side, record, rules, mismatched, story)
            elif _idle_match(application) and self.case.profile.warns_of_loose_rules:
                check = self._loose("rule.match-nothing", "matches no artifact", subject, spec="§4.3.3")
            else:
                kind = application.rule.kind.value.lower()
                count = len(application.consumed)
                check = passed(f"rule.{kind}", subject, f"{count} artifact{'' if count == 1 else 's'}")
            checks.append(check)
        return all_of(group_id, item.name, tuple(checks), f"{len(rules)} rules on {len(record.side(side))} artifacts")

    def _mismatch(self, application: Application, subject: str, here: str, story: Story) -> Check:
        """A MATCH that found its artifact with another digest, which nothing else consumed."""
        rule, found = application.rule, application.mismatches
        assert rule.dest_type is not None
        facts = story.mismatches(found, rule)
        first = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        verb = "differs" if len(found) == 1 else "differ"
        reason = f'"{first.path}"{more} {verb} from the {rule.dest_type.value} of step "{rule.step}"'
        if not self.case.profile.match_must_hold:
            return warned("rule.match-unsatisfied", subject, reason, facts=facts, spec="§4.3.3")
        mine = [_identity(mismatch) for mismatch in found]
        earlier = [self.reported.get(identity) for identity in mine]
        cause = earlier[0] if all(earlier) else None
        check = failed("rule.match-unsatisfied", subject, reason, facts=facts, spec="§4.3.3", cause=cause)
        for identity in mine:
            self.reported.setdefault(identity, f"{here}/{check.name}")
        return check

    def _offence(
        self,
        application: Application,
        subject: str,
        side: Side,
        record: Record,
        rules: Sequence[Rule],
        mismatched: Mapping[str, str],
        story: Story,
    ) -> Check:
        """A DISALLOW that found something left, or a REQUIRE that did not find its artifact."""
        found = application.offending
        facts = story.leftovers(application, side, record.side(side), rules)
        if application.rule.kind is RuleKind.REQUIRE:
            reason = f'"{found[0]}" is not there, or an earlier rule consumed it'
            return failed("rule.require", subject, reason, facts=facts, spec="§4.3.3")
        causes = [self._cause_of(path, application.index, rules, mismatched) for path in found]
        named = ", ".join(f'"{path}"' for path in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        reason = f"{named}: no rule allows {'it' if len(found) == 1 else 'them'}"
        return failed(
            "rule.disallow", subject, reason, facts=facts, spec="§4.3.3", cause=causes[0] if all(causes) else None
        )

    def _cause_of(self, path: str, index: int, rules: Sequence[Rule], mismatched: Mapping[str, str]) -> str | None:
        """Why `path` was left over: a MATCH that did not hold, or a step without evidence to MATCH against."""
        if path in mismatched:
            return mismatched[path]
        for rule in rules[:index]:
            step = rule.step
            if rule.kind is RuleKind.MATCH and step in self.candidates and step not in self.choice:
                prefix = (rule.source_prefix or "").rstrip("/")
                from navicert.verify.pattern import Pattern

                rest = path.removeprefix(prefix + "/") if prefix else path
                if Pattern(rule.pattern).matches(rest):
                    return f"{self.place.path}/step[{step}]/step.threshold[{step}]"
        return None

    # --- inspections -----------------------------------------------------------------------------------------------

    def _inspection_path(self, inspection: Inspection) -> str:
        return f"{self.place.path}/inspection[{inspection.name}]"

    def _inspection_results(self) -> dict[str, InspectionResult]:
        results = {}
        for inspection in self.layout.inspections:
            result = self.case.inspected.get(self._inspection_path(inspection))
            if result is not None:
                results[inspection.name] = result
                self.found[inspection.name] = Record(result.materials, result.products)
        return results

    def _judge_inspections(
        self, results: Mapping[str, InspectionResult], blocker: str | None
    ) -> tuple[list[Check], tuple[Products, ...]]:
        checks: list[Check] = []
        tied: list[Products] = []
        for inspection in self.layout.inspections:
            path = self._inspection_path(inspection)
            result = results.get(inspection.name)
            if blocker is not None:
                checks.append(skipped("inspection", inspection.name, "not run: the chain fails already", cause=blocker))
            elif result is None:
                self.memo.pending[path] = inspection
                pending = Check("inspection.run", _words(inspection.run), "has not been run", leaf=Outcome.PENDING)
                checks.append(all_of("inspection", inspection.name, (pending,)))
            else:
                check = self._judge_inspection(inspection, result, path)
                checks.append(check)
                if not check.outcome.passes:
                    blocker = path
                else:
                    tied.append(self._tied(inspection, result))
        return checks, tuple(tied)

    def _judge_inspection(self, inspection: Inspection, result: InspectionResult, path: str) -> Check:
        """The command must return 0, and then its rules must hold. Spec: §5.2 (10, 11)."""
        words = _words(inspection.run)
        if result.problem:
            return all_of("inspection", inspection.name, (broke("inspection.run", words, result.problem),))
        facts = {"return-value": result.return_value, "output": result.output[-2000:]}
        if result.return_value != 0 or isinstance(result.return_value, bool):
            said = f": {result.output.strip().splitlines()[-1][:200]}" if result.output.strip() else ""
            ran = failed("inspection.run", words, f"returned {result.return_value}{said}", facts=facts)
        else:
            ran = passed("inspection.run", words, result.output.strip()[:200] or "returned 0", facts=facts)
        checks = [ran]
        record = Record(result.materials, result.products)
        for side, rules in (
            (Side.MATERIALS, inspection.expected_materials),
            (Side.PRODUCTS, inspection.expected_products),
        ):
            if rules:
                checks.append(self._judge_rules(inspection, side, rules, record, path))
        return all_of("inspection", inspection.name, tuple(checks))

    def _tied(self, inspection: Inspection, result: InspectionResult) -> Products:
        """What a MATCH of the inspection ties to a step: only that may bind a target. The rest is what happened to
        lie in the folder."""
        record = Record(result.materials, result.products)
        tied = {
            path: record.side(side)[path]
            for side in Side
            for application in self._apply(inspection, side, record, self.choice)
            if application.rule.kind is RuleKind.MATCH and application.rule.step in self.choice
            for path in application.consumed
        }
        return Products(f"inspection {inspection.name}", tied)


def _may_pass(check: Check) -> bool:
    return check.outcome.passes or check.outcome is Outcome.PENDING


def _summary(first: Group, last: Group) -> Link:
    final = last.members[0]
    return Link(
        "", final.command, first.record.materials, last.record.products, byproducts=final.byproducts, environment={}
    )


def _idle_match(application: Application) -> bool:
    return application.rule.kind is RuleKind.MATCH and not application.consumed and not application.mismatches


def _identity(mismatch: Mismatch) -> tuple[object, ...]:
    return (mismatch.counterpart, mismatch.actual, mismatch.expected)


def _unique(misses: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(misses))


def _words(command: Sequence[str]) -> str:
    return " ".join(command) if command else "(no command)"


def _path_remarks(step: str, record: Record) -> list[Check]:
    """Paths that people confuse, or that lead out of the project: legal, and reported."""
    checks: list[Check] = []
    for side in Side:
        paths = record.side(side)
        folded: dict[str, str] = {}
        for path in paths:
            form = (path if path.isascii() else unicodedata.normalize("NFC", path)).casefold()
            twin = folded.setdefault(form, path)
            if twin != path:
                checks.append(
                    warned("artifact.twins", step, f'{side.value} "{twin}" and "{path}" differ by case or encoding only')
                )
                break
        outside = [path for path in paths if path.startswith(("../", "/"))]
        if outside:
            more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
            checks.append(note("artifact.outside", step, f'{side.value} outside the folder: "{outside[0]}"{more}'))
    return checks
