"""The `__init__` of value classes with few fields: one that was compiled with this module, its parameters renamed.

An instance is then made as fast as by the code that `dataclasses` writes out, and nothing is compiled, or executed from
text, when a class is made. `CodeType.replace` and `FunctionType` are what the standard library offers for this.
"""
# ruff: noqa: F821  # the names in these bodies are globals of the functions that are made of them

from __future__ import annotations

from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    s0: Callable[[object, object], None]
    s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = s10 = s0
    finish: Callable[[object], object]

    Complete = Callable[[Sequence[Callable[[Any, Any], object]], Callable[[Any], object] | None], None]


def _one(self, a):  # type: ignore[no-untyped-def]
    s0(self, a)
    finish(self)


def _two(self, a, b):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    finish(self)


def _three(self, a, b, c):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    finish(self)


def _four(self, a, b, c, d):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    finish(self)


def _five(self, a, b, c, d, e):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    finish(self)


def _six(self, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    finish(self)


def _seven(self, a, b, c, d, e, f, g):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    s6(self, g)
    finish(self)


def _eight(self, a, b, c, d, e, f, g, h):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    s6(self, g)
    s7(self, h)
    finish(self)


def _nine(self, a, b, c, d, e, f, g, h, i):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    s6(self, g)
    s7(self, h)
    s8(self, i)
    finish(self)


def _ten(self, a, b, c, d, e, f, g, h, i, j):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    s6(self, g)
    s7(self, h)
    s8(self, i)
    s9(self, j)
    finish(self)


def _eleven(self, a, b, c, d, e, f, g, h, i, j, k):  # type: ignore[no-untyped-def]
    s0(self, a)
    s1(self, b)
    s2(self, c)
    s3(self, d)
    s4(self, e)
    s5(self, f)
    s6(self, g)
    s7(self, h)
    s8(self, i)
    s9(self, j)
    s10(self, k)
    finish(self)


_CODES: tuple[CodeType, ...] = tuple(
    one.__code__ for one in (_one, _two, _three, _four, _five, _six, _seven, _eight, _nine, _ten, _eleven)
)

MOST = len(_CODES)
"""Fields that a class may have to get its `__init__` here."""

_NAMES = tuple(f"s{place}" for place in range(MOST))

_nothing = id
"""Called at the end where a class has nothing to do there: some call is, and this one does nothing."""


def initializer(cls: type, names: Sequence[str], defaults: tuple[object, ...]) -> tuple[FunctionType, Complete]:
    """The `__init__` of `cls` with the parameters `names` (1 to `MOST`), the last of which have `defaults`; and a
    function to be called once before it with the setters, of which the one at its place gets each value, and with what
    is called with the instance in the end."""
    code = _CODES[len(names) - 1].replace(co_varnames=("self", *names), co_name="__init__")
    scope: dict[str, Any] = {}

    def complete(setters: Sequence[Callable[[Any, Any], object]], finish: Callable[[Any], object] | None) -> None:
        scope["finish"] = _nothing if finish is None else finish
        scope.update(zip(_NAMES, setters))  # noqa: B905  # there are as many names as the largest class needs

    written = FunctionType(code, scope, "__init__", defaults)
    written.__qualname__ = f"{cls.__qualname__}.__init__"
    written.__module__ = cls.__module__
    return written, complete
