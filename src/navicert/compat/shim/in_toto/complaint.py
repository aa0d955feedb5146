"""What upstream raises of a verdict that did not pass, in its exceptions and words.

The order is upstream's: signatures of the layout, expiry, missing links, thresholds, sublayouts, links that disagree,
rules of the steps, inspections, their rules. Upstream's sentence comes first; what it does not name is added.
"""

from __future__ import annotations

import os

from navicert.compat.shim.in_toto.exceptions import (
    BadReturnValueError,
    LayoutExpiredError,
    LinkNotFoundError,
    RuleVerificationError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.filing import Filing
from navicert.compat.shim.in_toto.judgement import Judgement, each
from navicert.compat.shim.in_toto.trace import Course
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.dataclass import dataclass
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.verdict import Check, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_SUBLAYOUT = {"depth": "sublayout depth exceeded", "repeated": "sublayout repetition"}
"""How a sublayout that is not even judged is called, by the check that says so."""


def complain(judgement: Judgement) -> NoReturn:
    """Raises what upstream would of a verdict that did not pass."""
    Level.top(judgement).complain()
    cause = judgement.verdict.first_cause
    raise FormatError("verification did not pass" if cause is None else f"{cause.name}: {cause.reason}")


@dataclass(frozen=True, slots=True)
class Level:
    """One layout of the judgement: the whole, or a sublayout."""

    judgement: Judgement
    layout: Layout
    tree: Check
    filing: Filing
    where: str = ""

    @staticmethod
    def top(judgement: Judgement) -> Level:
        """The whole."""
        filing = Filing(judgement.layout, judgement.link_dir, judgement.gathered, judgement.verdict.at)
        return Level(judgement, judgement.layout, judgement.verdict.root, filing)

    def below(self, step: Step, tree: Check) -> Level | None:
        """The sublayout that `tree` is about, which stands for `step`."""
        exhibits = [exhibit.document for exhibit in self.judgement.gathered.exhibits]
        # Of several documents of one origin the subject says which, after the origin.
        document = next((one for one in exhibits if tree.subject.startswith(one.origin)), None)
        if document is None or not isinstance(document.body, Layout):
            return None
        folder = os.path.splitext(tree.subject)[0]
        filing = Filing(document.body, folder, self.judgement.gathered, self.judgement.verdict.at)
        where = f" (in the sublayout '{tree.subject}' of step '{step.name}')"
        return Level(self.judgement, document.body, tree, filing, where)

    def complain(self) -> None:
        """Raises what upstream would raise first. Returns where nothing of this layout failed."""
        for check in self.tree.children:
            if check.outcome.passes:
                continue
            if check.id == "layout.signature":
                raise SignatureVerificationError(f"{check.reason}: {_reasons(check)}{self.where}")
            if check.id == "layout.expired":
                raise LayoutExpiredError(f"Layout expired{self.where}: it {check.reason}")
            if check.id.startswith("sublayout."):
                what = _SUBLAYOUT.get(check.id.removeprefix("sublayout."), "malformed sublayout")
                raise FormatError(f"{what}: {check.reason}{self.where}")
        for shortfall in (self.missing, self.threshold, self.sublayout, self.disagreement, self.rules):
            self._for_each_step(shortfall)
        for inspection, group in each(self.tree, "inspection", self.layout.inspections):
            self._run(inspection.name, list(inspection.run), group)
        for inspection, group in each(self.tree, "inspection", self.layout.inspections):
            _complain_of_rules(group, inspection.name)

    def _for_each_step(self, complain: Callable[[Step, Check], None]) -> None:
        for step, group in each(self.tree, "step", self.layout.steps):
            complain(step, group)

    def missing(self, step: Step, group: Check) -> None:
        """Raises what upstream raises where link files are missing."""
        found = len(self.filing.of(step))
        if found < step.threshold and _failing(group, "step.threshold"):
            raise LinkNotFoundError(
                f"Step '{step.name}' requires '{step.threshold}' link metadata file(s), found '{found}'."
                f"{self._not_counted(step, group)}{self.where}"
            )

    def threshold(self, step: Step, group: Check) -> None:
        """Raises what upstream raises where too few signed."""
        for check in _failing(group, "step.threshold"):
            if any(child.id == "sublayout" for child in group.children):
                continue
            raise ThresholdVerificationError(
                f"Step '{step.name}' requires at least '{step.threshold}' links validly signed by different authorized"
                f" functionaries. Only found '{check.facts.get('found', 0)}'"
                f"{('.' + others) if (others := self._not_counted(step, group)) else ''}{self.where}"
            )

    def sublayout(self, step: Step, group: Check) -> None:
        """Raises what upstream raises of sublayouts that do not hold."""
        for tree in group.children:
            if tree.id != "sublayout" or tree.outcome.passes:
                continue
            level = self.below(step, tree)
            if level is not None:
                level.complain()

    def disagreement(self, step: Step, group: Check) -> None:
        """Raises what upstream raises where links disagree."""
        for check in _failing(group, "step.disagreement"):
            first, *others = [os.path.basename(filed.path) for filed in self.filing.signed(step)] or [""]
            odd = next((name for name in others if f'{name}" have' in check.reason), "")
            names = f"Links '{first}' and '{odd}'" if odd else f"Links of step '{step.name}'"
            raise ThresholdVerificationError(f"{names} have different artifacts!{self.where}")

    def rules(self, step: Step, group: Check) -> None:
        """Raises what upstream raises of rules that do not hold."""
        _complain_of_rules(group, step.name)

    def _run(self, name: str, command: list[str], group: Check) -> None:
        problem = self.judgement.problems.get(name)
        if problem is not None:
            raise problem
        for check in group.children:
            if check.id == "inspection.run" and not check.outcome.passes and check.outcome is not Outcome.PENDING:
                raise BadReturnValueError(
                    f"{bad_return_value(check.facts.get('return-value'), command)} Inspection '{name}' failed"
                    f"{self.where}."
                )

    def _not_counted(self, step: Step, group: Check) -> str:
        """The near misses of `step`, and links that count once because one key signed them all."""
        notes = [
            f"'{check.subject}' {check.reason}"
            for threshold in _failing(group, "step.threshold")
            for check in threshold.children
            if check.is_note
        ]
        told = {
            os.path.normpath(check.subject)
            for threshold in _failing(group, "step.threshold")
            for check in threshold.children
        }
        notes += [
            f"'{filed.path}' is not validly signed by the key it is named after, {filed.keyid[:8]}"
            for filed, _ in self.filing.skipped(step)
            if os.path.normpath(filed.path) not in told
        ]
        signers: dict[str, list[str]] = {}
        for exhibit in self.judgement.gathered.exhibits:
            body = exhibit.document.body
            if isinstance(body, Link) and body.name == step.name:
                for key in exhibit.document.signers:
                    signers.setdefault(key.fingerprint, []).append(exhibit.document.origin)
        notes += [
            f"{' and '.join(repr(origin) for origin in origins)} are signed by the same key: a duplicate counts once"
            for origins in signers.values()
            if len(origins) > 1
        ]
        authority: dict[str, list[str]] = {}
        for keyid in step.pubkeys:
            value = self.layout.keys.get(keyid)
            if value is not None:
                authority.setdefault(str(value.get("keyval")), []).append(keyid[:8])
        notes += [
            f"the keys {', '.join(ids)} are the same key: a duplicate counts once"
            for ids in authority.values()
            if len(ids) > 1
        ]
        return f" Not counted: {'; '.join(dict.fromkeys(notes))}." if notes else ""


def bad_return_value(value: object, command: list[str] | None = None) -> str:
    """Upstream's sentence about a command that did not return 0."""
    kind = "zero" if isinstance(value, int) else "int"
    return f"Got non-{kind} return value '{value}'" + (f" from command '{command}'." if command else ".")


def _failing(group: Check, id: str) -> list[Check]:
    return [check for check in group.children if check.id == id and not check.outcome.passes]


def _reasons(check: Check) -> str:
    return "; ".join(f"{child.subject}: {child.reason}" for child in check.children if not child.outcome.passes)


def _complain_of_rules(group: Check, item: str) -> None:
    for check in group.children:
        if check.outcome.passes or check.outcome is Outcome.PENDING:
            continue
        course = Course.of(item, dict(check.facts))
        if course is not None:
            raise RuleVerificationError(str(course))
