"""The content of files: how often each is opened and read, and what several workers make of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from navicert.digest import DigestSet
from navicert.errors import Unavailable
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.content import FileHasher
from navicert.resolve.stamp import GRAIN, Moment

# Resolves what it is told and prints the digests, and which files below the folder were opened how often.
PROBE = """
import json, os, sys
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
import navicert.resolve.file
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
found = resolve_all(json.loads(sys.argv[1]), ResolveOptions(**json.loads(sys.argv[2])))
opened = [os.fspath(path) for path in opened if isinstance(path, str) and not path.startswith(("/proc", sys.prefix))]
print(json.dumps([found.artifacts.to_json(), sorted(opened)]))
"""


def probe(folder: Path, specs: list[str], **options: object) -> tuple[dict[str, dict[str, str]], list[str]]:
    words = [sys.executable, "-c", PROBE, json.dumps(specs), json.dumps(options)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    artifacts, opened = json.loads(done.stdout)
    return artifacts, opened


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More small files than one worker is used for, and larger ones of which there is much; untouched for a while."""
    root = tmp_path_factory.mktemp("tree")
    for i in range(2100):
        (root / f"d{i % 40}").mkdir(exist_ok=True)
        (root / f"d{i % 40}" / f"{i}").write_bytes(os.urandom(i % 300))
    for name in ("large", "larger"):
        (root / name).write_bytes(os.urandom(1 << 20) * 40)
    (root / "edge").write_bytes(bytes(64 * 1024 + 1))
    time.sleep(GRAIN + 1.1)  # until the change times lie before the next recording for certain
    return root


def expected(root: Path) -> dict[str, dict[str, str]]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(root)): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in sorted(files)
    }


# --- how often -----------------------------------------------------------------------------------------------------


def test_a_small_file_is_opened_once_however_often_it_is_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    found, opened = probe(tmp_path, ["a", "./a", "file:a", ".", "*"])
    assert opened == ["a", "b"]
    assert list(found) == ["a", "b", "file:a"]
    assert found["a"] == found["file:a"]


def test_every_file_of_a_tree_is_opened_once(tree):
    found, opened = probe(tree, ["."], workers=1)
    assert found == expected(tree)
    small = [name for name in found if name.startswith("d")]
    assert [name for name in opened if name.startswith("d")] == sorted(small)
    # A larger one is opened to see that it is, and again to be hashed.
    assert [opened.count(name) for name in ("large", "larger", "edge")] == [2, 2, 1]


