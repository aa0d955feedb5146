"""The argument parser of every command: long options in full, one-line errors with a suggestion, help that fits."""

from __future__ import annotations

import argparse
from itertools import groupby

from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, NoReturn


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help in 80 columns, options written `-o, --out FILE` on every version of Python."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        """What must be given; all that may be given stands below."""
        words = [self._prog]
        listed = list(actions)
        if any(action.option_strings and not action.required for action in listed):
            words.append("[OPTION]...")
        for action in listed:
            if action.option_strings and action.required:
                words.append(f"{action.option_strings[-1]} {self._format_args(action, action.dest.upper())}")
        for action in listed:
            if not action.option_strings:
                words.append(self._format_args(action, action.dest.upper()).replace(" ...]", "]..."))
        return f"usage: {' '.join(words)}{f' {usage}' if usage else ''}\n\n"

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(action.option_strings)
        if action.nargs == 0:
            return names
        return f"{names} {self._format_args(action, self._get_default_metavar_for_optional(action))}"


class _Unasked(argparse.HelpFormatter):
    """Stands for a formatter while options are added. `argparse` makes one for each, to see whether it could be shown;
    ours can, or their help would not be printed."""

    def __init__(self) -> None:
        """Nothing is to be formatted, so nothing is prepared for it."""

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        return ""

    def _expand_help(self, action: argparse.Action) -> str:
        return ""


class Parser(argparse.ArgumentParser):
    """A parser that never abbreviates, and raises `Malformed` instead of printing its usage and exiting."""

    _adds = False

    def __init__(self, prog: str, description: str, example: str = "", *, tail: str = "") -> None:
        super().__init__(
            prog=prog,
            usage=tail,
            description=description,
            epilog=f"example:\n  {example.strip()}" if example else None,
            formatter_class=Formatter,
            allow_abbrev=False,
            add_help=False,
        )
        self._positionals.title = "arguments"
        self.add_argument("-h", "--help", action="help", help="show this help")
        self.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)

    def format_help(self) -> str:
        """The help, its description in lines of 80 columns."""
        self.description = _flowed(self.description or "")
        return super().format_help()

    def add_argument(self, *names: str, **meaning: Any) -> argparse.Action:
        """Add an option or argument, and return it."""
        self._adds = True
        try:
            return super().add_argument(*names, **meaning)
        finally:
            self._adds = False

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _Unasked() if self._adds else super()._get_formatter()

    def error(self, message: str) -> NoReturn:
        """Raise `Malformed`: main prints one line."""
        raise Malformed(message, path=self.prog.removeprefix("navicert "), remedy=f"see {self.prog} --help")

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """The options that `args` give. Raises `Malformed`, naming what was probably meant for a mistyped option."""
        found, unknown = self.parse_known_args(args, namespace)
        if not unknown:
            return found
        first = unknown[0].partition("=")[0]
        options = [name for action in self._actions for name in action.option_strings]
        remedy = suggestion(first, options) if first.startswith("-") else ""
        what = "no such option" if first.startswith("-") and first != "-" else "one argument too many"
        raise Malformed(
            f"{what}: {first}",
            path=self.prog.removeprefix("navicert "),
            remedy=remedy or f"see {self.prog} --help",
        )


def _flowed(text: str) -> str:
    """`text` in lines of 80 columns; blank lines divide paragraphs, and lines that are indented stay as they are."""
    import textwrap

    return "\n\n".join("\n".join(_paragraph(part, textwrap.fill)) for part in text.split("\n\n"))


def _paragraph(text: str, fill: Callable[[str, int], str]) -> Iterator[str]:
    for fixed, group in groupby(text.splitlines(), lambda line: line.startswith("  ")):
        lines = list(group)
        yield "\n".join(lines) if fixed else fill(" ".join(" ".join(lines).split()), 80)


def suggestion(word: str, known: Sequence[str]) -> str:
    """`did you mean …?` for the nearest of `known`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""
