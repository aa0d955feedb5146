"""One verification, from a layout that its owners signed to a chain that passes, for programs and scripts alike."""

from __future__ import annotations

import os

from navicert.compat.shim.in_toto.judgement import Judgement
from navicert.compat.shim.message import Log
from navicert.model.layout import Layout
from navicert.store.directory import DirectoryStore
from navicert.store.gather import gather
from navicert.verify.case import Case
from navicert.verify.evaluate import evaluate, verify
from navicert.verify.profile import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

    from navicert.compat.shim.in_toto.inspecting import Inspector
    from navicert.verdict import Verdict
    from navicert.verify.case import Policy

LOG: Final = Log("in_toto.verifylib")


def judge(
    policy: Policy, at: datetime, link_dir: str, parameters: Mapping[str, str] | None, inspector: Inspector
) -> Judgement:
    """The judgement of the links in `link_dir` by the layout in `policy`, which its owners signed; its stages are told
    to those who want to hear them. Raises `Malformed`."""
    layout = None if policy.verified is None else policy.verified.body
    if not isinstance(layout, Layout):
        raise ValueError("no layout that its owners signed")
    stores = [DirectoryStore(link_dir, bundles=False)] if os.path.isdir(link_dir) else []
    gathered = gather(policy, stores, keep_bytes=False, bundles=False)
    case = Case(policy, at, gathered.exhibits, gathered.refused, Profile.UPSTREAM, parameters=parameters)
    telling = LOG.informs

    def judged(verdict: Verdict | None) -> Judgement:
        known = evaluate(case) if verdict is None else verdict
        return Judgement(known, layout, gathered, link_dir, inspector.problems, told=telling)

    if not telling:
        return judged(verify(case, inspector))
    from navicert.compat.shim.in_toto.narrative import Narrator

    narrator = Narrator(LOG, judged)
    verdict = verify(case, inspector, progress=narrator.inspects)
    narrator.ends(verdict)
    return judged(verdict)


def summary_of(judgement: Judgement) -> object:
    """The summary of a chain that passed, as a link of Navicert's; None where the layout has no steps. Says what a
    person should know, and raises what upstream raises of a chain that did not pass."""
    judgement.require()
    for text in judgement.warnings():
        LOG.warning("%s", text)
    return judgement.verdict.summary if judgement.layout.steps else None
