from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key, load_signer


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with key pairs of in-toto 1.x and ours."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "old", "--legacy"]) == 0
    assert main(["keygen", "locked", "--legacy", "--type", "ecdsa", "--password", "secret"]) == 0
    assert main(["keygen", "new"]) == 0
    return tmp_path


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navicert.cli.password._require_terminal", _refuse)


def _refuse(what: str) -> None:
    from navicert.errors import Malformed

    raise Malformed("a password is needed, and there is no terminal to ask on", path=what)


def convert(*words: str) -> int:
    return main(["key", "convert", *words])


def key(path: str, password: bytes = b"secret"):  # type: ignore[no-untyped-def]
    return load_signer(Path(path).read_bytes(), password=lambda: password)


def test_an_old_private_key_becomes_a_new_one_and_only_its_owner_may_read_it(work, capsys):
    capsys.readouterr()
    assert convert("old", "--to", "pem", "-o", "owner") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "owner: private key, ed25519, not encrypted"
    made = key("owner")
    assert lines[1:] == [
        f"modern  {made.key.modern_id}",
        f"legacy  {made.key.legacy_id}",
        f"go      {made.key.go_id}",
    ]
    assert made.key == key("old").key
    assert (made.keyid, key("old").keyid) == (made.key.modern_id, made.key.legacy_id)
    assert stat.S_IMODE(os.stat("owner").st_mode) == 0o600


def test_an_encrypted_key_stays_encrypted_under_its_password(work):
    assert convert("locked", "--to", "pem", "-o", "owner", "--password", "secret") == 0
    assert b"ENCRYPTED" in Path("owner").read_bytes()
    assert key("owner").key == key("locked").key


def test_an_encrypted_key_is_decrypted_where_that_is_asked_for(work):
    assert convert("locked", "--to", "traditional", "-o", "owner", "--password", "secret", "--decrypt") == 0
    assert Path("owner").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")


def test_a_plain_key_is_encrypted_where_that_is_asked_for(work):
    assert convert("new", "--to", "legacy", "-o", "owner", "--password", "other", "--encrypt") == 0
    assert b"@@@@" in Path("owner").read_bytes()
    assert key("owner", b"other").key == key("new").key


def test_a_password_that_is_not_asked_for_encrypts_nothing(work):
    assert convert("new", "--to", "pem", "-o", "owner", "--password", "other") == 0
    assert b"ENCRYPTED" not in Path("owner").read_bytes()


def test_a_wrong_password_writes_nothing(work, capsys):
    assert convert("locked", "--to", "pem", "-o", "owner", "--password", "wrong") == 2
    assert "wrong password" in capsys.readouterr().err
    assert convert("locked", "--to", "pem", "-o", "owner") == 2
    assert not Path("owner").exists()


def test_a_public_key_goes_to_standard_output(work, capfdbinary):
    assert convert("old.pub", "--to", "pem") == 0
    out = capfdbinary.readouterr().out
    assert load_public_key(out) == key("old").key


def test_the_public_half_of_a_private_key_is_written_without_the_private_one(work, capfdbinary):
    assert convert("locked", "--to", "json", "--public", "--ids", "go", "--password", "secret") == 0
    out = capfdbinary.readouterr().out
    assert json.loads(out)["keyid"] == key("locked").key.go_id
    assert b"private" not in out.lower()


def test_a_private_key_needs_a_place_to_go(work, capsys):
    assert convert("old", "--to", "pem") == 2
    captured = capsys.readouterr()
    assert "where to? – name a file for the private key with --output" in captured.err
    assert "PRIVATE" not in captured.out


def test_a_file_that_exists_is_replaced_only_by_force(work, capsys):
    before = Path("new").read_bytes()
    assert convert("old", "--to", "pem", "-o", "new") == 2
    assert "already exists" in capsys.readouterr().err
    assert Path("new").read_bytes() == before
    assert convert("old", "--to", "pem", "-o", "new", "--force") == 0
    assert key("new").key == key("old").key


def test_options_that_mean_nothing_are_refused(work, capsys):
    assert convert("old.pub", "--to", "pem", "--ids", "go") == 2
    assert "--ids is for --to json" in capsys.readouterr().err
    assert convert("old.pub", "--to", "pem", "--json") == 2
    assert "--json and the key on standard output" in capsys.readouterr().err
    assert convert("old", "--to", "pem", "-o", "x", "--encrypt", "--decrypt") == 2
    assert convert("old", "--to", "gif", "-o", "x") == 2


def test_programs_are_told_what_was_written(work, capsys):
    capsys.readouterr()
    assert convert("locked", "--to", "pem", "-o", "owner", "--password", "secret", "--json") == 0
    made = key("locked").key
    assert json.loads(capsys.readouterr().out) == {
        "file": "owner",
        "kind": "private",
        "form": "pem",
        "encrypted": True,
        "keytype": "ecdsa",
        "keyids": {"modern": made.modern_id, "legacy": made.legacy_id, "go": made.go_id},
    }


def test_a_key_in_the_environment_is_converted_too(work, monkeypatch, capfdbinary):
    monkeypatch.setenv("OWNER_PUB", Path("old.pub").read_text())
    assert convert("env:OWNER_PUB", "--to", "pem") == 0
    assert load_public_key(capfdbinary.readouterr().out) == key("old").key


def test_what_is_no_key_is_refused(work, capsys):
    Path("text").write_text("text\n")
    assert convert("text", "--to", "pem") == 2
    assert "text: no key found" in capsys.readouterr().err
    assert convert("nothing", "--to", "pem") == 2


# --- show ----------------------------------------------------------------------------------------------------------


def test_show_says_what_a_key_is_and_all_its_ids(work, capsys):
    capsys.readouterr()
    assert main(["key", "show", "locked.pub", "old.pub"]) == 0
    out = capsys.readouterr().out
    made = key("locked").key
    assert out.startswith("locked.pub: public key, ecdsa, ecdsa-sha2-nistp256\n")
    for id in (made.modern_id, made.legacy_id, made.go_id, made.fingerprint):
        assert id in out
    assert "\n\nold.pub: public key, ed25519\n" in out


def test_show_says_of_a_private_key_only_that_it_is_one(work, capsys):
    capsys.readouterr()
    assert main(["key", "show", "locked", "new"]) == 0
    out = capsys.readouterr().out
    assert out.count("which is not shown") == 2
    assert main(["key", "show", "new", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["kind"], set(shown)) == ("private", {"type", "file", "kind", "form"})


def test_show_goes_on_after_a_key_that_cannot_be_read(work, capsys):
    Path("text").write_text("text\n")
    capsys.readouterr()
    assert main(["key", "show", "text", "old.pub", "--json"]) == 2
    captured = capsys.readouterr()
    assert "no key found" in captured.err
    assert json.loads(captured.out)["file"] == "old.pub"
    assert main(["key", "show", "text"]) == 2
