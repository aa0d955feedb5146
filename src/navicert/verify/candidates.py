"""The evidence that may count for each step, and the near misses that do not.

Spec: in-toto v1.0 §5.2 (3 to 5).
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.errors import LimitExceeded, Malformed
from navicert.interface import Callable, Collection, Iterable
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.principal import Principal
from navicert.model.statement import Statement
from navicert.verdict import Check
from navicert.verify.authority import expiry_of
from navicert.verify.case import Exhibit
from navicert.verify.evidence import Claim, Evidence, claim_of, odd, odd_path, run_id_of
from navicert.verify.rules import Record
from navicert.verify.setting import Setting
from navicert.verify.thresholds import Group, in_pubkeys_order, of_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from navicert.digest import Digest
    from navicert.model.identity import Identity
    from navicert.model.requirement import Requirement

JudgeSublayout = Callable[[Setting, Step, Exhibit], tuple[Check, tuple[tuple[Link, Check], ...]]]
"""Judges a sublayout that stands for a step: its tree; and for every way in which it holds the summary link, with the
tree of this way."""


@dataclass(slots=True)
class Candidates:
    """What there is for one step. `eligible` groups meet the threshold, `weak` ones do not; `misses` (origin, reason)
    nearly counted; `broken` are the trees of sublayouts that do not hold."""

    evidence: list[Evidence] = field(default_factory=list)
    misses: list[tuple[str, str]] = field(default_factory=list)
    rejected: list[Evidence] = field(default_factory=list)
    """Statements of the right kind and signer that do not say what the policy asks for."""
    broken: list[Check] = field(default_factory=list)
    eligible: tuple[Group, ...] = ()
    weak: tuple[Group, ...] = ()

    @property
    def near_misses(self) -> list[tuple[str, str]]:
        """The near misses, each once."""
        return list(dict.fromkeys(self.misses))


def collect(setting: Setting, judge_sublayout: JudgeSublayout) -> dict[str, Candidates]:
    """The candidates for every step of the layout, by its name."""
    collector = _Collector(setting, judge_sublayout)
    return {step.name: collector.collect(step) for step in setting.layout.steps}


class _Collector:
    """Sorts the visible evidence once, then hands it out to the steps."""

    def __init__(self, setting: Setting, judge_sublayout: JudgeSublayout) -> None:
        self.setting = setting
        self.judge_sublayout = judge_sublayout
        self.by_name: dict[str, list[tuple[Exhibit, Claim]]] = {}
        self.layouts: list[Exhibit] = []
        self.statements: dict[str, list[Exhibit]] = {}
        self.stamped: dict[Digest, list[Verified[Body]]] = {}
        """What came with timestamps. A copy without them would otherwise decide, if it is looked at first."""
        self.misnamed: dict[str, list[tuple[str, str]]] = {}
        self.refused: dict[str, list[tuple[str, str]]] = {}
        for refusal in setting.case.refused:
            for name in dict.fromkeys((refusal.step, refusal.claimed)):
                if name is not None:
                    self.refused.setdefault(name, []).append((refusal.origin, refusal.reason))
        for exhibit in setting.case.evidence:
            if self._visible(exhibit):
                self._sort(exhibit)

    def _visible(self, exhibit: Exhibit) -> bool:
        """Whether `exhibit` lay in a folder of this layout, or in one above it."""
        folders = self.setting.place.folders
        if len(exhibit.scope) > len(folders):
            return False
        return all(name in allowed for name, allowed in zip(exhibit.scope, folders, strict=False))

    def _sort(self, exhibit: Exhibit) -> None:
        document = exhibit.document
        stamped = (one.fields.get("timestamps") for one in document.sealed.signatures)
        if self.setting.case.timestamp_authorities and any(stamped):
            self.stamped.setdefault(document.content, []).append(document)
        if isinstance(exhibit.document.body, Layout):
            self.layouts.append(exhibit)
            return
        claim = self._claim(exhibit)
        if isinstance(claim, Claim):
            # The signed name decides; what a file is called is nobody's word.
            self.by_name.setdefault(claim.name, []).append((exhibit, claim))
            if exhibit.step is not None and exhibit.step != claim.name:
                reason = f'is signed for another step, "{claim.name}"'
                self.misnamed.setdefault(exhibit.step, []).append((exhibit.document.origin, reason))
        elif isinstance(exhibit.document.body, Statement) and claim is None:
            self.statements.setdefault(exhibit.document.body.predicate_type, []).append(exhibit)
        elif isinstance(claim, str) and exhibit.step is not None:
            self.misnamed.setdefault(exhibit.step, []).append((exhibit.document.origin, claim))

    def _claim(self, exhibit: Exhibit) -> Claim | str | None:
        """What the document claims; why it cannot be read; or None for what is no link."""
        claims = self.setting.memo.claims
        key = str(exhibit.document.content)
        if key not in claims:
            try:
                claims[key] = claim_of(exhibit.document.body)
            except Malformed as error:
                claims[key] = f"has a bad link predicate: {error}"
        return claims[key]

    def collect(self, step: Step) -> Candidates:
        """The candidates for `step`."""
        if step.predicate is not None:
            return self._collect_statements(step, step.predicate)
        found = Candidates()
        found.misses += self.refused.get(step.name, [])
        found.misses += self.misnamed.get(step.name, [])
        authorised = self.setting.authority.authorised(step)
        # A copy of a document under another name, or in another envelope, adds nothing.
        seen: set[tuple[object, ...]] = set()
        for exhibit, claim in self.by_name.get(step.name, ()):
            if _is_new(exhibit, seen):
                self._link(step, exhibit, claim, authorised, found)
        for exhibit in self.layouts:
            if exhibit.step in (None, step.name) and _is_new(exhibit, seen):
                self._sublayout(step, exhibit, authorised, found)
        self._weigh(step, found)
        return found

    def _collect_statements(self, step: Step, requirement: Requirement) -> Candidates:
        """The candidates for a step that rests on a predicate."""
        from navicert.verify.attestations import examine, record_of

        of_type = [one for type, all in self.statements.items() if requirement.accepts(type) for one in all]
        if requirement.claimed:
            from navicert.verify.claims import collect_claims

            return collect_claims(self.setting, step, requirement, of_type)
        found, case, memo = Candidates(), self.setting.case, self.setting.memo
        found.misses += [
            (one.origin, one.reason) for one in case.refused if one.predicate and requirement.accepts(one.predicate)
        ]
        authorised = self.setting.authority.authorised(step)
        seen: set[tuple[object, ...]] = set()
        for exhibit in of_type:
            document = exhibit.document
            statement = document.body
            signers = self._signers(step, exhibit, authorised, found) if _is_new(exhibit, seen) else {}
            if not signers or not isinstance(statement, Statement):
                continue
            try:
                record = record_of(statement, requirement.role)
            except Malformed as error:
                found.misses.append((document.origin, f"cannot be judged: {error}"))
                continue
            path = odd_path(record)
            if path is not None:
                found.misses.append((document.origin, odd(path)))
                continue
            key = (document.content, *self.setting.place.lineage, step.name)
            if key not in memo.examined:
                memo.examined[key] = examine(statement, requirement, case, memo.readings, document.times)
            evidence = Evidence(document, signers, record, (), {}, checks=memo.examined[key])
            holds = all(check.outcome.passes for check in evidence.checks)
            (found.evidence if holds else found.rejected).append(evidence)
        # Whatever an index holds, and whoever pins that: nobody signed it, and signers are asked for.
        found.misses += [
            (claim.origin, "is signed by nobody, and the policy names who has to sign it")
            for claim in case.claims
            if requirement.accepts(claim.body.predicate_type)
        ]
        if not found.evidence and not found.rejected:
            found.misses += self._other_statements(step, requirement, authorised)
        self._weigh(step, found)
        return found

    def _other_statements(
        self, step: Step, requirement: Requirement, authorised: Collection[Key]
    ) -> Iterable[tuple[str, str]]:
        """What whoever may sign for `step` said instead."""
        wanted = " or ".join(requirement.types)
        for type, exhibits in self.statements.items():
            if requirement.accepts(type):
                continue
            for exhibit in exhibits:
                document = exhibit.document
                meant = any(wanted.accepts(one) for wanted in step.identities for one in document.identities)
                if meant or any(key in authorised for key in document.signers):
                    yield exhibit.document.origin, f"is a {type}, not a {wanted}"

    def _link(self, step: Step, exhibit: Exhibit, claim: Claim, authorised: Iterable[Key], found: Candidates) -> None:
        document = exhibit.document
        signers = self._signers(step, exhibit, authorised, found)
        if not signers:
            return
        problem = self._disqualified(claim)
        if problem:
            found.misses.append((document.origin, problem))
            return
        checks = self._examined(step, document, claim, found)
        if checks is None:
            return
        run = run_id_of(claim.environment) if self.setting.ties_runs else None
        record = claim.record
        found.evidence.append(
            Evidence(document, signers, record, claim.command, claim.byproducts, checks=checks, run=run)
        )

    def _examined(
        self, step: Step, document: Verified[Body], claim: Claim, found: Candidates, index: int = 0
    ) -> tuple[Check, ...] | None:
        """What the attribute rules of a step come to for one link; None where one does not hold, which is noted."""
        if not step.attributes:
            return ()
        from navicert.verify.attestations import examine_link

        examined, key = self.setting.memo.examined, (document.content, *self.setting.place.lineage, step.name, index)
        if key not in examined:
            examined[key] = examine_link(claim, step.attributes, self.setting.case, self.setting.memo.readings)
        bad = next((check for check in examined[key] if not check.outcome.passes), None)
        if bad is not None:
            found.misses.append((document.origin, f"{bad.subject!r} {bad.reason}"))
            return None
        return examined[key]

    def _sublayout(self, step: Step, exhibit: Exhibit, authorised: Iterable[Key], found: Candidates) -> None:
        """Judge a sublayout; each way in which it holds is evidence for `step`. Spec: §4.3.2, §5.2 (5)."""
        document, place = exhibit.document, self.setting.place
        if str(document.content) in place.lineage and len(exhibit.scope) < len(place.folders):
            # Nobody filed it under this layout: it lies where it stands for a step of a layout above.
            found.misses.append((document.origin, "stands for a step above this one"))
            return
        signers = self._signers(step, exhibit, authorised, found)
        if not signers:
            return
        tree, ways = self.judge_sublayout(self.setting, step, exhibit)
        if not ways:
            found.broken.append(tree)
            found.misses.append((document.origin, "is a layout that does not hold"))
        for index, (summary, way) in enumerate(ways):
            record = Record(summary.materials, summary.products)
            claim = Claim(step.name, record, summary.command, summary.byproducts, summary.environment)
            checks = self._examined(step, document, claim, found, index)
            if checks is None:
                continue
            made = Evidence(document, signers, record, summary.command, summary.byproducts, way, index, checks)
            found.evidence.append(made)

    def _signers(
        self, step: Step, exhibit: Exhibit, authorised: Iterable[Key], found: Candidates
    ) -> dict[Principal, Key | None]:
        """The principals whose signature counts for the step; where there are none, a near miss is noted."""
        document, case, authority = exhibit.document, self.setting.case, self.setting.authority
        principal_of = authority.principal
        denied = case.revoked.denies_document(document)
        if denied is not None:
            found.misses.append((document.origin, f"is revoked by its digest {denied}"))
            return {}
        mine = [key for key in authorised if key in document.signers]
        holders, objections = self._holders(step, document)
        mine += holders
        meant = [one for one in document.identities if any(wanted.accepts(one) for wanted in step.identities)]
        if not mine and not meant:
            objections += _objections(step, document.identities)
            who = ", ".join([*(str(principal_of(key)) for key in document.signers), *map(str, document.identities)])
            why = "".join(f"; {objection}" for objection in objections)
            found.misses.append((document.origin, f"is signed by {who}, who may not sign for this step{why}"))
            return {}
        signers: dict[Principal, Key | None] = {}
        for identity in meant:
            counted = authority.identified(identity)
            if case.revoked.denies_identity(identity) or (counted and counted.identity in case.revoked.identities):
                found.misses.append((document.origin, f"is signed by {identity}, who is revoked"))
            elif counted is None:
                found.misses.append((document.origin, f"is signed by {identity}, who may be one of several persons"))
            else:
                signers[counted] = None
        for key in mine:
            principal, both = principal_of(key), authority.with_master(key)
            expired = [one for one in both if one.expired(case.at)]
            if case.revoked.keys and any(case.revoked.denies_key(one) for one in both):
                found.misses.append((document.origin, f"is signed with a revoked key, {principal}"))
            elif expired:
                found.misses.append((document.origin, f"is signed with an expired key: {expiry_of(expired[0])}"))
            elif not self._counts(document, key):
                bounds = "; ".join(map(str, authority.validities(key)))
                reason = f"is signed with a key of {principal} that does not count for it ({bounds})"
                found.misses.append((document.origin, reason))
            elif principal.identity in case.revoked.identities:
                found.misses.append((document.origin, f"is signed by {principal}, who is revoked"))
            else:
                signers[principal] = key
        return signers

    def _holders(self, step: Step, document: Verified[Body]) -> tuple[list[Key], list[str]]:
        """The keys of certificates that may sign for the step, and why others may not."""
        if not any(key.certified for key in document.signers):
            return [], []
        case, authority = self.setting.case, self.setting.authority
        holders: list[Key] = []
        objections: list[str] = []
        for key in document.signers:
            if not key.certified:
                continue
            moments = self._moments(document, key)
            denied = case.revoked.denies_certificate
            problems = [authority.objection(step, key, moment, denied) for moment in moments]
            objection = "" if "" in problems else problems[0]
            if not objection and case.revoked.denies_holder(key.names.all):
                objection = "the holder of its certificate is revoked"
            if objection:
                objections.append(objection)
            else:
                holders.append(key)
        return holders, objections

    def _counts(self, document: Verified[Body], key: Key) -> bool:
        """Whether the policy lets `key` count for a moment at which its signature of `document` existed."""
        validities = self.setting.authority.validities(key)
        if not validities:
            return True
        return any(all(one.holds(moment) for one in validities) for moment in self._moments(document, key))

    def _moments(self, document: Verified[Body], key: Key) -> tuple[datetime, ...]:
        """For which moments the signature of `document` by `key` may be judged, each enough: when it is proved to have
        existed, and the one that is judged for."""
        case = self.setting.case
        if not case.timestamp_authorities:
            return (case.at,)
        from navicert.verify.signing_time import signing_times

        copies = (document, *self.stamped.get(document.content, ()))
        times = dict.fromkeys(time.at for one in copies for time in signing_times(one, key, case))
        return (*times, case.at)

    def _disqualified(self, claim: Claim) -> str:
        """Why a link of the right name and signer does not count, or nothing."""
        path = odd_path(claim.record)
        if path is not None:
            return odd(path)
        wanted = self.setting.case.run_id
        if wanted is not None and run_id_of(claim.environment) != wanted:
            return f'belongs to run "{run_id_of(claim.environment) or ""}", not to run "{wanted}"'
        if self.setting.demands_run and run_id_of(claim.environment) is None:
            return "carries no run id, and the policy requires one"
        return ""

    def _weigh(self, step: Step, found: Candidates) -> None:
        """Group the evidence of `step`, and sort the groups by whether they meet its threshold."""
        case = self.setting.case
        limit = case.limits.links_per_step
        groups: tuple[Group, ...] = ()
        if len(found.evidence) > limit:
            found.misses.append((f"step {step.name}", f"more than {limit} links (limit links_per_step)"))
            found.evidence.clear()
        elif case.profile.selects_among_links:
            try:
                groups = of_runs(found.evidence, step.threshold, limit)
            except LimitExceeded as error:
                found.misses.append((f"step {step.name}", str(error)))
                found.evidence.clear()
        else:
            ordered = in_pubkeys_order(found.evidence, step.pubkeys, self.setting.authority)
            groups = (Group(tuple(ordered), ordered[0].record),) if ordered else ()
        found.eligible = tuple(g for g in groups if len(g.principals) >= step.threshold)
        found.weak = tuple(g for g in groups if len(g.principals) < step.threshold)


def _objections(step: Step, identities: Iterable[Identity]) -> list[str]:
    """Why no identity is meant: what the nearest of those that the step names has against each."""
    found: list[str] = []
    for identity in identities:
        against: list[tuple[str, ...]] = [wanted.objections(identity) for wanted in step.identities]
        found += sorted(against, key=len)[0] if against else ()
    return found


def _is_new(exhibit: Exhibit, seen: set[tuple[object, ...]]) -> bool:
    """Whether no document of the same content by the same signers was in `seen`; it is from now on."""
    document = exhibit.document
    identity = (document.content, frozenset(document.signers), frozenset(document.identities))
    if identity in seen:
        return False
    seen.add(identity)
    return True
