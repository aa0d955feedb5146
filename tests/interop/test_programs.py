"""The in-toto programs beside those of in-toto 3.1.0 and 1.3.1: same arguments, same files, same words, same codes.

Where ours say more, upstream's sentence comes first. PYTHONHASHSEED is fixed, because upstream shows sets as they lie
in memory.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.interop.program import (
    BEFORE,
    BOB,
    CARL,
    VERIFY,
    both,
    expect_same_verdict,
    inspection,
    layout,
    link,
    run,
    step,
    write,
)

from navicert.crypto.formats import load_signer
from navicert.crypto.signer import generate, private_pem
from navicert.envelope.document import seal
from navicert.model.layout import Layout


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Path:
    """Files to record, and keys."""
    folder = tmp_path_factory.mktemp("work")
    for name, content in {"src/a.c": "int a;\n", "src/deep/ü.c": "x\r\n", "Makefile": "all:\n", "x.pyc": "no"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    (folder / "link.c").symlink_to("src/a.c")
    (folder / "srclink").symlink_to("src")
    for name, signer, password in (("key", BOB, None), ("other", CARL, None), ("locked", BOB, b"secret")):
        (folder / name).write_bytes(private_pem(signer, password))
        (folder / f"{name}.pub").write_bytes(signer.key.public_pem())
    return folder


LINK = f"build.{BOB.keyid[:8]}.link"
RUN = ["run", "-n", "build", "--signing-key", "key"]
SAME = {
    "plain": [[*RUN, "-m", "src", "-p", "src", "Makefile", "--", "true"]],
    "verbose": [[*RUN, "-v", "-m", "src", "nothing", "-p", "srclink", "--", "true"]],
    "streams": [[*RUN, "-s", "-m", ".", "-p", "out", "--", "sh", "-c", r"printf 'x\r\ny'; echo b >&2; echo o >out"]],
    "a failing command": [[*RUN, "-p", "src", "--", "sh", "-c", "exit 7"]],
    "a killed command": [[*RUN, "--", "sh", "-c", "kill -9 $$"]],
    "no command": [[*RUN, "-x", "-m", "src"]],
    "envelope": [[*RUN, "--use-dsse", "-x", "-m", "src"]],
    "command not found": [[*RUN, "--", "no-such-command"]],
    "command not executable": [[*RUN, "--", "./Makefile"]],
    "quiet": [[*RUN, "-q", "--", "no-such-command"]],
    "no key file": [["run", "-n", "b", "--signing-key", "none", "-x"]],
    "no folder for the link": [[*RUN, "-d", "none", "-x"]],
    "base path": [[*RUN, "--base-path", "src", "-m", ".", "-x"]],
    "no base path": [[*RUN, "--base-path", "none", "-m", ".", "-x"]],
    "prefix": [[*RUN, "--lstrip-paths", "src/", "-m", "src", "-x"]],
    "prefixes that overlap": [[*RUN, "--lstrip-paths", "src/", "src/deep/", "-m", "src", "-x"]],
    "excludes": [[*RUN, "-m", ".", "--exclude", "*.c", "-x"]],
    "folder as one": [[*RUN, "-m", "dir:src", "-x"]],
    "no such folder": [[*RUN, "-m", "dir:none", "-x"]],
    "unknown scheme": [[*RUN, "-m", "foo:bar", "-x"]],
    "password": [["run", "-n", "build", "--signing-key", "locked", "-P", "secret", "-x"]],
    "abbreviated": [["run", "--step", "build", "--signing", "key", "--mat", "src", "--no", "--use"]],
    "version": [["run", "--version"], ["sign", "--version"], ["verify", "--version"]],
    "record": [
        ["record", "start", "-n", "e", "--signing-key", "key", "-m", "src", "-v"],
        ["record", "stop", "-n", "e", "--signing-key", "key", "-p", "src", "-v"],
    ],
    "record in an envelope": [
        ["record", "start", "-n", "e", "--signing-key", "key", "--use-dsse"],
        ["record", "stop", "-n", "e", "--signing-key", "key", "-p", "src", "-d", "src"],
    ],
    "stop without start": [["record", "stop", "-n", "e", "--signing-key", "key"]],
    "mock": [["mock", "-n", "m", "--", "sh", "-c", "echo hi; exit 3"], ["mock", "-n", "m", "--", "none"]],
    "sign": [
        [*RUN, "-x", "-p", "src"],
        ["sign", "-f", LINK, "-k", "other"],
        ["sign", "-f", LINK, "-k", "key.pub", "--verify"],
        ["sign", "-f", LINK, "-k", "other.pub", "--verify", "-v"],
        ["sign", "-f", "none", "-k", "key"],
        ["sign", "-f", "Makefile", "-k", "key"],
        ["sign", "-f", LINK, "-k", "key", "-v", "-o", "out.link"],
    ],
    "match": [
        [*RUN, "-x", "-p", "src", "Makefile"],
        ["match-products", "-v", "-l", LINK, "-p", "src", "Makefile"],
        ["match-products", "-v", "-l", LINK, "-p", "src"],
        ["match-products", "-l", LINK, "-p", "Makefile"],
    ],
}


@pytest.mark.parametrize("case", SAME)
def test_a_program_does_what_that_of_3_1_0_does(ours, upstream, work, case):
    for mine, theirs in both(ours, upstream, work, *SAME[case]):
        assert mine == theirs


WRONG = {
    "no key": ["run", "-n", "b", "-x"],
    "two keys": [*RUN, "-g", "-x"],
    "no command": RUN,
    "no name": ["run", "--signing-key", "key", "-x"],
    "unknown option": [*RUN, "--frob", "-x"],
    "verify without keys": ["verify", "-l", "root.layout"],
    "loud and quiet": [*RUN, "-x", "-v", "-q"],
    "sign with both": ["sign", "-f", "x", "-k", "key", "-g"],
    "verify and append": ["sign", "-f", "x", "-k", "key", "--verify", "-a"],
    "mock without command": ["mock", "-n", "m"],
    "no half": ["record", "-n", "x"],
    "match without link": ["match-products"],
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_is_2_and_writes_nothing(ours, upstream, work, case):
    ((mine, theirs),) = both(ours, upstream, work, WRONG[case])
    assert mine.code == theirs.code == 2
    assert mine.files == theirs.files
    assert "error: " in mine.err


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
class TestKeysOfOld:
    def test_key_signs_under_the_id_of_1_3_1(self, ours, old, old_keys, kind):
        command = ["run", "-n", "b", "-k", kind, "-t", kind, "-m", "f", "-x"]
        ((mine, theirs),) = both(ours, old, old_keys, command)
        assert (mine.code, mine.out, mine.err) == (0, "", "") == (theirs.code, theirs.out, theirs.err)
        assert mine.files.keys() == theirs.files.keys()
        if kind == "ed25519":
            assert mine.files == theirs.files

    def test_an_encrypted_key_needs_its_password(self, ours, old, old_keys, kind):
        command = ["run", "-n", "b", "-k", f"locked-{kind}", "-t", kind, "-x"]
        ((mine, theirs),) = both(ours, old, old_keys, [*command, "-P", "pw"])
        assert mine.code == theirs.code == 0
        assert mine.files.keys() == theirs.files.keys()
        for wrong in ([], ["-P", "no"]):
            ((mine, theirs),) = both(ours, old, old_keys, [*command, *wrong])
            assert mine.code == theirs.code == 1
            assert mine.files == theirs.files
            assert mine.err.startswith("(in-toto-run) CryptoError: ")
            assert "Traceback" not in mine.err

    def test_the_type_that_is_said_is_checked(self, ours, old_keys, kind, tmp_path):
        other = {"ed25519": "rsa", "rsa": "ecdsa", "ecdsa": "ed25519"}[kind]
        mine = run(ours, shutil.copytree(old_keys, tmp_path / "w"), "run", "-n", "b", "-k", kind, "-t", other, "-x")
        assert mine.code == 1
        assert f"not a key of type '{other}', but of type '{kind}'" in mine.err
        assert not any(name.endswith(".link") for name in mine.files)

    def test_the_command_may_follow_the_type_without_dashes(self, ours, old, old_keys, kind):
        ((mine, theirs),) = both(ours, old, old_keys, ["run", "-n", "b", "-k", kind, "-t", kind, "touch", "made"])
        assert mine.code == theirs.code == 0
        assert mine.files.keys() == theirs.files.keys() > {"made"}

    def test_without_a_type_the_file_says_it(self, ours, old_keys, kind, tmp_path):
        work = shutil.copytree(old_keys, tmp_path / "w")
        assert run(ours, work, "run", "-n", "b", "--key", kind, "-x").code == 0

    def test_keygen_writes_what_1_3_1_reads_and_the_reverse(self, ours, old, kind, tmp_path):
        for made, reader in ((ours, old), (old, ours)):
            folder = tmp_path / made.name
            folder.mkdir()
            assert run(made, folder, "keygen", "-t", kind, "-b", "2048", "sub/key").code == 0
            assert stat.S_IMODE((folder / "sub/key").stat().st_mode) == 0o600
            assert run(reader, folder, "run", "-n", "b", "-k", "sub/key", "-t", kind, "-x").code == 0
            (link,) = folder.glob("*.link")
            verified = run(made, folder, "sign", "-f", link.name, "-k", "sub/key.pub", "-t", kind, "--verify")
            assert verified.code == 0, verified.err


def test_keygen_makes_rsa_of_3072_bits_unless_told_otherwise(ours, tmp_path):
    for arguments, bits in ((["key"], 3072), (["-b", "2048", "key"], 2048)):
        assert run(ours, tmp_path, "keygen", *arguments).code == 0
        assert load_signer((tmp_path / "key").read_bytes()).private.key_size == bits  # type: ignore[union-attr]


@pytest.mark.parametrize("words", [["keygen", "-p", "key"], ["run", "-n", "s", "-k", "key", "-P", "--", "true"]])
def test_nobody_to_type_a_password_is_said(ours, tmp_path, words):
    run(ours, tmp_path, "keygen", "key" if words[0] == "run" else "other")
    ran = run(ours, tmp_path, *words)
    assert ran.code == 1
    assert "EOFError: standard input has ended" in ran.err


# --- verification --------------------------------------------------------------------------------------------------


BUILD = step("build", ["ALLOW src/*", "DISALLOW *"], ["CREATE app", "DISALLOW *"])
PACK = step("pack", ["MATCH app WITH PRODUCTS FROM build", "disallow *"], ["create pkg", "DISALLOW *"], by=(CARL,))
BUILT, PACKED = link("build", {"src/a": "a"}, {"app": "b"}), link("pack", {"app": "b"}, {"pkg": "c"})
CHAIN = [(BUILT, BOB), (PACKED, CARL)]
TWO = step("build", by=(BOB, CARL), threshold=2)

CHAINS = {
    "passes": (layout([BUILD, PACK]), CHAIN),
    "other digest": (layout([BUILD, PACK]), [(BUILT, BOB), (link("pack", {"app": "d"}, {"pkg": "c"}), CARL)]),
    "more files": (
        layout([BUILD, PACK]), [(link("build", {"src/a": "a", "x": "e", "y": "f", "z": "a"}), BOB), (PACKED, CARL)]
    ),
    "link missing": (layout([BUILD, PACK]), CHAIN[:1]),
    "stranger": (layout([BUILD, PACK]), [CHAIN[0], (PACKED, BOB, f"pack.{CARL.keyid[:8]}.link")]),
    "expired": (layout([BUILD, PACK], expires=BEFORE), CHAIN),
    "inspection": (layout([BUILD, PACK], [inspection("true", materials=["ALLOW *"])]), CHAIN),
    "inspection fails": (layout([BUILD, PACK], [inspection("false")]), CHAIN),
    "inspection not there": (layout([BUILD, PACK], [inspection("no-such-command")]), CHAIN),
    "inspection empty": (layout([BUILD, PACK], [inspection()]), CHAIN),
    "inspection's rules": (
        layout([BUILD, PACK], [inspection("touch", "new", products=["ALLOW o*", "DISALLOW new"])]), CHAIN
    ),
    "require": (layout([step("build", ["require none", "DISALLOW *"])]), CHAIN[:1]),
    "other command": (layout([step("build", command=["make"])]), [(link("build", command=["gcc", "x"]), BOB)]),
    "two agree": (layout([TWO]), [(BUILT, BOB), (BUILT, CARL)]),
    "one of two": (layout([TWO]), [(BUILT, BOB)]),
    "one as two": (layout([TWO]), [(BUILT, BOB), (BUILT, BOB, f"build.{CARL.keyid[:8]}.link")]),
    "two differ": (layout([TWO]), [(BUILT, BOB), (link("build", {"src/a": "a"}, {"app": "e"}), CARL)]),
}  # fmt: skip


@pytest.mark.parametrize("form", ["metablock", "dsse"])
@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_is_judged_as_3_1_0_judges_it(ours, upstream, tmp_path, case, form):
    folder = write(tmp_path / "work", *CHAINS[case], form)
    ((mine, theirs),) = both(ours, upstream, folder, VERIFY)
    expect_same_verdict(mine, theirs)


@pytest.mark.parametrize("case", ["passes", "other digest", "link missing", "two differ", "inspection's rules"])
def test_what_verify_tells_at_verbose_is_what_3_1_0_tells(ours, upstream, tmp_path, case):
    folder = write(tmp_path / "work", *CHAINS[case], "metablock")
    ((mine, theirs),) = both(ours, upstream, folder, [*VERIFY, "-v"])
    assert mine == theirs


@pytest.mark.parametrize("case", ["passes", "other digest", "link missing", "expired"])
def test_a_chain_is_judged_as_1_3_1_judges_it(ours, old, old_keys, tmp_path, case):
    owner = load_signer((old_keys / "rsa").read_bytes(), id_form="legacy")
    folder = write(tmp_path / "work", *CHAINS[case], "metablock", owner=owner)
    shutil.copy(old_keys / "rsa.pub", folder)
    ((mine, theirs),) = both(ours, old, folder, ["verify", "-l", "root.layout", "--layout-key", "rsa.pub"])
    assert (mine.code, mine.files) == (theirs.code, theirs.files)
    assert mine.err.strip().split(":")[:2] == theirs.err.strip().split(":")[:2]


PATHS = st.sampled_from(["app", "src/a", "src/b", "lib/c d", "evil"])
FILES = st.dictionaries(PATHS, st.sampled_from("ab"), max_size=4)
PATTERNS = st.sampled_from(["*", "src/*", "app", "?pp", "[!s]*", "lib/c d", "src/[ab]"])
SIMPLE = st.tuples(
    st.sampled_from(["CREATE", "delete", "MODIFY", "ALLOW", "DISALLOW", "disallow", "REQUIRE"]), PATTERNS
).map(list)
MATCH = st.tuples(
    PATTERNS, st.sampled_from([[], ["IN", "src"], ["IN", "lib/"]]), st.sampled_from(["MATERIALS", "products"]),
    st.sampled_from([[], ["IN", "src"]]), st.sampled_from(["one", "two", "none"]),
).map(lambda w: ["MATCH", w[0], *w[1], "WITH", w[2], *w[3], "FROM", w[4]])  # fmt: skip
RULES = st.lists(st.one_of(SIMPLE, MATCH), max_size=4)


@st.composite
def chains(draw):
    """A layout of two steps with random rules, and a link with random files for each."""
    steps, links = [], []
    for name, signer in (("one", BOB), ("two", CARL)):
        made = step(name, by=(signer,))
        made["expected_materials"], made["expected_products"] = draw(RULES), draw(RULES)
        steps.append(made)
        links.append((link(name, draw(FILES), draw(FILES)), signer))
    return layout(steps), links, draw(st.sampled_from(["metablock", "dsse"]))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(chains())
def test_random_chains_are_judged_as_3_1_0_judges_them(ours, upstream, chain):
    described, links, form = chain
    with tempfile.TemporaryDirectory() as place:
        ((mine, theirs),) = both(ours, upstream, write(Path(place) / "work", described, links, form), VERIFY)
    assert mine.code == theirs.code
    # A MATCH that finds another digest is warned of where all passes: that is one of the differences.
    if theirs.code:
        assert mine.err == theirs.err


# --- options -------------------------------------------------------------------------------------------------------


def options(folder: Path, program: str, *words: str) -> set[str]:
    """Every option that the help of a program names, short and long."""
    return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", _help(folder, program, words).split("example:")[0]))


def _help(folder: Path, program: str, words: tuple[str, ...]) -> str:
    command = [str(folder / f"in-toto-{program}"), *words, "--help"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


PARSERS = [("run",), ("record", "start"), ("record", "stop"), ("record",), ("verify",), ("sign",), ("mock",)]


@pytest.mark.parametrize("parser", [*PARSERS, ("match-products",)], ids=" ".join)
def test_every_option_of_3_1_0_is_ours(ours, upstream, parser):
    assert _listed(upstream, parser) <= options(ours, *parser)


@pytest.mark.parametrize("parser", [*PARSERS, ("keygen",)], ids=" ".join)
def test_every_option_of_1_3_1_is_ours(ours, old, parser):
    assert _listed(old, parser) <= options(ours, *parser)


def _listed(folder: Path, parser: tuple[str, ...]) -> set[str]:
    """The options at the beginning of the lines of a help text: what its parser lists, not what its prose mentions."""
    lines = _help(folder, parser[0], parser[1:]).splitlines()
    return {word for line in lines if re.match(r"  -", line) for word in re.findall(r"(?:^  |, )(--?[\w-]+)", line)}


def test_every_option_of_2_x_is_ours(ours):
    for program, wanted in {
        ("run",): "--signing-key --key -k --key-type -t --use-dsse --run-timeout",
        ("record", "start"): "--signing-key --key -k --key-type -t --use-dsse",
        ("record", "stop"): "--signing-key --key -k --key-type -t --use-dsse -d",
        ("verify",): "--verification-keys --layout-keys -k --key-types -t --inspection-timeout",
        ("mock",): "--use-dsse",
        ("match-products",): "-l --link -p --paths -e --exclude --lstrip-paths -v",
    }.items():
        assert set(wanted.split()) <= options(ours, *program)


# --- random workflows, each half by another implementation ---------------------------------------------------------


@pytest.fixture(scope="session")
def every_key(tmp_path_factory) -> Path:
    """A PEM pair of every type."""
    folder = tmp_path_factory.mktemp("keys")
    for kind in ("ed25519", "ecdsa", "rsa"):
        made = generate(kind, bits=2048)  # type: ignore[arg-type]  # one of the types
        (folder / kind).write_bytes(private_pem(made, None))
        (folder / f"{kind}.pub").write_bytes(made.key.public_pem())
    return folder


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["ed25519", "ecdsa", "rsa"]),
    envelope=st.booleans(),
    names=st.lists(st.sampled_from(["a", "d/b", "d/ü c", "e/f/g"]), min_size=1, unique=True),
    extra=st.booleans(),
    ours_records=st.booleans(),
    ours_signs=st.booleans(),
)
def test_a_random_workflow_of_both_implementations_is_judged_alike_by_both(
    ours, upstream, every_key, kind, envelope, names, extra, ours_records, ours_signs
):
    recorder, signer = (ours if ours_records else upstream), (ours if ours_signs else upstream)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "work"
        shutil.copytree(every_key, folder)
        for name in names:
            (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "in" / name).write_text(name)
        flags = ["--use-dsse"] * envelope
        done = run(recorder, folder, "run", "-n", "one", "--signing-key", kind, *flags, "-p", "in", "-x")
        assert done.code == 0, done.err
        key = load_signer((folder / kind).read_bytes()).key
        rules = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "one"], ["DISALLOW", "*"]]
        described = layout([step("one", by=(BOB,))], [inspection("true")])
        described["keys"] = {key.id: key.to_json()}
        described["steps"][0]["pubkeys"] = [key.id]  # type: ignore[index]  # a list of steps
        described["inspect"][0]["expected_materials"] = [  # type: ignore[index]  # a list of inspections
            *([["ALLOW", pattern] for pattern in ("*.pub", "ed25519", "ecdsa", "rsa", "root.layout")]), *rules
        ]  # fmt: skip
        form = "dsse" if envelope else "metablock"
        (folder / "root.layout").write_bytes(seal(Layout.from_json(described), BOB, form=form))
        done = run(signer, folder, "sign", "-f", "root.layout", "-k", kind)
        assert done.code == 0, done.err
        if extra:
            (folder / "in" / "stray").write_text("x")
        command = ["verify", "-l", "root.layout", "--verification-keys", f"{kind}.pub"]
        ((mine, theirs),) = both(ours, upstream, folder, command)
    assert mine.code == theirs.code == int(extra), mine.err + theirs.err
    assert _in_order(mine.err) == _in_order(theirs.err)


def _in_order(text: str) -> str:
    """`text` with every list in it sorted: files of two folders are found in whatever order they lie there."""
    return re.sub(r"\[(.*)\]", lambda match: ", ".join(sorted(match[1].split(", "))), text)
