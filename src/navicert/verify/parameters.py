"""Parameters: values for `{name}` in a layout's rules and commands.

Spec: in-toto v1.0 §4.3.4 (parameter substitution). Only `{name}`, `{{` and `}}` are understood: nothing reaches into
attributes or formats. A value may not smuggle in a wildcard unless it is declared to be a pattern.
"""

from __future__ import annotations

import re

from navicert.dataclass import replace
from navicert.errors import Malformed
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from navicert.model.requirement import Requirement

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_WILD: Final = frozenset("*?[")


class NoValue(Malformed):
    """A placeholder whose parameter, `name`, was given no value."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f'{where}: parameter "{name}" has no value', remedy=f"give it with --parameter {name}=…")
        self.name = name


def substitute(layout: Layout, values: Mapping[str, str] | None, patterns: frozenset[str], *, strict: bool) -> Layout:
    """`layout` with `values` filled in; unchanged where `values` is None.

    Raises `Malformed` for a placeholder without a value, other braces, a bad name, and (`strict`) for a value that
    holds `*`, `?` or `[` and is not declared in `patterns`.
    """
    if values is None:
        return layout
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise Malformed(f"bad parameter name {name!r}", expected="letters, digits, _ and -")
        if strict and name not in patterns and _WILD & set(value):
            raise Malformed(
                f'the value of parameter "{name}" is a pattern',
                got=repr(value),
                remedy=f"declare it with --parameter-pattern {name}=… if it is meant to match more than itself",
            )

    def fill(text: str, where: str) -> str:
        return fill_in(text, values, where)

    def rules(items: tuple[Rule, ...], where: str) -> tuple[Rule, ...]:
        return tuple(_rule(rule, values, where) for rule in items)

    def step(item: Step) -> Step:
        return replace(
            item,
            expected_command=tuple(fill(word, f'step "{item.name}"') for word in item.expected_command),
            expected_materials=rules(item.expected_materials, f'step "{item.name}"'),
            expected_products=rules(item.expected_products, f'step "{item.name}"'),
            predicate=None if item.predicate is None else requirement(item.predicate, f'step "{item.name}"'),
        )

    def requirement(item: Requirement, where: str) -> Requirement:
        # Expressions see parameters as variables: a value is never part of their text.
        return replace(item, subjects=rules(item.subjects, where))

    def inspection(item: Inspection) -> Inspection:
        return replace(
            item,
            run=tuple(fill(word, f'inspection "{item.name}"') for word in item.run),
            expected_materials=rules(item.expected_materials, f'inspection "{item.name}"'),
            expected_products=rules(item.expected_products, f'inspection "{item.name}"'),
        )

    return replace(
        layout,
        steps=tuple(step(item) for item in layout.steps),
        inspections=tuple(inspection(item) for item in layout.inspections),
    )


def _rule(rule: Rule, values: Mapping[str, str], where: str) -> Rule:
    def fill(text: str | None) -> str | None:
        return None if text is None else fill_in(text, values, where)

    return replace(
        rule,
        pattern=fill_in(rule.pattern, values, where),
        source_prefix=fill(rule.source_prefix),
        dest_prefix=fill(rule.dest_prefix),
        step=fill(rule.step),
        spelling=tuple(fill_in(word, values, where) for word in rule.spelling),
    )


def fill_in(text: str, values: Mapping[str, str], where: str) -> str:
    """`text` with every `{name}` replaced by its value. Raises `NoValue`, and `Malformed` for other braces."""
    if "{" not in text and "}" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        token = match[0]
        if token in ("{{", "}}"):
            return token[0]
        name = match[1]
        if name is None or not _NAME.fullmatch(name):
            raise Malformed(f"{where}: not a placeholder: {token!r} in {text!r}", remedy="write {{ and }} for braces")
        if name not in values:
            raise NoValue(name, where)
        return values[name]

    return _TOKEN.sub(one, text)
