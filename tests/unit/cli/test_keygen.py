from __future__ import annotations

import json
import stat

import pytest

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key, load_signer


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keygen(*words: str) -> int:
    return main(["keygen", *words])


def names(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_pair_of_ed25519_keys_is_the_default(folder, capsys):
    assert keygen("keys/owner") == 0
    assert names(folder) == ["keys", "keys/owner", "keys/owner.pub"]
    signer = load_signer((folder / "keys/owner").read_bytes())
    key = load_public_key((folder / "keys/owner.pub").read_bytes())
    assert signer.key == key
    assert key.keytype == "ed25519"
    assert stat.S_IMODE((folder / "keys/owner").stat().st_mode) == 0o600
    out = capsys.readouterr().out
    assert f"key id             {key.modern_id}\n" in out
    assert key.legacy_id in out
    assert "not encrypted" in out


@pytest.mark.parametrize(
    ("words", "scheme", "size"),
    [
        (["--type", "ed25519"], "ed25519", None),
        (["--type", "ecdsa"], "ecdsa-sha2-nistp256", 256),
        (["--type", "ecdsa", "--curve", "P-384"], "ecdsa-sha2-nistp384", 384),
        (["--type", "ecdsa", "--curve", "P-521"], "ecdsa-sha2-nistp521", 521),
        (["--type", "rsa"], "rsassa-pss-sha256", 3072),
        (["--type", "rsa", "--bits", "2048"], "rsassa-pss-sha256", 2048),
    ],
)
def test_every_type_can_be_made(folder, words, scheme, size):
    assert keygen("k", *words) == 0
    signer = load_signer((folder / "k").read_bytes())
    assert signer.key.scheme == scheme
    assert size is None or signer.private.key_size == size  # type: ignore[union-attr]


@pytest.mark.parametrize("type", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("legacy", [False, True])
def test_json_tells_programs_what_was_made(folder, capsys, type, legacy):
    assert keygen("k", "--type", type, "--json", *(["--legacy"] if legacy else [])) == 0
    report = json.loads(capsys.readouterr().out)
    key = load_public_key((folder / "k.pub").read_bytes())
    assert report == {
        "keyid": key.id,
        "keyids": {"modern": key.modern_id, "legacy": key.legacy_id, "go": key.go_id},
        "keytype": type,
        "scheme": key.scheme,
        "private": "k",
        "public": "k.pub",
        "encrypted": False,
    }
    assert load_signer((folder / "k").read_bytes()).keyid == report["keyid"]


@pytest.mark.parametrize("legacy", [[], ["--legacy"]])
def test_legacy_writes_what_in_toto_1x_reads(folder, capsys, legacy):
    assert keygen("k", "--type", "ecdsa", *legacy) == 0
    text = (folder / "k").read_bytes()
    assert text.startswith(b"{" if legacy else b"-----BEGIN PRIVATE KEY-----")
    out = capsys.readouterr().out
    key = load_public_key((folder / "k.pub").read_bytes())
    for id in key.ids:
        assert id in out
    assert f"key id             {key.id}\n" in out


@pytest.mark.parametrize("legacy", [[], ["--legacy"]])
@pytest.mark.parametrize("encrypt", [[], ["--encrypt"]])
def test_whoever_gives_a_password_gets_an_encrypted_key(folder, monkeypatch, capsys, encrypt, legacy):
    monkeypatch.setenv("OWNER_PASSWORD", "correct horse")
    assert keygen("k", "--password-env", "OWNER_PASSWORD", *encrypt, *legacy) == 0
    raw = (folder / "k").read_bytes()
    assert load_signer(raw, password=lambda: b"correct horse").key == load_public_key((folder / "k.pub").read_bytes())
    assert "(ed25519, encrypted)" in capsys.readouterr().out


def test_names_are_escaped_on_the_terminal(folder, capsys):
    assert keygen("k\x1b[2J") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"k\x1b[2J" in out


def test_files_that_exist_are_kept_without_force(folder, capsys):
    assert keygen("k") == 0
    before = (folder / "k").read_bytes(), (folder / "k.pub").read_bytes()
    assert keygen("k") == 2
    assert capsys.readouterr().err.startswith("navicert: k: already exists")
    assert ((folder / "k").read_bytes(), (folder / "k.pub").read_bytes()) == before
    assert keygen("k", "--force") == 0
    assert (folder / "k").read_bytes() != before[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bits", "4096"], "--bits means nothing for ed25519"),
        (["--type", "ecdsa", "--bits", "4096"], "--bits means nothing for ecdsa"),
        (["--curve", "P-384"], "--curve means nothing for ed25519"),
        (["--type", "rsa", "--curve", "P-384"], "--curve means nothing for rsa"),
        (["--type", "rsa", "--bits", "1024"], "2048 to 16384 bits"),
        (["--type", "rsa", "--bits", "0"], "2048 to 16384 bits"),
        (["--type", "rsa", "--bits", "many"], "invalid int"),
        (["--type", "dsa"], "invalid choice"),
        (["--type", "ecdsa", "--curve", "P-224"], "invalid choice"),
        (["--password-env", "NOT_SET_ANYWHERE"], "is not set"),
        (["--password", ""], "the password is empty"),
        (["--password", "x", "--password-fd", "0"], "not allowed with"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(folder, capsys, words, said):
    assert keygen("new/k", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert names(folder) == []


def test_the_name_of_a_public_key_is_refused(folder, capsys):
    assert keygen("owner.pub") == 2
    assert "name the private key" in capsys.readouterr().err
    assert names(folder) == []


def test_a_name_that_is_taken_is_refused_before_a_password_is_asked_for(folder, capsys):
    (folder / "k.pub").write_text("precious")
    assert keygen("k", "--password-env", "NOT_SET_ANYWHERE") == 2
    assert "k.pub: already exists" in capsys.readouterr().err


def test_where_the_system_refuses_nothing_is_known(folder, capsys):
    assert keygen("x" * 300) == 3
    assert "file name too long" in capsys.readouterr().err
