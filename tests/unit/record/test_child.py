"""Commands that are started without `subprocess`: nothing may be different, so every test runs with both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.errors import Malformed, Unavailable
from navicert.record import child
from navicert.record.process import NOWHERE, CommandNotExecutable, CommandNotFound, Wires, execute

QUIET = Wires(NOWHERE, NOWHERE, NOWHERE)


@pytest.fixture(params=["child", "subprocess"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "subprocess":
        monkeypatch.setattr(child, "may_start", lambda wires: False)
    else:

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("subprocess was asked")

        monkeypatch.setattr(sys.modules["navicert.record.process"], "_open", refuse)
    return str(request.param)


def program(folder: Path, name: str, text: str = "#!/bin/sh\nexit 7\n", mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9), ("kill $$", -15)])
def test_the_end_of_a_command(way, script, code):
    assert execute(["sh", "-c", script], wires=QUIET).code == code


def test_arguments_arrive_as_they_are(way, tmp_path):
    words = ["", "a b", "$HOME", "*", "--", "\udcff", "é\n"]
    out = tmp_path / "out"
    execute(["sh", "-c", 'out=$1; shift; printf "%s\\0" "$@" > "$out"', "sh", str(out), *words], wires=QUIET)
    assert [os.fsdecode(word) for word in out.read_bytes().split(b"\0")[:-1]] == words


def test_the_environment_that_is_given_is_all_there_is(way, tmp_path):
    out = tmp_path / "out"
    variables = {"PATH": os.environ["PATH"], "OUT": str(out), "ODD": "\udcfe"}
    execute(["sh", "-c", 'env > "$OUT"'], environ=variables, wires=QUIET)
    lines = out.read_bytes().splitlines()
    assert b"ODD=\xfe" in lines
    assert not any(line.startswith(b"HOME=") for line in lines)


def test_a_program_is_looked_for_where_the_environment_that_it_gets_says(way, tmp_path):
    program(tmp_path / "bin", "only-here")
    with pytest.raises(CommandNotFound):
        execute(["only-here"], wires=QUIET)
    assert execute(["only-here"], environ={"PATH": str(tmp_path / "bin")}, wires=QUIET).code == 7


def test_the_first_program_on_the_path_that_can_be_executed_is_it(way, tmp_path):
    program(tmp_path / "one", "tool", mode=0o644)
    program(tmp_path / "two", "tool", "#!/no/such/interpreter\n")
    (tmp_path / "three").write_text("a file, no folder")
    program(tmp_path / "four", "tool")
    path = ":".join(str(tmp_path / name) for name in ("none", "one", "two", "three", "four"))
    assert execute(["tool"], environ={"PATH": path}, wires=QUIET).code == 7


def test_a_program_that_is_there_and_cannot_be_executed_is_named_so(way, tmp_path):
    program(tmp_path / "one", "tool", mode=0o644)
    for folders in (["one"], ["one", "none"], ["none", "one"]):
        path = ":".join(str(tmp_path / name) for name in folders)
        with pytest.raises(CommandNotExecutable, match="permission denied"):
            execute(["tool"], environ={"PATH": path}, wires=QUIET)


def test_what_has_no_format_is_not_given_to_a_shell(way, tmp_path):
    path = program(tmp_path, "script", "exit 0\n")
    with pytest.raises(CommandNotExecutable, match="exec format error"):
        execute([str(path)], wires=QUIET)


def test_an_interpreter_that_is_not_there_is_not_a_program_that_is_not_there(way, tmp_path):
    path = program(tmp_path, "script", "#!/no/such/interpreter\n")
    with pytest.raises(CommandNotExecutable, match="interpreter"):
        execute([str(path)], wires=QUIET)


def test_a_folder_and_a_path_through_a_file_are_no_commands(way, tmp_path):
    path = program(tmp_path, "script")
    with pytest.raises(CommandNotExecutable, match="permission denied"):
        execute([str(tmp_path)], wires=QUIET)
    with pytest.raises(CommandNotExecutable, match="not a directory"):
        execute([f"{path}/x"], wires=QUIET)


@pytest.mark.parametrize("words", [["tr\0ue"], ["true", "a\0b"]])
def test_what_no_system_can_take_is_malformed(way, words):
    with pytest.raises(Malformed, match="not a command"):
        execute(words, wires=QUIET)


def test_a_variable_that_cannot_be_is_malformed(way):
    with pytest.raises(Malformed, match="not a command"):
        execute(["true"], environ={"PATH": os.environ["PATH"], "A=B": "c"}, wires=QUIET)


def test_attack_a_command_reads_the_password_from_a_descriptor_of_ours(way, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    descriptor = os.open(secret, os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # as what the caller opened, with 3< FILE
    try:
        assert execute(["sh", "-c", f"cat <&{descriptor}"], wires=QUIET).code != 0
        listing = tmp_path / "listing"
        execute(["sh", "-c", f"ls -l /proc/self/fd > {listing}"], wires=QUIET)
        assert str(secret) not in listing.read_text()
    finally:
        os.close(descriptor)


def test_signals_that_python_ignores_are_not_ignored_by_the_command(way):
    # SIGPIPE is 13 and SIGXFSZ 25: bits 12 and 24. (The C library has its own two ignored, 32 and 33.)
    script = (
        'ignored=$(sed -n "s/^SigIgn:[[:space:]]*/0x/p" /proc/self/status); exit $(( (ignored & 0x01001000) != 0 ))'
    )
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    assert execute(["sh", "-c", script], wires=QUIET).code == 0


@pytest.mark.parametrize(
    ("wires", "shown"),
    [
        ("Wires()", ("out\n", "err\n")),
        ("Wires(stdout=2)", ("", "out\nerr\n")),
        ("Wires(stdout=NOWHERE)", ("", "err\n")),
        ("Wires(stderr=NOWHERE)", ("out\n", "")),
        ("Wires(stdout=2, stderr=NOWHERE)", ("", "out\n")),
        ("Wires(NOWHERE, NOWHERE, NOWHERE)", ("", "")),
        ("Wires(stdout=2, stderr=1)", ("err\n", "out\n")),
    ],
)
@pytest.mark.parametrize("may", ["child.may_start", "lambda wires: False"])
def test_output_goes_where_the_wires_lead(wires, shown, may):
    program = f"""
