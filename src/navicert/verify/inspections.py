"""Inspections: what the verifier itself looks at, once everything else holds.

Judging needs only their results; running them is an `Inspector`'s work, outside.

Spec: in-toto v1.0 §4.3.4, §5.2 (10, 11).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.interface import Protocol
from navicert.model.layout import Inspection
from navicert.model.rule import Side
from navicert.verdict import Check, Outcome, all_of, broke, failed, passed, skipped
from navicert.verify.case import InspectionResult
from navicert.verify.rules import Record
from navicert.verify.rulings import Judge, Rulings
from navicert.verify.selection import Choice
from navicert.verify.setting import Setting, words
from navicert.verify.target import Products

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_IMAGE_BASE: Final = ("navicert", "inspect", "image-base")


class Inspector(Protocol):
    """Runs inspections: in a fresh folder with copies of the files to inspect, recorded before and after."""

    def inspect(self, inspection: Inspection) -> InspectionResult:
        """What running `inspection` gave. Never raises for what the command did; `problem` says what went wrong."""


def results_of(setting: Setting) -> dict[str, InspectionResult]:
    """What the inspections of this layout gave, by name, as far as they were run."""
    inspected = setting.case.inspected
    paths = {inspection.name: setting.path_of(inspection) for inspection in setting.layout.inspections}
    return {name: inspected[path] for name, path in paths.items() if path in inspected}


@dataclass(frozen=True, slots=True)
class Inspected:
    """The checks of all inspections, and what they tie to the chain."""

    checks: tuple[Check, ...]
    tied: tuple[Products, ...]


def judge_inspections(
    setting: Setting, results: Mapping[str, InspectionResult], judge: Judge, blocker: str | None
) -> Inspected:
    """The inspections in order, up to the first that fails. `blocker` is the path of a check that failed before: then
    none is run, because no command should run on a target that is refused anyway."""
    checks: list[Check] = []
    ties: list[Products] = []
    for inspection in setting.layout.inspections:
        result = results.get(inspection.name)
        if is_about_target(inspection):
            result = look_at_target(setting, inspection, judge.choice)
        if blocker is not None:
            reason = "not run: an earlier check did not pass"
            checks.append(skipped("inspection", inspection.name, reason, cause=blocker))
        elif result is None:
            setting.memo.pending[setting.path_of(inspection)] = inspection
            pending = Check("inspection.run", "", "has not been run", leaf=Outcome.PENDING)
            checks.append(all_of("inspection", inspection.name, (pending,)))
        else:
            check = _judge(inspection, result, judge)
            checks.append(check)
            if check.outcome.passes:
                ties.append(tied(inspection, result, judge.rulings, judge.choice))
            else:
                blocker = setting.path_of(inspection)
    return Inspected(tuple(checks), tuple(ties))


def is_about_target(inspection: Inspection) -> bool:
    """Whether `inspection` looks only at the image that is judged and at what steps recorded: then it is judged with
    the chain, and nobody has to run it."""
    return inspection.run[:3] == _IMAGE_BASE and "target" in inspection.run[3:]


def steps_looked_at(inspection: Inspection) -> tuple[str, ...]:
    """The steps whose materials an inspection about the target looks at."""
    from navicert.verify.builtin import image_base_of

    try:
        image_base = image_base_of(inspection.run)
    except Malformed:
        return ()
    return () if image_base is None else image_base.steps


def look_at_target(setting: Setting, inspection: Inspection, choice: Choice) -> InspectionResult:
    """What an inspection about the target gives, where the steps are those of `choice`."""
    from navicert.verify.builtin import image_base_of
    from navicert.verify.foundation import material_of, pinned, recorded_layers

    def declared(base: str, platform: str) -> str | None:
        material = material_of(base)
        if material is None:
            return pinned(base)
        step, name = material
        return recorded_layers(choice[step].record.materials, name, platform) if step in choice else None

    try:
        image_base = image_base_of(inspection.run)
    except Malformed as error:
        return InspectionResult(2, output=str(error))
    target = setting.case.target
    if image_base is None or target is None or target.kind != "image":
        return InspectionResult(None, problem="no image is judged – name one as the target")
    value, reason = image_base.judge(target.layers, declared)
    return InspectionResult(value, output=reason)


def succeeded(result: InspectionResult) -> bool:
    """Whether the command was run and returned 0."""
    return not result.problem and type(result.return_value) is int and result.return_value == 0


def _judge(inspection: Inspection, result: InspectionResult, judge: Judge) -> Check:
    """The command must return 0, and then its rules must hold."""
    if result.problem:
        return all_of("inspection", inspection.name, (broke("inspection.run", "", result.problem),))
    facts = {"command": words(inspection.run), "return-value": result.return_value, "output": result.output[-2000:]}
    lines = result.output.strip().splitlines()
    if succeeded(result):
        ran = passed("inspection.run", "", lines[-1][:200] if lines else "returned 0", facts=facts)
    else:
        said = f": {lines[-1][:200]}" if lines else ""
        ran = failed("inspection.run", "", f"returned {result.return_value}{said}", facts=facts)
    rules = judge.judge(inspection, Record(result.materials, result.products))
    return all_of("inspection", inspection.name, (ran, *rules))


def tied(inspection: Inspection, result: InspectionResult, rulings: Rulings, choice: Choice) -> Products:
    """What a MATCH of the inspection ties to a step's products: only that may bind a target. The rest is what happened
    to lie in the folder."""
    record = Record(result.materials, result.products)
    artifacts = {
        path: record.side(side)[path]
        for side in Side
        for application in rulings.apply(inspection, side, record, choice)
        if application.rule.dest_type is Side.PRODUCTS and application.rule.step in choice
        for path in application.consumed
    }
    return Products(f"inspection {inspection.name}", artifacts)
