"""A page that shows a document: labelled fields and lists, cut where they are long unless everything is asked for."""

from __future__ import annotations

from itertools import islice

from navicert.report.line import cut, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

    from navicert.digest import DigestSet

_LISTED: Final = 10
"""Artifacts, rules or keys that are listed unless all are asked for."""
_COLUMN: Final = 12


class Page:
    """Lines being written: labelled fields and lists."""

    def __init__(self, width: int, everything: bool, lines: list[str]) -> None:
        self.lines = lines
        self._width = width
        self._everything = everything

    def field(self, label: str, text: str, indent: int = 0) -> None:
        """A label and a value on one line."""
        line = f"{' ' * indent}{label:<{_COLUMN}} {text}"
        self.lines.append(line if self._everything else cut(line, self._width))

    def listed(self, label: str, lead: str, items: Sequence[str], indent: int = 0) -> None:
        """A label, a few words and a list, on one line where that holds all of it."""
        text = f"{lead} {', '.join(items)}"
        if len(f"{' ' * indent}{label:<{_COLUMN}} {text}") <= self._width:
            self.field(label, text, indent)
        else:
            self.section(f"{label:<{_COLUMN}} {lead}", items, indent)

    def section(self, label: str, items: Sequence[str], indent: int = 0, *, total: int | None = None) -> None:
        """A label and a list, on one line where it has one item; nothing for an empty list. `total` is how many
        there are, where `items` holds only those that may be shown."""
        total = len(items) if total is None else total
        if total == 1:
            self.field(label, items[0], indent)
            return
        if not items:
            return
        shown = total if self._everything or total <= _LISTED + 1 else _LISTED
        self.lines.append(f"{' ' * indent}{label}")
        for item in items[:shown]:
            line = f"{' ' * (indent + 2)}{item}"
            self.lines.append(line if self._everything else cut(line, self._width))
        if shown < total:
            self.lines.append(f"{' ' * (indent + 2)}… {total - shown} more (--all shows them)")

    def artifacts(self, label: str, artifacts: Mapping[str, DigestSet]) -> None:
        """Paths with their digests."""
        if not artifacts:
            self.field(label, "(none)")
            return
        # A link may hold millions; only those that are shown are written out.
        entries = list(islice(artifacts.items(), None if self._everything else _LISTED + 1))
        longest = min(max(len(escape(path)) for path, _ in entries), 40)
        lines = [f"{escape(path):<{longest}}  {self.digests(digests)}" for path, digests in entries]
        total = len(artifacts)
        self.section(f"{label} ({total})" if total > 1 else label, lines, total=total)

    def id(self, keyid: str) -> str:
        """A key id, shortened unless everything is asked for."""
        return escape(keyid if self._everything else keyid[:16])

    def digests(self, digests: DigestSet) -> str:
        """A digest set, shortened unless everything is asked for."""
        if self._everything:
            return escape(str(digests))
        return " ".join(f"{escape(name)}:{value[:12]}" for name, value in digests) or "(no digest)"

    def unknown(self, fields: Mapping[str, object], indent: int = 0) -> None:
        """Fields that this version does not know."""
        self.section("unknown", [f"{escape(name)}: {value_of(value)}" for name, value in fields.items()], indent)


def command_of(words: Sequence[str]) -> str:
    """A command as it would be typed."""
    import shlex

    return escape(shlex.join(words))


def value_of(value: object) -> str:
    """A JSON value, cut where it is long."""
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(escape(text), 400)


def names_of(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    text = ", ".join(names[:5])
    return text if len(names) <= 5 else f"{text} and {len(names) - 5} more"
