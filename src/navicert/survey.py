"""A survey of a JSON value: how many strings it holds, and whether anything in it wants a closer look.

It is what a quick parser's result is checked by. Such a parser keeps the last of doubled keys and drops the others
without a word; but every string of the text, key or value, then stands in the result exactly once unless one was
dropped. So equal counts prove that nothing was. Documents are mostly one shape, objects of objects of strings (paths
with their digests), which is counted without a step of the interpreter for each.
"""

from __future__ import annotations

from itertools import chain

from navicert.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_JSON: Final = frozenset({dict, list, str, int, float, bool, type(None)})
_CONTAINERS: Final = frozenset({dict, list})
_STRINGS: Final = frozenset({str})
_OBJECTS: Final = frozenset({dict})
_FEW: Final = 16
"""Up to here the children of containers are looked at together with those of their neighbours."""

_WHOLE: Final = 2.0**63
"""From here on a float may be what a parser made of an integer that it could not hold."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a value holds. `strings` counts keys and string values, `depth` levels of nesting; `floats` says whether
    there is any, `odd` whether there is something that no JSON text stands for, or only inexactly."""

    strings: int
    depth: int
    floats: bool
    odd: bool


def survey(root: object, deepest: int) -> Survey:
    """The survey of `root`, a value of dicts with string keys, lists and scalars, down to the level `deepest`: what is
    nested more deeply is not looked at, and `depth` is then one more."""
    strings, depth, floats, odd = 0, 0, False, False
    # Lists of values to look at, each with its level. The children of a large container are one list for themselves:
    # then they are mostly all of one type, and looked at together.
    pending: list[tuple[list[object], int]] = [([root], 0)]
    while pending:
        nodes, level = pending.pop()
        kinds = set(map(type, nodes))
        if kinds == _STRINGS:
            strings += len(nodes)
            continue
        objects: list[dict[object, object]] = nodes  # type: ignore[assignment]  # if all of them are
        lists: list[list[object]] = []
        if kinds != _OBJECTS:
            if str in kinds:
                strings += list(map(type, nodes)).count(str)
            odd = odd or not kinds <= _JSON
            if float in kinds:
                floats = True
                odd = odd or not all(-_WHOLE < node < _WHOLE for node in nodes if type(node) is float)
            if kinds.isdisjoint(_CONTAINERS):
                continue
            objects = [node for node in nodes if type(node) is dict]
            lists = [node for node in nodes if type(node) is list]
        level += 1
        if level > depth:
            depth = level
            if depth > deepest:
                break
        strings += sum(map(len, objects))
        odd = odd or not set(map(type, chain.from_iterable(objects))) <= _STRINGS
        children = (*map(dict.values, objects), *lists)
        if len(children) > _FEW:
            together = list(chain.from_iterable(children))
        else:
            together = []
            for child in children:
                if len(child) > _FEW:
                    pending.append((list(child), level))
                else:
                    together += child
        if together:
            pending.append((together, level))
    return Survey(strings, depth, floats, odd)


def strings_in(text: bytes) -> int:
    """How many strings the JSON text `text` holds, keys included: half of the quotes that no backslash escapes."""
    if b"\\" in text:
        # In a run of backslashes every second one is itself escaped; what then still stands before a quote escapes it.
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"') // 2
