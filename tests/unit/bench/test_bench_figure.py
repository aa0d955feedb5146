"""Figures, ratios and goals: the arithmetic of the benchmark."""

from __future__ import annotations

import math

import pytest
from bench.figure import CPU, OUTPUT, RATE, WALL, Goal, Ratio, ratio


class TestRatio:
    def test_it_is_the_median_of_the_rounds_not_the_ratio_of_the_medians(self) -> None:
        # The machine was three times slower in the second round, for both.
        assert ratio([1, 6, 2], [4, 12, 4]) == Ratio(0.5, 0.25, 0.5)

    def test_an_even_number_of_rounds_has_the_mean_of_the_two_in_the_middle(self) -> None:
        assert ratio([1, 2, 3, 8], [1, 1, 1, 1]) == Ratio(2.5, 1, 8)

    @pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1], [1, 2]), ([1, 2], [1])])
    def test_rounds_that_do_not_pair_give_none(self, ours: list[float], theirs: list[float]) -> None:
        with pytest.raises(ValueError, match="cannot be paired"):
            ratio(ours, theirs)

    @pytest.mark.parametrize("nothing", [0, -1, math.nan, math.inf])
    def test_nothing_is_divided_by_nothing(self, nothing: float) -> None:
        with pytest.raises(ValueError, match="no ratio"):
            ratio([1, 1], [1, nothing])


class TestGoal:
    def test_less_is_met_at_the_bound(self) -> None:
        assert Goal(CPU, 0.3).judge(0.3).met

    def test_less_is_missed_by_how_many_times_the_bound_was_taken(self) -> None:
        judgement = Goal(CPU, 0.3).judge(0.6)
        assert not judgement.met
        assert judgement.factor == pytest.approx(2)
        assert str(judgement) == "missed by 2.00×"

    def test_more_is_met_at_the_bound_and_missed_below_it(self) -> None:
        goal = Goal(RATE, 5)
        assert goal.judge(5).met
        assert str(goal.judge(4)) == "missed by 1.25×"
        assert not goal.judge(0).met

    def test_it_says_what_is_wanted(self) -> None:
        assert str(Goal(CPU, 0.27)) == "cpu ≤ 0.27×"
        assert str(Goal(RATE, 5)) == "rate ≥ 5×"
        assert str(Goal(WALL, 1, "sha256sum")) == "wall ≤ 1× of sha256sum"
        assert str(Goal(OUTPUT, 65536, "")) == "output ≤ 65536 B"
