"""Calls as older releases took them: parameters that stood in another place, or had another name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def _wraps(function: Callable[P, T]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """As `functools.wraps`, which takes longer to load than all that is here."""

    def wrapped(call: Callable[P, T]) -> Callable[P, T]:
        for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(call, name, getattr(function, name))
        call.__wrapped__ = function  # type: ignore[attr-defined]
        return call

    return wrapped


def with_signing_key(position: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Lets a function take its positional arguments in the order of 1.x and 2.x too, where `signing_key` stood at
    `position`, before gpg_keyid (text), gpg_use_default (true or false) and gpg_home (text)."""

    def wrapped(function: Callable[..., T]) -> Callable[..., T]:
        @_wraps(function)
        def call(*args: Any, **kwargs: Any) -> T:
            given: list[Any] = [*args[position:], None, None, None]
            first, second, third = given[:3]
            if isinstance(first, dict) or isinstance(second, str) or isinstance(third, bool):
                kwargs["signing_key"] = first
                args = (*args[:position], *args[position + 1 :])
            return function(*args, **kwargs)

        return call

    return wrapped


def renamed(old: str, new: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Lets a function take its argument `new` under the name `old` too."""

    def wrapped(function: Callable[P, T]) -> Callable[P, T]:
        @_wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if old in kwargs and new not in kwargs:
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return wrapped
