"""Objects with places that values fill in: one tree, from which plain objects and a Helm template are both made.

A tree is what JSON is made of, with the nodes of this module in it. `resolve` fills them in; `template.py` writes each
as the expression of Helm's template language that means the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from navicert.dataclass import dataclass
from navicert.errors import Malformed

NAMESPACE = ".Release.Namespace"
REVISION = ".Release.Revision"
"""Where Helm keeps the namespace that is installed into and how many times it was. All other paths are of values."""


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of an installation besides its values: the namespace, and a number that grows with each change."""

    namespace: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Ref:
    """The value at `path`, a dotted path below the values; `Ref(NAMESPACE)` and `Ref(REVISION)` are of the release."""

    path: str


@dataclass(frozen=True, slots=True)
class Json:
    """A string: the JSON text of what is at `ref`, as Helm's `toJson` writes it."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Text:
    """A string of strings and values, one after the other. Values are strings or whole numbers."""

    parts: tuple[str | Ref | Json, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """A list of the given entries, each a string or value, and then all entries of the list at `rest`."""

    first: tuple[str | Ref, ...]
    rest: Ref


@dataclass(frozen=True, slots=True)
class Each:
    """As an entry of a list: all entries of the list at `ref`."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Documents:
    """A string: each entry of the list at `ref` as a JSON document, with what ends a document of YAML behind it. `name`
    is what the template that makes it is called."""

    name: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Document:
    """A string: the JSON text of a whole tree, indented. `name` is what the template that makes it is called."""

    name: str
    tree: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class When:
    """`then` where the value at `ref` is one of `among` (by default: anything but false, zero or empty), else `other`.

    As an entry of a list or the value of a key, what is None is left out.
    """

    ref: Ref
    then: object
    other: object = None
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Own:
    """Within an `Every`: the value `name` of the entry that it is at."""

    name: str


@dataclass(frozen=True, slots=True)
class Every:
    """In place of an object: `tree` once for each entry of the list at `ref`, with its `Own` values filled in."""

    ref: Ref
    tree: Mapping[str, object]


def text(*parts: str | Ref | Json) -> Text:
    """A string of strings and values."""
    return Text(parts)


def resolve(tree: object, values: Mapping[str, object], release: Release) -> object:
    """`tree` with everything filled in from `values`; of an `Every` the list of what it stands for. Raises `Malformed`
    for a path that they do not have."""
    return _Filling(values, release).fill(tree)


class _Filling:
    def __init__(self, values: Mapping[str, object], release: Release) -> None:
        self._values = values
        self._release: Mapping[str, object] = {NAMESPACE: release.namespace, REVISION: release.revision}
        self._entry: Mapping[str, object] = {}

    def fill(self, node: object) -> object:
        if isinstance(node, Mapping):
            filled = {name: self.fill(child) for name, child in node.items()}
            return {name: child for name, child in filled.items() if child is not None}
        if isinstance(node, list | tuple):
            return [child for entry in node for child in self.entries(entry) if child is not None]
        if isinstance(node, Ref):
            return self.value(node)
        if isinstance(node, Own):
            return self._entry[node.name]
        if isinstance(node, Every):
            return [self.of_entry(node.tree, entry) for entry in self.listed(node.ref)]
        if isinstance(node, Text):
            return "".join(self.word(part) for part in node.parts)
        if isinstance(node, Joined):
            return [*(self.word(part) for part in node.first), *self.listed(node.rest)]
        if isinstance(node, Json):
            return go_json(self.value(node.ref))
        if isinstance(node, Documents):
            return "".join(f"{go_json(one)}\n---\n" for one in self.listed(node.ref))
        if isinstance(node, Document):
            return go_json(self.fill(node.tree), indent=2)
        if isinstance(node, When):
            return self.fill(node.then if self.holds(node) else node.other)
        return node

    def entries(self, node: object) -> list[object]:
        return self.listed(node.ref) if isinstance(node, Each) else [self.fill(node)]

    def of_entry(self, tree: Mapping[str, object], entry: object) -> object:
        if not isinstance(entry, Mapping):
            raise Malformed("not an object", path="an entry of a list")
        self._entry = entry
        return self.fill(tree)

    def listed(self, ref: Ref) -> list[object]:
        value = self.value(ref)
        if not isinstance(value, list):
            raise Malformed("not a list", path=ref.path)
        return value

    def holds(self, node: When) -> bool:
        value = self.value(node.ref)
        return value in node.among if node.among else bool(value)

    def value(self, ref: Ref) -> object:
        if ref.path in self._release:
            return self._release[ref.path]
        found: object = self._values
        for name in ref.path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                raise Malformed("no such value", path=ref.path)
            found = found[name]
        return found

    def word(self, part: str | Ref | Json) -> str:
        if isinstance(part, str):
            return part
        if isinstance(part, Json):
            return go_json(self.value(part.ref))
        value = self.value(part)
        return value if isinstance(value, str) else go_json(value)


def go_json(value: object, indent: int | None = None) -> str:
    """The JSON text that Go's `encoding/json` makes of `value`: keys in order, and what HTML reserves as escapes."""
    separators = (",", ": ") if indent else (",", ":")
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent, separators=separators)
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written
