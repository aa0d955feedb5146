"""Attacks on recording: by the tree that is recorded, by the repository, by what lies around between steps."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.crypto.signer import generate
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.record.expectation import MaterialMismatch, expect
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, make_recording, record
from navicert.resolve import resolve, resolve_all
from navicert.resolve.artifact import NameConflict, ResolveOptions
from navicert.resolve.content import FileHasher
from navicert.resolve.stamp import GRAIN, Memo, stamp_of
from navicert.store import Piece
from navicert.store.directory import DirectoryStore


def names(root: Path, *specs: str, **options: object) -> list[str]:
    return list(resolve_all(specs, ResolveOptions(cwd=str(root), **options)).artifacts)  # type: ignore[arg-type]


# --- what decides about the recording ------------------------------------------------------------------------------


def test_cve_2023_32076_a_configuration_file_in_the_tree_hides_nothing(tmp_path, monkeypatch):
    (tmp_path / "evil.c").write_text("x")
    for name in (".in_totorc", "in_toto.conf", "config", ".navicertrc", "pyproject.toml", "setup.cfg"):
        (tmp_path / name).write_text(
            "[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *.c\n[tool.navicert]\nexclude = ['*.c']\n"
        )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IN_TOTO_ARTIFACT_EXCLUDE_PATTERNS", "*.c")
    monkeypatch.setenv("NAVICERT_EXCLUDE", "*.c")
    assert "evil.c" in record("s", materials=["."]).materials


def test_what_was_left_out_stands_in_the_signed_link(tmp_path):
    world = World(ResolveOptions(cwd=str(tmp_path), excludes=("*.c",)))
    assert record("s", world=world).environment == {"navicert": {"excludes": ["*.c"]}}


def test_an_exclude_hides_no_named_file_without_a_word(tmp_path):
    (tmp_path / "out.link").write_text("x")
    (warning,) = resolve("out.link", ResolveOptions(cwd=str(tmp_path))).warnings
    assert "excluded by '*.link*'" in warning


def test_cve_2021_41087_a_detour_in_a_path_is_not_recorded(tmp_path):
    (tmp_path / "dir").mkdir()
    (tmp_path / "foo").write_text("x")
    assert names(tmp_path, "dir/../foo", "./foo", "dir//..//foo") == ["foo"]


# --- trees ---------------------------------------------------------------------------------------------------------


def test_a_link_to_an_ancestor_does_not_multiply_the_tree(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("x")
    (tmp_path / "a/b/up").symlink_to("../..")
    (tmp_path / "a/self").symlink_to(".")
    assert names(tmp_path, ".") == ["a/b/file"]


def test_links_between_folders_end(tmp_path):
    for name in "xy":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "x/to-y").symlink_to("../y")
    (tmp_path / "y/to-x").symlink_to("../x")
    assert names(tmp_path, ".") == ["x/file", "x/to-y/file", "y/file", "y/to-x/file"]


def test_links_that_would_multiply_a_small_tree_beyond_measure_are_refused(tmp_path):
    folders = [f"d{i}" for i in range(12)]
    for name in folders:
        (tmp_path / name).mkdir()
        for other in folders:
            (tmp_path / name / other).symlink_to(f"../{other}")
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        names(tmp_path, ".", limits=replace(LOCAL, artifacts=20_000))
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        names(tmp_path, "**/x", limits=replace(LOCAL, artifacts=20_000))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "alias").symlink_to("pipe")
    found = resolve_all([".", "pipe"], ResolveOptions(cwd=str(tmp_path)))
    assert not found.artifacts
    assert "pipes, sockets and devices skipped: alias, pipe" in found.warnings


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unavailable, match="no longer a file"):
        FileHasher(ResolveOptions())(str(tmp_path / "pipe"), "pipe")


def test_an_endless_device_is_not_read(tmp_path):
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert names(tmp_path, "zero", ".") == []
    with pytest.raises(Unavailable, match="no longer a file"):
        FileHasher(ResolveOptions())("/dev/zero", "zero")


@pytest.mark.parametrize("change", ["grows", "shrinks", "is rewritten"])
def test_a_file_that_changes_while_it_is_hashed_is_an_error(tmp_path, change):
    path = tmp_path / "large"
    path.write_bytes(bytes(4 * 1024 * 1024))
    os.utime(path, (1, 1))

    def meddle(files: int, size: int) -> None:
        if change == "shrinks":
            os.truncate(path, 2 * 1024 * 1024)
        elif change == "grows":
            with open(path, "ab") as stream:
                stream.write(b"x")
        else:
            with open(path, "r+b") as stream:
                stream.write(b"x")

    with pytest.raises(Unavailable, match="large: changed while it was hashed"):
        names(tmp_path, "large", progress=meddle)


def test_a_file_whose_size_is_a_lie_is_an_error():
    # Here the kernel says 0 bytes and gives more, as a file does that grows after it was looked at.
    with pytest.raises(Unavailable, match="changed while it was hashed"):
        FileHasher(ResolveOptions())("/proc/self/status", "status")


def test_a_file_that_vanishes_is_an_error(tmp_path):
    with pytest.raises(Unavailable, match="vanished"):
        FileHasher(ResolveOptions())(str(tmp_path / "gone"), "gone")


# --- names ---------------------------------------------------------------------------------------------------------


def test_a_name_that_is_not_text_is_an_error_and_not_left_out(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9"), "wb"):
        pass
    with pytest.raises(Malformed, match=r"not UTF-8.*exclude it"):
        names(tmp_path, ".")
    assert names(tmp_path, ".", excludes=("caf*",)) == []


def test_a_backslash_cannot_hide_one_file_behind_another(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("shown")
    (tmp_path / "a\\b").write_text("hidden")
    with pytest.raises(NameConflict, match="two files would be recorded as 'a/b'"):
        names(tmp_path, ".")


def test_a_line_feed_in_a_name_cannot_look_like_two_files_of_a_folder(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a\nb").write_text("x")
    with pytest.raises(Malformed, match="line feed"):
        names(tmp_path, "dir:one")


def test_control_characters_in_a_name_are_recorded_as_they_are(tmp_path):
    (tmp_path / "a\x1b[2Jb").write_text("x")
    assert names(tmp_path, ".") == ["a\x1b[2Jb"]


def test_names_that_one_file_system_takes_for_one_are_warned_of(tmp_path):
    (tmp_path / "Makefile").write_text("x")
    (tmp_path / "makefile").write_text("y")
    (warning,) = resolve(".", ResolveOptions(cwd=str(tmp_path))).warnings
    assert "Makefile, makefile" in warning


@pytest.mark.parametrize("step", ["../../etc/cron.d/x", "a/b", "a\\b", ".bashrc", "x\0", "a\nb", "\x1b[2J", ""])
def test_a_step_name_cannot_lead_out_of_the_store(tmp_path, step):
    (tmp_path / "store").mkdir()
    store = DirectoryStore(str(tmp_path / "store"))
    for write in (store.put, store.put_unfinished):
        with pytest.raises(Malformed, match="not a usable name"):
            write(step, "ab" * 32, b"x")
    assert os.listdir(tmp_path) == ["store"]
    assert os.listdir(tmp_path / "store") == []


def test_an_artifact_of_an_image_cannot_be_replaced_by_a_file_of_its_name(tmp_path):
    from navicert.resolve import merge

    found = {"app/index": DigestSet.of({"sha256": "a" * 64})}
    with pytest.raises(NameConflict, match="two artifacts would be recorded as 'app/index'"):
        merge(found, {"app/index": DigestSet.of({"sha256": "b" * 64})}, "app/index")


# --- between the steps ---------------------------------------------------------------------------------------------


def test_ghsa_p86f_materials_changed_between_two_steps_are_found_before_the_command_runs(tmp_path):
    bob = generate()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.c").write_text("good")
    options = ResolveOptions(cwd=str(tmp_path))
    checkout = record("checkout", products=["src"], world=World(options))
    (tmp_path / "src/a.c").write_text("evil")
    (tmp_path / "src/b.c").write_text("evil too")
    expectation = expect([Piece("checkout.link", seal(checkout, bob))], [bob.key])
    with pytest.raises(MaterialMismatch) as caught:
        record(
            "build",
            ["touch", str(tmp_path / "ran")],
            materials=["src"],
            world=World(options, wires=Wires(stdout=NOWHERE), expectation=expectation),
        )
    assert [difference.name for difference in caught.value.differences] == ["src/a.c", "src/b.c"]
    assert not (tmp_path / "ran").exists()


def test_an_unsigned_expectation_is_none(tmp_path):
    mallory, bob = generate(), generate()
    forged = seal(Link("checkout", products={"a": DigestSet.of({"sha256": "0" * 64})}), mallory)
    with pytest.raises(NavicertError, match="not signed by any of the given keys"):
        expect([Piece("checkout.link", forged)], [bob.key])


# --- files that are not hashed twice, where that is asked for ---------------------------------------------------------


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that were written long enough ago for their stamps to prove that nothing happened since."""
    root = tmp_path_factory.mktemp("quiet")
    for name in ("kept", "rewritten", "replaced", "large", "inside/kept"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode() * (20_000 if name == "large" else 1))
    time.sleep(GRAIN + 1.1)
    return root


