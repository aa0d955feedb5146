"""A verdict, said in upstream's exceptions and words.

The order is upstream's: signatures of the layout, expiry, missing links, thresholds, sublayouts, links that disagree,
rules of the steps, inspections, their rules. Upstream's sentence comes first; what it does not name is added.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from navicert.compat.shim.in_toto.exceptions import (
    BadReturnValueError,
    LayoutExpiredError,
    LinkNotFoundError,
    RuleVerificationError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.models.link import FILENAME_FORMAT
from navicert.compat.shim.in_toto.trace import Course
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.rule import Side
from navicert.store.gather import Gathered
from navicert.verdict import Check, Outcome, Verdict

_UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it was reached from. `problems` holds what inspections raised, by their name."""

    verdict: Verdict
    layout: Layout
    gathered: Gathered
    link_dir: str
    problems: Mapping[str, Exception]

    def require(self) -> None:
        """Raises what upstream would, unless the verdict passed."""
        if self.verdict.passed:
            return
        _Level(self, self.layout, self.verdict.root, self.link_dir, "").complain()
        cause = self.verdict.first_cause
        raise FormatError("verification did not pass" if cause is None else f"{cause.name}: {cause.reason}")

    def narrative(self) -> Iterator[tuple[str, ...]]:
        """What upstream says at `--verbose` of the stages before the inspections, up to the first that fails: each a
        format and what goes into it."""
        root = self.verdict.root
        groups = {step.name: _children(root, "step", step.name) for step in self.layout.steps}
        level = _Level(self, self.layout, root, self.link_dir, "")
        stages: list[tuple[Callable[[Step, Check], None], list[tuple[str, ...]]]] = [
            (level._missing, [("Verifying link metadata signatures...",)]),
            (level._threshold, [("Verifying sublayouts...",)]),
            (level._sublayout, [("Verifying alignment of reported commands...",), *self._alignment(level)]),
        ]
        for complain, lines in stages:
            if self._fails(complain, groups):
                return
            yield from lines
        yield ("Verifying threshold constraints...",)
        for step in self.layout.steps:
            verb = "Skipping threshold verification" if step.threshold <= 1 else "Verifying threshold"
            yield (f"{verb} for step '%s' with threshold '%s'...", step.name, str(step.threshold))
        if self._fails(level._disagreement, groups):
            return
        yield ("Verifying Step rules...",)
        for step in self.layout.steps:
            yield from _of_rules(step, groups[step.name])
            if any(_broken(group) for group in groups[step.name]):
                return
        yield ("Executing Inspection commands...",)

    def _alignment(self, level: _Level) -> list[tuple[str, ...]]:
        files = [os.path.basename(path) for step in self.layout.steps for path in level._files(step)]
        return [("Verifying command alignment for '%s'...", name) for name in files]

    def _fails(self, complain: Callable[[Step, Check], None], groups: Mapping[str, list[Check]]) -> bool:
        try:
            for step in self.layout.steps:
                for group in groups[step.name]:
                    complain(step, group)
        except Exception:  # noqa: BLE001  # whatever it is: this stage is as far as upstream would have come
            return True
        return False

    def rules_of_inspections(self) -> Iterator[tuple[str, ...]]:
        """What upstream says at `--verbose` of the rules of inspections that have run."""
        groups = [g for item in self.layout.inspections for g in _children(self.verdict.root, "inspection", item.name)]
        ran = [check for group in groups for check in group.children if check.id == "inspection.run"]
        if len(ran) < len(groups) or any(not check.outcome.passes for check in ran) or not self._reached():
            return
        yield ("Verifying Inspection rules...",)
        for inspection in self.layout.inspections:
            groups = _children(self.verdict.root, "inspection", inspection.name)
            yield from _of_rules(inspection, groups)
            if any(_broken(group) for group in groups):
                return

    def _reached(self) -> bool:
        """Whether everything before the inspections passed."""
        return all(check.outcome.passes for check in self.verdict.root.counted if check.id != "inspection")

    def warnings(self) -> Iterator[str]:
        """What a person should know about a verdict that passed."""
        for step in self.layout.steps:
            for group in _children(self.verdict.root, "step", step.name):
                yield from self._of_step(step, group)
        for _, check in self.verdict.root.walk():
            if check.id == "layout.empty":
                yield check.reason
            elif check.id == "rule.match-unsatisfied" and check.leaf is Outcome.WARN:
                yield f"rule '{check.subject.partition(' ')[2]}' is not satisfied: {check.reason}"
        names = {
            FILENAME_FORMAT.format(step_name=step.name, keyid=keyid)
            for step in self.layout.steps
            for keyid in step.pubkeys
        }
        for refusal in self.gathered.refused:
            if refusal.reason.startswith(_UNREADABLE) and os.path.basename(refusal.origin) in names:
                yield f"Skipping link. '{refusal.origin}' {refusal.reason}"

    def _of_step(self, step: Step, group: Check) -> Iterator[str]:
        ran = {
            exhibit.document.origin: exhibit.document.body.command
            for exhibit in self.gathered.exhibits
            if isinstance(exhibit.document.body, Link)
        }
        for check in group.children:
            if check.id == "step.command" and check.subject in ran:
                command, expected = list(ran[check.subject]), list(step.expected_command)
                yield f"Run command '{command}' differs from expected command '{expected}'"
            elif check.id in ("step.command", "step.disagreement", "artifact.twins") and check.leaf is Outcome.WARN:
                yield f"step '{step.name}': {check.reason}"


