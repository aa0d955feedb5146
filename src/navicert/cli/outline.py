"""A command line read without `argparse`, where it is plain: most are, and loading that takes longer than judging.

A command adds its options to an `Outline` as it does to a parser. `read` gives what that parser would give for the same
words, or None where they hold anything that is not certainly so: an abbreviation, `--name=value`, a value that begins
with a dash, a missing or a doubtful one, `--help`. `argparse` reads them then, and says whatever there is to say.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    Given = tuple["_Option", list[str]]
    """An option that is given, and the words that are its values."""

_Namespace: Final = type(sys.implementation)  # SimpleNamespace, without a module to load for it

_FLAGS: Final = {"store_true": True, "store_false": False}
_ACTIONS: Final = frozenset(("store", "store_true", "store_false", "store_const", "append", "extend"))
_NUMBERS: Final = frozenset((None, "?", "+", "*"))


class _Option:
    """One option or argument, as it was added."""

    __slots__ = ("action", "choices", "const", "default", "dest", "group", "nargs", "plain", "required", "type")

    def __init__(self, names: tuple[str, ...], group: _Exclusive | None, meaning: dict[str, Any]) -> None:
        get = meaning.get
        self.action = action = get("action", "store")
        self.nargs = get("nargs")
        self.const = _FLAGS.get(action, get("const"))
        self.default = get("default", not self.const if action in _FLAGS else None)
        self.choices = get("choices")
        self.type: Callable[[str], object] | None = get("type")
        self.required = get("required", False)
        self.group = group
        long = [name for name in names if name.startswith("--")]
        self.dest: str = get("dest") or (long or names)[0].lstrip("-").replace("-", "_")
        self.plain = action in _ACTIONS and self.nargs in _NUMBERS

    def value(self, text: str) -> object:
        """What `text` stands for. Raises `ValueError` where it may not be given, or whatever its type raises."""
        value = text if self.type is None else self.type(text)
        if self.choices is not None and value not in self.choices:
            raise ValueError(text)
        return value


class _Exclusive:
    """Options of which at most one may be given, or exactly one."""

    __slots__ = ("_outline", "required")

    def __init__(self, outline: Outline, required: bool) -> None:
        self._outline = outline
        self.required = required

    def add_argument(self, *names: str, **meaning: Any) -> None:
        """Add an option."""
        self._outline.add(names, self, meaning)


class Outline:
    """Options as a parser has them, as far as reading plain command lines takes."""

    __slots__ = ("_arguments", "_groups", "_named", "_options")

    def __init__(self) -> None:
        self._named: dict[str, _Option] = {}
        self._options: list[_Option] = []
        self._arguments: list[_Option] = []
        self._groups: list[_Exclusive] = []

    def add_argument(self, *names: str, **meaning: Any) -> None:
        """Add an option or argument, as to an `ArgumentParser`."""
        self.add(names, None, meaning)

    def add_argument_group(self, title: str = "", description: str = "") -> Outline:
        """Where options of a group are added: here, as groups are for the help."""
        return self

    def add_mutually_exclusive_group(self, *, required: bool = False) -> _Exclusive:
        """A group of options of which at most one may be given."""
        group = _Exclusive(self, required)
        self._groups.append(group)
        return group

    def add(self, names: tuple[str, ...], group: _Exclusive | None, meaning: dict[str, Any]) -> None:
        """Add the option with these `names`, or the argument."""
        option = _Option(names, group, meaning)
        self._options.append(option)
        if names[0].startswith("-"):
            for name in names:
                self._named[name] = option
        else:
            self._arguments.append(option)

    def read(self, words: Sequence[str]) -> Namespace | None:
        """What a parser with these options makes of `words`, or None where it has to be asked."""
        values: dict[str, Any] = {}
        for option in self._options:
            values.setdefault(option.dest, option.default)
        given = self._collect(words)
        if given is None:
            return None
        seen = {id(option) for option, _ in given}
        try:
            for option, texts in given:
                values[option.dest] = _taken(option, texts, values[option.dest])
            for option in self._options:
                if id(option) not in seen and isinstance(option.default, str) and option.type is not None:
                    values[option.dest] = option.type(option.default)
        except Exception:  # noqa: BLE001  # whatever a type has against a text, argparse hears of it again, and says so
            return None
        return _Namespace(**values)  # type: ignore[return-value]

    def _collect(self, words: Sequence[str]) -> list[Given] | None:
        """What stands on the command line, in order: each option with the words that belong to it. None where that is
        not certain, or where something is missing or too much."""
        named = self._named
        found: list[Given] = []
        loose: list[str] = []
        number, count, last = 0, len(words), -1
        while number < count:
            word = words[number]
            number += 1
            if word == "--" and self._arguments and self._arguments[0].nargs in ("*", "+"):
                # All that follows belongs to the command that is to be run.
                rest = words[number:]
                if loose or not rest or "--" in rest:
                    return None
                loose += rest
                break
            if _is_value(word):
                if loose and last != number - 1:
                    return None  # arguments in several places
                loose.append(word)
                last = number
                continue
            option = named.get(word)
            if option is None or not option.plain:
                return None
            start = number
            most = count if option.nargs in ("+", "*") else start + _most(option)
            while number < min(most, count) and _is_value(words[number]):
                number += 1
            found.append((option, list(words[start:number])))
            if number - start < _least(option):
                return None
        return self._complete(found, loose)

    def _complete(self, found: list[Given], loose: list[str]) -> list[Given] | None:
        """`found` with the argument that `loose` words give. None where one is missing, or one too many is given."""
        if self._arguments:
            if len(self._arguments) > 1 or not self._arguments[0].plain:
                return None
            (argument,) = self._arguments
            if len(loose) < _least(argument) or (argument.nargs in (None, "?") and len(loose) > 1):
                return None
            if loose or (argument.nargs == "*" and argument.default is None):
                found = [*found, (argument, loose)]
        elif loose:
            return None
        given = {id(option): option for option, _ in found}
        groups = [id(option.group) for option in given.values() if option.group is not None]
        if len(set(groups)) < len(groups) or any(one.required and id(one) not in groups for one in self._groups):
            return None
        if any(option.required and id(option) not in given for option in self._options):
            return None
        return found


def _is_value(word: str) -> bool:
    return not word.startswith("-") or word == "-"


def _most(option: _Option) -> int:
    return 0 if option.action in _FLAGS or option.action == "store_const" else 1


def _least(option: _Option) -> int:
    return 0 if option.nargs in ("?", "*") else 1 if option.nargs == "+" else _most(option)


def _taken(option: _Option, texts: list[str], before: Any) -> object:
    """What the value of `option` is, where it was `before`, after it was given with `texts`."""
    action = option.action
    if action in _FLAGS or action == "store_const":
        return option.const
    value: Any
    if option.nargs in ("+", "*"):
        value = [option.value(text) for text in texts]
    else:
        text = texts[0] if texts else option.const
        value = option.value(text) if isinstance(text, str) else text
    if action == "append":
        return [*(before or ()), value]
    if action == "extend":
        return [*(before or ()), *value]
    return value
