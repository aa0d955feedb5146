"""YAML read without its surprises: words stay words, and nothing in a file can build, copy or hide anything.

Only the structure of YAML is used: mappings, lists, words and comments. Refused, because two readers could take them
for different things or because they cost more than they look: anchors and aliases, tags, duplicate names, several
documents in one file, nesting beyond a limit. No word is turned into a date, a number or a truth value here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from navicert.authoring.node import Fields, Items, Node, Word, located
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

_QUOTE: Final = 'a word that begins with * & ! or another special character is written in quotes: "*"'


def read_yaml(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> Node:
    """The tree that `raw` (UTF-8) holds. Raises `Malformed` or `LimitExceeded`, naming file and line."""
    import yaml

    if len(raw) > limits.yaml_bytes:
        raise LimitExceeded(
            "too large for a layout written by hand (limit yaml_bytes)",
            path=path,
            expected=f"at most {limits.yaml_bytes} bytes",
            got=f"{len(raw)} bytes",
            remedy="write it as JSON",
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Malformed(
            f"not UTF-8 at byte {error.start}", path=located(path, line), expected="YAML in UTF-8"
        ) from error
    try:
        return _Composer(path, limits.json_depth).compose(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, path) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Malformed(
            f"character U+{_code(error.character):04X} is not allowed in YAML", path=located(path, line)
        ) from error
    except (ValueError, OverflowError) as error:  # an escape such as "\U00110000" that is no character
        raise Malformed("not YAML: an escape that is no character", path=path) from error


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _code(character: object) -> int:
    return ord(character) if isinstance(character, str) else int(str(character))


def _syntax(error: yaml.MarkedYAMLError, path: str) -> Malformed:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    special = "cannot start any token" in what or "alias" in what or "anchor" in what or "tag" in what
    return Malformed(
        f"not YAML: {what}"[:300],
        path=located(path, mark.line + 1 if mark else 0),
        remedy=_QUOTE if special else "",
    )


class _Open:
    """A list or mapping that is being read."""

    __slots__ = ("keyed", "line", "lines", "name", "nodes", "nodes_by_name")

    def __init__(self, line: int, *, keyed: bool) -> None:
        self.line = line
        self.keyed = keyed
        self.nodes: list[Node] = []
        self.nodes_by_name: dict[str, Node] = {}
        self.lines: dict[str, int] = {}
        self.name: str | None = None

    def close(self) -> Node:
        return Fields(self.nodes_by_name, self.lines, self.line) if self.keyed else Items(tuple(self.nodes), self.line)


class _Composer:
    """Events of the parser → tree, without recursion."""

    def __init__(self, path: str, depth: int) -> None:
        self._path = path
        self._depth = depth
        self._open: list[_Open] = []
        self._root: Node | None = None

    def compose(self, events: Iterator[yaml.Event]) -> Node:
        import yaml

        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._wrong("more than one document in the file", event, "write one layout a file")
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._add(self._open.pop().close(), event)
        if self._root is None:
            raise Malformed(
                "the file is empty", path=self._path, remedy="navicert layout init writes one to begin with"
            )
        return self._root

    def _node(self, event: yaml.NodeEvent) -> None:
        import yaml

        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._wrong("anchors and aliases are not read", event, f"write it out; {_QUOTE}")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._wrong(f"tags are not read: {str(tag)[:60]!r}", event, _QUOTE)
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            if any("\ud800" <= character <= "\udfff" for character in event.value):
                raise self._wrong("lone surrogate", event, "")
            self._add(Word(event.value, "string" if event.style else "plain", line), event)
            return
        if len(self._open) >= self._depth:
            raise LimitExceeded(
                "nested too deeply (limit json_depth)",
                path=located(self._path, line),
                expected=f"at most {self._depth} levels",
            )
        self._open.append(_Open(line, keyed=isinstance(event, yaml.MappingStartEvent)))

    def _add(self, node: Node, event: yaml.Event) -> None:
        if not self._open:
            self._root = node
            return
        top = self._open[-1]
        if not top.keyed:
            top.nodes.append(node)
        elif top.name is not None:
            top.nodes_by_name[top.name] = node
            top.name = None
        elif not isinstance(node, Word):
            raise self._wrong("a list or mapping as the name of a field", event, "names are words")
        elif node.text in top.nodes_by_name:
            raise self._wrong(f'field "{node.text[:60]}" is written twice', event, "")
        else:
            top.name = node.text
            top.lines[node.text] = node.line

    def _wrong(self, what: str, event: yaml.Event, remedy: str) -> Malformed:
        return Malformed(what, path=located(self._path, _line(event)), remedy=remedy)
