"""Classes of plain values, made as `dataclasses` makes them, at a tenth of the time.

`dataclasses` writes and compiles six methods for each class: with all that one verification loads, half of the time
that its command takes. Here no code is written: all classes share one way to make, compare and show instances. What
is taken from `dataclasses` is exactly what this package uses: fields with defaults, `frozen`, `slots`, `order`,
`init=False`, `__post_init__`,
Modules import it by `navicert.dataclass`, which type checkers take for `dataclasses` itself.
"""

from __future__ import annotations

import operator
from types import FunctionType

from navicert.initializer import MOST, initializer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from navicert.initializer import Complete

    C = TypeVar("C", bound=type)
    T = TypeVar("T")


class _Absent:
    """Stands for no default, and for an argument that was not given."""

    def __repr__(self) -> str:
        return "<factory>"  # as signatures of dataclasses show it


_MISSING = _Absent()
_NO_PARENT = (object,)
_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


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


_MUTABLE = (list, dict, set)
_SPECIAL = (Field, *_MUTABLE)


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
    """A new instance like `instance` with `changes`. Raises `TypeError` for a field that `__init__` does not take."""
    cls = type(instance)
    names, values = cls.__taken__  # type: ignore[attr-defined]  # see _made
    return cls(**{**dict(zip(names, values(instance), strict=True)), **changes})


def _made(cls: C, frozen: bool, slots: bool, order: bool, init: bool) -> C:
    namespace: dict[str, Any] = vars(cls).copy()
    alone = cls.__bases__ == _NO_PARENT
    plan = _Plan(cls, namespace)
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    for name in plan.declared:
        # A class attribute of the same name would stand in the way of the slot.
        del namespace[name]
    if slots:
        own = plan.own
        inherited = () if alone else {name for parent in cls.__mro__[1:] for name in getattr(parent, "__slots__", ())}
        namespace["__slots__"] = tuple(name for name in own if name not in inherited) if inherited else own
    else:
        values = {n: one.default if isinstance(one, Field) else one for n, one in plan.declared.items()}
        namespace |= {name: value for name, value in values.items() if value is not _MISSING}
    complete: Complete | None = None
    if init and "__init__" not in namespace:
        if slots and 0 < len(plan.arguments) <= MOST and not plan.fixed:
            namespace["__init__"], complete = initializer(cls, plan.arguments, plan.defaults)
        else:
            namespace["__init__"] = _general_initializer(cls, plan)
        namespace["__signature__"] = _SIGNATURE
    key = _key(plan.compared)
    if "__repr__" not in namespace:
        namespace["__repr__"] = _repr
    if "__eq__" not in namespace:
        namespace["__eq__"] = _equality(key)
        # An equality without a hash would leave None here, and hide that of a parent.
        if namespace.get("__hash__") is None:
            namespace["__hash__"] = _hash(key) if frozen else None
    if order:
        namespace |= {name: _comparison(getattr(operator, name), key) for name in _ORDER}
    if frozen:
        namespace["__setattr__"] = _refuse_setting
        namespace["__delattr__"] = _refuse_deleting
    if slots:
        namespace.setdefault("__getstate__", _state)
        namespace.setdefault("__setstate__", _restore)
    namespace["__replace__"] = replace
    namespace["__taken__"] = (plan.arguments, key if plan.arguments == plan.compared else _key(plan.arguments))
    namespace["__fields__"] = plan
    namespace["__dataclass_fields__"] = _DESCRIBED
    namespace.setdefault("__match_args__", plan.arguments)
    # Set before the class is made: every attribute of a class that is set later makes it look for all its slots anew.
    namespace["__qualname__"] = cls.__qualname__
    made: C = type(cls)(cls.__name__, cls.__bases__, namespace)
    plan.cls = made
    _adopt(made, cls)
    if complete is not None:
        setters: list[Any] = [getattr(made, name).__set__ for name in plan.arguments]
        for place, make in plan.factories:
            setters[place] = _filling(setters[place], make)
        complete(setters, namespace.get("__post_init__") if alone else getattr(made, "__post_init__", None))
    return made


