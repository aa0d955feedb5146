"""`Enum`: for type checkers that of `enum`, at run time the part of it that is used here.

Loading `enum`, with `functools` and `collections` that it needs, takes as long as a tenth of what one verification
takes; and what it does for a member each time it is asked runs in Python.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import Enum
else:

    def _is_other(name, value):
        """Whether what a body calls `name` is no member: a method, a property, or a name with an underscore."""
        return name.startswith("_") or hasattr(value, "__get__")

    class _Enumeration(type):
        """The type of enumerations: iterable, and called with a value it gives the member that has it."""

        def __new__(mcls, name, bases, body):
            values = {word: value for word, value in body.items() if not _is_other(word, value)}
            if values and any(getattr(base, "__members__", None) for base in bases):
                raise TypeError(f"{name} cannot extend an enumeration that has members")
            rest = {word: value for word, value in body.items() if word not in values}
            made = super().__new__(mcls, name, bases, {"__slots__": (), **rest})
            members, by_value = {}, {}
            for word, value in values.items():
                if value in by_value:
                    raise TypeError(f"two members of {name} have the value {value!r}")
                members[word] = by_value[value] = member = object.__new__(made)
                object.__setattr__(member, "name", word)
                object.__setattr__(member, "value", value)
                type.__setattr__(made, word, member)
            type.__setattr__(made, "__members__", members)
            type.__setattr__(made, "_by_value", by_value)
            return made

        def __call__(cls, value):
            """The member with this value, or that member itself. Raises `ValueError` where there is none."""
            if type(value) is cls:
                return value
            try:
                return cls._by_value[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__qualname__}") from None

        def __getitem__(cls, name):
            return cls.__members__[name]

        def __iter__(cls):
            return iter(cls.__members__.values())

        def __len__(cls):
            return len(cls.__members__)

        def __contains__(cls, value):
            return type(value) is cls or value in cls._by_value

        def __setattr__(cls, name, value):
            if name in cls.__members__:
                raise AttributeError(f"cannot reassign member {name!r}")
            super().__setattr__(name, value)

        def __delattr__(cls, name):
            if name in cls.__members__:
                raise AttributeError(f"cannot delete member {name!r}")
            super().__delattr__(name)

    class Enum(metaclass=_Enumeration):
        """What an enumeration derives from: each name that is given a value in its body is a member of it."""

        __slots__ = ("name", "value")

        def __repr__(self):
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self):
            return f"{type(self).__name__}.{self.name}"

        def __setattr__(self, name, value):
            raise AttributeError(f"{self} cannot be changed")

        def __delattr__(self, name):
            raise AttributeError(f"{self} cannot be changed")

        def __copy__(self):
            return self

        def __deepcopy__(self, _):
            return self

        def __reduce__(self):
            return type(self), (self.value,)


__all__ = ["Enum"]
