# mypy: disable-error-code="operator, call-arg, union-attr, no-any-return, attr-defined, misc, unused-ignore"
"""Value classes are what `dataclasses` would have made of the same source: every test runs with both."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any, ClassVar

import pytest

from navicert import valueclass
from navicert.limits import LOCAL

BOTH = pytest.mark.parametrize("made_by", [valueclass, dataclasses], ids=["ours", "dataclasses"])


def point(made_by: ModuleType) -> Any:
    @made_by.dataclass(frozen=True, slots=True, order=True)
    class Point:
        x: int
        y: int = 0
        label: str = made_by.field(default="", compare=False)
        notes: dict[str, int] = made_by.field(default_factory=dict, repr=False, compare=False)
        length: int = made_by.field(init=False, repr=False, compare=False)
        ORIGIN: ClassVar[str] = "here"

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", abs(self.x) + abs(self.y))

        def doubled(self) -> Any:
            return __class__(self.x * 2, self.y * 2)  # type: ignore[name-defined]  # the cell is meant

    return Point


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """What `dataclasses` makes, for pickling."""

    x: int


@valueclass.dataclass(frozen=True, slots=True)
class Ours:
    """What is made here, for pickling."""

    x: int
    notes: dict[str, int] = valueclass.field(default_factory=dict)


@BOTH
def test_fields_are_given_by_position_or_name_and_have_defaults(made_by: ModuleType) -> None:
    cls = point(made_by)
    made = cls(1, label="a")
    assert (made.x, made.y, made.label, made.notes, made.length) == (1, 0, "a", {}, 1)
    assert cls(y=2, x=3).length == 5
    assert cls(1).notes is not cls(1).notes


@BOTH
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2, "", {}, 5), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((), {"y": 2}), ((1,), {"length": 2})],
    ids=["missing", "too-many", "twice", "unknown", "missing-but-another-given", "not-an-argument"],
)
def test_wrong_arguments_are_refused(made_by: ModuleType, args: tuple[int, ...], kwargs: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        point(made_by)(*args, **kwargs)


@BOTH
def test_a_missing_and_an_unknown_one_do_not_make_up_for_each_other(made_by: ModuleType) -> None:
    with pytest.raises(TypeError):
        point(made_by)(z=1)


@BOTH
def test_a_field_that_is_not_an_argument_is_none_even_with_a_default(made_by: ModuleType) -> None:
    @made_by.dataclass(frozen=True)
    class Fixed:
        x: int = 1
        y: int = made_by.field(default=2, init=False)

    assert (Fixed().y, Fixed(3).x) == (2, 3)
    for args, kwargs in (((), {"y": 3}), ((1, 3), {})):
        with pytest.raises(TypeError):
            Fixed(*args, **kwargs)


@BOTH
def test_equality_order_and_hash_are_those_of_the_compared_fields(made_by: ModuleType) -> None:
    cls = point(made_by)
    assert cls(1, 2, "a") == cls(1, 2, "b")
    assert cls(1) != cls(2)
    assert cls(1) != (1, 0)
    assert cls(1) != point(made_by)(1)
    assert hash(cls(1, 2, "a")) == hash(cls(1, 2, "b"))
    assert cls(1) < cls(2) <= cls(2, 0) < cls(2, 1)
    assert cls(2, 1) > cls(2) >= cls(2)
    with pytest.raises(TypeError):
        cls(1) < 1  # noqa: B015


@BOTH
def test_what_is_frozen_stays_as_it_is(made_by: ModuleType) -> None:
    made = point(made_by)(1)
    for act in (lambda: setattr(made, "x", 2), lambda: setattr(made, "new", 2), lambda: delattr(made, "x")):
        with pytest.raises((AttributeError, TypeError)):
            act()
    assert made.x == 1
    assert not hasattr(made, "__dict__")


@BOTH
def test_it_is_shown_by_its_fields(made_by: ModuleType) -> None:
    assert repr(point(made_by)(1, 2, "a")).endswith("Point(x=1, y=2, label='a')")


@BOTH
def test_replace_makes_another_one_and_checks_it_again(made_by: ModuleType) -> None:
    made = made_by.replace(point(made_by)(1, 2, "a"), x=5)
    assert (made.x, made.y, made.label, made.length) == (5, 2, "a", 7)
    with pytest.raises((ValueError, TypeError)):
        made_by.replace(made, length=1)
    with pytest.raises(TypeError):
        made_by.replace(made, unknown=1)


def test_methods_mean_the_class_that_was_made() -> None:
    # With slots the class is made anew; before Python 3.14 `dataclasses` left methods with the old one.
    assert point(valueclass)(1, 2).doubled().x == 2


@BOTH
def test_fields_of_a_parent_come_first(made_by: ModuleType) -> None:
    @made_by.dataclass(frozen=True, slots=True)
    class Parent:
        x: int
        y: int = 1

    @made_by.dataclass(frozen=True, slots=True)
    class Child(Parent):
        z: int = 2

    child = Child(5, z=3)
    assert (child.x, child.y, child.z) == (5, 1, 3)
    assert child != Parent(5)
    assert Child.__slots__ == ("z",)  # type: ignore[attr-defined]


@BOTH
def test_an_own_equality_and_initializer_are_kept(made_by: ModuleType) -> None:
    @made_by.dataclass(frozen=True, slots=True, init=False)
    class Even:
        x: int

        def __init__(self, half: int) -> None:
            object.__setattr__(self, "x", half * 2)

        def __eq__(self, other: object) -> bool:
            return True

    assert Even(2).x == 4
    assert Even(2) == 1


@BOTH
def test_what_is_not_frozen_can_be_set_and_has_no_hash(made_by: ModuleType) -> None:
    @made_by.dataclass(slots=True)
    class Counter:
        n: int = 0

    counter = Counter()
    counter.n += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)


@BOTH
def test_mistakes_in_the_class_are_told_when_it_is_made(made_by: ModuleType) -> None:
    with pytest.raises(TypeError):

        @made_by.dataclass
        class Order:
            x: int = 1
            y: int

    with pytest.raises((TypeError, ValueError)):

        @made_by.dataclass
        class Shared:
            x: list[int] = []  # noqa: RUF012


def test_dataclasses_knows_the_fields_and_can_replace_them() -> None:
    cls = point(valueclass)
    assert dataclasses.is_dataclass(cls)
    assert [(f.name, f.init, f.compare) for f in dataclasses.fields(cls)] == [
        (f.name, f.init, f.compare) for f in dataclasses.fields(point(dataclasses))
    ]
    assert dataclasses.replace(cls(1, 2), x=3) == cls(3, 2)
    assert dataclasses.replace(LOCAL, layers=7).layers == 7
    assert getattr(cls(1), "__replace__")(x=2) == cls(2)  # noqa: B009


def test_the_signature_is_that_of_dataclasses() -> None:
    ours, theirs = (str(inspect.signature(point(by))) for by in (valueclass, dataclasses))
    # What is returned is written as None or as 'None', by the release of Python.
    assert ours.partition(" -> ")[0] == theirs.partition(" -> ")[0]


@BOTH
def test_classes_of_every_size_take_their_values(made_by: ModuleType) -> None:
    for size in range(14):
        names = [f"field{number}" for number in range(size)]
        cls = made_by.dataclass(frozen=True, slots=True)(
            type("Sized", (), {"__annotations__": dict.fromkeys(names, "int")})
        )
        made = cls(*range(size))
        assert [getattr(made, name) for name in names] == list(range(size))
        assert cls(**dict(zip(names, range(size), strict=True))) == made
        with pytest.raises(TypeError):
            cls(*range(size + 1))


@BOTH
def test_a_class_whose_fields_are_no_arguments_takes_none(made_by: ModuleType) -> None:
    @made_by.dataclass(frozen=True, slots=True)
    class Silent:
        x: int = made_by.field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "x", 1)

    assert Silent().x == 1
    with pytest.raises(TypeError):
        Silent(1)


def test_copies_and_pickles_are_equal() -> None:
    made = Ours(1, {"a": 1})
    assert copy.copy(made) == made
    assert copy.deepcopy(made) == made
    assert copy.deepcopy(made).notes is not made.notes
    assert pickle.loads(pickle.dumps(made)) == made
    assert pickle.loads(pickle.dumps(Reference(1))) == Reference(1)


def test_making_classes_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import navicert.limits;"
        "print(sorted({'dataclasses', 'inspect', 'typing', 're'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
