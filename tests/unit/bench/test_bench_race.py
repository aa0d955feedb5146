"""Runs, rounds and what voids them. Real processes; what they take is looked at in shares, never as a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bench import race
from bench.contestant import UPSTREAM, Contestant, Kind, Unmeasurable, environment
from bench.figure import CPU, OUTPUT, PEAK, RATE, WALL, Goal
from bench.race import Result
from bench.workload import Race, Workload

Make = Callable[..., Contestant]


@pytest.fixture
def contestant(tmp_path: Path) -> Make:
    """Makes contestants that run a line of shell in a folder of their own."""

    def make(line: str, name: str = "x", kind: Kind = "ours", **fields: object) -> Contestant:
        return Contestant(name, kind, ("sh", "-c", line), tmp_path, **fields)  # type: ignore[arg-type]

    return make


class TestRun:
    def test_a_command_is_measured(self, contestant: Make, tmp_path: Path) -> None:
        figures = contestant("printf 12345; printf 678 >&2").run(tmp_path)
        assert figures.keys() == {CPU.name, WALL.name, PEAK.name, OUTPUT.name}
        assert figures[OUTPUT.name] == 8
        assert figures[WALL.name] > 0

    def test_the_time_of_children_counts_and_that_of_sleep_does_not(self, contestant: Make, tmp_path: Path) -> None:
        busy = f"{sys.executable} -I -c 'sum(range(10**7))'; true"
        assert contestant(busy).run(tmp_path)[CPU.name] > contestant("sleep 0.3; true").run(tmp_path)[CPU.name]

    def test_the_memory_of_the_runner_is_not_seen(self, contestant: Make, tmp_path: Path) -> None:
        ballast = bytearray(b"x") * (80 << 20)
        assert contestant("exit 0").run(tmp_path)[PEAK.name] < 60
        assert len(ballast) == 80 << 20

    def test_the_memory_of_a_child_is_seen(self, contestant: Make, tmp_path: Path) -> None:
        child = f"{sys.executable} -I -c \"bytearray(b'x') * (80 << 20)\"; true"
        assert contestant(child).run(tmp_path)[PEAK.name] > 80

    def test_it_runs_in_its_folder(self, contestant: Make, tmp_path: Path) -> None:
        contestant("pwd > where").run(tmp_path)
        assert (tmp_path / "where").read_text().strip() == str(tmp_path.resolve())

    def test_the_input_of_whoever_runs_it_is_not_passed_on(self, contestant: Make, tmp_path: Path) -> None:
        before = os.dup(0)
        source, sink = os.pipe()
        os.write(sink, b"yes\n")
        os.close(sink)
        os.dup2(source, 0)
        try:
            contestant('test -z "$(cat)"').run(tmp_path)
        finally:
            os.dup2(before, 0)
            os.close(before)
            os.close(source)

    def test_the_environment_of_whoever_runs_it_is_not_passed_on(
        self, contestant: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        contestant('test -z "$PYTHONDONTWRITEBYTECODE"').run(tmp_path)
        assert "PYTHONDONTWRITEBYTECODE" not in environment(tmp_path)


def ended(process: int) -> bool:
    """Whether a process that was killed is gone, or waits for whoever is to be told; it may need a moment."""
    stat = Path(f"/proc/{process}/stat")
    for _ in range(500):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


class TestVoid:
    """The time of a command that did something else is no figure."""

    def test_a_command_that_fails(self, contestant: Make, tmp_path: Path) -> None:
        with pytest.raises(Unmeasurable, match="x ended with 3, not 0: no such thing"):
            contestant("echo no such thing >&2; exit 3").run(tmp_path)

    def test_a_command_that_passes_where_it_was_to_fail(self, contestant: Make, tmp_path: Path) -> None:
        with pytest.raises(Unmeasurable, match="ended with 0, not 1"):
            contestant("exit 0", code=1).run(tmp_path)

    def test_a_command_that_is_killed(self, contestant: Make, tmp_path: Path) -> None:
        with pytest.raises(Unmeasurable, match="ended with -9"):
            contestant("kill -9 $$").run(tmp_path)

    def test_a_command_that_fails_for_another_reason(self, contestant: Make, tmp_path: Path) -> None:
        contestant("echo backdoor >&2; exit 1", code=1, says="backdoor").run(tmp_path)
        with pytest.raises(Unmeasurable, match="does not say 'backdoor'"):
            contestant("echo expired; exit 1", code=1, says="backdoor").run(tmp_path)

    def test_a_program_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(Unmeasurable, match="no program"):
            Contestant("x", "ours", (str(tmp_path / "none"),), tmp_path).run(tmp_path)

    @pytest.mark.parametrize("said", ["", "fast", "[1]", '{"rate": "fast"}', '{"rate": null}'])
    def test_a_command_that_prints_no_figures(self, contestant: Make, tmp_path: Path, said: str) -> None:
        with pytest.raises(Unmeasurable, match="printed no figures"):
            contestant(f"printf '%s' '{said}'", prints=True).run(tmp_path)

    def test_a_command_that_never_ends(self, contestant: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bench.contestant.SECONDS", 0.2)
        with pytest.raises(Unmeasurable, match="did not end"):
            contestant("sleep 600 & echo $! > child; wait").run(tmp_path)
        assert ended(int((tmp_path / "child").read_text()))


def test_a_command_may_print_its_own_figures(contestant: Make, tmp_path: Path) -> None:
    figures = contestant("""echo words; echo '{"rate": 12.5, "stored": 3}'""", prints=True).run(tmp_path)
    assert figures[RATE.name] == 12.5
    assert figures["stored"] == 3


def workload(*goals: Goal, rehearse: bool = False) -> Workload:
    return Workload("w", "a workload", lambda folder, programs: Race(()), goals=goals, rehearse=rehearse)


class TestRounds:
    def test_contestants_run_in_turn(self, contestant: Make, tmp_path: Path) -> None:
        ready = Race(tuple(contestant(f"printf {name} >> order", name) for name in "ABC"))
        result = race.run(workload(), ready, tmp_path, 3, lambda step: None)
        assert (tmp_path / "order").read_text() == "ABCABCABC"
        assert {name: len(runs) for name, runs in result.runs.items()} == {"A": 3, "B": 3, "C": 3}

    def test_no_round_begins_once_patience_is_over(self, contestant: Make, tmp_path: Path) -> None:
        ready = Race(tuple(contestant(f"printf {name} >> order", name) for name in "AB"))
        result = race.run(workload(), ready, tmp_path, 5, lambda step: None, patience=0)
        assert (tmp_path / "order").read_text() == "AB"
        assert {name: len(runs) for name, runs in result.runs.items()} == {"A": 1, "B": 1}
        result = race.run(workload(), ready, tmp_path, 2, lambda step: None, patience=600)
        assert len(result.runs["A"]) == 2

    def test_a_rehearsal_is_not_counted(self, contestant: Make, tmp_path: Path) -> None:
        ready = Race((contestant("printf x >> order", "x"),))
        result = race.run(workload(rehearse=True), ready, tmp_path, 2, lambda step: None)
        assert (tmp_path / "order").read_text() == "xxx"
        assert len(result.runs["x"]) == 2

    @pytest.mark.parametrize("rehearse", [True, False])
    def test_what_they_did_is_compared_once_all_have_run(
        self, contestant: Make, tmp_path: Path, rehearse: bool
    ) -> None:
        seen = []

        def check() -> None:
            seen.append((tmp_path / "order").read_text())

        ready = Race((contestant("printf A >> order", "A"), contestant("printf B >> order", "B")), check)
        race.run(workload(rehearse=rehearse), ready, tmp_path, 2, lambda step: None)
        assert seen == ["AB"]

    def test_contestants_that_did_different_things_void_the_workload(self, contestant: Make, tmp_path: Path) -> None:
        def check() -> None:
            raise Unmeasurable("they differ")

        with pytest.raises(Unmeasurable, match="they differ"):
            race.run(workload(), Race((contestant("true"),), check), tmp_path, 1, lambda step: None)


def result(*goals: Goal) -> Result:
    """Two rounds of upstream, of two programs of ours, and of a floor."""
    folder = Path()
    contestants = (
        Contestant(UPSTREAM, "upstream", ("u",), folder),
        Contestant("a", "ours", ("a",), folder),
        Contestant("b", "ours", ("b",), folder),
        Contestant("floor", "floor", ("f",), folder),
    )
    runs = {
        UPSTREAM: [{"cpu": 10.0, "output": 100.0}, {"cpu": 20.0, "output": 100.0}],
        "a": [{"cpu": 1.0, "output": 10.0}, {"cpu": 2.0, "output": 12.0}],
        "b": [{"cpu": 5.0, "output": 90.0}, {"cpu": 10.0, "output": 90.0}],
        "floor": [{"cpu": 0.5}, {"cpu": 1.0}],
    }
    return Result(workload(*goals), contestants, runs)


class TestJudgement:
    def test_every_program_of_ours_is_judged_and_nobody_else(self) -> None:
        judged = result(Goal(CPU, 0.2)).judgements()
        assert [(contestant.name, found.met) for _, contestant, found in judged] == [("a", True), ("b", False)]

    def test_a_goal_may_be_about_one_program(self) -> None:
        judged = result(Goal(CPU, 0.2, of="b")).judgements()
        assert [(contestant.name, found.met) for _, contestant, found in judged] == [("b", False)]

    def test_a_goal_may_be_against_a_floor(self) -> None:
        ((_, _, found), _) = result(Goal(CPU, 2.0, "floor")).judgements()
        assert (found.met, found.value) == (True, 2.0)

    def test_a_goal_may_be_a_limit_of_its_own(self) -> None:
        values = [found.value for _, _, found in result(Goal(OUTPUT, 64, "")).judgements()]
        assert values == [11, 90]

    def test_nothing_is_compared_with_itself_or_with_what_is_not_measured(self) -> None:
        made = result()
        upstream, _, _, floor = made.contestants
        assert made.ratio(upstream, CPU) is None
        assert made.ratio(floor, OUTPUT) is None
        assert made.ratio(floor, CPU, "nobody") is None

    def test_nothing_is_compared_with_no_output(self) -> None:
        made = result(Goal(OUTPUT, 1.0))
        silent = replace(made, runs={**made.runs, UPSTREAM: [{"output": 0.0}, {"output": 100.0}]})
        assert silent.judgements() == []
