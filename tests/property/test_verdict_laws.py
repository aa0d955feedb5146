"""Outcomes add up as in Kleene's logic: what is unknown stays unknown until what is known decides.

And what is empty never passes.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.verdict import Check, Outcome, all_of, at_least, note

PASSING = (Outcome.PASS, Outcome.WARN)
OPEN = (Outcome.SKIP, Outcome.PENDING, Outcome.ERROR)
outcomes = st.sampled_from(list(Outcome))


def leaf(outcome: Outcome, number: int = 0) -> Check:
    return Check("leaf", str(number), leaf=outcome, cause="verdict" if outcome is Outcome.SKIP else None)


def leaves(outcomes: list[Outcome]) -> tuple[Check, ...]:
    return tuple(leaf(outcome, number) for number, outcome in enumerate(outcomes))


def groups(children: st.SearchStrategy[Check]) -> st.SearchStrategy[Check]:
    lists = st.lists(children, max_size=4).map(tuple)
    return st.builds(lambda some: all_of("all", "", some), lists) | st.builds(
        lambda need, some: at_least(need, "some", "", some), st.integers(-1, 5), lists
    )


trees = st.recursive(st.builds(leaf, outcomes) | st.just(note("note", "", "")), groups, max_leaves=12)


class TestGroup:
    """At least `need` children pass."""

    @given(st.lists(outcomes, max_size=6), st.integers(-1, 7))
    def test_passes_only_with_as_many_passing_children_as_it_needs(self, given: list[Outcome], need: int) -> None:
        passing = sum(outcome in PASSING for outcome in given)
        group = at_least(need, "group", "", leaves(given))
        assert group.outcome.passes == (need >= 1 and passing >= need)

    @given(st.lists(outcomes, max_size=6), st.integers(1, 7))
    def test_fails_exactly_when_what_is_open_cannot_save_it(self, given: list[Outcome], need: int) -> None:
        passing = sum(outcome in PASSING for outcome in given)
        possible = passing + sum(outcome in OPEN for outcome in given)
        group = at_least(need, "group", "", leaves(given))
        assert (group.outcome is Outcome.FAIL) == (possible < need)

    @given(st.lists(outcomes, max_size=5), st.integers(1, 5))
    def test_what_it_says_while_open_is_what_it_may_become(self, given: list[Outcome], need: int) -> None:
        # Kleene: a value is known only if it is the same for every way in which the unknown ones turn out.
        group = at_least(need, "group", "", leaves(given))
        ends = set()
        for turn in itertools.product(*[(Outcome.PASS, Outcome.FAIL) if o in OPEN else (o,) for o in given]):
            ends.add(at_least(need, "group", "", leaves(list(turn))).outcome.passes)
        if group.outcome.passes:
            assert ends == {True}
        elif group.outcome is Outcome.FAIL:
            assert ends == {False}
        else:
            assert ends == {True, False}

    @given(st.lists(outcomes, max_size=6), st.integers(0, 6), st.randoms(use_true_random=False))
    def test_the_order_of_children_decides_nothing(self, given: list[Outcome], need: int, random: object) -> None:
        shuffled = sorted(given, key=lambda _: random.random())  # type: ignore[attr-defined]
        assert at_least(need, "g", "", leaves(given)).outcome is at_least(need, "g", "", leaves(shuffled)).outcome

    @given(st.lists(outcomes, max_size=6), st.integers(1, 6), outcomes)
    def test_another_passing_child_makes_nothing_worse(self, given: list[Outcome], need: int, more: Outcome) -> None:
        before = at_least(need, "g", "", leaves(given)).outcome
        after = at_least(need, "g", "", leaves([*given, more])).outcome
        if before.passes:
            assert after.passes

    @pytest.mark.parametrize("outcome", OPEN)
    def test_says_why_it_is_undecided(self, outcome: Outcome) -> None:
        assert all_of("g", "", leaves([Outcome.PASS, outcome])).outcome is outcome

    def test_says_the_gravest_reason_first(self) -> None:
        assert all_of("g", "", leaves([Outcome.PENDING, Outcome.SKIP, Outcome.ERROR])).outcome is Outcome.ERROR
        assert all_of("g", "", leaves([Outcome.PENDING, Outcome.SKIP])).outcome is Outcome.SKIP

    def test_a_warning_is_a_pass_that_is_not_forgotten(self) -> None:
        assert all_of("g", "", leaves([Outcome.PASS, Outcome.WARN])).outcome is Outcome.WARN
        assert all_of("g", "", leaves([Outcome.PASS, Outcome.PASS])).outcome is Outcome.PASS


class TestEmptyNeverPasses:
    @given(st.integers(-2, 2), st.lists(st.just(note("note", "", "")), max_size=2))
    def test_without_children_that_count(self, need: int, notes: list[Check]) -> None:
        assert at_least(need, "g", "", tuple(notes)).outcome is Outcome.FAIL
        assert all_of("g", "", tuple(notes)).outcome is Outcome.FAIL

    @given(st.integers(-3, 0), st.lists(outcomes, max_size=3))
    def test_when_nothing_is_needed(self, need: int, given: list[Outcome]) -> None:
        assert at_least(need, "g", "", leaves(given)).outcome is Outcome.FAIL

    def test_when_a_note_is_asked(self) -> None:
        assert note("note", "", "all is well").outcome is Outcome.FAIL


class TestTree:
    """The same laws hold through every level."""

    @given(trees)
    def test_a_pass_rests_on_leaves_that_pass(self, tree: Check) -> None:
        if tree.outcome.passes:
            assert any(check.leaf in PASSING for _, check in tree.walk())

    @given(trees)
    def test_replacing_what_passes_by_failures_never_makes_a_pass(self, tree: Check) -> None:
        def worse(check: Check) -> Check:
            if check.leaf is not None:
                return leaf(Outcome.FAIL)
            if check.is_note:
                return check
            return Check(check.id, check.subject, need=check.need, children=tuple(map(worse, check.children)))

        assert not worse(tree).outcome.passes

    @given(trees)
    def test_a_leaf_that_passes_instead_of_another_never_takes_a_pass_away(self, tree: Check) -> None:
        def better(check: Check) -> Check:
            if check.leaf is not None:
                return leaf(Outcome.PASS)
            if check.is_note:
                return check
            return Check(check.id, check.subject, need=check.need, children=tuple(map(better, check.children)))

        if tree.outcome.passes:
            assert better(tree).outcome is Outcome.PASS
