"""`navicert run` and `navicert record`, as the program that people run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from navicert.crypto.signer import MemorySigner, generate, private_pem
from navicert.envelope.document import open_document
from navicert.model.link import Link

PROGRAM = [sys.executable, "-m", "navicert"]


@pytest.fixture(scope="module")
def signer() -> MemorySigner:
    return generate()


@pytest.fixture
def work(tmp_path: Path, signer: MemorySigner, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with keys outside of it."""
    (tmp_path / "key").write_bytes(private_pem(signer, None))
    (tmp_path / "key.pub").write_bytes(signer.key.public_pem())
    folder = tmp_path / "work"
    (folder / "src/deep").mkdir(parents=True)
    (folder / "src/a.c").write_text("a")
    (folder / "src/deep/b.c").write_text("b")
    monkeypatch.chdir(folder)
    return folder


Result = subprocess.CompletedProcess[str]


def navicert(*arguments: str, **options: object) -> Result:
    settings: dict[str, object] = {"capture_output": True, "text": True, "check": False, "stdin": subprocess.DEVNULL}
    return subprocess.run([*PROGRAM, *arguments], **(settings | options))  # type: ignore[call-overload,no-any-return]


def run(*arguments: str, **options: object) -> Result:
    return navicert("run", "build", "--key", "../key", *arguments, **options)


def link_of(signer: MemorySigner, step: str = "build", store: str = ".") -> Link:
    raw = Path(store, f"{step}.{signer.keyid[:8]}.link").read_bytes()
    verified = open_document(raw).verified_by([signer.key])
    assert verified is not None
    assert isinstance(verified.body, Link)
    return verified.body


def links() -> list[str]:
    return sorted(name for name in os.listdir(".") if ".link" in name)


def test_a_step_is_run_and_recorded(work, signer):
    done = run("-m", "src/**", "-p", "out", "--", "sh", "-c", "cat src/a.c > out; echo said; echo wrong >&2")
    assert (done.returncode, done.stdout) == (0, "said\n")
    assert done.stderr.splitlines() == [
        "wrong",
        f"navicert: build: 2 materials, 1 product, recorded in build.{signer.keyid[:8]}.link",
    ]
    link = link_of(signer)
    assert list(link.materials) == ["src/a.c", "src/deep/b.c"]
    assert list(link.products) == ["out"]
    assert link.command == ("sh", "-c", "cat src/a.c > out; echo said; echo wrong >&2")


def test_quiet_says_nothing(work, signer):
    done = run("-q", "-m", "nothing", "src", "--", "true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert links()


def test_json_is_all_there_is_on_standard_output(work, signer):
    done = run("-m", "src", "nothing", "--json", "--", "echo", "said")
    answer = json.loads(done.stdout)
    assert answer == {
        "step": "build",
        "file": f"build.{signer.keyid[:8]}.link",
        "form": "dsse",
        "signed_by": [signer.keyid],
        "materials": 2,
        "products": 0,
        "return_value": 0,
        "warnings": ["nothing recorded, because it does not exist: nothing"],
    }
    assert done.stderr.splitlines()[1:] == ["said"]


def test_the_form_is_a_choice(work, signer):
    for option, form in (("--dsse", "dsse"), ("--metablock", "metablock")):
        assert run(option, "-x").returncode == 0
        assert open_document(Path(f"build.{signer.keyid[:8]}.link").read_bytes()).form == form
    assert run("--dsse", "--metablock", "-x").returncode == 125


def test_evidence_goes_to_the_store(work, signer):
    assert run("--store", "some/where", "-x", "-m", "src").returncode == 0
    assert links() == []
    assert link_of(signer, store="some/where").materials


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("exit 125", 125)])
def test_a_failed_command_passes_its_code_on_and_is_not_recorded(work, script, code):
    done = run("--", "sh", "-c", script)
    assert done.returncode == code
    assert "nothing is recorded – --record-failure records it all the same" in done.stderr
    assert links() == []