REWRITE = """
import os
status = os.stat("rewritten")
with open("rewritten", "r+b") as stream:
    stream.write(b"REWRITTEN")
os.utime("rewritten", ns=(status.st_atime_ns, status.st_mtime_ns))
status = os.stat("replaced")
with open("other", "wb") as stream:
    stream.write(b"REPLACED")
os.utime("other", ns=(status.st_atime_ns, status.st_mtime_ns))
os.replace("other", "replaced")
"""

COUNTED = """
import collections, json, sys
from navicert.record.recorder import World, record
opened = collections.Counter()
sys.addaudithook(lambda event, args: opened.update([str(args[0])]) if event == "open" else None)
link = record("s", [sys.executable, "-c", sys.argv[1]], materials=[".", "dir:inside"], products=[".", "dir:inside"],
              world=World(reuse_unchanged=sys.argv[2] == "reuse"))
print(json.dumps([link.materials.to_json(), link.products.to_json(), opened]))
"""


def test_a_rewritten_file_whose_time_is_set_back_is_not_taken_for_the_old_one(quiet):
    words = [sys.executable, "-c", COUNTED, REWRITE, "reuse"]
    done = subprocess.run(words, cwd=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    materials, products, opened = json.loads(done.stdout)
    for name, content in {"rewritten": b"REWRITTEN", "replaced": b"REPLACED"}.items():
        assert products[name] == {"sha256": hashlib.sha256(content).hexdigest()} != materials[name]
        assert opened[name] == 2
    # What nobody touched is opened once, before the command, though it is named four times.
    assert products["kept"] == materials["kept"] == {"sha256": hashlib.sha256(b"kept").hexdigest()}
    assert products["dir:inside"] == materials["dir:inside"]
    assert (opened["kept"], opened["inside/kept"]) == (1, 1)
    # A large one is opened to see that it is, and again to be hashed.
    assert opened["large"] == 2


def test_files_are_hashed_twice_unless_it_is_asked_for(quiet):
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, "", "no"], cwd=quiet, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    _, _, opened = json.loads(done.stdout)
    assert opened["kept"] == 2


