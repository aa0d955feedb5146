"""What upstream tells at `--verbose`: the stages of a verification, sublayouts' too, up to the first that fails.

The judgement goes its own way; this is how upstream would have gone. A line is a format and what goes into it.
"""

from __future__ import annotations

import os

from navicert.compat.shim.in_toto.complaint import Level
from navicert.compat.shim.in_toto.filing import Filed, tells_unreadable
from navicert.compat.shim.in_toto.judgement import Judgement
from navicert.compat.shim.in_toto.trace import Course
from navicert.compat.shim.message import Log
from navicert.dataclass import dataclass, field
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.rule import Side
from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Line = tuple[str, ...]

EXECUTING = "Executing command for inspection '%s'..."
_COMMAND = "Run command '%s' differs from expected command '%s'"


@dataclass(slots=True)
class Narrator:
    """Tells a verification while it goes on. `judge` gives what is known of it: before inspections are run, and at the
    end. `told` counts the lines."""

    log: Log
    judge: Callable[[Verdict | None], Judgement]
    told: int = 0
    _before: list[Line] = field(default_factory=list)

    def inspects(self, name: str) -> None:
        """Tell everything up to the run of the inspection `name`, which comes now."""
        if not self._before:
            self._before = list(narrative(self.judge(None)))
        while self.told < len(self._before):
            line = self._before[self.told]
            self._tell(line)
            if line == (EXECUTING, name):
                return

    def ends(self, verdict: Verdict) -> None:
        """Tell what was not told yet, now that all is known."""
        for line in list(narrative(self.judge(verdict)))[self.told :]:
            self._tell(line)

    def _tell(self, line: Line) -> None:
        self.told += 1
        (self.log.warning if line[0] == _COMMAND else self.log.info)(*line)


class _Stopped(Exception):
    """Upstream would have stopped here."""


def narrative(judgement: Judgement) -> Iterator[Line]:
    """The stages from the reading of links on."""
    try:
        yield from _stages(Level.top(judgement))
    except _Stopped:
        return
    if judgement.verdict.passed:
        yield ("The software product passed all verification.",)


def _stages(level: Level) -> Iterator[Line]:
    steps, filing = level.layout.steps, level.filing
    yield ("Reading link metadata files...",)
    yield from _unreadable(level)
    _go_on(level, level.missing)
    yield ("Verifying link metadata signatures...",)
    for step in steps:
        yield from _skipped(level, step)
        _go_on(level, level.threshold, step)
    yield ("Verifying sublayouts...",)
    for step in steps:
        yield from _sublayouts(level, step)
    yield ("Verifying alignment of reported commands...",)
    for step in steps:
        for filed in filing.signed(step):
            yield ("Verifying command alignment for '%s'...", os.path.basename(filed.path))
            yield from _command(level, step, filed.path)
    yield ("Verifying threshold constraints...",)
    for step in steps:
        verb = "Skipping threshold verification" if step.threshold <= 1 else "Verifying threshold"
        yield (f"{verb} for step '%s' with threshold '%s'...", step.name, str(step.threshold))
        _go_on(level, level.disagreement, step)
    yield ("Verifying Step rules...",)
    for step in steps:
        yield from _rules(step, _children(level.tree, "step", step.name))
    yield ("Executing Inspection commands...",)
    for inspection in level.layout.inspections:
        yield (EXECUTING, inspection.name)
        for group in _children(level.tree, "inspection", inspection.name):
            if any(check.id == "inspection.run" and not _may_pass(check) for check in group.children):
                raise _Stopped
    yield ("Verifying Inspection rules...",)
    for inspection in level.layout.inspections:
        yield from _rules(inspection, _children(level.tree, "inspection", inspection.name))


def _go_on(level: Level, complain: Callable[[Step, Check], None], *steps: Step) -> None:
    """Stops where upstream would have complained of one of `steps`, by default of any."""
    try:
        for step in steps or level.layout.steps:
            for group in _children(level.tree, "step", step.name):
                complain(step, group)
    except Exception as error:
        raise _Stopped from error


def _children(tree: Check, id: str, subject: str) -> list[Check]:
    """The checks called `id` of `subject`, right below `tree`."""
    return [check for check in tree.children if check.id == id and check.subject == subject]


def _unreadable(level: Level) -> Iterator[Line]:
    for refusal in level.filing.unreadable():
        yield ("Skipping link. '%s' %s", refusal.origin, refusal.reason)


def _skipped(level: Level, step: Step) -> Iterator[Line]:
    """Whatever does not count for `step`: in upstream's words what it would have looked at, in ours all else."""
    named = {filed.path for filed, _ in _layouts(level, step)}
    for filed, line in level.filing.skipped(step):
        named.add(filed.path)
        yield line
    for group in _children(level.tree, "step", step.name):
        for threshold in (check for check in group.children if check.id == "step.threshold"):
            for check in (check for check in threshold.children if check.is_note):
                if os.path.normpath(check.subject) not in named and not tells_unreadable(check.reason):
                    yield ("Skipping link. '%s' %s", check.subject, check.reason)


def _layouts(level: Level, step: Step) -> Iterator[tuple[Filed, Verified[Body]]]:
    """The layouts that stand for `step`."""
    for filed in level.filing.signed(step):
        document = level.filing.document(filed.path)
        if document is not None and isinstance(document.body, Layout):
            yield filed, document


def _sublayouts(level: Level, step: Step) -> Iterator[Line]:
    trees = [
        check
        for group in _children(level.tree, "step", step.name)
        for check in group.children
        if check.id == "sublayout"
    ]
    for filed, document in _layouts(level, step):
        yield ("Verifying sublayout %s...", step.name)
        yield ("Verifying layout metadata signatures...",)
        yield ("Extracting layout from metadata...",)
        matching = [tree for tree in trees if os.path.normpath(tree.subject) == filed.path]
        matching += [tree for tree in trees if tree.subject.startswith(document.origin)]
        if not matching:
            continue
        tree = matching[0]
        below = level.below(step, tree)
        if below is None or any(check.id.startswith("sublayout.") for check in tree.children):
            raise _Stopped
        yield ("Verifying layout expiration...",)
        if any(check.id == "layout.expired" and not check.outcome.passes for check in tree.children):
            raise _Stopped
        yield from _stages(below)
        yield ("The software product passed all verification.",)


def _command(level: Level, step: Step, path: str) -> Iterator[Line]:
    document = level.filing.document(path)
    if document is not None and isinstance(document.body, Link):
        command, expected = list(document.body.command), list(step.expected_command)
        if command != expected:
            yield (_COMMAND, str(command), str(expected))


def _rules(item: Step | Inspection, groups: list[Check]) -> Iterator[Line]:
    """The rules of an item as they are verified, up to the first that fails."""
    broken = [course for group in groups if (course := _broken(group)) is not None]
    for side in Side:
        yield (f"Verifying {side.value.removesuffix('s')} rules for '%s'...", item.name)
        courses = [course for course in broken if course.side is side]
        rules = item.expected_materials if side is Side.MATERIALS else item.expected_products
        for rule in rules[: courses[0].failed + 1] if courses else rules:
            yield ("Verifying '%s'...", " ".join(rule.spelling or rule.pack()))
        if courses:
            raise _Stopped


def _broken(group: Check) -> Course | None:
    """How the rules of an item went that do not hold; None where they do."""
    for check in group.children:
        if not _may_pass(check) and (course := Course.of(group.subject, dict(check.facts))) is not None:
            return course
    return None


def _may_pass(check: Check) -> bool:
    return check.outcome.passes or check.outcome is Outcome.PENDING
