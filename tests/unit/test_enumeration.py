"""Our enumerations do what those of `enum` do, as far as it is done here."""

from __future__ import annotations

import copy
import enum
import pickle
from typing import Any

import pytest

from navicert.enumeration import Enum
from navicert.model.rule import RuleKind, Side
from navicert.model.terms import RunRule
from navicert.verdict import Outcome
from navicert.verify.profile import Profile

ALL: list[Any] = [Outcome, RuleKind, Side, RunRule, Profile]


@pytest.fixture(params=ALL, ids=lambda one: one.__name__)
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """One of ours, and one of `enum` with the same members."""
    ours = request.param
    return ours, enum.Enum(ours.__name__, {member.name: member.value for member in ours})


def test_members_are_walked_found_and_shown_as_those_of_enum(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    assert len(ours) == len(theirs) > 1
    assert [(one.name, one.value, repr(one), str(one), f"{one}") for one in ours] == [
        (one.name, one.value, repr(one), str(one), f"{one}") for one in theirs
    ]
    assert list(ours.__members__) == list(theirs.__members__)
    for member in ours:
        assert ours(member.value) is ours[member.name] is ours(member) is getattr(ours, member.name) is member
        assert member in ours
        assert isinstance(member, ours)


@pytest.mark.parametrize("value", ["", "PASS ", "no such", None, 1, [], {}])
def test_what_is_no_member_is_refused_as_by_enum(pair: tuple[Any, Any], value: object) -> None:
    ours, theirs = pair
    with pytest.raises(ValueError, match="is not a valid") as mine:
        ours(value)
    with pytest.raises(ValueError, match="is not a valid") as other:
        theirs(value)
    assert str(mine.value) == str(other.value)
    with pytest.raises(KeyError):
        ours["no such"]


def test_members_of_two_enumerations_are_never_equal() -> None:
    class One(Enum):
        A = "a"

    class Other(Enum):
        A = "a"

    assert One.A != Other.A  # type: ignore[comparison-overlap]
    assert One.A != "a"  # type: ignore[comparison-overlap]
    assert Other.A not in One
    with pytest.raises(ValueError, match=r"is not a valid .*One"):
        One(Other.A)
    assert len({One.A, Other.A, One.A}) == 2


def test_a_member_is_the_same_one_however_it_was_copied(pair: tuple[Any, Any]) -> None:
    for member in pair[0]:
        assert copy.copy(member) is copy.deepcopy(member) is pickle.loads(pickle.dumps(member)) is member


def test_nothing_about_a_member_can_be_changed() -> None:
    member: Any = Outcome.FAIL
    kind: Any = Outcome
    for change in (
        lambda: setattr(member, "value", "pass"),
        lambda: setattr(member, "name", "PASS"),
        lambda: setattr(member, "other", 1),
        lambda: delattr(member, "value"),
        lambda: setattr(kind, "FAIL", Outcome.PASS),
        lambda: delattr(kind, "FAIL"),
    ):
        with pytest.raises((AttributeError, TypeError)):
            change()
    assert (member.name, member.value) == ("FAIL", "fail")
    assert Outcome("fail") is Outcome.FAIL is member


def test_members_cannot_share_a_value_nor_be_added_later() -> None:
    kind: Any = type(Outcome)
    with pytest.raises(TypeError, match="two members"):
        kind("Twice", (Enum,), {"A": 1, "B": 1})
    with pytest.raises(TypeError, match="cannot extend"):
        kind("More", (Outcome,), {"MAYBE": "maybe"})


def test_methods_and_properties_are_no_members() -> None:
    class Level(Enum):
        LOW = 1
        HIGH = 2

        @property
        def twice(self) -> int:
            return int(self.value) * 2

        def plus(self, more: int) -> int:
            return int(self.value) + more

    assert [one.name for one in Level] == ["LOW", "HIGH"]
    assert (Level.HIGH.twice, Level.HIGH.plus(3)) == (4, 5)