def test_a_small_file_takes_one_open_one_read_one_status_and_one_close(tree, component):
    traced = "openat,open,read,readv,pread64,preadv,fstat,newfstatat,close"
    words = [
        component("strace"),
        "-f",
        "-y",
        "-e",
        f"trace={traced}",
        sys.executable,
        "-c",
        PROBE,
        '["."]',
        '{"workers": 1}',
    ]
    done = subprocess.run(words, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "ptrace" in done.stderr.lower():
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr[-2000:]
    calls = [
        re.sub(r"\(.*", "", line.split("] ")[-1])
        for line in done.stderr.splitlines()
        if "/d7/47" in line or '"d7/47"' in line
    ]
    assert sorted(calls) in (["close", "fstat", "openat", "read"], ["close", "newfstatat", "openat", "read"])


def test_a_tree_is_walked_once_for_each_name(tree):
    code = """
import sys, collections
from navicert.resolve import resolve_all
walked = collections.Counter()
sys.addaudithook(lambda event, args: walked.update(args) if event == "os.scandir" else None)
resolve_all([".", "d1"])
sys.exit(f"{walked['.']} {walked['d1']} {walked['d2']}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "1 2 1"


# --- several workers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 3}, {"workers": 3, "fork": True}], ids=str)
def test_several_workers_find_what_one_does(tree, options):
    found, _ = probe(tree, ["."], **options)
    assert found == expected(tree)
    assert list(found) == sorted(found)


def test_attack_a_name_that_looks_like_two_moves_no_digest_to_another_file(tmp_path):
    """Other processes get the names of many files in one text: what stands in a name must not end it."""
    for number in range(2100):
        (tmp_path / f"{number}{('', ' ', chr(10), chr(13), chr(1), 'é')[number % 6]}.c").write_text(str(number))
    found, _ = probe(tmp_path, ["."], workers=3, fork=True)
    assert found == expected(tmp_path)


def test_many_small_files_are_shared_with_another_process(tree):
    _, opened = probe(tree, ["."], workers=2, fork=True)
    small = [name for name in opened if name.startswith("d")]
    assert len(small) < 2100
    assert len(set(small)) == len(small)


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 3}, {"workers": 3, "fork": True}], ids=str)
def test_several_algorithms_and_line_endings_are_the_same_with_several_workers(tree, options):
    found, _ = probe(
        tree, ["d1", "edge", "large"], algorithms=["sha512", "blake2b"], normalize_line_endings=True, **options
    )
    for name in ("d1/41", "edge", "large"):
        data = (tree / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert found[name] == {
            "blake2b": hashlib.blake2b(data).hexdigest(),
            "sha512": hashlib.sha512(data).hexdigest(),
        }


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 3}, {"workers": 3, "fork": True}], ids=str)
def test_the_error_is_that_of_the_first_file_whoever_meets_it(tmp_path, options):
    code = """
import json, os, sys
from navicert.errors import Unavailable
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.content import FileHasher
names = [str(i) for i in range(2100)]
for name in names:
    open(name, "w").close()
for gone in (700, 701, 1900):
    os.unlink(str(gone))
try:
    FileHasher(ResolveOptions(**json.loads(sys.argv[1]))).many(names, [f"name-{name}" for name in names])
except Unavailable as error:
    print(error, repr(error.__cause__))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(options)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("name-700: vanished while it was recorded – record when nothing else is writing")
    assert "FileNotFoundError(2, 'No such file or directory')" in done.stdout


def test_progress_is_told_while_others_work(tree):
    told: list[tuple[int, int]] = []
    options = ResolveOptions(cwd=str(tree), workers=3, progress=lambda files, size: told.append((files, size)))
    resolve_all(["."], options)
    assert [files for files, _ in told] == [*sorted(files for files, _ in told[:-1]), 0]
    assert told[0][0] == 256
    assert told[-1] == (0, 0)


def test_progress_is_told_by_the_process_that_was_asked_and_no_other(tree):
    code = """
import os
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
def tell(files, size):
    os.write(1, b"%d\\n" % os.getpid())
resolve_all(["."], ResolveOptions(workers=3, fork=True, progress=tell))
os.write(1, b"%d\\n" % os.getpid())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 1


# --- files that change ---------------------------------------------------------------------------------------------


@pytest.fixture
def old(tree: Path) -> list[str]:
    """Names of files that nothing has written to for a while."""
    return [str(tree / "d3" / str(i)) for i in range(43, 2100, 40)] + [
        str(tree / "d4" / str(i)) for i in range(44, 2100, 40)
    ]


def test_a_file_that_was_left_alone_is_still_and_one_that_is_new_is_not(tree, tmp_path):
    moment = Moment()
    (tmp_path / "new").write_text("x")
    assert moment.devices, "no file system here is stamped by the kernel's clock"
    assert moment.still(os.stat(tree / "edge"))
    assert not moment.still(os.stat(tmp_path / "new"))
    os.utime(tmp_path / "new", (1, 1))  # which says nothing about the change time
    assert not moment.still(os.stat(tmp_path / "new"))


def test_the_stamps_of_a_file_system_with_another_clock_prove_nothing():
    moment = Moment()
    status = os.stat("/proc/self/status")
    assert status.st_dev not in moment.devices
    assert not moment.still(status)


@pytest.mark.parametrize("count", [10, 100])
def test_a_small_file_that_grows_while_it_is_read_is_an_error(old, monkeypatch, count):
    names = old[:count]
    victim = names[-3]
    content = Path(victim).read_bytes()

    def meddling(read):
        def meddle(descriptor, *arguments):
            data = read(descriptor, *arguments)
            if os.readlink(f"/proc/self/fd/{descriptor}") == victim:
                with open(victim, "ab") as stream:
                    stream.write(b"x")
            return data

        return meddle

    monkeypatch.setattr(os, "read", meddling(os.read))
    monkeypatch.setattr(os, "pread", meddling(os.pread))
    try:
        with pytest.raises(Unavailable, match="changed while it was hashed"):
            FileHasher(ResolveOptions()).many(names, names)
    finally:
        Path(victim).write_bytes(content)


def test_a_small_file_rewritten_under_the_reader_is_not_recorded_torn_even_if_its_time_is_set_back(old, monkeypatch):
    victim = old[5]
    before = os.stat(victim)
    real = os.read

    def meddle(descriptor, size):
        data = real(descriptor, size)
        if os.readlink(f"/proc/self/fd/{descriptor}") == victim and data[:4] != b"evil":
            Path(victim).write_bytes(b"evil" * (len(data) // 4) + b"!" * (len(data) % 4))
            os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
            return data[: len(data) // 2] + Path(victim).read_bytes()[len(data) // 2 :]
        return data

    monkeypatch.setattr(os, "read", meddle)
    entries = FileHasher(ResolveOptions()).many(old, old)
    # What was read first was never in the file; the change time tells, and it is read again.
    assert entries[5] == hashlib.sha256(Path(victim).read_bytes()).hexdigest()


def test_a_file_that_a_pipe_has_replaced_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unavailable, match="no longer a file"):
        FileHasher(ResolveOptions()).many([str(tmp_path / "pipe")], ["pipe"])


def test_a_file_whose_size_is_a_lie_is_an_error_among_many(old):
    names = [*old, "/proc/self/status"]
    with pytest.raises(Unavailable, match="status: changed while it was hashed"):
        FileHasher(ResolveOptions()).many(names, names)


def test_a_clock_that_is_set_back_while_files_are_hashed_is_an_error(old, monkeypatch):
    start = time.time()
    times = iter([start, start - 1.5])
    monkeypatch.setattr(time, "time", lambda: next(times))
    with pytest.raises(Unavailable, match="the clock was set back"):
        FileHasher(ResolveOptions()).many(old, old)


def test_a_whole_digest_set_is_given_for_one_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    found = FileHasher(ResolveOptions(algorithms=("sha512", "sha256")))(str(tmp_path / "a"), "a")
    assert found == DigestSet.of(
        {"sha256": hashlib.sha256(b"x").hexdigest(), "sha512": hashlib.sha512(b"x").hexdigest()}
    )
