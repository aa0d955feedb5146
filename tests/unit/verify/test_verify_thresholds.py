"""How many principals stand behind which report."""

from __future__ import annotations

import pytest

from navicert.digest import DigestSet
from navicert.errors import LimitExceeded
from navicert.testing import Chain, Content, chain, key
from navicert.verify.authority import Authority
from navicert.verify.evidence import Evidence, claim_of
from navicert.verify.thresholds import Group, group, in_pubkeys_order

A, B, C = b"a" * 3, b"b" * 3, b"c" * 3
PEOPLE = ["ann", "bea", "cid", "dan"]
STEP = chain().step("build", by=PEOPLE)
BOTH = {"sha256": "1" * 64, "sha512": "1" * 128}
SHORT, LONG = {"sha256": "1" * 64}, {"sha512": "1" * 128}


def evidence(*links: tuple[str, Content]) -> list[Evidence]:
    """A link for each (who signed, product)."""
    made: Chain = STEP
    for who, content in links:
        made = made.link("build", by=who, products={"app": content})
    return _evidence(made)


def _evidence(made: Chain) -> list[Evidence]:
    authority = Authority.of(made.layout())
    found = []
    for exhibit in made.case().evidence:
        claim = claim_of(exhibit.document.body)
        assert claim is not None
        signers = {authority.principal(one): one for one in exhibit.document.signers}
        found.append(Evidence(exhibit.document, signers, claim.record, claim.command, claim.byproducts))
    return found


def groups(*links: tuple[str, Content], threshold: int = 1) -> dict[str, set[str]]:
    """Each report's digests → the ids of those who stand behind it."""
    found = group(evidence(*links), threshold, most=100)
    return {str(g.record.products["app"]): {one.id for one in g.principals.values() if one} for g in found}


def ids(*names: str) -> set[str]:
    return {key(name).id for name in names}


def text(content: Content) -> str:
    return str(DigestSet.of(content)) if not isinstance(content, bytes) else ""


def test_equal_links_are_one_report() -> None:
    (only,) = groups(("ann", A), ("bea", A)).values()
    assert only == ids("ann", "bea")


def test_different_links_are_different_reports() -> None:
    assert sorted(map(len, groups(("ann", A), ("bea", A), ("cid", B)).values())) == [1, 2]


def test_the_same_signer_counts_once_for_a_report() -> None:
    (only,) = group(evidence(("ann", A), ("ann", A)), 2, most=9)
    assert len(only.principals) == 1
    assert only.who == key("ann").short


def test_reports_that_most_stand_behind_come_first_whatever_the_order() -> None:
    links: list[tuple[str, Content]] = [("ann", A), ("bea", B), ("cid", B)]
    found = evidence(*links)
    assert [len(g.principals) for g in group(found, 1, most=9)] == [2, 1]
    assert group(list(reversed(found)), 1, most=9) == group(found, 1, most=9)


