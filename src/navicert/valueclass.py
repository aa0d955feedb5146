"""Classes of plain values, made as `dataclasses` makes them, at a tenth of the time.

`dataclasses` writes and compiles six methods for each class: with all that one verification loads, half of the time
that its command takes. Here no code is written: all classes share one way to make, compare and show instances. What
is taken from `dataclasses` is exactly what this package uses: fields with defaults, `frozen`, `slots`, `order`,
`init=False`, `__post_init__`,
Modules import it by `navicert.dataclass`, which type checkers take for `dataclasses` itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from navicert.initializer import MOST, initializer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from navicert.initializer import Complete

    C = TypeVar("C", bound=type)
    T = TypeVar("T")


class _Absent:
    """Stands for no default, and for an argument that was not given."""

    def __repr__(self) -> str:
        return "<factory>"  # as signatures of dataclasses show it


_MISSING = _Absent()


class FrozenInstanceError(AttributeError):
    """A field of a frozen instance was to be set or deleted."""


class Field:
    """How one field is made, shown and compared. `name` is set by the class that it belongs to."""

    __slots__ = ("compare", "default", "default_factory", "init", "name", "repr", "type")

    def __init__(
        self, default: object, default_factory: Callable[[], object] | None, init: bool, repr: bool, compare: bool
    ) -> None:
        self.name = ""
        self.type: object = None
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.compare = compare


def field(
    *,
    default: object = _MISSING,
    default_factory: Callable[[], object] | None = None,
    init: bool = True,
    repr: bool = True,
    compare: bool = True,
) -> Any:
    """A field with more than a default value."""
    return Field(default, default_factory, init, repr, compare)


def dataclass(
    cls: C | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    order: bool = False,
    init: bool = True,
) -> Any:
    """The class decorator. Raises `TypeError` for a field without a default after one with, and for mutable ones."""
    if cls is None:
        return lambda decorated: _made(decorated, frozen, slots, order, init)
    return _made(cls, frozen, slots, order, init)


def replace(instance: T, /, **changes: object) -> T:
    """A new instance like `instance` with `changes`. Raises `ValueError` for a field that `__init__` does not take."""
    known: dict[str, Field] = type(instance).__fields__  # type: ignore[attr-defined]  # see _made
    for name, one in known.items():
        if one.init:
            if name not in changes:
                changes[name] = getattr(instance, name)
        elif name in changes:
            raise ValueError(f"field {name} is declared with init=False, it cannot be specified with replace()")
    return type(instance)(**changes)


def _made(cls: C, frozen: bool, slots: bool, order: bool, init: bool) -> C:
    own = known = _own_fields(cls)
    alone = cls.__bases__ == (object,)
    if not alone:
        known = {}
        for parent in cls.__mro__[-1:0:-1]:
            known |= getattr(parent, "__fields__", {})
        known |= own
    _check_order(cls, known)
    namespace: dict[str, Any] = dict(vars(cls))
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    for name, one in own.items():
        # A class attribute of the same name would stand in the way of the slot.
        namespace.pop(name, None)
        if not slots and one.default is not _MISSING:
            namespace[name] = one.default
    if slots:
        inherited = () if alone else {name for parent in cls.__mro__[1:] for name in getattr(parent, "__slots__", ())}
        namespace["__slots__"] = tuple(name for name in own if name not in inherited) if inherited else tuple(own)
    writes = init and "__init__" not in namespace
    taken = [one for one in known.values() if one.init]
    quick = writes and slots and bool(taken) and len(known) <= MOST
    quick = quick and not any(one.default is not _MISSING for one in known.values() if not one.init)
    complete: Complete | None = None
    if quick:
        namespace["__init__"], complete = _quick_initializer(cls, taken)
    elif writes:
        namespace["__init__"] = _general_initializer(cls, known)
        namespace["__signature__"] = _Signature(known)
    compared = [name for name, one in known.items() if one.compare]
    key = _key(compared)
    namespace.setdefault("__repr__", _repr)
    if "__eq__" not in namespace:
        namespace["__eq__"] = _equality(key)
        # An equality without a hash would leave None here, and hide that of a parent.
        if namespace.get("__hash__") is None:
            namespace["__hash__"] = _hash(key) if frozen else None
    if order:
        for name in ("__lt__", "__le__", "__gt__", "__ge__"):
            namespace[name] = _comparison(getattr(operator, name), key)
    if frozen:
        namespace["__setattr__"] = _refuse_setting
        namespace["__delattr__"] = _refuse_deleting
    if slots:
        namespace.setdefault("__getstate__", _state)
        namespace.setdefault("__setstate__", _restore)
    namespace["__replace__"] = replace
    namespace["__fields__"] = known
    namespace["__dataclass_fields__"] = _Described()
    namespace.setdefault("__match_args__", tuple(name for name, one in known.items() if one.init))
    # Set before the class is made: every attribute of a class that is set later makes it look for all its slots anew.
    namespace["__qualname__"] = cls.__qualname__
    made: C = type(cls)(cls.__name__, cls.__bases__, namespace)
    _adopt(made, cls)
    if complete is not None:
        put = [getattr(made, one.name).__set__ for one in taken]
        setters = [p if one.default_factory is None else _filling(p, one) for p, one in zip(put, taken, strict=True)]
        complete(setters, getattr(made, "__post_init__", None))
    return made


def _own_fields(cls: type) -> dict[str, Field]:
    found: dict[str, Field] = {}
    values = vars(cls)
    for name, annotation in values.get("__annotations__", {}).items():
        if str(annotation).startswith("ClassVar"):
            continue
        value = values.get(name, _MISSING)
        one = value if isinstance(value, Field) else Field(value, None, True, True, True)
        if isinstance(one.default, list | dict | set):
            raise TypeError(f"mutable default of field {name} of {cls.__name__}: use default_factory")
        one.name, one.type = name, annotation
        found[name] = one
    return found


def _check_order(cls: type, known: dict[str, Field]) -> None:
    optional = ""
    for name, one in known.items():
        if not one.init:
            continue
        if one.default is not _MISSING or one.default_factory is not None:
            optional = name
        elif optional:
            raise TypeError(f"field {name} of {cls.__name__} has no default, and follows {optional}, which has one")


def _quick_initializer(cls: type, taken: list[Field]) -> tuple[Any, Complete]:
    """The `__init__` of a class with slots and not too many fields, `taken`; and what completes it once the class with
    the slots is there."""
    optional = tuple(one.default for one in taken if one.default is not _MISSING or one.default_factory is not None)
    written, complete = initializer([one.name for one in taken], optional)
    written.__qualname__ = f"{cls.__qualname__}.__init__"
    written.__module__ = cls.__module__
    written.__annotations__ = {one.name: one.type for one in taken} | {"return": None}
    return written, complete


def _filling(put: Callable[[object, object], object], one: Field) -> Callable[[object, object], object]:
    make = one.default_factory

    def fill(instance: object, value: object) -> None:
        put(instance, make() if value is _MISSING and make is not None else value)

    return fill


def _general_initializer(cls: type, known: dict[str, Field]) -> Any:
    """The `__init__` of any other class: what would be written out for each, done for all by one."""
    names = tuple(name for name, one in known.items() if one.init)
    allowed = frozenset(names)
    total = len(names) + sum(not one.init and one.default is not _MISSING for one in known.values())
    defaults = {name: one.default for name, one in known.items() if one.default is not _MISSING}
    factories = tuple((name, one.default_factory) for name, one in known.items() if one.default_factory is not None)
    finish = getattr(cls, "__post_init__", None)
    put = object.__setattr__

    def refuse(args: tuple[object, ...], kwargs: dict[str, object]) -> TypeError:
        wrong = [name for name in kwargs if name not in names or name in names[: len(args)]]
        given = {*names[: len(args)], *kwargs, *defaults, *(name for name, _ in factories)}
        missing = [name for name in names if name not in given]
        what = f"takes {len(names)} values" if len(args) > len(names) else f"does not take {', '.join(wrong)} here"
        return TypeError(f"{cls.__qualname__} {'is missing ' + ', '.join(missing) if missing else what}")

    def initialize(self: object, /, *args: object, **kwargs: object) -> None:
        # Instances are made by the thousand: what is wrong is found by counting, and told by looking.
        given = dict(zip(names, args, strict=False))
        given.update(kwargs)
        if len(given) != len(args) + len(kwargs):
            raise refuse(args, kwargs)
        values = {**defaults, **given}
        for name, make in factories:
            if name not in values:
                values[name] = make()
        if len(values) != total or not kwargs.keys() <= allowed:
            raise refuse(args, kwargs)
        for name, value in values.items():
            put(self, name, value)
        if finish is not None:
            finish(self)

    initialize.__name__ = "__init__"
    initialize.__qualname__ = f"{cls.__qualname__}.__init__"
    initialize.__module__ = cls.__module__
    return initialize


def _key(names: list[str]) -> Callable[[Any], tuple[object, ...]]:
    """What tells the values of all fields `names`, as one tuple."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        get = operator.attrgetter(names[0])
        return lambda instance: (get(instance),)
    return operator.attrgetter(*names)


