"""Where verification and recording are stricter than upstream: each point by the test that shows it."""

from __future__ import annotations

from navicert.testing import chain


def test_one_key_under_two_ids_counts_once() -> None:
    step = chain().step("build", by=["bob", "carl"], threshold=2)
    assert not step.link("build", by="bob").verdict().passed
    assert step.link("build", by="bob").link("build", by="carl").verdict().passed
