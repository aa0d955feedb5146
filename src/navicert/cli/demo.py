"""`navicert demo`: builds, verifies and attacks a small image, offline, in a folder of its own."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from navicert.cli.option import add_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import datetime

    from navicert.cli.demonstration.attack import Attack
    from navicert.cli.demonstration.page import Page
    from navicert.cli.demonstration.workshop import Workshop
    from navicert.report.finding import Finding
    from navicert.verdict import Verdict

HELP = "build, verify and attack a small image, offline"
DESCRIPTION = """Build a small container image in four recorded steps, verify it, then play attacks on it:
each must be refused, and the reason is shown. Nothing is left behind without --keep."""
EXAMPLE = "navicert demo --keep /tmp/harbour"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--keep", metavar="DIR", help="do it in DIR (new or empty), leave it, say what to try")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Play everything; 0 where the honest build passed and every attack was caught, else 1."""
    from datetime import UTC, datetime

    from navicert.cli.demonstration.page import Page
    from navicert.cli.demonstration.workshop import Workshop
    from navicert.cli.terminal import colour_wanted, say, width
    from navicert.report.json import render_object

    started = time.monotonic()
    at = datetime.now(UTC).replace(microsecond=0)
    page = None if args.json else Page(colour=colour_wanted(sys.stdout), width=width(sys.stdout))
    with _folder(args.keep) as folder:
        workshop = Workshop.furnish(folder)
        facts, verdict = _build(workshop, at, page)
        attacks = _attack(workshop, at, page) if verdict.passed else []
        caught = sum(attack["caught"] is True for attack in attacks)
        passed = verdict.passed and caught == len(attacks) > 0
        if page is not None and verdict.passed:
            page.closing(caught, len(attacks), time.monotonic() - started, folder if args.keep else None)
    if page is None:
        kept = str(folder) if args.keep else None
        say(render_object({"passed": passed, "folder": kept, **facts, "attacks": attacks}))
    return 0 if passed else 1


def _build(workshop: Workshop, at: datetime, page: Page | None) -> tuple[dict[str, object], Verdict]:
    """The honest build, and the verdict on it."""
    from navicert.report.json import to_json

    if page is not None:
        page.opening()
    workshop.sign_layout(at)
    if page is not None:
        page.furnished()
    steps = []
    for step in workshop.steps:
        done = workshop.perform(step.name)
        if page is not None:
            page.done(done)
        steps.append(
            {
                "step": step.name,
                "person": step.person,
                "said": done.said,
                "materials": done.materials,
                "products": done.products,
                "file": os.path.relpath(done.link, workshop.folder),
            }
        )
    verdict = workshop.judge(at)
    if page is not None:
        page.verdict(verdict)
    return {"steps": steps, "verdict": to_json(verdict)}, verdict


def _attack(workshop: Workshop, at: datetime, page: Page | None) -> list[dict[str, object]]:
    """What became of every attack."""
    from navicert.cli.demonstration.attack import ATTACKS, last_year
    from navicert.cli.demonstration.explanation import decisive, explain

    if page is not None:
        page.attacks()
    past = last_year(workshop, workshop.path("last-year"), at)
    results: list[dict[str, object]] = []
    for number, attack in enumerate(ATTACKS, 1):
        copy = workshop.copy(workshop.path(f"attacks/{attack.name}"))
        attack.act(copy, past)
        verdict = copy.judge(at)
        finding = decisive(verdict)
        problem = _problem(verdict, finding, attack)
        lines = () if finding is None else explain(finding, 88 if page is None else page.explanation_width())
        if page is not None:
            page.attacked(number, attack, problem, lines)
        results.append(
            {
                "name": attack.name,
                "title": attack.title,
                "caught": not problem,
                "check": None if finding is None else finding.check.id,
                "path": None if finding is None else finding.path,
                "explanation": list(lines),
            }
        )
    return results


def _problem(verdict: Verdict, finding: Finding | None, attack: Attack) -> str:
    """Why the attack does not count as caught; empty where it was refused for the very reason that it must be."""
    if verdict.passed or finding is None:
        return "the verification passed"
    if finding.check.id != attack.check:
        return f"refused by {finding.check.id}, where {attack.check} was to refuse it"
    return ""


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    """The folder to work in: `keep`, which must be new or empty, or one that is removed at the end."""
    from tempfile import TemporaryDirectory

    from navicert.errors import Malformed, Refused

    if keep is None:
        with TemporaryDirectory(prefix="navicert-demo-") as folder:
            yield Path(folder)
        return
    path = Path(keep).absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Malformed("is a file, not a folder", path=keep, remedy="name a new folder") from error
    if any(path.iterdir()):
        raise Refused("the folder is not empty", path=keep, remedy="name a new one")
    yield path