def _equality(key: Callable[[Any], tuple[object, ...]]) -> Any:
    def equality(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented  # type: ignore[no-any-return]  # what the language wants
        return self is other or bool(key(self) == key(other))

    return equality


def _hash(key: Callable[[Any], tuple[object, ...]]) -> Any:
    def value(self: object) -> int:
        return hash(key(self))

    return value


def _comparison(compare: Callable[[object, object], bool], key: Callable[[Any], tuple[object, ...]]) -> Any:
    def comparison(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented  # type: ignore[no-any-return]  # what the language wants
        return bool(compare(key(self), key(other)))

    return comparison


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, one in self.__fields__.items() if one.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse_setting(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__fields__]


def _restore(self: Any, state: list[object]) -> None:
    for name, value in zip(self.__fields__, state, strict=True):
        object.__setattr__(self, name, value)


class _Described:
    """`__dataclass_fields__`, made when somebody asks: what `dataclasses` wants to know of one of its own classes."""

    def __get__(self, instance: object, owner: Any) -> dict[str, object]:
        import dataclasses

        described: list[tuple[str, Any, Any]] = []
        for name, one in owner.__fields__.items():
            more: dict[str, Any] = {} if one.default is _MISSING else {"default": one.default}
            if one.default_factory is not None:
                more["default_factory"] = one.default_factory
            described.append(
                (name, one.type, dataclasses.field(init=one.init, repr=one.repr, compare=one.compare, **more))
            )
        shadow: Any = dataclasses.make_dataclass(owner.__name__, described)
        fields: dict[str, object] = shadow.__dataclass_fields__
        return fields


class _Signature:
    """`__signature__`, made when somebody asks: what instances are made from."""

    def __init__(self, known: dict[str, Field]) -> None:
        self._known = known

    def __get__(self, instance: object, owner: type) -> object:
        from inspect import Parameter, Signature

        parameters = []
        for name, one in self._known.items():
            given = one.default is _MISSING and one.default_factory is None
            default = Parameter.empty if given else one.default
            if one.init:
                kind = Parameter.POSITIONAL_OR_KEYWORD
                parameters.append(Parameter(name, kind, default=default, annotation=one.type))
        return Signature(parameters)


def _adopt(made: type, original: type) -> None:
    """Make the methods of `original` that use `super()` or `__class__` mean `made`: that is a cell which they share."""
    for value in vars(original).values():
        function = value.fget if type(value) is property else getattr(value, "__func__", value)
        for cell in getattr(function, "__closure__", None) or ():
            if cell.cell_contents is original:
                cell.cell_contents = made
                return
