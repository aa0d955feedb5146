"""What a verification by the `in-toto-*` programs must get right: the UPSTREAM column of
`docs/reference/conformance.md`, as far as the judgement itself decides it.

One test for each cell, named after it. The same cells in the other profile: `test_strict_column.py`.
"""

from __future__ import annotations

from navicert.testing import chain
from navicert.verdict import Outcome, Verdict
from navicert.verify.profile import Profile

UPSTREAM = Profile.UPSTREAM


def warnings(verdict: Verdict) -> list[str]:
    """The ids of the checks that warn by themselves."""
    return [check.id for _, check in verdict.root.walk() if check.leaf is Outcome.WARN]


def test_a_layout_without_steps_passes_with_a_warning() -> None:
    verdict = chain().verdict(profile=UPSTREAM)
    assert verdict.passed
    assert warnings(verdict) == ["layout.empty"]
