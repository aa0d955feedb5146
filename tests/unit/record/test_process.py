"""Running a command: how it ends, what it is given, what is kept of its output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from navicert.errors import Malformed
from navicert.record.process import (
    NOWHERE,
    CommandNotExecutable,
    CommandNotFound,
    Completed,
    TimedOut,
    Wires,
    execute,
)

QUIET = Wires(stdout=NOWHERE, stderr=NOWHERE)


def sh(script: str, **options: object) -> Completed:
    return execute(["sh", "-c", script], wires=QUIET, **options)  # type: ignore[arg-type]


def is_dead(process: int) -> bool:
    """Whether `process` has ended, be it that nobody has asked how."""
    try:
        with open(f"/proc/{process}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("script", "code", "exit_code"), [("true", 0, 0), ("exit 3", 3, 3), ("kill -9 $$", -9, 137), ("kill $$", -15, 143)]
)
def test_the_end_of_a_command(script, code, exit_code):
    completed = sh(script)
    assert (completed.code, completed.exit_code) == (code, exit_code)


def test_both_streams_are_kept_apart():
    completed = sh("echo out; echo err >&2", capture=100)
    assert (completed.stdout.data, completed.stderr.data) == (b"out\n", b"err\n")


def test_nothing_is_kept_unless_asked_for():
    assert sh("echo out").stdout.data == b""


def test_output_is_shown_while_it_is_kept(tmp_path):
    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        wires = Wires(stdout=out.fileno(), stderr=err.fileno())
        execute(["sh", "-c", "echo out; echo err >&2"], wires=wires, capture=2)
        execute(["sh", "-c", "echo more; echo wrong >&2"], wires=wires)
    assert (tmp_path / "out").read_bytes() == b"out\nmore\n"
    assert (tmp_path / "err").read_bytes() == b"err\nwrong\n"


def test_output_beyond_the_limit_is_counted_and_not_kept():
    completed = sh("head -c 300000 /dev/zero", capture=1000)
    assert completed.stdout.data == bytes(1000)
    assert completed.stdout.dropped == 299_000


def test_much_output_on_both_streams_does_not_block():
    completed = sh("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero", capture=10_000_000)
    assert len(completed.stdout.data) == len(completed.stderr.data) == 3_000_000


def test_a_watcher_that_leaves_does_not_stop_the_command(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        script = f"head -c 200000 /dev/zero; echo done > {tmp_path}/done"
        completed = execute(["sh", "-c", script], wires=Wires(stdout=write, stderr=NOWHERE), capture=1_000_000)
    finally:
        os.close(write)
    assert completed.code == 0
    assert len(completed.stdout.data) == 200_000
    assert (tmp_path / "done").exists()


def test_a_sink_that_is_full_is_waited_for():
    read, write = os.pipe()
    os.set_blocking(write, False)
    reader = subprocess.Popen(
        [sys.executable, "-c", "import sys; print(len(sys.stdin.buffer.read()))"], stdin=read, stdout=subprocess.PIPE
    )
    os.close(read)
    execute(["head", "-c", "1000000", "/dev/zero"], wires=Wires(stdout=write), capture=10)
    os.close(write)
    assert reader.communicate()[0].strip() == b"1000000"


def test_a_process_left_behind_does_not_hold_us_up():
    completed = sh("sleep 300 & echo $!", capture=100)
    left = int(completed.stdout.data)
    os.kill(left, signal.SIGKILL)
    assert completed.code == 0


def test_a_command_that_closes_its_output_is_still_waited_for(tmp_path):
    completed = sh(f"exec >&- 2>&-; sleep 0.3; touch {tmp_path}/late; exit 4", capture=100)
    assert completed.code == 4
    assert (tmp_path / "late").exists()


def test_the_command_gets_folder_environment_and_input(tmp_path):
    (tmp_path / "in").write_bytes(b"input")
    with open(tmp_path / "in", "rb") as stream:
        completed = execute(
            ["/bin/sh", "-c", "pwd; echo $X; cat"],
            cwd=str(tmp_path),
            environ={"X": "y", "PATH": "/usr/bin:/bin"},
            wires=Wires(stream.fileno(), NOWHERE, NOWHERE),
            capture=1000,
        )
    assert completed.stdout.data == f"{tmp_path.resolve()}\ny\ninput".encode()


def test_no_shell_reads_the_arguments():
    completed = execute(["printf", "%s", "$(id); `id` *"], wires=QUIET, capture=100)
    assert completed.stdout.data == b"$(id); `id` *"


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(CommandNotFound, match="no-such-program: command not found"):
        execute(["no-such-program"])
    with pytest.raises(CommandNotFound):
        execute(["./absent"], cwd=str(tmp_path))


def test_a_program_that_cannot_be_executed(tmp_path):
    (tmp_path / "plain").write_text("x")
    (tmp_path / "binary").write_bytes(b"\x00\x01\x02")
    (tmp_path / "binary").chmod(0o755)
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o755)
    for name in ("plain", "binary", "script"):
        with pytest.raises(CommandNotExecutable):
            execute([f"./{name}"], cwd=str(tmp_path))


def test_what_is_no_command(tmp_path):
    for command in ([], [""], ["a\0b"]):
        with pytest.raises(Malformed):
            execute(command)
    with pytest.raises(Malformed, match="no such folder"):
        execute(["true"], cwd=str(tmp_path / "nothing"))


@pytest.mark.parametrize("capture", [None, 100])
def test_the_time_is_up_for_all_that_was_started(tmp_path, capture):
    script = f"(trap '' TERM; sleep 300 & echo $! > {tmp_path}/child; wait) & wait"
    with pytest.raises(TimedOut, match=r"still running after 0\.5 seconds"):
        sh(script, timeout=0.5, capture=capture)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if is_dead(child):
            return
        time.sleep(0.05)
    pytest.fail("a process of the command survived")


def test_a_command_in_time_is_not_touched():
    assert sh("exit 5", timeout=60).code == 5


def test_signals_reach_the_command_and_its_end_is_waited_for(tmp_path):
    program = """
import sys
from navicert.record.process import execute, Wires
done = execute(["sh", "-c", "trap 'echo caught; sleep 0.2; exit 9' TERM; echo ready; while :; do sleep 0.05; done"])
print(done.code, done.interrupted)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0].splitlines() == ["caught", "9 15"]
    assert process.returncode == 0


def test_an_interrupted_command_that_ends_with_0_has_not_succeeded():
    assert Completed(0, interrupted=signal.SIGTERM).exit_code == 143
    assert Completed(0).exit_code == 0


def test_signal_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    sh("true")
    with pytest.raises(CommandNotFound):
        execute(["no-such-program"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert sh("kill -INT $PPID; kill -INT $$; exit 6").code == 6
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_thread_may_run_commands():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(sh, "exit 7").result().code == 7


def test_no_descriptor_is_left_open():
    before = len(os.listdir("/proc/self/fd"))
    sh("echo x", capture=10)
    with pytest.raises(CommandNotFound):
        execute(["no-such-program"], capture=10)
    assert len(os.listdir("/proc/self/fd")) == before
