from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import require_component
from tests.gpg_keyring import Keyring, new_keyring

from navicert.crypto.formats import load_public_key
from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_signature import read_signature
from navicert.crypto.signer import Signer
from navicert.envelope.document import open_document, seal
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.trust import gpg
from navicert.trust.gpg import GpgSigner, detached_signature, export_key, gpg_signer, open_gpg_key, open_gpg_signer
from navicert.trust.keyfile import open_public_key, open_signer

BEFORE = "20250101T000000"
NOBODY = "ab" * 20


class Ring(NamedTuple):
    """A keyring: `plain` signs itself, `master` through its newer subkey `newer`; `elliptic` is of no known kind."""

    keyring: Keyring
    plain: str
    master: str
    older: str
    newer: str
    elliptic: str

    @property
    def home(self) -> str:
        return str(self.keyring.home)

    def uri(self, keyid: str = "") -> str:
        return f"gpg:{keyid}?homedir={self.home}"


@pytest.fixture(scope="module")
def ring() -> Iterator[Ring]:
    require_component("gpg")
    with new_keyring() as keyring:
        plain = keyring.make("plain", "ed25519")
        master = keyring.make("master", "rsa2048", at=BEFORE)
        older = keyring.make_subkey(master, "rsa2048", expires="20y", at=BEFORE)
        newer = keyring.make_subkey(master, "ed25519")
        yield Ring(keyring, plain, master, older, newer, keyring.make("elliptic", "nistp256"))


# --- signing -------------------------------------------------------------------------------------------------------


def test_a_key_without_subkeys_signs_itself(ring):
    signer = open_signer(ring.uri(ring.plain))
    assert isinstance(signer, GpgSigner)
    assert isinstance(signer, Signer)
    assert (signer.keyid, signer.key.keyid, signer.key.keytype) == (ring.plain, ring.plain, "eddsa")


def test_gpg_takes_the_newest_signing_subkey_and_its_id_is_that_of_the_signature(ring):
    signer = open_gpg_signer(ring.uri(ring.master))
    assert (signer.keyid, signer.key.keyid) == (ring.newer, ring.master)
    found = read_signature(signer.sign(b"content"))
    assert found.fingerprint == ring.newer


@pytest.mark.parametrize("mark", ["", "0x"])
def test_a_subkey_is_taken_where_it_is_meant_exactly(ring, mark):
    assert open_gpg_signer(ring.uri(f"{mark}{ring.older}!")).keyid == ring.older
    assert open_gpg_signer(ring.uri(f"{mark}{ring.master}!")).keyid == ring.master


@pytest.mark.parametrize("length", [40, 16, 8])
def test_a_key_is_found_by_its_full_and_short_ids(ring, length):
    assert open_gpg_signer(ring.uri(ring.plain[-length:].upper())).keyid == ring.plain


def test_without_an_id_the_default_key_signs(ring):
    assert open_gpg_signer(ring.uri()).keyid == ring.plain
    (ring.keyring.home / "gpg.conf").write_text(f"default-key {ring.master}\n")
    try:
        assert open_gpg_signer(ring.uri()).keyid == ring.newer
    finally:
        (ring.keyring.home / "gpg.conf").unlink()


def test_what_gpg_signs_verifies_without_gpg(ring, monkeypatch):
    signers = [gpg_signer(one, ring.home) for one in (ring.plain, f"{ring.older}!", f"{ring.master}!")]
    raw = seal(Link("build"), *signers, form="metablock")
    keys = [load_public_key(ring.keyring.export(one)) for one in (ring.plain, ring.master)]
    monkeypatch.setenv("PATH", "/nowhere")
    verified = open_document(raw).verified_by(keys)
    assert verified is not None
    assert {key.id for key in verified.signers} == {ring.plain, ring.older, ring.master}


def test_the_users_configuration_does_not_change_what_is_signed(ring):
    lines = ["armor", "textmode", "personal-digest-preferences SHA512", "digest-algo SHA1", "sig-notation a@b=c"]
    (ring.keyring.home / "gpg.conf").write_text("\n".join([*lines, ""]))
    try:
        signer = gpg_signer(ring.master, ring.home)
        found = read_signature(signer.sign(b"line\r\nline\n"))
    finally:
        (ring.keyring.home / "gpg.conf").unlink()
    assert found.headers[1] == 0
    assert found.headers[3] == 8


