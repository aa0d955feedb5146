"""What we record is what in-toto 3.1.0 records: the same names, digests and bytes, and its programs accept it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.crypto.formats import load_signer
from navicert.crypto.signer import MemorySigner, generate, private_pem
from navicert.envelope.document import open_document, seal
from navicert.model.link import Link
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, make_recording
from navicert.record.session import begin, finish
from navicert.resolve import resolve_all
from navicert.resolve.artifact import DEFAULT_EXCLUDES, NameConflict, ResolveOptions
from navicert.store.directory import DirectoryStore

NAVICERT = [sys.executable, "-m", "navicert"]


@pytest.fixture(scope="module")
def upstream(component) -> Path:
    """The folder of the programs of in-toto 3.1.0."""
    folder: Path = component("in-toto-3.1.0")
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder to record in, with a key beside it."""
    folder = tmp_path / "work"
    for name, content in {
        "src/a.c": "int a;\n",
        "src/deep/ü b.c": "int b;\r\n",
        "src/x.pyc": "no",
        "src/.git/HEAD": "no",
        "Makefile": "all:\n",
        'quo"te\\': "odd",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    (folder / "link.c").symlink_to("src/a.c")
    (folder / "srclink").symlink_to("src")
    (tmp_path / "key").write_bytes(private_pem(generate(), None))
    return folder


def signer_of(work: Path) -> MemorySigner:
    return load_signer((work.parent / "key").read_bytes())  # type: ignore[return-value]


def theirs(upstream: Path, work: Path, program: str, *arguments: str) -> Path:
    """The folder that the upstream program wrote evidence to."""
    out = work.parent / "theirs"
    out.mkdir(exist_ok=True)
    key = str(work.parent / "key")
    command = [str(upstream / program), "--signing-key", key, "--metadata-directory", str(out), *arguments]
    subprocess.run(command, cwd=work, check=True, capture_output=True)
    return out


COMMAND = ("sh", "-c", "echo said; echo wrong >&2; cat src/a.c > out; echo 'x\"\\' > src/new")


@pytest.mark.parametrize("form", ["metablock", "dsse"])
@pytest.mark.parametrize("streams", [False, True])
def test_a_run_gives_the_same_file(upstream, work, form, streams):
    flags = ["--use-dsse"] * (form == "dsse") + ["--record-streams"] * streams
    out = theirs(upstream, work, "in-toto-run", "-n", "build", *flags,
                 "-m", ".", "./src/../Makefile", "-p", "out", "src", "srclink", "nothing", "--", *COMMAND)  # fmt: skip
    for made in ("out", "src/new"):
        (work / made).unlink()
    signer = signer_of(work)
    options = ResolveOptions(cwd=str(work))
    world = World(options, wires=Wires(None, NOWHERE, NOWHERE), streams=streams, note_excludes=False)
    recording = make_recording(
        "build",
        COMMAND,
        materials=[".", "./src/../Makefile"],
        products=["out", "src", "srclink", "nothing"],
        world=world,
    )
    name = f"build.{signer.keyid[:8]}.link"
    assert seal(recording.link, signer, form=form) == (out / name).read_bytes()


@pytest.mark.parametrize("form", ["metablock", "dsse"])
def test_record_start_and_stop_give_the_same_files(upstream, work, form):
    flags = ["--use-dsse"] * (form == "dsse")
    key = ["--signing-key", str(work.parent / "key")]
    start = [upstream / "in-toto-record", "start", "-n", "review", *key, *flags, "-m", "src"]
    subprocess.run(start, cwd=work, check=True, capture_output=True)
    signer = signer_of(work)
    world = World(ResolveOptions(cwd=str(work)), note_excludes=False)
    ours = seal(begin("review", materials=["src"], world=world).link, signer, form=form)
    path, half = DirectoryStore(str(work)).unfinished("review", signer.keyid)
    assert ours == half
    recording, sealed_form = finish(half, signer.key, step="review", products=["Makefile"], world=world)
    stop = [upstream / "in-toto-record", "stop", "-n", "review", *key, *flags, "-p", "Makefile"]
    subprocess.run(stop, cwd=work, check=True, capture_output=True)
    assert sealed_form == form
    theirs = (work / f"review.{signer.keyid[:8]}.link").read_bytes()
    assert seal(recording.link, signer, form=sealed_form) == theirs
    assert not os.path.exists(path)


def test_upstream_finishes_what_we_began(upstream, work):
    key = work.parent / "key"
    subprocess.run([*NAVICERT, "record", "start", "review", "--key", key, "-m", "src"], cwd=work, check=True)
    stop = [upstream / "in-toto-record", "stop", "-n", "review", "--signing-key", key, "-p", "Makefile"]
    subprocess.run(stop, cwd=work, check=True, capture_output=True)
    signer = signer_of(work)
    sealed = open_document((work / f"review.{signer.keyid[:8]}.link").read_bytes())
    verified = sealed.verified_by([signer.key])
    assert verified is not None
    assert isinstance(verified.body, Link)
    assert list(verified.body.products) == ["Makefile"]


def test_upstream_verifies_what_we_recorded(upstream, work):
    """A chain of two steps, each recorded by `navicert run`, in both forms, with everything that we add to a link."""
    key = work.parent / "key"
    build = ["run", "build", "-k", key, "-m", "src", "-p", "out", "-s", "--ci", "--run-id", "7"]
    for command in (
        [*build, "--hash", "sha256", "--", "sh", "-c", "cat src/a.c > out; echo built"],
        ["run", "test", "-k", key, "-m", "out", "--metablock", "--", "cmp", "out", "src/a.c"],
    ):
        subprocess.run([*NAVICERT, *command], cwd=work, check=True, capture_output=True)
    signer = signer_of(work)
    layout = {
        "_type": "layout",
        "expires": "2999-01-01T00:00:00Z",
        "readme": "",
        "keys": {signer.keyid: signer.key.to_json()},
        "steps": [
            {
                "_type": "step", "name": "build", "threshold": 1, "pubkeys": [signer.keyid],
                "expected_command": ["sh", "-c", "cat src/a.c > out; echo built"],
                "expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]],
                "expected_products": [["CREATE", "out"], ["DISALLOW", "*"]],
            },
            {
                "_type": "step", "name": "test", "threshold": 1, "pubkeys": [signer.keyid],
                "expected_command": ["cmp", "out", "src/a.c"],
                "expected_materials": [["MATCH", "out", "WITH", "PRODUCTS", "FROM", "build"], ["DISALLOW", "*"]],
                "expected_products": [],
            },
        ],
        "inspect": [],
    }  # fmt: skip
    from navicert.model.layout import Layout

    (work / "root.layout").write_bytes(seal(Layout.from_json(layout), signer, form="metablock"))
    (work.parent / "key.pub").write_bytes(signer.key.public_pem())
    verify = [upstream / "in-toto-verify", "-l", "root.layout", "--verification-keys", work.parent / "key.pub"]
    good = subprocess.run(verify, cwd=work, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "")
    (work / f"test.{signer.keyid[:8]}.link").unlink()
    bad = subprocess.run(verify, cwd=work, capture_output=True, check=False)
    assert bad.returncode == 1


# --- the file resolver, on trees made at random ---------------------------------------------------------------------

NAMES = ["a", "b.c", "x.pyc", "l.link", "back~", ".git", ".hid", "ü", "sp ace", "d", "e.d", "foo", "sub", "A", "w\nx"]
PATTERNS = [
    "*.pyc", "*~", ".git", "*.link*", "foo", "/a", "sub/", "d/*", "**/b.c", "!a", "*", "e.?", "[ab]*", "d/**/a", "/d/",
    "\\#x", "# comment", "a ", "*.*", "!sub/", "**", "sp ace", "w*",
]  # fmt: skip
SPECS = [
    ".",
    "./d",
    "d/",
    "a",
    "file:a",
    "file:./d",
    "d/../a",
    "nothing",
    "sub",
    "dir:d",
    "dir:sub",
    "./sub//a",
    "../w",
]

ORACLE = """
import json, sys, os
from in_toto.runlib import record_artifacts_as_dict
from in_toto.exceptions import PrefixError
answers = []
for case in json.load(sys.stdin):
    os.chdir(case["folder"])
    try:
        answers.append(record_artifacts_as_dict(
            case["specs"], exclude_patterns=case["excludes"] or ["# none"], base_path=case["base_path"],
            follow_symlink_dirs=case["follow"], normalize_line_endings=case["normalize"],
            lstrip_paths=case["lstrip"]))
    except PrefixError:
        answers.append("PrefixError")
    except Exception as error:
        answers.append(repr(error))
json.dump(answers, sys.stdout)
"""


def make_tree(folder: Path, chance: random.Random, depth: int = 3) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in chance.sample(NAMES, chance.randint(1, 7)):
        path = folder / name
        kind = chance.random()
        if kind < 0.35 and depth:
            make_tree(path, chance, depth - 1)
        elif kind < 0.45:
            path.symlink_to(chance.choice(["a", "b.c", "nowhere"]))
        elif kind < 0.5 and (folder.parent / "links").exists():
            path.symlink_to(folder.parent / "links")
        else:
            path.write_bytes(chance.choice([b"", b"x", b"a\r\nb\rc", os.urandom(20)]))


def make_case(root: Path, chance: random.Random) -> dict[str, object]:
    folder = root / "w"
    (root / "links").mkdir(parents=True)
    (root / "links/inside").write_text("inside")
    make_tree(folder, chance)
    (folder / "d").mkdir(exist_ok=True) if not os.path.lexists(folder / "d") else None
    specs = chance.sample(SPECS, chance.randint(1, 4))
    # dir: of what is no folder, or with names that have line feeds, is refused by us and not by them.
    unsafe = any("\n" in str(path) for path in folder.rglob("*"))
    specs = [s for s in specs if not s.startswith("dir:") or ((folder / s[4:]).is_dir() and not unsafe)]
    return {
        "folder": str(folder),
        "specs": specs or ["."],
        "excludes": chance.choice([list(DEFAULT_EXCLUDES), [], chance.sample(PATTERNS, chance.randint(1, 4))]),
        "base_path": chance.choice([None, None, "."]),
        "follow": chance.random() < 0.7,
        "normalize": chance.random() < 0.3,
        "lstrip": chance.choice([None, None, ["d/"], ["sub/", "d/"], ["e"]]),
    }


def test_the_file_resolver_agrees_with_upstream_on_random_trees(upstream, tmp_path):
    chance = random.Random("trees")
    cases = [make_case(tmp_path / str(number), chance) for number in range(150)]
    run = subprocess.run(
        [upstream / "python", "-c", ORACLE], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    answers = json.loads(run.stdout)
    prefix_errors = 0
    for case, answer in zip(cases, answers, strict=True):
        options = ResolveOptions(
            cwd=str(case["folder"]),
            base_path=str(case["base_path"] or ""),
            excludes=tuple(case["excludes"]),  # type: ignore[arg-type]
            follow_symlink_dirs=bool(case["follow"]),
            normalize_line_endings=bool(case["normalize"]),
            lstrip_paths=tuple(case["lstrip"] or ()),  # type: ignore[arg-type]
            expand=False,
        )
        try:
            found = resolve_all(list(case["specs"]), options).artifacts  # type: ignore[call-overload]
        except NameConflict:
            assert answer == "PrefixError", case
            prefix_errors += 1
            continue
        ours = {name: dict(digests) for name, digests in found.items()}
        if answer == "PrefixError":
            # They also refuse one file that is named twice where prefixes are stripped; we record it once.
            prefix_errors += 1
            continue
        assert ours == answer, case
    assert prefix_errors < len(cases) / 3
