"""The evidence that may count for each step, and the near misses that do not.

Spec: in-toto v1.0 §5.2 (3 to 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from navicert.crypto.key import Key
from navicert.errors import LimitExceeded, Malformed
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.principal import Principal
from navicert.verdict import Check
from navicert.verify.authority import expiry_of
from navicert.verify.case import Exhibit
from navicert.verify.evidence import Claim, Evidence, claim_of, odd_path, run_id_of
from navicert.verify.rules import Record
from navicert.verify.setting import Setting
from navicert.verify.thresholds import Group, group, in_pubkeys_order

JudgeSublayout = Callable[
    [Setting, Step, Exhibit, Mapping[Principal, Key]], tuple[Check, tuple[tuple[Link, Check], ...]]
]
"""Judges a sublayout that stands for a step: its tree; and for every way in which it holds the summary link, with the
tree of this way."""


@dataclass(slots=True)
class Candidates:
    """What there is for one step. `eligible` groups meet the threshold, `weak` ones do not; `misses` (origin, reason)
    nearly counted; `broken` are the trees of sublayouts that do not hold."""

    evidence: list[Evidence] = field(default_factory=list)
    misses: list[tuple[str, str]] = field(default_factory=list)
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
        self.misnamed: dict[str, list[tuple[str, str]]] = {}
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
        found = Candidates()
        for refusal in self.setting.case.refused:
            if step.name in (refusal.step, refusal.claimed):
                found.misses.append((refusal.origin, refusal.reason))
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

    def _link(self, step: Step, exhibit: Exhibit, claim: Claim, authorised: Iterable[Key], found: Candidates) -> None:
        document = exhibit.document
        signers = self._signers(exhibit, authorised, found)
        if not signers:
            return
        problem = self._disqualified(claim)
        if problem:
            found.misses.append((document.origin, problem))
            return
        found.evidence.append(Evidence(document, signers, claim.record, claim.command, claim.byproducts))

    def _sublayout(self, step: Step, exhibit: Exhibit, authorised: Iterable[Key], found: Candidates) -> None:
        """Judge a sublayout; each way in which it holds is evidence for `step`. Spec: §4.3.2, §5.2 (5)."""
        document, place = exhibit.document, self.setting.place
        if str(document.content) in place.lineage and len(exhibit.scope) < len(place.folders):
            # Nobody filed it under this layout: it lies where it stands for a step of a layout above.
            found.misses.append((document.origin, "stands for a step above this one"))
            return
        signers = self._signers(exhibit, authorised, found)
        if not signers:
            return
        tree, ways = self.judge_sublayout(self.setting, step, exhibit, signers)
        if not ways:
            found.broken.append(tree)
            found.misses.append((document.origin, "is a layout that does not hold"))
        for index, (summary, way) in enumerate(ways):
            record = Record(summary.materials, summary.products)
            found.evidence.append(Evidence(document, signers, record, summary.command, summary.byproducts, way, index))

    def _signers(self, exhibit: Exhibit, authorised: Iterable[Key], found: Candidates) -> dict[Principal, Key]:
        """The principals whose signature counts for the step; where there are none, a near miss is noted."""
        document, case, authority = exhibit.document, self.setting.case, self.setting.authority
        principal_of = authority.principal
        denied = case.revoked.denies_document(document)
        if denied is not None:
            found.misses.append((document.origin, f"is revoked by its digest {denied}"))
            return {}
        mine = [key for key in authorised if key in document.signers]
        if not mine:
            who = ", ".join(str(principal_of(key)) for key in document.signers)
            found.misses.append((document.origin, f"is signed by {who}, who may not sign for this step"))
            return {}
        signers: dict[Principal, Key] = {}
        for key in mine:
            principal = principal_of(key)
            expired = [one for one in authority.with_master(key) if one.expired(case.at)]
            if any(case.revoked.denies_key(one) for one in authority.with_master(key)):
                found.misses.append((document.origin, f"is signed with a revoked key, {principal}"))
            elif expired:
                found.misses.append((document.origin, f"is signed with an expired key: {expiry_of(expired[0])}"))
            elif principal.identity in case.revoked.identities:
                found.misses.append((document.origin, f"is signed by {principal}, who is revoked"))
            else:
                signers[principal] = key
        return signers

    def _disqualified(self, claim: Claim) -> str:
        """Why a link of the right name and signer does not count, or nothing."""
        path = odd_path(claim.record)
        if path is not None:
            return f'names an artifact by a path that is not in normal form: "{path}"'
        wanted = self.setting.case.run_id
        if wanted is not None and run_id_of(claim.environment) != wanted:
            return f'belongs to run "{run_id_of(claim.environment) or ""}", not to run "{wanted}"'
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
                groups = group(found.evidence, step.threshold, most=limit)
            except LimitExceeded as error:
                found.misses.append((f"step {step.name}", str(error)))
                found.evidence.clear()
        else:
            ordered = in_pubkeys_order(found.evidence, step.pubkeys, self.setting.authority)
            groups = (Group(tuple(ordered), ordered[0].record),) if ordered else ()
        found.eligible = tuple(g for g in groups if len(g.principals) >= step.threshold)
        found.weak = tuple(g for g in groups if len(g.principals) < step.threshold)


def _is_new(exhibit: Exhibit, seen: set[tuple[object, ...]]) -> bool:
    """Whether no document of the same content by the same signers was in `seen`; it is from now on."""
    identity = (exhibit.document.content, frozenset(exhibit.document.signers))
    if identity in seen:
        return False
    seen.add(identity)
    return True
