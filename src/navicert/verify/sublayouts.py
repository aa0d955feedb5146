"""Sublayouts: a layout that stands for a step, judged with its own keys and evidence.

Spec: in-toto v1.0 §4.3.2, §5.2 (5). Depth, number and repetition are bounded: nothing in the format is.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.interface import Callable
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.verdict import Check, all_of, failed
from navicert.verify.authority import Authority
from navicert.verify.candidates import JudgeSublayout
from navicert.verify.case import Exhibit
from navicert.verify.setting import Outcomes, Place, Setting

JudgeLayout = Callable[[Setting], Outcomes]


def sublayouts_by(judge_layout: JudgeLayout) -> JudgeSublayout:
    """The way to judge sublayouts, given the way to judge a layout."""

    def judge(above: Setting, step: Step, exhibit: Exhibit) -> tuple[Check, tuple[tuple[Link, Check], ...]]:
        label = above.label(exhibit)
        try:
            problem, setting = _enter(above, step, exhibit)
        except Malformed as error:
            problem, setting = failed("sublayout.malformed", label, str(error)), None
        if setting is None:
            return all_of("sublayout", label, () if problem is None else (problem,), "cannot stand for this step"), ()
        outcomes = judge_layout(setting)
        return _tree(label, outcomes.checks), tuple((way.summary, _tree(label, way.checks)) for way in outcomes.ways)

    return judge


def _tree(label: str, checks: tuple[Check, ...]) -> Check:
    return all_of("sublayout", label, checks, "a layout stands for this step", spec="§5.2 (5)")


def _enter(above: Setting, step: Step, exhibit: Exhibit) -> tuple[Check | None, Setting | None]:
    """What judging the sublayout goes by, or why it is not judged. Parameters do not reach into it."""
    document, place, limits = exhibit.document, above.place, above.case.limits
    layout, label = document.body, above.label(exhibit)
    if not isinstance(layout, Layout):
        raise Malformed("is no layout")
    above.memo.sublayouts += 1
    if str(document.content) in place.lineage:
        return failed("sublayout.repeated", label, "contains itself: the same layout stands above it"), None
    if len(place.lineage) > limits.sublayout_depth:
        reason = f"nested deeper than {limits.sublayout_depth} (limit sublayout_depth)"
        return failed("sublayout.depth", label, reason), None
    if above.memo.sublayouts > limits.sublayouts:
        return failed("sublayout.depth", label, f"more than {limits.sublayouts} of them (limit sublayouts)"), None
    # Its evidence may be filed under any key that signed it, also where one person signed with several.
    mine = above.authority.authorised(step)
    signed = [key for key in document.signers if key in mine]
    keys = [one for key in signed for one in above.authority.with_master(key)]
    names = {f"{step.name}.{alias[:8]}" for key in keys for alias in key.ids}
    if document.identities:
        names.add(f"{step.name}.{document.digest.hex[:8]}")  # under no key: it is filed by its own digest
    below = Place(
        f"{above.path_of(step)}/sublayout[{label}]",
        (*place.folders, frozenset(names)),
        (*place.lineage, str(document.content)),
    )
    authority = Authority.of(layout, above.case.principals)
    if layout.terms is not None:
        from navicert.verify.attestations import check_expressions

        check_expressions(layout, limits)
    return None, Setting(above.case, layout, authority, below, above.memo)
