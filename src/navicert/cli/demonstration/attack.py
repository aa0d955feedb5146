"""What an attacker tries on a finished build, each in a copy of its own, and the check that must stop it."""

from __future__ import annotations

import json
import shutil
from typing import Final

from navicert.cli.demonstration.workshop import Workshop
from navicert.dataclass import dataclass
from navicert.timestamp import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: `act` performs it in `copy`, a copy of an honest workshop; `past` is last year's, complete and honest
    in its time. `check` is the id of the check that must be the first cause of the refusal."""

    name: str
    title: str
    story: str
    act: Callable[[Workshop, Workshop], None]
    check: str


def last_year(workshop: Workshop, folder: Path, at: datetime) -> Workshop:
    """A complete build of an older version, with the same keys, as it was done a year before `at`."""
    past = workshop.copy(folder)
    notices = past.path("repository/harbour.txt")
    notices.write_text("Harbour notices: pilots on channel 12, password of the gate: anchor.\n", encoding="utf-8")
    past.sign_layout(after(at, years=-1))
    for step in past.steps:
        past.perform(step.name)
    return past


def _change_source(copy: Workshop, past: Workshop) -> None:
    with copy.path("source/harbour.txt").open("a", encoding="utf-8") as notices:
        notices.write("Pay the harbour dues at the bar.\n")
    for name in ("build", "sbom", "scan"):
        copy.perform(name)


def _swap_report(copy: Workshop, past: Workshop) -> None:
    report = copy.path("release/report.json")
    clean = report.read_bytes()
    advisories = copy.path("advisories.json")
    known = json.loads(advisories.read_bytes())
    grave = {
        "id": "DEMO-0911",
        "package": "tide-table",
        "fixed": "2.0.2",
        "severity": "CRITICAL",
        "title": "low is high",
    }
    advisories.write_text(json.dumps([*known, grave]), encoding="utf-8")
    copy.perform("scan")
    report.write_bytes(clean)


def _skip_step(copy: Workshop, past: Workshop) -> None:
    copy.forget("scan")


def _sign_as_stranger(copy: Workshop, past: Workshop) -> None:
    copy.forget("scan")
    copy.make_key("mallory")
    copy.perform("scan", person="mallory")


def _alter_image(copy: Workshop, past: Workshop) -> None:
    with copy.path("source/harbour.txt").open("a", encoding="utf-8") as notices:
        notices.write("The gate is open all night.\n")
    copy.run("build")


def _replay(copy: Workshop, past: Workshop) -> None:
    for name in ("evidence", "release"):
        shutil.rmtree(copy.path(name))
        shutil.copytree(past.path(name), copy.path(name))


def _bring_back_layout(copy: Workshop, past: Workshop) -> None:
    shutil.copyfile(past.path("root.layout"), copy.path("root.layout"))


ATTACKS: Final = (
    Attack(
        "source-changed",
        "the source is changed between checkout and build",
        "One line is added to a checked-out file. The builder notices nothing, and all goes on honestly.",
        _change_source,
        "rule.match-unsatisfied",
    ),
    Attack(
        "report-swapped",
        "the report is swapped",
        "Today's scan finds a CRITICAL flaw. The clean report of yesterday is put in its place.",
        _swap_report,
        "rule.match-unsatisfied",
    ),
    Attack(
        "step-skipped",
        "a step is skipped",
        "Nobody scans. There is a report, but no evidence of the step that makes one.",
        _skip_step,
        "step.threshold",
    ),
    Attack(
        "stranger",
        "a step is signed by a stranger",
        "Mallory does the scan, correctly even, and signs it with a key of her own.",
        _sign_as_stranger,
        "step.threshold",
    ),
    Attack(
        "image-altered",
        "the image is altered after the scan",
        "An image with another program in it takes the place, and the tag, of the one that was scanned.",
        _alter_image,
        "target.bound",
    ),
    Attack(
        "links-replayed",
        "last year's links are replayed",
        "Last year's evidence, complete and rightly signed, is presented with today's image.",
        _replay,
        "target.bound",
    ),
    Attack(
        "layout-expired",
        "last year's layout is brought back",
        "The owner did sign it, a year ago, and it was good for six months.",
        _bring_back_layout,
        "layout.expired",
    ),
)
"""The attacks, in the order of the steps that they are aimed at."""