def test_a_large_message_is_signed_whole(ring):
    signer = gpg_signer(ring.plain, ring.home)
    message = os.urandom(1 << 16) * 64
    found = read_signature(signer.sign(message))
    assert signer.key.verify(found.value, message, found.headers)
    assert not signer.key.verify(found.value, message[:-1], found.headers)


def test_a_folder_with_odd_characters_is_named_in_the_uri(ring, tmp_path):
    folder = tmp_path / "a b&c%=?d"
    shutil.copytree(ring.home, folder, ignore=shutil.ignore_patterns("S.*"))
    uri = "gpg:?homedir=" + str(folder).replace("%", "%25")
    assert gpg._split(uri) == ("", str(folder))
    assert open_gpg_key(f"gpg:{ring.plain}?homedir=" + str(folder).replace("%", "%25")).keyid == ring.plain


# --- public keys ---------------------------------------------------------------------------------------------------


def test_a_public_key_is_the_master_with_its_subkeys(ring):
    key = open_public_key(ring.uri(f"0x{ring.master.upper()}"))
    assert isinstance(key, GpgKey)
    assert [one.id for one in key.members] == [ring.master, ring.older, ring.newer]
    assert key.subkeys[0].validity == 20 * 365 * 86400
    assert key == load_public_key(ring.keyring.export(ring.master, "--armor"))


def test_a_trusted_key_is_named_by_its_full_fingerprint(ring):
    for short in (ring.plain[-16:], ring.plain[-8:], ""):
        with pytest.raises(Malformed, match="only a full fingerprint says which key is trusted"):
            open_public_key(ring.uri(short))


def test_a_subkey_cannot_be_trusted_by_itself(ring):
    with pytest.raises(Malformed, match=f"a subkey; trusted is its master.*gpg:{ring.master}"):
        open_public_key(ring.uri(ring.newer))


def test_export_gives_the_master_for_any_of_its_ids(ring):
    for keyid in (ring.master, ring.newer, ring.older[-16:], f"0x{ring.master[-8:]}"):
        assert export_key(keyid, ring.home).keyid == ring.master


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_key_that_is_not_there_is_said_to_be_missing(ring):
    with pytest.raises(
        Malformed, match=r"gpg does not sign with this key.*No secret key.*--list-secret-keys"
    ) as caught:
        open_signer(ring.uri(NOBODY))
    assert caught.value.path == ring.uri(NOBODY)
    with pytest.raises(Malformed, match="no such key in the keyring") as caught:
        open_public_key(ring.uri(NOBODY))
    assert caught.value.path == ring.uri(NOBODY)


def test_a_keyring_without_a_private_key_signs_nothing(ring):
    with new_keyring() as other:
        with pytest.raises(Malformed, match=r"gpg does not sign|no default secret key|No secret key"):
            gpg_signer("", str(other.home))
        other.gpg("--import", data=ring.keyring.export(ring.plain))
        with pytest.raises(Malformed, match="gpg does not sign with this key"):
            gpg_signer(ring.plain, str(other.home))


def test_a_key_whose_time_is_over_signs_nothing(ring):
    with new_keyring() as other:
        other.gpg("--faked-system-time", "20200101T000000", "--quick-generate-key", "old", "ed25519", "sign", "1d")
        (old,) = other.fingerprints("old")
        with pytest.raises(Malformed, match="gpg does not sign with this key"):
            gpg_signer(old, str(other.home))
        assert export_key(old, str(other.home)).validity == 86400


def test_a_key_of_a_kind_that_in_toto_does_not_know_is_refused(ring):
    with pytest.raises(Malformed, match="unsupported OpenPGP algorithm"):
        gpg_signer(ring.elliptic, ring.home)
    with pytest.raises(Malformed, match="unsupported OpenPGP algorithm"):
        open_gpg_key(ring.uri(ring.elliptic))


def test_a_subkey_of_a_kind_that_in_toto_does_not_know_is_refused_for_signing():
    require_component("gpg")
    with new_keyring() as other:
        master = other.make("master", "ed25519")
        subkey = other.make_subkey(master, "nistp256/ecdsa")
        with pytest.raises(Malformed, match="unsupported OpenPGP algorithm"):
            gpg_signer(master, str(other.home))
        with pytest.raises(Malformed, match="of no kind that can sign"):
            export_key(subkey, str(other.home))


@pytest.mark.parametrize(
    "uri",
    ["gpg:alice@example.org", "gpg:--help", "gpg:-o", "gpg:12", "gpg:AB CD", "gpg:?home=x", "gpg:?homedir=", "gpg:?x"],
)
def test_only_ids_name_keys_and_never_options(uri):
    with pytest.raises(Malformed, match="not the name of a GPG key"):
        open_signer(uri)


