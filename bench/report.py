"""Results for people and programs: a table of text, JSON, and the table of the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.contestant import Contestant
from bench.figure import Figure, Goal, Judgement, Ratio
from bench.race import Result

BEGIN: Final = "<!-- measured: begin (written by python -m bench --markdown) -->"
END: Final = "<!-- measured: end -->"


def amount(value: float, figure: Figure) -> str:
    """A value with its unit, to three digits."""
    if figure.unit == "s":
        return f"{_digits(value * 1000)} ms" if value < 1 else f"{_digits(value)} s"
    if figure.unit == "B":
        return f"{value:,.0f} B" if value < 10_000 else f"{_digits(value / 1000)} kB"
    return f"{_digits(value)} {figure.unit}" if figure.unit != "/s" else f"{_digits(value)}/s"


def _digits(value: float) -> str:
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(ratio: Ratio | None) -> str:
    """A ratio with the lowest and the highest round, where they differ in what is shown."""
    if ratio is None:
        return ""
    middle, low, high = map(_factor, (ratio.median, ratio.low, ratio.high))
    return f"{middle}×" if low == high else f"{middle}× ({low}–{high})"


def _factor(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}"


def _headings(result: Result) -> list[str]:
    headings = [""]
    for figure in result.workload.figures:
        headings += [figure.name, f"{figure.name} ×"]
    return headings


def _row(result: Result, contestant: Contestant) -> list[str]:
    cells = [contestant.name]
    for figure in result.workload.figures:
        if not result.has(contestant.name, figure):
            cells += ["", ""]
            continue
        ratio = result.ratio(contestant, figure)
        cells += [amount(result.median(contestant.name, figure), figure), times(ratio)]
    return cells


def _outcome(goal: Goal, contestant: Contestant, judgement: Judgement) -> str:
    value = f"{_factor(judgement.value)}×" if goal.against else amount(judgement.value, goal.figure)
    return f"goal {goal}: {contestant.name} {value}: {judgement}"


def text(result: Result) -> str:
    """One workload as lines for a terminal."""
    rows = [_headings(result), *(_row(result, contestant) for contestant in result.contestants)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rounds = len(next(iter(result.runs.values())))
    lines = [f"{result.workload.name}: {result.workload.title} ({rounds} {'round' if rounds == 1 else 'rounds'})"]
    for row in rows:
        cells = [
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    lines += (f"  {_outcome(*judged)}" for judged in result.judgements())
    return "\n".join(lines)


def summary(results: Sequence[Result], failures: Mapping[str, str]) -> str:
    """How many goals were met, and which were not."""
    judged = [(result, *found) for result in results for found in result.judgements()]
    missed = [found for found in judged if not found[3].met]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} goals met"]
    for result, goal, contestant, judgement in sorted(missed, key=lambda found: -found[3].factor):
        lines.append(f"  {result.workload.name}: {_outcome(goal, contestant, judgement)}")
    lines += (f"not measured: {name}: {reason}" for name, reason in failures.items())
    return "\n".join(lines)


def document(
    results: Sequence[Result], failures: Mapping[str, str], machine: Mapping[str, object]
) -> dict[str, object]:
    """Everything as JSON: every run, the medians, the ratios and the goals."""
    return {
        "machine": dict(machine),
        "workloads": {result.workload.name: _workload(result) for result in results},
        "not_measured": dict(failures),
    }


def _workload(result: Result) -> dict[str, object]:
    contestants: dict[str, object] = {}
    for contestant in result.contestants:
        ratios = {figure.name: result.ratio(contestant, figure) for figure in result.workload.figures}
        contestants[contestant.name] = {
            "kind": contestant.kind,
            "command": list(contestant.command),
            "runs": [dict(run) for run in result.runs[contestant.name]],
            "median": {
                figure.name: result.median(contestant.name, figure)
                for figure in result.workload.figures
                if result.has(contestant.name, figure)
            },
            "rival": contestant.rival,
            "ratio": {
                name: {"median": found.median, "min": found.low, "max": found.high}
                for name, found in ratios.items()
                if found is not None
            },
        }
    goals = [
        {
            "goal": str(goal),
            "contestant": contestant.name,
            "value": judgement.value,
            "bound": goal.bound,
            "met": judgement.met,
            "factor": judgement.factor,
        }
        for goal, contestant, judgement in result.judgements()
    ]
    return {"title": result.workload.title, "contestants": contestants, "goals": goals}


# --- the table of the documentation --------------------------------------------------------------------------------


def markdown(results: Sequence[Result], failures: Mapping[str, str], machine: Mapping[str, object]) -> str:
    """What stands between the two markers of the page: the machine, the goals, and every figure."""
    lines = ["", *_facts(machine), ""]
    lines += [_cells("workload", "program", "goal", "measured", ""), "|---|---|---|---|---|"]
    for result in results:
        for goal, contestant, judgement in result.judgements():
            if goal.against:
                value = times(result.ratio(contestant, goal.figure, goal.against))
            else:
                value = amount(judgement.value, goal.figure)
            lines.append(_cells(result.workload.title, f"`{contestant.name}`", str(goal), value, str(judgement)))
    lines += ["", "## All figures", ""]
    lines.append("Median; × is the ratio to in-toto 3.1.0, the median over rounds, with the lowest and highest round.")
    for result in results:
        rounds = len(next(iter(result.runs.values())))
        lines += ["", f"### {result.workload.title}", ""]
        lines += [f"`python -m bench {result.workload.name}`, {rounds} {'round' if rounds == 1 else 'rounds'}", ""]
        headings = _headings(result)
        lines += [_cells(*headings), "|---|" + "---:|" * (len(headings) - 1)]
        lines += (_cells(*_row(result, contestant)) for contestant in result.contestants)
    if failures:
        lines += ["", "Not measured:", "", *(f"- `{name}`: {reason}" for name, reason in failures.items())]
    return "\n".join([*lines, ""])


def _cells(*cells: str) -> str:
    """A row of a table; a bar inside a cell would begin another one."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _facts(machine: Mapping[str, object]) -> list[str]:
    before, after = machine["load_before"], machine["load_after"]
    busy = isinstance(before, tuple) and isinstance(after, tuple) and max(before[0], after[0] - 2) > 1
    return [
        f"Measured on {str(machine['date'])[:10]} at commit `{machine['commit']}`: {machine['cores']} cores of"
        f" {machine['processor']}, {machine['memory_mib']} MiB, {machine['kernel']};"
        f" Python {machine['python']} with {machine['python_openssl']}, in-toto 3.1.0 on Python"
        f" {machine['upstream_python']}, {str(machine['openssl']).partition(' (')[0]} as program."
        f" Load average (1, 5, 15 minutes) before {before}, after {after}"
        + (": **a busy machine**; wall times and single rounds are not to be relied on." if busy else "."),
    ]


def replace_measured(page: str, table: str) -> str:
    """`page` with `table` between its markers. Raises `ValueError` where they are not there once each, in order."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end or BEGIN in tail or END in tail or BEGIN in rest:
        raise ValueError(f"the page needs the lines {BEGIN!r} and {END!r}, once each")
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def write_page(path: Path, table: str) -> None:
    """Put `table` into the page at `path`."""
    path.write_text(replace_measured(path.read_text(encoding="utf-8"), table), encoding="utf-8")
