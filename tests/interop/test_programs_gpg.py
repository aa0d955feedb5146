"""The in-toto programs with GPG keys, both directions with in-toto 3.1.0, on the keyring of its own test-suite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MASTER = "8465a1e2e0fb2b40adb2478e18fb3f537e0c8a17"
SUBKEY = "c5a0abe6ec19d0d65f85e2c39be9df5131d924e9"
"""Of `MASTER`; gpg signs with it."""
OTHER = "7b3abb26b97b655ab9296bd15b0bd02e1c768c43"
EXPIRED = "e8ac80c924116dabb51d4b987cb07d6d2c199c7c"
HOME = ("--gpg-home", "keyring")


@pytest.fixture(scope="module")
def programs(component, tmp_path_factory) -> dict[str, Path]:
    """The folders of our programs and of upstream's."""
    component("gpg")
    folder = tmp_path_factory.mktemp("bin")
    for name in ("run", "record", "verify", "sign"):
        program = folder / f"in-toto-{name}"
        program.write_text(f"#!{sys.executable}\nfrom navicert.compat.program import {name}\n{name}()\n")
        program.chmod(0o755)
    return {"ours": folder, "theirs": component("in-toto-3.1.0")}


@pytest.fixture
def work(component, monkeypatch):
    """A folder with the keyring. Its path is short: gpg puts sockets below it."""
    suite = component("in-toto-suite")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="g") as place:
        monkeypatch.chdir(place)
        shutil.copytree(suite / "tests" / "gpg_keyrings" / "rsa", "keyring")
        os.chmod("keyring", 0o700)
        Path("f").write_text("x")
        yield Path(place)
        subprocess.run(["gpgconf", "--homedir", f"{place}/keyring", "--kill", "all"], check=False, capture_output=True)


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(folder / f"in-toto-{program}"), *arguments], capture_output=True, text=True)


def links() -> list[str]:
    return sorted(path.name for path in Path().glob("*.link"))


def layout(pubkeys: list[str], threshold: int = 1, owner: str = OTHER) -> None:
    """Write `root.layout`, whose one step may be signed by `pubkeys`."""
    from navicert.compat.shim.in_toto.models.layout import Layout, Step
    from navicert.compat.shim.in_toto.models.metadata import Metablock

    made = Layout()
    made.add_functionary_keys_from_gpg_keyids([MASTER, OTHER], gpg_home="keyring")
    made.steps = [Step(name="b", pubkeys=pubkeys, threshold=threshold, expected_products=[["CREATE", "f"]])]
    document = Metablock(signed=made)
    document.sign_gpg(owner, "keyring")
    document.dump("root.layout")


@pytest.mark.parametrize(("signs", "checks"), [("ours", "theirs"), ("theirs", "ours")])
class TestBothDirections:
    @pytest.mark.parametrize(
        ("key", "name"),
        [([OTHER], OTHER), ([MASTER], SUBKEY), ([], SUBKEY)],
        ids=["a key", "a master, by its subkey", "the default key"],
    )
    def test_a_run_is_named_and_signed_alike(self, programs, work, signs, checks, key, name):
        done = run(programs[signs], "run", "-n", "b", *HOME, "-m", "f", "-x", "-g", *key)
        assert done.returncode == 0, done.stderr
        assert links() == [f"b.{name[:8]}.link"]
        for keyid in (OTHER, MASTER, SUBKEY):
            good = keyid == name or (keyid == MASTER and name == SUBKEY)
            verified = run(programs[checks], "sign", "-f", links()[0], "-g", keyid, *HOME, "--verify")
            assert verified.returncode == (0 if good else 1)

    @pytest.mark.parametrize(("key", "name"), [([MASTER], MASTER), ([], SUBKEY)], ids=["a master", "the default key"])
    def test_a_recording_begun_by_one_is_finished_by_the_other(self, programs, work, signs, checks, key, name):
        begun = run(programs[signs], "record", "start", "-n", "b", *HOME, "-m", "f", "-g", *key)
        ended = run(programs[checks], "record", "stop", "-n", "b", *HOME, "-p", "f", "-g", *key)
        assert (begun.returncode, ended.returncode) == (0, 0), begun.stderr + ended.stderr
        assert links() == [f"b.{name[:8]}.link"]

    def test_an_envelope_cannot_be_signed_with_gpg(self, programs, work, signs, checks):
        done = run(programs[signs], "run", "-n", "b", *HOME, "-g", OTHER, "--use-dsse", "-x")
        assert done.returncode == 1
        assert done.stderr == "(in-toto-run) NotImplementedError: GPG Signing is not implemented\n"
        assert links() == []


@pytest.mark.parametrize(
    ("pubkeys", "threshold", "signers", "code"),
    [
        ([MASTER], 1, [MASTER], 0),
        ([SUBKEY], 1, [MASTER], 0),
        ([OTHER], 1, [MASTER], 1),
        ([MASTER, OTHER], 2, [MASTER, OTHER], 0),
        ([MASTER, OTHER], 2, [MASTER], 1),
    ],
    ids=["master", "subkey", "stranger", "two", "one of two"],
)
def test_a_chain_of_gpg_keys_is_judged_alike(programs, work, pubkeys, threshold, signers, code):
    layout(pubkeys, threshold)
    for signer in signers:
        assert run(programs["ours"], "run", "-n", "b", "-g", signer, *HOME, "-p", "f", "-x").returncode == 0
    mine, theirs = (run(programs[who], "verify", "-l", "root.layout", "-g", OTHER, *HOME) for who in ("ours", "theirs"))
    assert mine.returncode == theirs.returncode == code
    assert mine.stderr.startswith(theirs.stderr.rstrip("\n"))


def test_two_subkeys_of_one_master_are_one_principal(programs, work, capsys):
    # The same link once by the subkey, once under the name of its master: one person has signed, not two.
    layout([MASTER, SUBKEY], threshold=2)
    assert run(programs["ours"], "run", "-n", "b", "-g", MASTER, *HOME, "-p", "f", "-x").returncode == 0
    copy = json.loads(Path(links()[0]).read_bytes())
    Path(f"b.{MASTER[:8]}.link").write_text(json.dumps(copy, indent=2))
    done = run(programs["ours"], "verify", "-l", "root.layout", "-g", OTHER, *HOME)
    assert done.returncode == 1
    assert "ThresholdVerificationError: Step 'b' requires at least '2' links validly signed" in done.stderr


def test_an_expired_owner_is_refused_and_named(programs, work):
    layout([MASTER], owner=OTHER)
    done = run(programs["ours"], "verify", "-l", "root.layout", "-g", EXPIRED, *HOME)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert EXPIRED in done.stderr


def test_a_gpg_uri_names_a_key_for_every_option(programs, work):
    for option in ("--signing-key", "--key"):
        done = run(programs["ours"], "run", "-n", "b", option, f"gpg:{MASTER}?homedir=keyring", "-p", "f", "-x")
        assert done.returncode == 0, done.stderr
        assert links() == [f"b.{SUBKEY[:8]}.link"]
