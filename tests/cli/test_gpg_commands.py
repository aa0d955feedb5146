"""GPG keys as people use them: in keyrings, in exported files, on the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import require_component
from tests.gpg_keyring import Keyring, new_keyring

from navicert.cli.main import main

LAYOUT = """\
name: app
version: 1
expires: 3 months
functionaries:
  alice: alice.asc
steps:
  - name: build
    by: alice
    command: cp a b
    materials:
      - ALLOW a
      - DISALLOW *
    products:
      - CREATE b
      - DISALLOW *
"""


@pytest.fixture(scope="module")
def keyring() -> Iterator[Keyring]:
    require_component("gpg")
    with new_keyring() as keyring:
        yield keyring


@pytest.fixture(scope="module")
def alice(keyring: Keyring) -> str:
    """The fingerprint of a master that signs with a subkey."""
    master = keyring.make("alice", "ed25519", "20y", at="20250101T000000")
    keyring.make_subkey(master, "ed25519")
    return master


@pytest.fixture
def uri(keyring: Keyring, alice: str) -> str:
    return f"gpg:{alice}?homedir={keyring.home}"


@pytest.fixture
def work(keyring: Keyring, alice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a layout and the exported key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alice.asc").write_bytes(keyring.export(alice, "--armor"))
    (tmp_path / "layout.yaml").write_text(LAYOUT)
    (tmp_path / "a").write_text("material\n")
    return tmp_path


def run(uri: str, *words: str) -> int:
    return main(["run", "build", "--key", uri, "-m", "a", "-p", "b", "-q", *words, "--", "cp", "a", "b"])


def test_a_whole_chain_with_one_gpg_key(work: Path, uri: str, keyring: Keyring, alice: str) -> None:
    assert main(["layout", "sign", "layout.yaml", "--key", uri, "-o", "root.layout"]) == 0
    assert run(uri) == 0
    signing = keyring.fingerprints(alice)[1]
    assert [path.name for path in work.glob("*.link")] == [f"build.{signing[:8]}.link"]
    for owner in ("alice.asc", uri):
        assert main(["verify", "--layout", "root.layout", "--owner", owner, "-q", "b"]) == 0
    (work / "b").write_text("another\n")
    assert main(["verify", "--layout", "root.layout", "--owner", "alice.asc", "-q", "b"]) == 1


def test_an_expired_owner_is_said_to_be_so(work: Path, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "sign", "layout.yaml", "--key", uri, "-o", "root.layout"]) == 0
    capsys.readouterr()
    words = ["verify", "--layout", "root.layout", "--owner", "alice.asc", "--at", "2060-01-01T00:00:00Z"]
    assert main(words) == 1
    assert "signed with an expired key" in capsys.readouterr().out


def test_links_of_gpg_keys_are_metablocks_without_asking_and_never_dsse(
    work: Path, uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(uri, "--dsse") == 125
    assert "GPG keys cannot sign DSSE" in capsys.readouterr().err
    assert not (work / "b").exists()
    assert run(uri) == 0
    (path,) = work.glob("*.link")
    assert set(json.loads(path.read_text())) == {"signatures", "signed"}
    assert run(uri, "--metablock") == 0


def test_the_command_does_not_run_with_a_key_that_cannot_sign(
    work: Path, keyring: Keyring, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"gpg:{'ab' * 20}?homedir={keyring.home}") == 125
    assert "gpg does not sign with this key" in capsys.readouterr().err
    assert not (work / "b").exists()


def test_a_dsse_layout_is_not_signed_by_gpg(work: Path, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", "owner"]) == 0
    assert main(["layout", "sign", "layout.yaml", "--key", "owner", "-o", "root.layout"]) == 0
    before = (work / "root.layout").read_bytes()
    assert main(["sign", "root.layout", "--add", "--key", uri]) == 2
    assert "GPG keys cannot sign DSSE" in capsys.readouterr().err
    assert (work / "root.layout").read_bytes() == before
    assert main(["verify", "--layout", "root.layout", "--owner", "alice.asc"]) == 1
    assert "this is a GPG key, and the layout is DSSE" in capsys.readouterr().out


def test_signatures_of_gpg_keys_are_checked_and_shown(
    work: Path, uri: str, alice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(uri) == 0
    (path,) = work.glob("*.link")
    assert main(["sign", path.name, "--verify", "--key", "alice.asc"]) == 0
    assert main(["keygen", "other"]) == 0
    assert main(["sign", path.name, "--verify", "--key", "other.pub"]) == 1
    capsys.readouterr()
    assert main(["show", path.name, "--key", "alice.asc"]) == 0
    assert "valid: alice.asc" in capsys.readouterr().out
    assert main(["layout", "sign", "layout.yaml", "--key", uri, "-o", "root.layout"]) == 0
    capsys.readouterr()
    assert main(["show", "root.layout"]) == 0
    assert f"{alice[:16]}  eddsa pgp+eddsa-ed25519  alice" in capsys.readouterr().out


def test_a_recording_in_two_halves(work: Path, uri: str) -> None:
    assert main(["record", "start", "build", "--key", uri, "-m", "a", "-q"]) == 0
    (work / "b").write_text("product\n")
    assert main(["record", "stop", "build", "--key", uri, "-p", "b", "-q"]) == 0
    assert len(list(work.glob("build.*.link"))) == 1


def test_a_key_of_a_keyring_can_be_denied(work: Path, uri: str, alice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "sign", "layout.yaml", "--key", uri, "-o", "root.layout"]) == 0
    assert run(uri) == 0
    words = ["verify", "--layout", "root.layout", "--owner", "alice.asc", "-q"]
    assert main(words) == 0
    assert main([*words, "--revoke", alice.upper()]) == 1


def test_a_layout_names_key_files_and_no_keyring(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "layout.yaml").write_text(LAYOUT.replace("alice.asc", '"gpg:0123456789abcdef"'))
    assert main(["layout", "lint", "layout.yaml"]) == 2
    said = capsys.readouterr().err
    assert "a layout names key files, not keys of a keyring" in said
    assert "gpg --armor --export" in said


def test_lint_knows_subkeys(
    work: Path, uri: str, keyring: Keyring, alice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layout", "sign", "layout.yaml", "--key", uri, "-o", "root.layout"]) == 0
    signed = json.loads((work / "root.layout").read_text())["signed"]
    signed["steps"][0]["pubkeys"] = [keyring.fingerprints(alice)[1]]
    (work / "edited.json").write_text(json.dumps(signed))
    capsys.readouterr()
    assert main(["layout", "lint", "edited.json", "--json"]) == 0
    found = {finding["id"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert not found & {"key.unknown", "key.unused", "key.unusable", "threshold.unreachable"}


def test_a_gpg_key_is_shown_with_its_subkeys(
    work: Path, uri: str, keyring: Keyring, alice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["key", "show", uri], ["show", "alice.asc"]):
        assert main(words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].endswith(": GPG key, eddsa, pgp+eddsa-ed25519")
        assert lines[1].startswith(f"id           {alice}  eddsa until 20")
        assert lines[2] == f"subkey       {keyring.fingerprints(alice)[1]}  eddsa"
    assert main(["key", "show", "alice.asc", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["keyid"] == alice
    assert shown["expires"].endswith("Z")
    assert [one["keyid"] for one in shown["subkeys"]] == [keyring.fingerprints(alice)[1]]
    (work / "alice.gpg").write_bytes(keyring.export(alice))
    assert main(["show", "alice.gpg"]) == 0


def test_a_gpg_key_becomes_a_key_object_and_nothing_else(
    work: Path, uri: str, alice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "convert", uri, "--to", "json", "-o", "alice.json"]) == 0
    assert json.loads((work / "alice.json").read_text())["keyid"] == alice
    assert main(["key", "show", "alice.json"]) == 0
    for form in ("pem", "legacy", "openssh", "traditional"):
        assert main(["key", "convert", "alice.asc", "--to", form]) == 2
        assert "in another form it would be another key" in capsys.readouterr().err


def test_a_private_key_in_armour_is_left_to_gpg(
    work: Path, keyring: Keyring, alice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "secret.asc").write_bytes(keyring.gpg("--armor", "--export-secret-keys", alice))
    assert run("secret.asc") == 125
    assert "leave it to gpg, and sign with: --key gpg:FINGERPRINT" in capsys.readouterr().err
    assert main(["verify", "--layout", "x", "--owner", "secret.asc"]) == 2
    assert main(["show", "secret.asc"]) == 0
    assert "private key" in capsys.readouterr().out


def test_the_commands_of_the_guide_work(work: Path, keyring: Keyring, alice: str) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "gpg-keys.md").read_text(encoding="utf-8")
    (work / "layout.yaml").unlink()
    (work / "alice.asc").unlink()
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", guide, re.MULTILINE | re.DOTALL))
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {**os.environ, "PATH": path, "GNUPGHOME": str(keyring.home)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "PASS  file app.txt is what the chain produced" in done.stdout
    assert f"id           {alice}" in done.stdout


def test_a_layout_names_key_files_and_no_key_service(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "layout.yaml").write_text(LAYOUT.replace("alice.asc", '"awskms:alias/release"'))
    assert main(["layout", "lint", "layout.yaml"]) == 2
    assert "navicert key convert awskms:alias/release --to pem -o KEY.pub" in capsys.readouterr().err
