"""`Protocol`, `Generic`, `Mapping` and what belongs to them, without what takes long to load.

For type checkers they are those of `typing` and `collections.abc`. What the former do is done by the type checker, so
at run time there is next to nothing: `typing` itself, and classes made by it, take as long to load as a sixth of what
one verification takes. The latter are what they are: every interpreter has loaded them for itself when it starts, but
not the package `collections` above their public name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence
    from typing import Generic, Protocol, TypeVar, runtime_checkable
else:
    from _collections_abc import Callable, Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence

    class _Structural(type):
        """The type of protocols: an instance of one that is `runtime_checkable` is whatever has all that it names."""

        def __instancecheck__(cls, instance: object) -> bool:
            names = vars(cls).get("_required")
            if names is None:
                return super().__instancecheck__(instance)
            return all(hasattr(instance, name) for name in names)

    class Protocol(metaclass=_Structural):
        """What a protocol derives from."""

        __slots__ = ()

    def runtime_checkable(cls: type) -> type:
        """The protocol `cls`, which `isinstance` may be asked about."""
        bases = cls.__mro__[: cls.__mro__.index(Protocol)]
        names = (name for base in bases for name in (*vars(base), *getattr(base, "__annotations__", ())))
        cls._required = frozenset(name for name in names if not name.startswith("_"))
        return cls

    class Generic:
        """What a generic class derives from: the same class, whatever it is given."""

        __slots__ = ()

        def __class_getitem__(cls, _: object) -> type:
            return cls

    def TypeVar(name: str, **_: object) -> str:  # noqa: N802  # the name of what it stands for
        """A name for type checkers."""
        return name


__all__ = [
    "Callable",
    "Collection",
    "Generic",
    "ItemsView",
    "Iterable",
    "Iterator",
    "KeysView",
    "Mapping",
    "Protocol",
    "Sequence",
    "TypeVar",
    "runtime_checkable",
]
