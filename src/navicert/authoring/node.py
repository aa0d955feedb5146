"""What an author wrote, before anything is made of it: a tree of words, lists and fields that know their lines.

A word keeps its text and how it was written, and becomes a string or a number only where one is expected, so that a
step called `on` or `2024` stays what it looks like. Every refusal names file, line and JSON pointer.
"""

from __future__ import annotations

from typing import Final, Literal

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.strictjson import Json, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_DIGITS: Final = 9

Kind = Literal["plain", "string", "integer", "other"]


@dataclass(frozen=True, slots=True)
class Word:
    """One scalar. `kind`: "plain" is a bare word of YAML, which may be meant as anything; "string" was quoted;
    "integer" and "other" are JSON's, whose types are never guessed."""

    text: str
    kind: Kind
    line: int = 0


@dataclass(frozen=True, slots=True)
class Items:
    """One list."""

    nodes: tuple[Node, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Fields:
    """One mapping; `lines` says where each of its names stands."""

    nodes: Mapping[str, Node]
    lines: Mapping[str, int]
    line: int = 0


Node = Word | Items | Fields


@dataclass(frozen=True, slots=True)
class Spot:
    """One node and where it stands: `path` is the file, `where` the JSON pointer."""

    node: Node
    path: str
    where: str = ""

    @property
    def line(self) -> int:
        """The line it begins on, from 1; 0 where nobody knows (JSON)."""
        return self.node.line

    def wrong(self, what: str, *, expected: str = "", got: str = "", remedy: str = "") -> Malformed:
        """The refusal of this node, for the caller to raise."""
        return Malformed(
            what,
            path=located(self.path, self.line),
            pointer=self.where or "/",
            expected=expected,
            got=got,
            remedy=remedy,
        )

    @property
    def missing(self) -> bool:
        """Whether nothing was written here (`null`, or nothing after the colon)."""
        return isinstance(self.node, Word) and self.node.kind == "plain" and self.node.text in _NULLS

    def text(self, expected: str = "text") -> str:
        """The text of a word. Raises `Malformed` for lists and fields, and where nothing was written."""
        node = self.node
        if not isinstance(node, Word) or node.kind in ("integer", "other"):
            raise self.wrong("wrong type", expected=expected, got=described(node))
        if self.missing:
            raise self.wrong("nothing is written here", expected=expected)
        return node.text

    def integer(self, lowest: int) -> int:
        """A decimal number of at least `lowest` and at most nine digits, not quoted. Raises `Malformed`."""
        node = self.node
        number = isinstance(node, Word) and node.kind in ("plain", "integer") and _decimal(node.text)
        if not number or not isinstance(node, Word):
            raise self.wrong("not a whole number", expected=f"a number from {lowest}", got=described(node))
        if int(node.text) < lowest:
            raise self.wrong("number too small", expected=f"at least {lowest}", got=node.text)
        return int(node.text)

    def items(self, expected: str = "a list") -> tuple[Spot, ...]:
        """The elements of a list; none where nothing was written. Raises `Malformed`."""
        if self.missing:
            return ()
        if not isinstance(self.node, Items):
            raise self.wrong("wrong type", expected=expected, got=described(self.node))
        return tuple(Spot(node, self.path, pointer(self.where, i)) for i, node in enumerate(self.node.nodes))

    def fields(self, expected: str = "fields") -> dict[str, Spot]:
        """The fields of a mapping, of any names; none where nothing was written. Raises `Malformed`."""
        if self.missing:
            return {}
        if not isinstance(self.node, Fields):
            raise self.wrong("wrong type", expected=expected, got=described(self.node))
        return {name: Spot(node, self.path, pointer(self.where, name)) for name, node in self.node.nodes.items()}

    def known(self, names: Mapping[str, str], what: str) -> dict[str, Spot]:
        """The fields of a mapping whose names are all in `names`: spelling → the name it stands for.

        Raises `Malformed` for any other name, saying which one is near, and for two spellings of one name.
        """
        found: dict[str, Spot] = {}
        for spelling, spot in self.fields(what).items():
            name = names.get(spelling)
            if name is None:
                raise self._unknown(spelling, what, names)
            if name in found:
                raise spot.wrong(f'field "{name}" is written twice, under two spellings')
            found[name] = spot
        return found

    def _unknown(self, spelling: str, what: str, names: Mapping[str, str]) -> Malformed:
        import difflib

        near = difflib.get_close_matches(spelling.lower(), sorted(names), n=1, cutoff=0.6)
        line = self.node.lines.get(spelling, self.line) if isinstance(self.node, Fields) else self.line
        return Malformed(
            f'no field "{spelling[:60]}" in {what}',
            path=located(self.path, line),
            pointer=pointer(self.where, spelling[:60]),
            remedy=f'did you mean "{near[0]}"?' if near else f"there are {', '.join(sorted(set(names.values())))}",
        )


def located(path: str, line: int) -> str:
    """`path` with its line, as compilers write it."""
    return f"{path}:{line}" if line else path


def described(node: Node) -> str:
    """What `node` is, for a message."""
    if isinstance(node, Word):
        return repr(node.text if len(node.text) <= 40 else node.text[:39] + "…") if node.text else "nothing"
    return "a list" if isinstance(node, Items) else "fields"


def plain(spot: Spot) -> object:
    """What stands at `spot` as JSON's strings, lists and objects: no word is taken for a number."""
    if isinstance(spot.node, Fields):
        return {name: plain(inner) for name, inner in spot.fields().items()}
    if isinstance(spot.node, Items):
        return [plain(inner) for inner in spot.items()]
    return spot.text()


def of_json(root: Json) -> Node:
    """The tree of a JSON value that `strictjson.loads` gave, whose depth is therefore bounded. No line is known."""
    if isinstance(root, dict):
        return Fields({name: of_json(child) for name, child in root.items()}, {})
    if isinstance(root, list):
        return Items(tuple(of_json(child) for child in root))
    if isinstance(root, str):
        return Word(root, "string")
    if root is None:
        return Word("null", "plain")
    return Word(str(root), "integer" if type(root) is int else "other")


def _decimal(text: str) -> bool:
    return len(text) <= _DIGITS and text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0"))