from navicert.record import child
from navicert.record.process import NOWHERE, Wires, execute
child.may_start = {may}
execute(["sh", "-c", "cat; echo out; echo err >&2"], wires={wires})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, input="", check=True)
    assert (done.stdout, done.stderr) == shown


@pytest.mark.parametrize(("stdin", "size"), [("None", "6"), ("NOWHERE", "0")])
@pytest.mark.parametrize("may", ["child.may_start", "lambda wires: False"])
def test_input_comes_from_where_the_wires_lead(stdin, size, may):
    program = f"""
from navicert.record import child
from navicert.record.process import NOWHERE, Wires, execute
child.may_start = {may}
execute(["wc", "-c"], wires=Wires(stdin={stdin}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, input="hello\n", check=True)
    assert done.stdout.strip() == size


def test_what_took_the_place_of_a_closed_output_is_not_ours_to_hand_on():
    program = """
import os, sys
os.close(1)
assert os.open(os.devnull, os.O_WRONLY) == 1
from navicert.record import child
from navicert.record.process import Wires
sys.exit(child.may_start(Wires()))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("may", ["child.may_start", "lambda wires: False"])
def test_attack_a_failure_is_lost_where_the_end_of_children_is_ignored(may):
    program = f"""
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
from navicert.record import child
from navicert.record.process import execute
child.may_start = {may}
assert execute(["sh", "-c", "exit 3"]).code == 3
assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("how", ["", ", capture=1000", ", timeout=60", ", cwd='/'"])
def test_attack_a_failure_is_lost_in_a_thread_where_the_end_of_children_is_ignored(how, tmp_path):
    program = f"""
import signal, threading
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
from navicert.errors import Unavailable
from navicert.record.process import execute
seen = []
def record():
    try:
        seen.append(execute(["sh", "-c", "touch {tmp_path}/ran; exit 3"]{how}))
    except Unavailable as error:
        seen.append(str(error))
thread = threading.Thread(target=record)
thread.start()
thread.join()
(said,) = seen
assert "ignores SIGCHLD" in str(said), said
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("how", ["", ", capture=1000", ", timeout=60", ", cwd='/'"])
def test_attack_a_failure_is_lost_where_another_part_of_the_process_reaps_all_children(how):
    program = f"""
import os, signal
def reap(*_):
    while True:
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return
signal.signal(signal.SIGCHLD, reap)
from navicert.errors import Unavailable
from navicert.record.process import execute
try:
    assert execute(["sh", "-c", "sleep 0.3; exit 3"]{how}).code == 3
except Unavailable as error:
    assert "cannot be found out how the command ended" in str(error)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_child_that_outlives_its_time_is_told_from_one_that_ended():
    started = child.start(["sleep", "60"], None, QUIET)
    with pytest.raises(TimeoutError):
        started.wait(0.01)
    assert not started.ended
    started.kill()
    assert started.wait(60) == -9
    assert started.ended


def test_attack_an_end_that_somebody_else_was_told_of_is_no_success():
    started = child.start(["sh", "-c", "exit 3"], None, QUIET)
    os.waitpid(started.pid, 0)
    assert started.poll() is None
    started.kill()  # nobody: the number may be that of another process by now
    with pytest.raises(Unavailable, match="how the command ended"):
        started.wait()


def test_a_child_is_asked_once():
    started = child.start(["sleep", "60"], None, QUIET)
    assert started.poll() is None
    started.kill()
    assert started.wait() == -signal.SIGKILL
    assert (started.poll(), started.wait()) == (-signal.SIGKILL, -signal.SIGKILL)
    started.send_signal(signal.SIGTERM)  # it has ended: nothing is sent
