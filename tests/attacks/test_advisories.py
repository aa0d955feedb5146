"""Every published advisory on in-toto and its implementations: the attack that it describes, refused here.

Where the flaw is in what the specification leaves to its users, the test shows the option that closes it.
"""

from __future__ import annotations

from navicert.testing import chain, file_target


def test_ghsa_vrxp_mg9f_hwf3_cve_2021_41087_a_path_that_goes_round_a_rule_does_not_count() -> None:
    # `dir/../foo` is foo; a rule that forbids foo is not to be got round by spelling it so.
    step = chain().step("build", by="bob", products=["DISALLOW foo", "ALLOW *"])
    assert step.link("build", products={"bar": b"x"}).verdict().passed
    assert not step.link("build", products={"foo": b"x"}).verdict().passed
    for spelling in ("dir/../foo", "./foo", "dir//../foo", "x/./../foo"):
        assert not step.link("build", products={spelling: b"x"}).verdict().passed, spelling


def test_ghsa_6q78_j78h_pqm2_links_of_another_release_do_not_carry_this_target() -> None:
    step = chain().step("build", by="bob", products=["CREATE app", "DISALLOW *"])
    old = step.link("build", products={"app": b"last year's"})
    assert old.verdict(target=file_target(b"last year's")).passed
    assert not old.verdict(target=file_target(b"this year's")).passed
