"""What is shown of results: the table, the JSON and the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bench import report
from bench.contestant import UPSTREAM, Contestant
from bench.figure import CPU, OUTPUT, PEAK, RATE, Figure, Goal, Ratio
from bench.race import Result
from bench.workload import Race, Workload

MACHINE = {
    "date": "2026-01-31T00:00:00+00:00",
    "commit": "abc",
    "processor": "a processor",
    "cores": 2,
    "memory_mib": 2048,
    "kernel": "Linux 1",
    "python": "3.11.7",
    "upstream_python": "3.11.7",
    "python_openssl": "OpenSSL 3",
    "openssl": "OpenSSL 3.0.19 27 Jan (Library: the same)",
    "load_before": (0.1, 0.1, 0.1),
    "load_after": (1.0, 0.5, 0.2),
}


@pytest.fixture
def result() -> Result:
    contestants = (
        Contestant(UPSTREAM, "upstream", ("u",), Path()),
        Contestant("ours", "ours", ("o",), Path()),
    )
    runs = {
        UPSTREAM: [{"cpu": 2.0, "peak": 100.0}, {"cpu": 4.0, "peak": 100.0}],
        "ours": [{"cpu": 0.2, "peak": 50.0}, {"cpu": 1.0, "peak": 50.0}],
    }
    goals = (Goal(CPU, 0.1), Goal(PEAK, 0.5))
    workload = Workload("name", "a title", lambda folder, programs: Race(()), 2, goals, (CPU, PEAK))
    return Result(workload, contestants, runs)


@pytest.mark.parametrize(
    ("value", "figure", "shown"),
    [
        (0.0123, CPU, "12.3 ms"),
        (0.00123, CPU, "1.23 ms"),
        (12.34, CPU, "12.3 s"),
        (31.44, PEAK, "31.4 MiB"),
        (1713.2, PEAK, "1,713 MiB"),
        (540, OUTPUT, "540 B"),
        (103_000_000, OUTPUT, "103,000 kB"),
        (1234.5, RATE, "1,234/s"),
    ],
)
def test_amounts_have_three_digits_and_a_unit(value: float, figure: object, shown: str) -> None:
    assert report.amount(value, figure) == shown  # type: ignore[arg-type]


def test_ratios_are_shown_with_the_lowest_and_highest_round() -> None:
    assert report.times(Ratio(0.25, 0.2, 1.3)) == "0.25× (0.20–1.30)"
    assert report.times(Ratio(0.085, 0.085, 0.085)) == "0.085×"
    assert report.times(None) == ""


def test_the_table_says_what_was_met_and_what_was_missed_by_how_much(result: Result) -> None:
    assert report.text(result).splitlines() == [
        "name: a title (2 rounds)",
        "                    cpu              cpu ×      peak  peak ×",
        "  in-toto 3.1.0  3.00 s                      100 MiB",
        "  ours           600 ms  0.17× (0.10–0.25)  50.0 MiB   0.50×",
        "  goal cpu ≤ 0.1×: ours 0.17×: missed by 1.75×",
        "  goal peak ≤ 0.5×: ours 0.50×: met",
    ]


def test_a_workload_may_have_its_own_figures_and_nobody_to_be_compared_with() -> None:
    stored = Figure("stored", "/s", more_is_better=True)
    contestant = Contestant("sqlite", "ours", ("s",), Path(), prints=True)
    workload = Workload("store", "a store", lambda folder, programs: Race(()), 1, (Goal(stored, 1000, ""),), (stored,))
    made = Result(workload, (contestant,), {"sqlite": [{"stored": 250.0}]})
    assert report.text(made).splitlines() == [
        "store: a store (1 round)",
        "          stored  stored ×",
        "  sqlite   250/s",
        "  goal stored ≥ 1000 /s: sqlite 250/s: missed by 4.00×",
    ]


def test_the_summary_names_what_was_missed_and_what_was_not_measured(result: Result) -> None:
    assert report.summary([result], {"other": "no disk"}).splitlines() == [
        "1 of 2 goals met",
        "  name: goal cpu ≤ 0.1×: ours 0.17×: missed by 1.75×",
        "not measured: other: no disk",
    ]


def test_the_json_holds_every_run(result: Result) -> None:
    document = json.loads(json.dumps(report.document([result], {"other": "no disk"}, MACHINE)))
    ours = document["workloads"]["name"]["contestants"]["ours"]
    assert ours["runs"] == [{"cpu": 0.2, "peak": 50.0}, {"cpu": 1.0, "peak": 50.0}]
    assert ours["median"] == {"cpu": 0.6, "peak": 50.0}
    assert ours["ratio"]["peak"] == {"median": 0.5, "min": 0.5, "max": 0.5}
    assert [goal["met"] for goal in document["workloads"]["name"]["goals"]] == [False, True]
    assert document["machine"]["load_after"] == [1.0, 0.5, 0.2]
    assert document["not_measured"] == {"other": "no disk"}


class TestPage:
    PAGE = f"# Title\n\nbefore\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n"

    def test_only_what_stands_between_the_markers_is_replaced(self) -> None:
        page = report.replace_measured(self.PAGE, "new")
        assert page == f"# Title\n\nbefore\n\n{report.BEGIN}\nnew\n{report.END}\n\nafter\n"
        assert report.replace_measured(page, "new") == page

    @pytest.mark.parametrize(
        "page",
        ["", report.BEGIN, report.END, f"{report.END}\n{report.BEGIN}", PAGE + PAGE, PAGE + report.END],
        ids=["neither", "no end", "no begin", "wrong order", "twice", "two ends"],
    )
    def test_a_page_without_its_markers_is_refused(self, page: str) -> None:
        with pytest.raises(ValueError, match="once each"):
            report.replace_measured(page, "new")

    def test_a_bar_in_a_name_does_not_begin_another_cell(self, result: Result) -> None:
        pipe = "find | xargs"
        floor = Contestant(pipe, "floor", ("f",), Path())
        workload = replace(result.workload, goals=(Goal(CPU, 1.0, pipe),))
        runs = {**result.runs, pipe: result.runs[UPSTREAM]}
        made = replace(result, workload=workload, contestants=(*result.contestants, floor), runs=runs)
        rows = [line for line in report.markdown([made], {}, MACHINE).splitlines() if "find" in line]
        assert len(rows) == 2
        assert all(r"find \| xargs" in row and row.replace(r"\|", "").count("|") == 6 for row in rows)

    def test_a_busy_machine_is_named_as_such(self, result: Result) -> None:
        assert "busy" not in report.markdown([result], {}, MACHINE)
        assert "**a busy machine**" in report.markdown([result], {}, {**MACHINE, "load_before": (4.0, 4.0, 4.0)})

    def test_the_page_of_this_project_has_its_markers(self) -> None:
        page = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "performance.md"
        assert report.replace_measured(page.read_text(encoding="utf-8"), "x")