@pytest.mark.parametrize("keyid", ["--help", "-h", "alice", "12345", ""])
def test_ids_are_checked_before_gpg_sees_them(keyid, tmp_path):
    with pytest.raises(Malformed, match="not the id of a GPG key"):
        export_key(keyid, str(tmp_path))
    if keyid:
        with pytest.raises(Malformed, match="not the id of a GPG key"):
            detached_signature(b"", keyid, str(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Malformed, match="no such folder for a keyring"):
        open_signer(f"gpg:{NOBODY}?homedir={tmp_path}/none")


def test_without_gpg_its_absence_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"gpg is not installed – install GnuPG"):
        open_signer(f"gpg:{NOBODY}")


def program(folder: Path, script: str) -> None:
    """A program that is found in the place of gpg."""
    for name in ("gpg", "gpg2"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o700)


@pytest.mark.parametrize("search_path", [".", "", ":", "bin", "bin:.:"])
def test_attack_a_gpg_that_lies_in_the_working_directory(monkeypatch, tmp_path, search_path):
    (tmp_path / "bin").mkdir()
    for folder in (tmp_path, tmp_path / "bin"):
        program(folder, f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", search_path)
    with pytest.raises(Unavailable, match="gpg is not installed"):
        open_signer(f"gpg:{NOBODY}")
    assert not (tmp_path / "ran").exists()


def test_a_gpg_that_does_not_answer_is_ended(monkeypatch, tmp_path):
    program(tmp_path, "exec sleep 60")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + "/usr/bin:/bin")
    monkeypatch.setattr("navicert.trust.gpg.LOCAL", replace(LOCAL, gpg_seconds=1))
    with pytest.raises(Unavailable, match="gpg did not answer within 1 seconds"):
        open_signer(f"gpg:{NOBODY}")


@pytest.mark.parametrize(
    ("script", "error", "why"),
    [
        ("echo 'gpg: no agent' >&2; exit 2", Unavailable, "gpg failed: no agent"),
        ("exit 2", Unavailable, "gpg failed: it did not say why"),
        ("echo 'no packet'", Malformed, "not OpenPGP data"),
        ("exit 0", Malformed, "not one OpenPGP signature"),
    ],
)
def test_whatever_gpg_does_instead_is_an_error_in_one_line(monkeypatch, tmp_path, script, error, why):
    program(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error, match=why):
        open_signer(f"gpg:{NOBODY}")


def test_a_gpg_that_cannot_be_run_is_said_to_be_so(monkeypatch, tmp_path):
    (tmp_path / "gpg").write_bytes(b"\0no program")
    (tmp_path / "gpg").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="gpg cannot be run"):
        open_signer(f"gpg:{NOBODY}")


def test_a_gpg_that_signs_with_another_key_than_it_exports_is_not_believed(ring, monkeypatch, tmp_path):
    from tests.openpgp_builder import SIGNATURE, bundle, packet, pgp

    (tmp_path / "signature").write_bytes(packet(SIGNATURE, pgp("mallory").sign(gpg._PROBE)))
    (tmp_path / "key").write_bytes(bundle(pgp("alice")))
    script = f'case "$*" in *--detach-sign*) cat {tmp_path}/signature;; *) cat {tmp_path}/key;; esac'
    program(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + "/usr/bin:/bin")
    with pytest.raises(Malformed, match=r"of no kind that can sign|not a good part"):
        gpg_signer("")


def test_a_signature_that_is_not_over_the_message_is_not_believed(monkeypatch, tmp_path):
    from tests.openpgp_builder import SIGNATURE, bundle, packet, pgp

    key = pgp("alice")
    (tmp_path / "signature").write_bytes(packet(SIGNATURE, key.sign(gpg._PROBE)))
    (tmp_path / "key").write_bytes(bundle(key))
    script = f'case "$*" in *--detach-sign*) cat {tmp_path}/signature;; *) cat {tmp_path}/key;; esac'
    program(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + "/usr/bin:/bin")
    signer = gpg_signer("")
    assert signer.keyid == key.fingerprint
    with pytest.raises(Malformed, match="not a good part of the exported one"):
        signer.sign(b"something else")


def test_an_export_without_end_is_cut(ring, monkeypatch):
    monkeypatch.setattr("navicert.trust.gpg.LOCAL", replace(LOCAL, gpg_bytes=100))
    with pytest.raises(LimitExceeded, match="gpg_bytes"):
        export_key(ring.master, ring.home)
