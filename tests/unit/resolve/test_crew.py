"""Several workers for one list of jobs: the results of one, and no silence about a worker that is lost."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from navicert.errors import Unavailable
from navicert.resolve.crew import MOST_JOBS, in_order, in_processes, in_threads, may_fork

# The processes that are forked here do nothing with the threads that the test runner may have.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WAYS = [
    pytest.param(lambda jobs, worker: in_order(jobs, worker), id="in order"),
    pytest.param(lambda jobs, worker: in_threads(jobs, worker, 3), id="in threads"),
    pytest.param(lambda jobs, worker: in_processes(jobs, worker, 3), id="in processes"),
]


def squares(check):
    return lambda job: [job * job]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("jobs", [0, 1, 2, 50, MOST_JOBS])
def test_results_are_in_the_order_of_the_jobs(way, jobs):
    assert way(jobs, squares) == [[job * job] for job in range(jobs)]


@pytest.mark.parametrize("way", WAYS)
def test_the_first_job_that_fails_gives_the_error_whoever_is_faster(way):
    def worker(check):
        def work(job):
            if job == 7:
                time.sleep(0.1)  # job 8, which fails too, is done long before
            if job >= 7:
                raise Unavailable("gone", path=str(job), remedy="look for it") from OSError(5, "text")
            return job

        return work

    with pytest.raises(Unavailable, match="7: gone – look for it") as caught:
        way(40, worker)
    assert isinstance(caught.value.__cause__, OSError)
    assert (caught.value.__cause__.errno, caught.value.__cause__.strerror) == (5, "text")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_more_is_begun_once_a_job_has_failed(tmp_path, way):
    def worker(check):
        def work(job):
            (tmp_path / str(job)).touch()
            if job == 0:
                raise Unavailable("gone")
            time.sleep(0.05)

        return work

    with pytest.raises(Unavailable, match="gone"):
        way(100, worker)
    assert len(os.listdir(tmp_path)) < 50


@pytest.mark.parametrize("how", ["killed", "ended", "broken"])
def test_a_process_that_is_lost_is_an_error_and_never_a_shorter_list(how):
    parent = os.getpid()

    def worker(check):
        def work(job):
            if os.getpid() == parent:
                time.sleep(0.02)  # so that the others get jobs
            elif how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            elif how == "ended":
                os._exit(0)
            else:
                raise KeyError(job)
            return job

        return work

    with pytest.raises(Unavailable, match="a process that was hashing files ended early"):
        in_processes(20, worker, 3)
    assert_no_children()


def children():
    """The processes that this one has started and not waited for."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for one in lists for child in one.read_text().split()}


OTHERS = children()
"""Children that other tests of this process have left behind are none of ours."""


@pytest.fixture(autouse=True)
def _know_the_others():
    OTHERS.clear()
    OTHERS.update(children())


def assert_no_children():
    assert children() <= OTHERS


def test_an_error_of_our_own_ends_all_processes():
    parent = os.getpid()

    def worker(check):
        def work(job):
            if os.getpid() == parent:
                raise KeyError(job)
            time.sleep(60)

        return work

    with pytest.raises(KeyError):
        in_processes(20, worker, 3)
    assert_no_children()


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_of_one_thread_ends_all_of_them(error):
    def worker(check: Callable[[], None]) -> Callable[[int], int]:
        def work(job: int) -> int:
            if threading.current_thread() is threading.main_thread():
                raise error
            while True:
                check()
                time.sleep(0.01)

        return work

    before = threading.active_count()
    with pytest.raises(error):
        in_threads(20, worker, 3)
    assert threading.active_count() == before


def test_a_system_that_allows_no_more_processes_gets_the_work_done_by_one(monkeypatch):
    def refuse() -> int:
        raise BlockingIOError(11, "no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert in_processes(10, squares, 3) == [[job * job] for job in range(10)]


def test_whoever_ignores_the_end_of_children_gets_all_results():
    code = """
import signal
from navicert.resolve.crew import in_processes
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(in_processes(40, lambda check: lambda job: job, 3) == list(range(40)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_nothing_is_forked_while_another_thread_runs():
    code = """
import threading
from navicert.resolve.crew import may_fork
print(may_fork())
stop = threading.Event()
threading.Thread(target=stop.wait).start()
print(may_fork())
stop.set()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\nFalse\n"
    assert isinstance(may_fork(), bool)


# Writes the ids of all its processes to files, then works for a long time without end.
ENDLESS = """
import os, signal, sys, time
from navicert.resolve.crew import in_processes
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background may ignore it
def worker(check):
    def work(job):
        open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
        while True:
            check()
            time.sleep(0.01)
    return work
try:
    in_processes(20, worker, 3)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_program_ends_all_its_processes(tmp_path, number):
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)])
    wait_until(lambda: len(os.listdir(tmp_path)) == 3)
    process.send_signal(number)
    assert process.wait(30) == (130 if number == signal.SIGINT else -number)
    for name in os.listdir(tmp_path):
        wait_until(functools.partial(is_gone, name))


def is_gone(process: str) -> bool:
    return not Path("/proc", process).exists()


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("did not come true")
