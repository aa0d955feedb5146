"""The demonstration on a terminal: what is done, line by line as it happens."""

from __future__ import annotations

import textwrap

from navicert.cli.demonstration.attack import Attack
from navicert.cli.demonstration.workshop import PEOPLE, STEPS, VERIFY, Done
from navicert.cli.terminal import escape, say
from navicert.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LINK = "evidence/build.*.link"
_BOLD, _DIM, _GREEN, _RED = "1", "2", "1;32", "1;31"


class Page:
    """Prints to standard output, in lines of `width` columns."""

    def __init__(self, *, colour: bool, width: int) -> None:
        self._colour = colour
        self._width = width

    def opening(self) -> None:
        """What is to come."""
        self._paragraph(
            "A small application becomes a container image in four steps. Each is recorded, and signed by whoever "
            "performs it; then the image is judged by the owner's layout. No network, no other tool."
        )

    def furnished(self) -> None:
        """Keys and layout are there."""
        self._heading("Who may do what")
        self._row("keys", ", ".join(PEOPLE))
        self._row("layout", f"layout.yaml: {len(STEPS)} steps and 1 inspection, signed by the owner")
        self._heading("The steps, as each is done")

    def done(self, done: Done) -> None:
        """One step was recorded."""
        self._row(done.step.name, f"{done.step.person:<11}{escape(done.said)}")

    def verdict(self, verdict: Verdict) -> None:
        """The verdict on the honest build, as `navicert verify` prints it."""
        from navicert.report.text import render_text

        self._heading("The verdict")
        say(self._styled(f"$ {VERIFY[0]} \\\n      {VERIFY[1]}", _DIM))
        say(render_text(verdict, colour=self._colour, width=self._width))

    def attacks(self) -> None:
        """The attacks begin."""
        self._heading("Now somebody attacks it, each time in a copy of its own")

    def attacked(self, number: int, attack: Attack, problem: str, lines: Sequence[str]) -> None:
        """What became of an attack; `problem` says why it does not count as caught, and is empty where it was."""
        say()
        say(self._styled(f"{number}. {attack.title[0].upper()}{attack.title[1:]}", _BOLD))
        self._paragraph(attack.story, 3)
        word, style = (f"NOT CAUGHT: {problem}", _RED) if problem else ("refused", _GREEN)
        first, *rest = lines or [""]
        say(f"   {self._styled(word, style)}  {first}")
        for line in rest:
            say(f"            {line}")

    def closing(self, caught: int, count: int, seconds: float, kept: Path | None) -> None:
        """The result, and what to do next."""
        say()
        text = f"{caught} of {count} attacks caught"
        say(self._styled(text, _GREEN if caught == count else _RED) + f", {seconds:.1f} s in all")
        if kept is None:
            say("navicert demo --keep DIR leaves everything in DIR, to be tried by hand.")
            return
        say()
        for comment, commands in by_hand(kept):
            say(self._styled(f"# {comment}", _DIM))
            for command in commands:
                say(command)

    def explanation_width(self) -> int:
        """Columns for the explanation of an attack."""
        return self._width - 12

    # --- lines -----------------------------------------------------------------------------------------------------

    def _heading(self, text: str) -> None:
        say()
        say(self._styled(text, _BOLD))

    def _row(self, name: str, text: str) -> None:
        say(f"  {name:<10}{text}")

    def _paragraph(self, text: str, indent: int = 0) -> None:
        margin = " " * indent
        say(textwrap.fill(text, self._width, initial_indent=margin, subsequent_indent=margin))

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


def by_hand(folder: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What to try in the folder that was kept: comments, each with commands for a shell."""
    import shlex

    verify = f"{VERIFY[0]} \\\n    {VERIFY[1]}"
    return (
        ("all of it is here; its keys are not encrypted: for playing only", (f"cd {shlex.quote(str(folder))}",)),
        (
            "what the policy says, and what a step recorded",
            ("navicert layout show root.layout", f"navicert show {_LINK}"),
        ),
        ("judge the image again; the same line judges an attack, in its folder below attacks/", (verify,)),
        ("do a step again, perhaps after an attack of your own", (STEPS[1].command_line(),)),
    )
