"""The two profiles differ where the table says, and nowhere else."""

from __future__ import annotations

from navicert.verify.profile import Profile

UPSTREAM_ONLY = {"compares_every_command"}
STRICT_ONLY = {
    "refuses_empty_layout",
    "compares_strong_digests",
    "match_must_hold",
    "selects_among_links",
    "warns_of_loose_rules",
    "inspects_one_by_one",
}


def test_each_difference_is_known() -> None:
    differences = {name for name, value in vars(Profile).items() if isinstance(value, property)}
    assert differences == UPSTREAM_ONLY | STRICT_ONLY
    for name in differences:
        assert getattr(Profile.STRICT, name) is (name in STRICT_ONLY)
        assert getattr(Profile.UPSTREAM, name) is (name in UPSTREAM_ONLY)
