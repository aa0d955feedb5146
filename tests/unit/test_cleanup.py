"""What is closed in the end is closed as by `contextlib`: every test runs with both."""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import Any

import pytest

from navicert import cleanup

BOTH = pytest.mark.parametrize("made_by", [cleanup, contextlib], ids=["ours", "contextlib"])


class Resource:
    """Says when it is entered and left, and by which exception."""

    def __init__(self, name: str, said: list[str], *, fails: bool = False) -> None:
        self.name, self.said, self.fails = name, said, fails

    def __enter__(self) -> str:
        self.said.append(f"enter {self.name}")
        return self.name

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.said.append(f"leave {self.name} {kind and kind.__name__}")
        if self.fails:
            raise OSError(self.name)


@BOTH
def test_the_last_that_was_opened_is_closed_first(made_by: ModuleType) -> None:
    said: list[str] = []
    with made_by.ExitStack() as stack:
        assert stack.enter_context(Resource("a", said)) == "a"
        stack.callback(said.append, "called")
        stack.enter_context(Resource("b", said))
        said.append("work")
    assert said == ["enter a", "enter b", "work", "leave b None", "called", "leave a None"]


@BOTH
def test_a_callback_gets_its_arguments(made_by: ModuleType) -> None:
    given: list[Any] = []

    def close(*args: int, **kwargs: int) -> None:
        given.append((args, kwargs))

    with made_by.ExitStack() as stack:
        assert stack.callback(close, 1, two=2) is close
    assert given == [((1,), {"two": 2})]


@BOTH
def test_what_goes_wrong_on_the_way_closes_everything_and_is_raised(made_by: ModuleType) -> None:
    said: list[str] = []

    def work() -> None:
        with made_by.ExitStack() as stack:
            stack.enter_context(Resource("a", said))
            raise KeyError("wrong")

    with pytest.raises(KeyError):
        work()
    assert said == ["enter a", "leave a KeyError"]


@BOTH
def test_what_goes_wrong_in_closing_does_not_keep_the_rest_open(made_by: ModuleType) -> None:
    said: list[str] = []

    def work() -> None:
        with made_by.ExitStack() as stack:
            stack.enter_context(Resource("a", said, fails=True))
            stack.callback(said.append, "called")
            stack.enter_context(Resource("b", said, fails=True))

    with pytest.raises(OSError, match="a"):
        work()
    assert [one for one in said if not one.startswith("leave a")] == ["enter a", "enter b", "leave b None", "called"]
    assert any(one.startswith("leave a") for one in said)


@BOTH
def test_what_cannot_be_entered_is_not_left(made_by: ModuleType) -> None:
    said: list[str] = []

    class Broken(Resource):
        def __enter__(self) -> str:
            raise OSError("cannot")

    def work() -> None:
        with made_by.ExitStack() as stack:
            stack.callback(said.append, "called")
            stack.enter_context(Broken("a", said))

    with pytest.raises(OSError, match="cannot"):
        work()
    assert said == ["called"]
