"""Attacks that other verifiers of supply chains have met, each played on a layout and its links."""

from __future__ import annotations

from navicert.testing import chain


def test_a_step_that_was_left_out_is_missed() -> None:
    good = chain().step("test", by="bob").step("build", by="bob").link("test").link("build")
    assert good.verdict().passed
    assert not good.without("test").verdict().passed