def test_a_file_written_just_before_the_recording_is_hashed_twice(tmp_path, monkeypatch):
    # A write in the same tick of the clock would leave its stamps as they are.
    (tmp_path / "a").write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", COUNTED.replace('"dir:inside"', ""), "", "reuse"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, _, opened = json.loads(done.stdout)
    assert opened["a"] == 2


def test_nothing_is_believed_of_stamps_once_the_clock_was_set_back(quiet, monkeypatch):
    memo = Memo()
    paths = [str(quiet / "kept")]
    memo.remember("how", paths[0], stamp_of(os.stat(paths[0])), "digests")
    assert memo.recall("how", paths) == ["digests"]
    assert memo.recall("otherwise", paths) == [None]
    assert memo.recall("how", [str(quiet / "gone")]) == [None]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 5)
    assert memo.recall("how", paths) == [None]


# --- the command ---------------------------------------------------------------------------------------------------


def test_a_command_cannot_hold_the_recording_up_by_what_it_leaves_behind(tmp_path):
    world = World(ResolveOptions(cwd=str(tmp_path)), wires=Wires(stdout=NOWHERE, stderr=NOWHERE), streams=True)
    script = f"(while :; do echo noise; sleep 0.01; done) & echo $! > {tmp_path}/left"
    link = record("s", ["sh", "-c", script], world=world)
    os.kill(int((tmp_path / "left").read_text()), 9)
    assert link.byproducts["return-value"] == 0


def test_output_without_end_is_recorded_within_bounds(tmp_path):
    options = ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, stream_bytes=1000))
    world = World(options, wires=Wires(stdout=NOWHERE), streams=True)
    link = record("s", ["head", "-c", "20000000", "/dev/zero"], world=world)
    assert len(str(link.byproducts["stdout"])) == 1000
    assert link.byproducts["stdout-dropped-bytes"] == 19_999_000


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 400_000,
        "eyJaaaaaaaaaaa." * 100_000,
        "-----BEGIN " * 100_000,
        "-----BEGIN RSA PRIVATE KEY-----" * 40_000,
        "bearer " * 200_000,
        "a://" * 300_000,
        "a://:" * 250_000,
        "ghp_" * 300_000,
        "a-" * 600_000,
    ],
)
def test_output_made_to_exhaust_the_search_for_secrets_does_not(text):
    from navicert.record.redaction import Redaction

    # Quadratic matching of a megabyte would take minutes.
    assert Redaction({"API_TOKEN": "s3cret-value"})(text)


