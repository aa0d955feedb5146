"""Recording a step: materials, command, products."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.record.process import NOWHERE, CommandNotFound, Completed, TimedOut, Wires
from navicert.record.recorder import (
    CommandFailed,
    RecordingWarning,
    World,
    environment_of,
    make_recording,
    record,
)
from navicert.record.redaction import MARGIN, REDACTED
from navicert.resolve.artifact import DEFAULT_EXCLUDES, ResolveOptions

QUIET = Wires(stdout=NOWHERE, stderr=NOWHERE)


def world(root: Path, **fields: object) -> World:
    return World(options=ResolveOptions(cwd=str(root)), wires=QUIET, **fields)  # type: ignore[arg-type]


def digest(data: bytes) -> DigestSet:
    return DigestSet.of({"sha256": hashlib.sha256(data).hexdigest()})


def test_materials_are_as_before_and_products_as_after_the_command(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    command = ["sh", "-c", "printf new > a; printf b > b"]
    link = record("build", command, materials=["a"], products=["*"], world=world(tmp_path))
    assert link.name == "build"
    assert link.command == tuple(command)
    assert link.materials == {"a": digest(b"old")}
    assert link.products == {"a": digest(b"new"), "b": digest(b"b")}
    assert link.byproducts == {"return-value": 0, "stdout": "", "stderr": ""}


def test_the_effective_excludes_are_recorded(tmp_path):
    assert record("s", world=world(tmp_path)).environment == {"navicert": {"excludes": list(DEFAULT_EXCLUDES)}}
    options = ResolveOptions(cwd=str(tmp_path), excludes=("*.o",))
    assert record("s", world=World(options)).environment == {"navicert": {"excludes": ["*.o"]}}


def test_nothing_of_the_environment_is_recorded_unless_asked_for(tmp_path):
    environ = {"GITLAB_CI": "1", "CI_JOB_NAME": "job", "PATH": "/usr/bin:/bin"}
    plain = world(tmp_path, environ=environ, note_excludes=False)
    assert record("s", ["true"], world=plain).environment == {}
    asked = replace(plain, ci=True, run_id="run-7")
    assert record("s", ["true"], world=asked).environment == {
        "navicert": {"run-id": "run-7", "ci": {"service": "gitlab", "job": "job"}}
    }


def test_without_a_command_nothing_runs_and_there_are_no_byproducts(tmp_path):
    link = record("s", world=world(tmp_path))
    assert link.command == ()
    assert link.byproducts == {}


def test_output_is_recorded_on_request(tmp_path):
    command = ["sh", "-c", r"printf 'a\377\n'; echo e >&2"]
    link = record("s", command, world=world(tmp_path, streams=True))
    assert link.byproducts == {"return-value": 0, "stdout": "a�\n", "stderr": "e\n"}


def test_output_that_does_not_fit_is_said_to_be_missing(tmp_path):
    options = ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, stream_bytes=10))
    link = record("s", ["printf", "0123456789abcdef"], world=World(options, wires=QUIET, streams=True))
    assert link.byproducts["stdout"] == "0123456789"
    assert link.byproducts["stdout-dropped-bytes"] == 6
    assert "stderr-dropped-bytes" not in link.byproducts


def test_text_is_not_cut_inside_a_character(tmp_path):
    options = ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, stream_bytes=10))
    link = record("s", ["printf", "éééééé"], world=World(options, wires=QUIET, streams=True))
    assert link.byproducts["stdout"] == "ééééé"
    options = replace(options, limits=replace(LOCAL, stream_bytes=9))
    link = record("s", ["printf", "éééééé"], world=World(options, wires=QUIET, streams=True))
    assert link.byproducts["stdout"] == "éééé"


def test_a_secret_that_the_limit_cuts_in_two_is_removed(tmp_path):
    options = ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, stream_bytes=100))
    environ = {"API_TOKEN": "s3cret-value", "PATH": "/usr/bin:/bin"}
    script = "printf '%094d'; printf s3cret-value"
    link = make_recording("s", ["sh", "-c", script], world=World(options, environ, QUIET, streams=True)).link
    assert str(link.byproducts["stdout"]) == "0" * 94 + REDACTED[:6]


def test_what_lies_at_the_end_of_a_long_capture_is_never_kept(tmp_path):
    # Removing much makes the text shorter, and could pull the unrecognised half of a secret below the limit.
    options = ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, stream_bytes=1000))
    secret = "k" * 1000
    environ = {"API_TOKEN": secret, "PATH": "/usr/bin:/bin"}
    total = 1000 + MARGIN
    script = f'i=0; while [ $i -lt {total // 1000 + 2} ]; do printf %s "$API_TOKEN"; i=$((i+1)); done'
    link = make_recording("s", ["sh", "-c", script], world=World(options, environ, QUIET, streams=True)).link
    assert "kkk" not in str(link.byproducts["stdout"])


def test_secrets_are_removed_from_the_command_with_a_warning(tmp_path):
    environ = {"API_TOKEN": "s3cret-value", "PATH": "/usr/bin:/bin"}
    command = ["echo", "--token=s3cret-value", "ghp_" + "a" * 36, "cust-1"]
    recording = make_recording("s", command, world=world(tmp_path, environ=environ, streams=True, redact=("cust-.",)))
    assert recording.link.command == ("echo", f"--token={REDACTED}", REDACTED, REDACTED)
    assert recording.link.byproducts["stdout"] == f"--token={REDACTED} {REDACTED} {REDACTED}\n"
    assert recording.warnings == ("secrets removed from the recorded command and output: 6",)


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_a_command_that_fails_is_not_recorded(tmp_path, script, code):
    with pytest.raises(CommandFailed, match="nothing is recorded") as caught:
        record("s", ["sh", "-c", script], world=world(tmp_path))
    assert caught.value.completed.exit_code == code


def test_a_failure_is_recorded_on_request(tmp_path):
    recording = make_recording("s", ["sh", "-c", "exit 3"], world=world(tmp_path, record_failure=True))
    assert recording.link.byproducts["return-value"] == 3
    assert recording.completed == Completed(3)


def test_a_command_that_does_not_start_or_end_is_not_recorded(tmp_path):
    with pytest.raises(CommandNotFound):
        record("s", ["no-such-program"], world=world(tmp_path))
    with pytest.raises(TimedOut):
        record("s", ["sleep", "60"], world=world(tmp_path, timeout=0.1))


@pytest.mark.parametrize("step", ["", "a/b", ".x", "a\nb", "..", "a\\b"])
def test_a_step_whose_name_cannot_be_a_file_name_is_refused_before_anything_runs(tmp_path, step):
    with pytest.raises(Malformed, match="not a usable name"):
        record(step, ["touch", str(tmp_path / "ran")], world=world(tmp_path))
    assert not (tmp_path / "ran").exists()


def test_a_command_that_cannot_be_written_is_refused_before_it_runs(tmp_path):
    with pytest.raises(Malformed, match="command is not UTF-8"):
        record("s", ["touch", str(tmp_path / "ran\udcff")], world=world(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_one_text_in_place_of_a_list_is_refused(tmp_path):
    with pytest.raises(Malformed, match="materials is one name"):
        record("s", materials="src", world=world(tmp_path))
    with pytest.raises(Malformed, match="products is one name"):
        record("s", products="src", world=world(tmp_path))
    with pytest.raises(Malformed, match="the command is one text"):
        record("s", "make all", world=world(tmp_path))


def test_the_run_id_must_be_text(tmp_path):
    with pytest.raises(Malformed, match="run id is not UTF-8"):
        environment_of(world(tmp_path, run_id="\udcff"))


def test_warnings_are_told_before_the_command_runs(tmp_path):
    told: list[tuple[str, bool]] = []
    ran = tmp_path / "ran"
    recording = make_recording(
        "s",
        ["touch", str(ran)],
        materials=["nothing"],
        products=["nothing", "neither"],
        world=world(tmp_path, tell=lambda text: told.append((text, ran.exists()))),
    )
    assert told == [
        ("nothing recorded, because it does not exist: nothing", False),
        ("nothing recorded, because it does not exist: neither, nothing", True),
    ]
    assert recording.warnings == tuple(text for text, _ in told)


def test_the_library_warns_as_python_does(tmp_path):
    with pytest.warns(RecordingWarning, match="does not exist: nothing"):
        record("s", materials=["nothing"], world=world(tmp_path))


def test_an_error_in_the_products_is_an_error(tmp_path):
    strict = World(ResolveOptions(cwd=str(tmp_path), strict=True), wires=QUIET)
    with pytest.raises(Malformed, match="nothing is recorded"):
        record("s", ["true"], products=["out"], world=strict)