def test_a_failed_command_is_recorded_on_request(work, signer):
    assert run("--record-failure", "--", "sh", "-c", "exit 7").returncode == 7
    assert link_of(signer).byproducts["return-value"] == 7


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        ("no-such-program", 127, "no-such-program: command not found"),
        ("./src/a.c", 126, "cannot be executed"),
        ("/", 126, "cannot be executed"),
    ],
)
def test_a_command_that_cannot_be_run(work, command, code, reason):
    done = run("--", command)
    assert done.returncode == code
    assert reason in done.stderr
    assert links() == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "no command to run"),
        (("-x", "--", "true"), "leave one of them out"),
        (("--no-such-option", "--", "true"), "no such option"),
        (("--timeout", "0", "--", "true"), "not a number of seconds"),
        (("--hash", "md5", "--", "true"), "unknown hash algorithm"),
        (("-m", "foo:bar", "--", "true"), "unknown kind of artifact"),
        (("-m", "nothing", "--strict", "--", "true"), "nothing is recorded for it"),
        (("--base-path", "nothing", "--", "true"), "no such folder"),
        (("--redact", "(", "--", "true"), "not a regular expression"),
        (("--lstrip-paths", "a", "ab", "--", "true"), "prefixes to strip overlap"),
        (("--store", "src/a.c", "--", "true"), "src/a.c: cannot be made"),
        (("--key", "../key", "--", "true"), "a link is signed with one key"),
        (("--expect-from", ".", "--", "true"), "expected --expect-key"),
        (("--expect-key", "../key.pub", "--", "true"), "expected --expect-from"),
    ],
)
def test_what_goes_wrong_on_our_side_is_125_and_nothing_runs(work, arguments, reason):
    split = arguments.index("--") if "--" in arguments else len(arguments)
    command = ["--", "touch", "ran"] if "--" in arguments else []
    done = run(*arguments[:split], *command)
    assert done.returncode == 125
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not Path("ran").exists()
    assert links() == []


def test_a_step_name_with_a_slash_is_125_and_nothing_runs(work):
    done = navicert("run", "a/b", "--key", "../key", "--", "touch", "ran")
    assert done.returncode == 125
    assert "not a usable name" in done.stderr
    assert not Path("ran").exists()


def test_a_key_that_is_not_there_is_125_and_nothing_runs(work):
    done = navicert("run", "build", "--key", "nothing", "--", "touch", "ran")
    assert done.returncode == 125
    assert not Path("ran").exists()


def test_products_that_cannot_be_recorded_are_125_and_nothing_is_written(work):
    done = run("-p", "out", "--strict", "--", "true")
    assert done.returncode == 125
    assert links() == []


def test_time_out_is_125(work):
    done = run("--timeout", "0.2", "--", "sleep", "60")
    assert done.returncode == 125
    assert "still running after 0.2 seconds, killed" in done.stderr
    assert links() == []


def test_output_is_shown_and_recorded_without_secrets(work, signer):
    environ = os.environ | {"API_TOKEN": "s3cret-value"}
    script = "echo s3cret-value; echo cust-1 >&2; cat"
    done = run("-s", "--redact", "cust-[0-9]", "--", "sh", "-c", script, input="from us", stdin=None, env=environ)
    assert done.stdout == "s3cret-value\nfrom us"
    assert "navicert: warning: secrets removed from the recorded command and output: 4" in done.stderr
    link = link_of(signer)
    assert link.byproducts == {"return-value": 0, "stdout": "[redacted]\nfrom us", "stderr": "[redacted]\n"}


def test_the_password_of_the_key_is_not_recorded(work, signer, tmp_path):
    (tmp_path / "locked").write_bytes(private_pem(signer, b"open sesame"))
    command = ["run", "build", "-k", "../locked", "--password-env", "KP", "-s", "--", "sh", "-c", "echo $KP"]
    done = navicert(*command, env=os.environ | {"KP": "open sesame"})
    assert done.returncode == 0
    assert link_of(signer).byproducts["stdout"] == "[redacted]\n"


def test_excludes_add_to_the_defaults_or_replace_them(work, signer):
    for name in ("src/x.pyc", "src/y.o"):
        Path(name).write_text("x")
    run("-m", "src", "-e", "*.o", "-x")
    assert list(link_of(signer).materials) == ["src/a.c", "src/deep/b.c"]
    run("-m", "src", "--no-default-excludes", "-e", "*.o", "-x")
    link = link_of(signer)
    assert list(link.materials) == ["src/a.c", "src/deep/b.c", "src/x.pyc"]
    assert link.environment == {"navicert": {"excludes": ["*.o"]}}


def test_how_files_are_found_and_named(work, signer):
    Path("src/crlf").write_bytes(b"x\r\n")
    Path("src/lf").write_bytes(b"x\n")
    Path("src/link").symlink_to("deep")
    run("-m", ".", "--base-path", "src", "--lstrip-paths", "deep/", "--no-follow", "-x",
        "--normalize-line-endings", "--hash", "sha512", "--hash", "sha256")  # fmt: skip
    link = link_of(signer)
    assert list(link.materials) == ["a.c", "b.c", "crlf", "lf"]
    assert link.materials["crlf"] == link.materials["lf"]
    assert [name for name, _ in link.materials["a.c"]] == ["sha256", "sha512"]


def test_patterns_see_what_the_command_made(work, signer):
    run("-p", "made/*", "made/**/*.txt", "--", "sh", "-c", "mkdir -p made/x; touch made/a made/x/b.txt")
    assert list(link_of(signer).products) == ["made/a", "made/x/b.txt"]


