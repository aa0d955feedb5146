"""What a verification by `navicert` must get right: the STRICT column of `docs/reference/conformance.md`, and what holds
in both profiles.

One test for each cell, named after it. The same cells in the other profile: `test_upstream_column.py`.
"""

from __future__ import annotations

from navicert.testing import chain


def test_a_layout_without_steps_is_refused() -> None:
    verdict = chain().verdict()
    assert not verdict.passed
    assert verdict.first_cause is not None
    assert verdict.first_cause.id == "layout.empty"