class _Plan:
    """What a class says of its fields, as far as it takes to make it. It is the attribute `__fields__` of the class
    until somebody asks for that: `Field` objects are made for whoever does."""

    __slots__ = ("annotations", "arguments", "cls", "compared", "declared", "defaults", "factories", "fixed",
                 "inherited", "own")  # fmt: skip

    def __init__(self, cls: type, values: Mapping[str, object]) -> None:
        """The plan of `cls`, whose attributes are `values`. Raises `TypeError` for a field without a default after one
        with, and for a mutable default."""
        self.cls = cls
        self.annotations: dict[str, str] = values.get("__annotations__", {})  # type: ignore[assignment]
        own = tuple(self.annotations)
        if "ClassVar" in "".join(self.annotations.values()):
            own = tuple([name for name, one in self.annotations.items() if not one.startswith("ClassVar")])
        self.own = self.arguments = self.compared = own
        self.declared = {name: values[name] for name in own if name in values}
        self.inherited: dict[str, Field] = {}
        if cls.__bases__ != _NO_PARENT:
            for parent in cls.__mro__[-1:0:-1]:
                self.inherited |= getattr(parent, "__fields__", {})
        self.defaults: tuple[object, ...] = ()
        self.factories: Sequence[tuple[int, Callable[[], object]]] = ()
        """The arguments that are made anew for each instance, by their place."""
        self.fixed: dict[str, object] = {}
        """What is no argument, and gets a default value."""
        if self.inherited or (self.declared and not self._has_plain_defaults()):
            self._look_at_fields()

    def _has_plain_defaults(self) -> bool:
        """Whether the last fields have plain values for defaults, the others none, and there is no more to it: so it is
        with most classes."""
        names, values = tuple(self.declared), tuple(self.declared.values())
        if names != self.own[-len(names) :] or any(issubclass(kind, _SPECIAL) for kind in set(map(type, values))):
            return False
        self.defaults = values
        return True

    def _look_at_fields(self) -> None:
        """Sort out what each field is for."""
        arguments: list[str] = []
        compared: list[str] = []
        defaults: list[object] = []
        factories: list[tuple[int, Callable[[], object]]] = []
        for name, one in self.known().items():
            if isinstance(one.default, _MUTABLE):
                raise TypeError(f"mutable default of field {name} of {self.cls.__name__}: use default_factory")
            if one.compare:
                compared.append(name)
            if not one.init:
                if one.default is not _MISSING:
                    self.fixed[name] = one.default
                continue
            if one.default_factory is not None:
                factories.append((len(arguments), one.default_factory))
            if one.default is not _MISSING or one.default_factory is not None:
                defaults.append(one.default)
            elif defaults:
                what = f"field {name} of {self.cls.__name__} has no default"
                raise TypeError(f"{what}, and follows {arguments[-1]}, which has one")
            arguments.append(name)
        self.arguments, self.compared, self.defaults = tuple(arguments), tuple(compared), tuple(defaults)
        self.factories = factories

    def known(self) -> dict[str, Field]:
        """All fields by their names, those of parents first."""
        found = dict(self.inherited)
        for name in self.own:
            value = self.declared.get(name, _MISSING)
            one = value if isinstance(value, Field) else Field(value, None, True, True, True)
            one.name, one.type = name, self.annotations[name]
            found[name] = one
        return found

    def __get__(self, instance: object, owner: type) -> dict[str, Field]:
        # From now on the class has them itself.
        self.cls.__fields__ = found = self.known()  # type: ignore[attr-defined]
        return found


def _filling(put: Callable[[object, object], object], make: Callable[[], object]) -> Callable[[object, object], object]:
    def fill(instance: object, value: object) -> None:
        put(instance, make() if value is _MISSING else value)

    return fill


def _general_initializer(cls: type, plan: _Plan) -> Any:
    """The `__init__` of any other class: what would be written out for each, done for all by one."""
    names = plan.arguments
    allowed = frozenset(names)
    total = len(names) + len(plan.fixed)
    optional = names[len(names) - len(plan.defaults) :]
    defaults = {
        n: value for n, value in zip(optional, plan.defaults, strict=True) if value is not _MISSING
    } | plan.fixed
    factories = [(names[place], make) for place, make in plan.factories]
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


def _key(names: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
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

    def __get__(self, instance: object, owner: Any) -> object:
        from inspect import Parameter, Signature

        parameters = []
        for name, one in owner.__fields__.items():
            given = one.default is _MISSING and one.default_factory is None
            default = Parameter.empty if given else one.default
            if one.init:
                kind = Parameter.POSITIONAL_OR_KEYWORD
                parameters.append(Parameter(name, kind, default=default, annotation=one.type))
        return Signature(parameters)


_DESCRIBED = _Described()
_SIGNATURE = _Signature()


_FUNCTIONS: dict[type, Callable[[Any], Any]] = {
    FunctionType: lambda function: function,
    property: operator.attrgetter("fget"),
    staticmethod: operator.attrgetter("__func__"),
    classmethod: operator.attrgetter("__func__"),
}
"""How to come to the function in an attribute of a class, by its type."""


def _adopt(made: type, original: type) -> None:
    """Make the methods of `original` that use `super()` or `__class__` mean `made`: that is a cell which they share."""
    for value in vars(original).values():
        function_of = _FUNCTIONS.get(type(value))
        closure = None if function_of is None else function_of(value).__closure__
        for cell in closure or ():
            if cell.cell_contents is original:
                cell.cell_contents = made
                return