class TestCommonDigests:
    def test_who_recorded_more_vouches_for_less(self) -> None:
        assert groups(("ann", SHORT), ("bea", BOTH)) == {text(SHORT): ids("ann", "bea"), text(BOTH): ids("bea")}

    def test_letter_case_of_digests_makes_no_difference(self) -> None:
        upper = {"sha256": "AB" * 32}
        found = groups(("ann", upper), ("bea", {"sha256": "ab" * 32}), threshold=2)
        assert ids("ann", "bea") in found.values()

    def test_what_all_have_in_common_is_a_report_where_several_are_needed(self) -> None:
        more = {**SHORT, "sha384": "2" * 96}
        assert text(SHORT) in groups(("ann", BOTH), ("bea", more), threshold=2)
        assert groups(("ann", BOTH), ("bea", more), threshold=2)[text(SHORT)] == ids("ann", "bea")
        assert text(SHORT) not in groups(("ann", BOTH), ("bea", more))

    def test_two_that_agree_with_a_third_have_not_agreed(self) -> None:
        found = groups(("ann", SHORT), ("bea", LONG), ("cid", BOTH), threshold=3)
        assert all(len(who) < 3 for who in found.values())

    def test_what_three_have_in_common_pair_by_pair_is_found(self) -> None:
        one = {**SHORT, "sha384": "2" * 96}
        two = {**SHORT, "sha384": "2" * 96, "sha512": "1" * 128}
        found = groups(("ann", one), ("bea", two), ("cid", BOTH), threshold=3)
        assert found[text(SHORT)] == ids("ann", "bea", "cid")

    def test_nothing_in_common_is_no_report(self) -> None:
        assert len(groups(("ann", SHORT), ("bea", LONG), threshold=2)) == 2

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ({}, {}),
            ({}, SHORT),
            ({"md5": "00"}, {"md5": "00"}),
            ({"md5": "00"}, {"md5": "00", "sha1": "11"}),
            ({"sha256": "1" * 16}, {"sha256": "1" * 16}),
        ],
    )
    @pytest.mark.parametrize("threshold", [1, 2])
    def test_digests_that_cannot_decide_make_no_agreement(self, left: Content, right: Content, threshold: int) -> None:
        found = group(evidence(("ann", left), ("bea", right)), threshold, most=9)
        assert [len(one.principals) for one in found] == [1, 1]

    def test_of_one_link_signed_by_two_both_say_what_it_says(self) -> None:
        (one,) = STEP.link("build", by=["ann", "bea"], products={"app": {}}).case().evidence
        claim = claim_of(one.document.body)
        assert claim is not None
        authority = Authority.of(STEP.layout())
        signers = {authority.principal(known): known for known in one.document.signers}
        only = Evidence(one.document, signers, claim.record, claim.command, claim.byproducts)
        assert [len(made.principals) for made in group([only], 2, most=9)] == [2]

    def test_a_liar_cannot_add_a_digest_to_what_others_said(self) -> None:
        found = groups(("ann", SHORT), ("bea", SHORT), ("cid", BOTH), threshold=2)
        assert found[text(SHORT)] == ids("ann", "bea", "cid")
        assert found[text(BOTH)] == ids("cid")

    def test_reports_are_limited_in_number(self) -> None:
        names = ["sha256", "sha384", "sha512", "sha3_256"]
        lengths = {"sha256": 64, "sha384": 96, "sha512": 128, "sha3_256": 64}
        sets: list[tuple[str, Content]] = [
            (who, {name: "1" * lengths[name] for name in names if name != left_out})
            for who, left_out in zip(PEOPLE, names, strict=True)
        ]
        found = evidence(*sets)
        reports = len(group(found, 2, most=100))
        assert reports > 4
        assert len(group(found, 2, most=reports)) == reports
        with pytest.raises(LimitExceeded, match="links_per_step"):
            group(found, 2, most=reports - 1)

    @pytest.mark.parametrize("side", ["materials", "products"])
    def test_every_artifact_must_be_agreed_about(self, side: str) -> None:
        made = STEP
        for who, second in (("ann", A), ("bea", B)):
            files = {"same": C, "other": second}
            made = made.link("build", by=who, **{side: files})  # type: ignore[arg-type]
        assert [len(one.principals) for one in group(_evidence(made), 2, most=9)] == [1, 1]

    @pytest.mark.parametrize("side", ["materials", "products"])
    def test_one_artifact_that_cannot_be_agreed_about_is_enough(self, side: str) -> None:
        made = STEP
        for who in ("ann", "bea"):
            files: dict[str, Content] = {"good": A, "vague": {}}
            made = made.link("build", by=who, **{side: files})  # type: ignore[arg-type]
        assert [len(one.principals) for one in group(_evidence(made), 2, most=9)] == [1, 1]


class TestPubkeysOrder:
    """UPSTREAM judges by the link of the first key that the step names."""

    authority = Authority.of(STEP.layout())

    def test_is_that_of_the_step(self) -> None:
        found = evidence(("ann", A), ("bea", B), ("cid", C))
        for order in (["cid", "ann", "bea"], ["bea", "cid", "ann"]):
            ordered = in_pubkeys_order(found, [key(name).id for name in order], self.authority)
            assert [one.id for item in ordered for one in item.signers.values() if one] == [
                key(name).id for name in order
            ]

    def test_takes_aliases_and_puts_strangers_last(self) -> None:
        found = evidence(("ann", A), ("bea", B))
        for first in ("ann", "bea"):
            ordered = in_pubkeys_order(found, [key(first).legacy_id], self.authority)
            assert next(iter(ordered[0].signers.values())) == key(first)

    def test_does_not_depend_on_the_order_of_arrival(self) -> None:
        found = evidence(("ann", A), ("ann", B), ("ann", C))
        pubkeys = [key("ann").id]
        backwards = in_pubkeys_order(list(reversed(found)), pubkeys, self.authority)
        assert backwards == in_pubkeys_order(found, pubkeys, self.authority)


def test_a_group_is_named_after_its_people() -> None:
    (first, second) = evidence(("ann", A), ("bea", A))
    made = Group((first, second), first.record)
    assert made.who == ", ".join(sorted([key("ann").short, key("bea").short]))
