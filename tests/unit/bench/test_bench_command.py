"""The command line of the benchmark, and the list of workloads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.contestant import Contestant
from bench.figure import CPU, RATE
from bench.suite import WORKLOADS
from bench.workload import Programs, Race, Workload


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[list[str]]:
    """Options that name programs which do nothing, and a folder to work in."""
    for folder in ("ours", "theirs", "work"):
        (tmp_path / folder).mkdir()
        if folder != "work":
            for name in ("navicert", "in-toto-run", "python"):
                program = tmp_path / folder / name
                program.write_text("#!/bin/sh\necho 1.0\n")
                program.chmod(0o755)
    options = ["--ours", "ours", "--upstream", "theirs", "--dir", "work"]
    before = Path.cwd()
    os.chdir(tmp_path)
    yield options
    os.chdir(before)
    assert list((tmp_path / "work").iterdir()) == [], "work files were left behind"


class TestList:
    def test_names_are_unique_and_easily_typed(self) -> None:
        names = [workload.name for workload in WORKLOADS]
        assert len(set(names)) == len(names)
        assert all(name.replace("-", "").isalnum() for name in names)

    def test_every_workload_belongs_to_one_set_at_least(self) -> None:
        assert [workload.name for workload in WORKLOADS if not workload.quick and not workload.full] == []

    def test_every_goal_is_about_a_figure_that_is_shown(self) -> None:
        wrong = [w.name for w in WORKLOADS for goal in w.goals if goal.figure not in w.figures]
        assert wrong == []

    def test_a_ratio_of_time_asks_for_less_and_of_rate_for_more(self) -> None:
        for workload in WORKLOADS:
            for goal in workload.goals:
                if goal.against == "rival":
                    assert goal.bound > 1 if goal.figure == RATE else goal.bound < 1, workload.name

    def test_it_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--list"]) == 0
        printed = capsys.readouterr().out
        assert all(f"{workload.name} " in printed for workload in WORKLOADS)


class TestMain:
    def test_one_workload_is_measured_and_written(
        self, programs: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        assert main([*programs, "version-quick", "--runs", "2", "--json", "out.json"]) == 0
        printed = capsys.readouterr()
        assert printed.out.startswith("version-quick: --version (2 rounds)")
        assert "round 2 of 2" in printed.err
        document = json.loads((tmp_path / "out.json").read_text())
        runs = document["workloads"]["version-quick"]["contestants"]["navicert"]["runs"]
        assert len(runs) == 2
        assert CPU.name in runs[0]
        assert document["machine"]["cores"] >= 1

    def test_a_workload_that_cannot_be_measured_is_named_and_the_others_go_on(
        self, programs: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*programs, "verify-4x50", "version-quick", "--runs", "1"]) == 1
        printed = capsys.readouterr().out
        assert "verify-4x50: not measured: in-toto 3.1.0: no program" in printed
        assert "version-quick: --version (1 round)" in printed

    def test_recorders_that_record_nothing_are_not_measured(
        self, programs: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*programs, "record-2k", "--runs", "1"]) == 1
        assert "record-2k: not measured" in capsys.readouterr().out

    def test_too_little_disk_is_a_reason_not_to_measure(
        self, programs: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def prepare(folder: Path, programs: Programs) -> object:
            raise AssertionError("never prepared")

        huge = Workload("huge", "huge", prepare, space=1 << 60)  # type: ignore[arg-type]
        monkeypatch.setattr("bench.__main__.WORKLOADS", (huge,))
        assert main([*programs, "huge"]) == 1
        assert "huge: not measured: needs 1099511627776 MiB of disk" in capsys.readouterr().out

    @pytest.mark.parametrize(("word", "code"), [("true", 0), ("false", 1)])
    def test_what_a_workload_started_is_stopped_whatever_comes_out(
        self, programs: list[str], monkeypatch: pytest.MonkeyPatch, word: str, code: int
    ) -> None:
        stopped: list[str] = []

        def prepare(folder: Path, programs: Programs) -> Race:
            return Race((Contestant(word, "ours", (word,), folder),), close=lambda: stopped.append(word))

        monkeypatch.setattr("bench.__main__.WORKLOADS", (Workload("served", "with a server", prepare),))
        assert main([*programs, "served", "--runs", "1"]) == code
        assert stopped == [word]

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["no-such"], "no workload no-such"),
            (["--dir", "none"], "none: no such folder"),
            (["--json", "none/out.json"], "no such folder to write it to"),
            (["--markdown", "none.md"], "No such file"),
            (["--markdown", "ours/navicert"], "once each"),
            (["--ours", "work"], "work: no navicert there"),
            (["--upstream", "work"], "work: no in-toto-run there"),
        ],
    )
    def test_what_cannot_be_done_is_said_before_anything_is_measured(
        self, programs: list[str], capsys: pytest.CaptureFixture[str], words: list[str], why: str
    ) -> None:
        assert main([*programs, *words]) == 2
        printed = capsys.readouterr()
        assert why in printed.err
        assert printed.out == ""