def test_a_secret_is_not_signed_into_evidence(tmp_path):
    environ = {"DEPLOY_TOKEN": "correct-horse", "PATH": os.environ["PATH"]}
    world = World(ResolveOptions(cwd=str(tmp_path)), environ, Wires(stdout=NOWHERE, stderr=NOWHERE), streams=True)
    recording = make_recording("s", ["sh", "-c", "echo $DEPLOY_TOKEN; echo correct-horse >&2"], world=world)
    assert b"correct-horse" not in seal(recording.link, generate(), form="metablock")


# --- repositories --------------------------------------------------------------------------------------------------

GIT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=folder, env=GIT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a").write_text("a\n")
    (folder / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def recorded(folder: Path) -> dict[str, str]:
    return dict(resolve("git:repo", ResolveOptions(cwd=str(folder.parent))).artifacts["git:repo"])


@pytest.mark.parametrize(
    "name",
    [
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.external",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
        "credential.helper",
        "gpg.program",
        "alias.ls-tree",
        "alias.cat-file",
    ],
)
def test_a_program_in_the_configuration_of_a_repository_is_not_run(repository, tmp_path, name):
    proof = tmp_path / "pwned"
    git(repository, "config", name, f"!touch {proof}" if name.startswith("alias") else f"touch {proof};")
    (repository / "a").write_text("changed, so that git would filter it to compare\n")
    (repository / "new").write_text("untracked\n")
    recorded(repository)
    assert not proof.exists()


def test_the_hooks_of_a_repository_are_not_run(repository, tmp_path):
    proof = tmp_path / "pwned"
    hooks = repository / ".git/hooks"
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {proof}\n")
        (hooks / name).chmod(0o755)
    (repository / "a").write_text("changed\n")
    recorded(repository)
    assert not proof.exists()


def test_a_missing_object_is_not_fetched_with_a_command_of_the_repository(repository, tmp_path):
    proof = tmp_path / "pwned"
    blob = git(repository, "rev-parse", "HEAD:a")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    git(repository, "config", "core.repositoryFormatVersion", "1")
    git(repository, "config", "extensions.partialClone", "origin")
    git(repository, "config", "remote.origin.promisor", "true")
    git(repository, "config", "remote.origin.url", f"ext::sh -c touch% {proof}")
    git(repository, "config", "protocol.ext.allow", "always")
    with pytest.raises(NavicertError):
        recorded(repository)
    assert not proof.exists()


def test_a_replacement_object_does_not_change_what_is_recorded(repository):
    before = recorded(repository)
    blob, tree = git(repository, "rev-parse", "HEAD:a"), git(repository, "rev-parse", "HEAD^{tree}")
    (repository / "b").write_text("other\n")
    other = git(repository, "hash-object", "-w", "b")
    (repository / "b").unlink()
    git(repository, "replace", blob, other)
    git(repository, "replace", tree, git(repository, "mktree"))
    assert recorded(repository) == before


def test_the_environment_does_not_lead_git_to_another_repository(repository, tmp_path, monkeypatch):
    before = recorded(repository)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git/objects"))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    assert recorded(repository) == before


@pytest.mark.parametrize("where", ["elsewhere", "."])
def test_a_repository_cannot_point_to_another_work_tree(repository, tmp_path, where):
    (tmp_path / "elsewhere").mkdir()
    git(repository, "config", "core.worktree", str(tmp_path / where))
    with pytest.raises(Malformed, match="not the top of"):
        recorded(repository)


def test_the_repository_around_a_folder_is_not_taken_for_it(repository):
    (repository / "sub").mkdir()
    with pytest.raises(Malformed):
        resolve("git:repo/sub", ResolveOptions(cwd=str(repository.parent)))


def test_two_contents_under_one_sha1_do_not_have_one_sha256(repository):
    # What git calls the tree may be equal; the listing is over the contents themselves.
    before = recorded(repository)
    blob = git(repository, "rev-parse", "HEAD:a")
    import zlib

    path = repository / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 2\0b\n"))
    try:
        after = recorded(repository)
    except NavicertError:
        return  # this version of git notices it
    assert after["gitTree"] == before["gitTree"]
    assert after["sha256"] != before["sha256"]
