"""Searching a consistent choice: complete, in a fixed order, bounded, and nothing evaluated twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.digest import DigestSet
from navicert.verify.rules import Record
from navicert.verify.selection import Choice, Constraint, Exhausted, Search
from navicert.verify.thresholds import Group

EMPTY = Record({}, {})


class Domain:
    """Steps with numbered options, and conditions on the numbers."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.domains = {
            step: tuple(Group((), Record({f"{step}{number}": ()}, {})) for number in range(size))  # type: ignore[dict-item]
            for step, size in sizes.items()
        }
        self.asked: list[tuple[object, ...]] = []

    def constraint(self, about: tuple[str, ...], holds: Callable[..., bool]) -> Constraint:
        def check(choice: Choice) -> bool:
            assert set(choice) == set(about)
            numbers = tuple(self.number(step, choice[step]) for step in about)
            self.asked.append((about, numbers))
            return holds(*numbers)

        return Constraint(about, check)

    def number(self, step: str, group: Group) -> int:
        return next(i for i, one in enumerate(self.domains[step]) if one is group)

    def numbers(self, choice: Mapping[str, Group] | None) -> dict[str, int] | None:
        return None if choice is None else {step: self.number(step, group) for step, group in choice.items()}


def search(domain: Domain, *constraints: Constraint, budget: int = 1_000_000) -> Search:
    return Search(domain.domains, constraints, budget)


def test_without_conditions_the_first_of_each_is_chosen() -> None:
    domain = Domain({"a": 3, "b": 2})
    assert domain.numbers(search(domain).first()) == {"a": 0, "b": 0}


def test_without_steps_the_choice_is_empty() -> None:
    assert Search({}, (), 1).first() == {}


def test_a_step_without_options_has_no_choice() -> None:
    domain = Domain({"a": 2, "b": 0})
    assert search(domain).first() is None


def test_the_first_consistent_choice_in_order_is_found() -> None:
    domain = Domain({"a": 3, "b": 3})
    made = search(domain, domain.constraint(("a", "b"), lambda a, b: a + b == 3))
    assert domain.numbers(made.first()) == {"a": 1, "b": 2}


def test_fixed_steps_take_what_they_are_given() -> None:
    domain = Domain({"a": 3, "b": 3})
    made = search(domain, domain.constraint(("a", "b"), lambda a, b: a + b == 3))
    assert domain.numbers(made.first({"a": 2})) == {"a": 2, "b": 1}
    assert made.first({"a": 0}) is None
    assert made.first({"a": 1, "b": 1}) is None


def test_a_dead_end_goes_back_to_what_it_depends_on() -> None:
    # `c` depends on `a` alone: the many options of `b` between them are not tried again.
    domain = Domain({"a": 2, "b": 1000, "c": 2})
    made = search(domain, domain.constraint(("a", "c"), lambda a, c: a == 1 and c == 1), budget=50)
    assert domain.numbers(made.first()) == {"a": 1, "b": 0, "c": 1}


def test_nothing_is_evaluated_twice() -> None:
    domain = Domain({"a": 4, "b": 4, "c": 4})
    made = search(
        domain,
        domain.constraint(("a", "b"), lambda a, b: a != b),
        domain.constraint(("b", "c"), lambda b, c: b > c),
        domain.constraint(("a", "c"), lambda a, c: False),
    )
    assert made.first() is None
    assert len(domain.asked) == len(set(domain.asked))
    before = len(domain.asked)
    assert made.first() is None
    assert len(domain.asked) == before


def test_the_search_is_bounded() -> None:
    domain = Domain({str(number): 10 for number in range(10)})
    # Only the last step objects, to everything, and it depends on all of them.
    made = search(domain, domain.constraint(tuple(domain.domains), lambda *_: False), budget=1000)
    with pytest.raises(Exhausted):
        made.first()


def test_each_try_costs_one_and_the_last_that_is_allowed_counts() -> None:
    domain = Domain({"a": 3})
    second = domain.constraint(("a",), lambda a: a == 1)
    assert domain.numbers(search(domain, second, budget=2).first()) == {"a": 1}
    with pytest.raises(Exhausted):
        search(domain, second, budget=1).first()


@pytest.mark.parametrize(("materials", "products", "cost"), [(999, 0, 1), (1000, 0, 2), (0, 1000, 2), (500, 500, 2)])
def test_a_thousand_artifacts_cost_as_much_as_a_try(materials: int, products: int, cost: int) -> None:
    domain = Domain({"a": 2})

    def files(number: int) -> dict[str, DigestSet]:
        return {str(n): DigestSet() for n in range(number)}

    record = Record(files(materials), files(products))
    domain.domains["a"] = (Group((), record), Group((), record))
    assert search(domain, domain.constraint(("a",), lambda a: True), budget=cost).first() is not None
    with pytest.raises(Exhausted):
        search(domain, domain.constraint(("a",), lambda a: True), budget=cost - 1).first()


def test_where_there_is_nothing_to_choose_there_is_no_bound() -> None:
    domain = Domain({"a": 1, "b": 1})
    assert search(domain, domain.constraint(("a", "b"), lambda a, b: True), budget=0).first() is not None


names = st.sampled_from(["a", "b", "c", "d"])
constraints = st.tuples(
    st.lists(names, min_size=1, max_size=3, unique=True).map(tuple), st.sets(st.integers(0, 26), max_size=20)
)


@given(st.tuples(*[st.integers(1, 3)] * 4), st.lists(constraints, max_size=5), st.dictionaries(names, st.just(0)))
def test_finds_the_first_choice_that_trying_all_of_them_finds(
    sizes: tuple[int, ...], rules: list[tuple[tuple[str, ...], set[int]]], fixed: dict[str, int]
) -> None:
    steps = ("a", "b", "c", "d")
    domain = Domain(dict(zip(steps, sizes, strict=True)))

    def refuses(bad: set[int]) -> Callable[..., bool]:
        return lambda *numbers: sum(number * 3**place for place, number in enumerate(numbers)) not in bad

    made = [domain.constraint(about, refuses(bad)) for about, bad in rules]
    expected = None
    for numbers in product(*(range(size) for size in sizes)):
        choice = dict(zip(steps, numbers, strict=True))
        if any(choice[step] != index for step, index in fixed.items()):
            continue
        if all(refuses(bad)(*(choice[step] for step in about)) for about, bad in rules):
            expected = choice
            break
    assert domain.numbers(search(domain, *made).first(fixed)) == expected