@dataclass(frozen=True, slots=True)
class _Level:
    """One layout of the judgement: the whole, or a sublayout."""

    judgement: Judgement
    layout: Layout
    tree: Check
    link_dir: str
    where: str

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
                raise FormatError(f"the sublayout {check.reason}{self.where}")
        for shortfall in (self._missing, self._threshold, self._sublayout, self._disagreement, self._rules):
            self._for_each_step(shortfall)
        for inspection in self.layout.inspections:
            for group in _children(self.tree, "inspection", inspection.name):
                self._run(inspection.name, list(inspection.run), group)
        for inspection in self.layout.inspections:
            for group in _children(self.tree, "inspection", inspection.name):
                _complain_of_rules(group, inspection.name)

    def _for_each_step(self, complain: Callable[[Step, Check], None]) -> None:
        for step in self.layout.steps:
            for group in _children(self.tree, "step", step.name):
                complain(step, group)

    def _missing(self, step: Step, group: Check) -> None:
        found = len(self._files(step))
        if found < step.threshold and _failing(group, "step.threshold"):
            raise LinkNotFoundError(
                f"Step '{step.name}' requires '{step.threshold}' link metadata file(s), found '{found}'."
                f"{self._not_counted(step, group)}{self.where}"
            )

    def _threshold(self, step: Step, group: Check) -> None:
        for check in _failing(group, "step.threshold"):
            if any(child.id == "sublayout" for child in group.children):
                continue
            raise ThresholdVerificationError(
                f"Step '{step.name}' requires at least '{step.threshold}' links validly signed by different authorized"
                f" functionaries. Only found '{check.facts.get('found', 0)}'"
                f"{('.' + others) if (others := self._not_counted(step, group)) else ''}{self.where}"
            )

    def _sublayout(self, step: Step, group: Check) -> None:
        for tree in group.children:
            if tree.id != "sublayout" or tree.outcome.passes:
                continue
            document = self._document(tree.subject)
            folder = os.path.splitext(tree.subject)[0]
            if document is not None and isinstance(document.body, Layout):
                where = f" (in the sublayout '{tree.subject}' of step '{step.name}')"
                _Level(self.judgement, document.body, tree, folder, where).complain()

    def _disagreement(self, step: Step, group: Check) -> None:
        if not _failing(group, "step.disagreement"):
            return
        links = {
            os.path.normpath(exhibit.document.origin): exhibit.document.body
            for exhibit in self.judgement.gathered.exhibits
            if isinstance(exhibit.document.body, Link)
        }
        found = [(os.path.basename(path), links[path]) for path in self._files(step) if path in links]
        for name, link in found[1:]:
            first, reference = found[0]
            if (link.materials, link.products) != (reference.materials, reference.products):
                raise ThresholdVerificationError(f"Links '{first}' and '{name}' have different artifacts!{self.where}")
        raise ThresholdVerificationError(f"Links of step '{step.name}' have different artifacts!{self.where}")

    def _rules(self, step: Step, group: Check) -> None:
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

    # --- what lies in the folder -----------------------------------------------------------------------------------

    def _files(self, step: Step) -> list[str]:
        """The link files of those who may sign for `step` that could be read, in the order of its keys."""
        keyids = list(dict.fromkeys(id for keyid in step.pubkeys for id in (keyid, *_subkeys(self.layout, keyid))))
        wanted = dict.fromkeys(
            os.path.normpath(os.path.join(self.link_dir, FILENAME_FORMAT.format(step_name=step.name, keyid=keyid)))
            for keyid in keyids
        )
        unreadable = {
            os.path.normpath(refusal.origin)
            for refusal in self.judgement.gathered.refused
            if refusal.reason.startswith(_UNREADABLE)
        }
        return [path for path in wanted if path not in unreadable and os.path.isfile(path)]

    def _document(self, origin: str) -> Verified[Body] | None:
        found = (e.document for e in self.judgement.gathered.exhibits if origin.startswith(e.document.origin))
        return next(found, None)

    def _not_counted(self, step: Step, group: Check) -> str:
        """The near misses of `step`, and links that count once because one key signed them all."""
        notes = [
            f"'{check.subject}' {check.reason}"
            for threshold in _failing(group, "step.threshold")
            for check in threshold.children
            if check.is_note
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


def _subkeys(layout: Layout, keyid: str) -> list[str]:
    subkeys = layout.keys.get(keyid, {}).get("subkeys")
    return list(subkeys) if isinstance(subkeys, dict) else []


def _children(tree: Check, id: str, subject: str) -> list[Check]:
    return [check for check in tree.children if check.id == id and check.subject == subject]


def _failing(group: Check, id: str) -> list[Check]:
    return [check for check in group.children if check.id == id and not check.outcome.passes]


def _reasons(check: Check) -> str:
    return "; ".join(f"{child.subject}: {child.reason}" for child in check.children if not child.outcome.passes)


def _of_rules(item: Step | Inspection, groups: list[Check]) -> Iterator[tuple[str, ...]]:
    """The rules of an item as they are verified, up to the first that fails."""
    for side in Side:
        yield (f"Verifying {side.value.removesuffix('s')} rules for '%s'...", item.name)
        courses = [course for group in groups if (course := _broken(group)) is not None and course.side is side]
        rules = item.expected_materials if side is Side.MATERIALS else item.expected_products
        for rule in rules[: courses[0].failed + 1] if courses else rules:
            yield ("Verifying '%s'...", " ".join(rule.spelling or rule.pack()))
        if courses:
            return


def _broken(group: Check) -> Course | None:
    """How the rules of an item went that do not hold; None where they do."""
    for check in group.children:
        if not check.outcome.passes and (course := Course.of(group.subject, dict(check.facts))) is not None:
            return course
    return None


def _complain_of_rules(group: Check, item: str) -> None:
    for check in group.children:
        if check.outcome.passes or check.outcome is Outcome.PENDING:
            continue
        course = Course.of(item, dict(check.facts))
        if course is not None:
            raise RuleVerificationError(str(course))
