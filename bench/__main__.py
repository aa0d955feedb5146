"""The command line: `python -m bench`."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import installation, machine, race, report
from bench.contestant import Unmeasurable
from bench.installation import ROOT
from bench.race import Result
from bench.suite import WORKLOADS
from bench.workload import Programs, Workload

LAB: Final = ROOT / ".lab" / "in-toto-3.1.0" / "bin"

DESCRIPTION: Final = """Measure our programs beside in-toto 3.1.0 and beside what the machine can do at best, in
turn, so that all meet the same load. Prints medians, and ratios with the lowest and the highest round."""


class Usage(Exception):
    """Something in the command line that cannot be done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 if everything could be measured (whether or not the goals are met), 1 if not, 2 for wrong usage."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the work files are removed then too
    try:
        chosen = _chosen(args)
        if args.list:
            _list(chosen)
            return 0
        _check(args)
        # Absolute, because contestants run in folders of their own.
        work = Path(tempfile.mkdtemp(prefix="navicert-bench-", dir=args.dir)).absolute()
    except Usage as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    try:
        return _measure(args, chosen, work)
    except Unmeasurable as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(work)


def _chosen(args: argparse.Namespace) -> list[Workload]:
    known = {workload.name: workload for workload in WORKLOADS}
    unknown = [name for name in args.workload if name not in known]
    if unknown:
        raise Usage(f"no workload {', '.join(unknown)}; --list shows all")
    if args.workload:
        return [known[name] for name in dict.fromkeys(args.workload)]
    if args.list:
        return list(WORKLOADS)
    return [workload for workload in WORKLOADS if (workload.quick if args.quick else workload.full)]


def _check(args: argparse.Namespace) -> None:
    """Refuse now what would only be noticed after a quarter of an hour."""
    if args.dir is not None and not args.dir.is_dir():
        raise Usage(f"{args.dir}: no such folder")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise Usage(f"{args.json}: no such folder to write it to")
    if args.markdown is not None:
        try:
            report.replace_measured(args.markdown.read_text(encoding="utf-8"), "")
        except (OSError, ValueError) as error:
            raise Usage(f"{args.markdown}: {error}") from None
    for folder, program in ((args.ours, "navicert"), (args.upstream, "in-toto-run")):
        if folder is not None and not (folder / program).is_file():
            raise Usage(f"{folder}: no {program} there")


def _measure(args: argparse.Namespace, chosen: Sequence[Workload], work: Path) -> int:
    programs = _programs(args, work)
    facts = machine.facts(programs)
    before = machine.load()
    results: list[Result] = []
    failures: dict[str, str] = {}
    start = time.monotonic()
    for workload in chosen:
        try:
            result = _one(workload, args, programs, work)
        except Unmeasurable as error:
            failures[workload.name] = str(error)
            print(f"{workload.name}: not measured: {error}\n", flush=True)
            continue
        results.append(result)
        print(report.text(result), end="\n\n", flush=True)
    facts |= {"load_before": before, "load_after": machine.load(), "seconds": round(time.monotonic() - start)}
    print(report.summary(results, failures))
    if args.json is not None:
        args.json.write_text(json.dumps(report.document(results, failures, facts), indent=1) + "\n")
    if args.markdown is not None:
        report.write_page(args.markdown, report.markdown(results, failures, facts))
    return 1 if failures else 0


def _programs(args: argparse.Namespace, work: Path) -> Programs:
    """Ours and upstream's, installed here where they were not named."""
    ours, upstream = args.ours, args.upstream or (LAB if (LAB / "in-toto-run").is_file() else None)
    if ours is None:
        _say("installing our programs")
        ours = installation.install_ours(work / "ours")
    if upstream is None:
        _say("installing in-toto 3.1.0")
        upstream = installation.install_upstream(work / "upstream")
    return Programs(ours.absolute(), upstream.absolute())


def _one(workload: Workload, args: argparse.Namespace, programs: Programs, work: Path) -> Result:
    """Prepare and run one workload, and remove its files."""
    free = shutil.disk_usage(work).free
    if free < workload.space:
        raise Unmeasurable(f"needs {workload.space >> 20} MiB of disk, {free >> 20} MiB are free; see --dir")
    folder, logs = work / workload.name, work / "logs"
    folder.mkdir()
    logs.mkdir(exist_ok=True)
    try:
        _say(f"{workload.name}: preparing")
        ready = workload.prepare(folder, programs)
        rounds = args.runs or (min(3, workload.runs) if args.quick else workload.runs)
        try:
            patience = None if args.runs else race.PATIENCE
            return race.run(workload, ready, logs, rounds, lambda step: _say(f"{workload.name}: {step}"), patience)
        finally:
            if ready.close is not None:
                ready.close()
    finally:
        shutil.rmtree(folder)


def _list(workloads: Sequence[Workload]) -> None:
    width = max(len(workload.name) for workload in workloads)
    for workload in workloads:
        sets = " ".join(name for name, inside in (("bench", workload.full), ("bench-quick", workload.quick)) if inside)
        goals = ", ".join(f"{goal}{f' ({goal.of})' if goal.of else ''}" for goal in workload.goals) or "no goal"
        space = f", {workload.space >> 20} MiB of disk" if workload.space else ""
        rounds = f"{workload.runs} {'round' if workload.runs == 1 else 'rounds'}"
        print(f"{workload.name.ljust(width)}  {workload.title}")
        print(f"{' ' * width}  {goals}; {rounds}{space}; in {sets}")


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=DESCRIPTION)
    add = parser.add_argument
    add("workload", nargs="*", metavar="WORKLOAD", help="what to measure (default: all of `make bench`)")
    add("--list", action="store_true", help="show the workloads, with goals, rounds and disk space")
    add("--quick", action="store_true", help="the small workloads, three rounds at most")
    add(
        "--runs",
        type=_positive,
        metavar="N",
        help="rounds of each workload, however long they take (default: its own number)",
    )
    add("--json", type=Path, metavar="FILE", help="write every run and the facts of the machine to FILE")
    add("--markdown", type=Path, metavar="FILE", help="put the tables of this run into this page")
    add("--dir", type=Path, metavar="DIR", help="where work files go: up to 5 GB (default: the temporary folder)")
    add("--upstream", type=Path, metavar="BIN", help="programs of in-toto 3.1.0 (default: in .lab, else installed)")
    add("--ours", type=Path, metavar="BIN", help="our programs (default: this tree, installed anew)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