def test_facts_are_recorded_on_request(work, signer):
    environ = os.environ | {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r"}
    run("-x", env=environ)
    assert "ci" not in str(link_of(signer).environment)
    run("-x", "--ci", "--run-id", "r-7", env=environ)
    facts = link_of(signer).environment["navicert"]
    assert isinstance(facts, dict)
    assert facts["ci"]["repository"] == "o/r"
    assert facts["run-id"] == "r-7"


def test_materials_must_be_the_products_that_were_signed(work, signer):
    assert run("-p", "src", "-x").returncode == 0
    after = ["run", "test", "-k", "../key", "-m", "src", "--expect-key", "../key.pub", "--expect-from"]
    for where in (".", f"build.{signer.keyid[:8]}.link"):
        assert navicert(*after, where, "--", "true").returncode == 0
    Path("src/a.c").write_text("tampered")
    Path("src/new").write_text("added")
    done = navicert(*after, ".", "--", "touch", "ran")
    assert done.returncode == 125
    lines = done.stderr.splitlines()
    assert lines[0] == "navicert: 2 materials not as signed, so nothing was run or recorded:"
    assert lines[1].startswith("navicert:   src/a.c: expected sha256:ca978112ca1bbdca")
    assert ", got sha256:" in lines[1]
    assert lines[2].startswith("navicert:   src/new: not a product of any link signed by the given keys")
    assert not Path("ran").exists()
    start = navicert("record", "start", *after[1:], ".")
    assert start.returncode == 2
    assert not [name for name in os.listdir(".") if name.startswith(".")]


def test_a_stranger_sets_no_expectation(work, signer, tmp_path):
    (tmp_path / "other.pub").write_bytes(generate().key.public_pem())
    run("-p", "src", "-x")
    done = run("-m", "src", "--expect-from", ".", "--expect-key", "../other.pub", "--", "touch", "ran")
    assert done.returncode == 125
    assert "not signed by any of the given keys" in done.stderr
    assert not Path("ran").exists()


def test_start_and_stop_make_one_link(work, signer):
    started = navicert("record", "start", "review", "-k", "../key", "-m", "src", "--run-id", "7")
    half = f".review.{signer.keyid[:8]}.link-unfinished"
    assert (started.returncode, started.stdout) == (0, "")
    assert links() == [half]
    Path("review.txt").write_text("good")
    stopped = navicert("record", "stop", "review", "-k", "../key", "-p", "review.txt", "--json")
    assert stopped.returncode == 0
    assert json.loads(stopped.stdout)["products"] == 1
    assert links() == [f"review.{signer.keyid[:8]}.link"]
    link = link_of(signer, "review")
    assert (list(link.materials), list(link.products)) == (["src/a.c", "src/deep/b.c"], ["review.txt"])


def test_stop_without_start_is_refused(work):
    done = navicert("record", "stop", "review", "-k", "../key")
    assert done.returncode == 2
    assert "run record start first" in done.stderr


def test_stop_refuses_an_unfinished_link_that_was_exchanged(work, signer, tmp_path):
    (tmp_path / "other").write_bytes(private_pem(other := generate(), None))
    navicert("record", "start", "review", "-k", "../other", "-m", "src")
    half = f".review.{signer.keyid[:8]}.link-unfinished"
    os.rename(f".review.{other.keyid[:8]}.link-unfinished", half)
    done = navicert("record", "stop", "review", "-k", "../key", "-p", "src")
    assert done.returncode == 2
    assert "not signed with this key" in done.stderr
    assert links() == [half]


def test_control_characters_in_names_do_not_reach_the_terminal(work):
    Path("a\x1b[2J").symlink_to("nothing")
    done = run("-m", ".", "-x")
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
    assert r"a\x1b[2J" in done.stderr


def test_a_signal_reaches_the_command_and_its_end_is_our_end(work):
    script = "trap 'echo cleaning; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    command = [*PROGRAM, "run", "build", "-k", "../key", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    assert (out, process.returncode) == ("cleaning\n", 3)
    assert links() == []


def test_a_key_pressed_in_the_terminal_reaches_the_command_once(work):
    """Ctrl-C goes to all processes of the terminal; passed on it would be a second one."""
    count = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready"
    script = count + "; i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done; exit 4"
    # Where the tests run in the background, SIGINT is ignored, and a shell may not trap what it was told to ignore.
    heed = "signal.signal(signal.SIGINT, signal.SIG_DFL)"
    spawn = f"import os, pty, signal, sys; {heed}; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", spawn, *PROGRAM, "run", "build", "-k", "../key", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = b""
        while b"ready" not in seen:
            piece = process.stdout.read(1)
            assert piece, seen
            seen += piece
        time.sleep(0.2)
        process.stdin.write(b"\x03")
        seen += process.stdout.read()
    assert process.returncode == 4
    assert seen.count(b"got ") == 1


def test_help_ends_with_an_example_that_works(work):
    for words in (["run"], ["record", "start"], ["record", "stop"]):
        done = navicert(*words, "--help")
        assert done.returncode == 0
        assert done.stdout.rstrip().splitlines()[-1].startswith("  navicert " + " ".join(words))
