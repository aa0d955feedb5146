"""Key files and envelopes as `securesystemslib` offers them: what is taken, and what is refused, and how."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from navicert.compat.shim.securesystemslib import interface
from navicert.compat.shim.securesystemslib.dsse import Envelope
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, FormatError, VerificationError
from navicert.compat.shim.securesystemslib.signer import CryptoSigner, Signature, SSlibKey

KINDS = ["ed25519", "ecdsa", "rsa"]


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
class TestFiles:
    def write(self, kind: str, how: str, *words: str) -> str:
        more = {"bits": 2048} if kind == "rsa" else {}
        return str(getattr(interface, f"generate_and_write_{how}{kind}_keypair")(*words, **more))

    def test_a_pair_is_written_with_its_folder_and_read_again(self, kind):
        path = self.write(kind, "unencrypted_", "keys/deep/bob")
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        public = getattr(interface, f"import_{kind}_publickey_from_file")(f"{path}.pub")
        private = getattr(interface, f"import_{kind}_privatekey_from_file")(path)
        assert public["keyid"] == private["keyid"]
        assert private["keyval"]["private"]
        assert not public["keyval"].get("private")
        assert interface.import_publickeys_from_file([f"{path}.pub"]) == {public["keyid"]: public}
        assert interface.import_privatekey_from_file(path, kind) == private

    def test_without_a_path_it_is_named_after_its_id(self, kind):
        path = self.write(kind, "unencrypted_")
        assert interface.import_privatekey_from_file(path)["keyid"] == path

    def test_an_encrypted_one_needs_its_password(self, kind, monkeypatch):
        path = self.write(kind, "", "pw", "bob")
        read = getattr(interface, f"import_{kind}_privatekey_from_file")
        good = read(path, password="pw")
        for password in (None, "no"):
            with pytest.raises(CryptoError, match="password"):
                read(path, password=password)
        monkeypatch.setattr("getpass.getpass", lambda *_: "pw")
        assert read(path, prompt=True) == good
        with pytest.raises(ValueError, match="not allowed"):
            read(path, password="pw", prompt=True)

    def test_a_password_that_is_typed_is_typed_twice(self, kind, monkeypatch):
        typed = iter(["pw", "other", "pw", "pw"])
        monkeypatch.setattr("getpass.getpass", lambda *_: next(typed))
        more = {"bits": 2048} if kind == "rsa" else {}
        getattr(interface, f"generate_and_write_{kind}_keypair_with_prompt")("bob", **more)
        with pytest.raises(CryptoError):
            interface.import_privatekey_from_file("bob", kind)
        assert interface.import_privatekey_from_file("bob", kind, "pw")["keyid"]

    def test_another_type_is_refused(self, kind):
        path = self.write(kind, "unencrypted_", "bob")
        other = KINDS[KINDS.index(kind) - 1]
        with pytest.raises(CryptoError, match=r"not a key of type|states another signature scheme"):
            getattr(interface, f"import_{other}_publickey_from_file")(f"{path}.pub")
        with pytest.raises(CryptoError, match=r"not a key of type|states another signature scheme"):
            interface.import_privatekey_from_file(path, other)

    @pytest.mark.parametrize("password", ["", 1, None])
    def test_a_password_that_is_none_is_refused(self, kind, password):
        with pytest.raises((ValueError, FormatError)):
            getattr(interface, f"generate_and_write_{kind}_keypair")(password, "bob")
        assert not Path("bob").exists()


def test_types_that_do_not_fit_are_refused():
    interface.generate_and_write_unencrypted_ed25519_keypair("bob")
    with pytest.raises(FormatError, match="equal amount"):
        interface.import_publickeys_from_file(["bob.pub"], ["rsa", "ed25519"])
    with pytest.raises(FormatError, match="Unsupported key type 'dsa'"):
        interface.import_publickeys_from_file(["bob.pub"], ["dsa"])
    with pytest.raises(OSError, match="none"):
        interface.import_privatekey_from_file("none")
    Path("junk").write_text("{}")
    with pytest.raises(CryptoError):
        interface.import_ed25519_publickey_from_file("junk")


# --- envelopes -----------------------------------------------------------------------------------------------------


def signed(*signers: CryptoSigner) -> Envelope:
    envelope = Envelope(b"payload", "text/plain", {})
    for signer in signers:
        envelope.sign(signer)
    return envelope


def test_an_envelope_is_written_and_read_again():
    one, two = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ecdsa()
    envelope = signed(one, two)
    again = Envelope.from_dict(envelope.to_dict())
    assert again == envelope
    keys: list[Any] = [one.public_key, two.public_key]
    assert set(again.verify(keys, 2)) == {one.public_key.keyid, two.public_key.keyid}


def test_too_few_signatures_and_thresholds_without_sense_are_refused():
    one, two = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    envelope = signed(one)
    envelope.signatures[two.public_key.keyid] = Signature(two.public_key.keyid, "00" * 64)
    keys: list[Any] = [one.public_key, two.public_key]
    assert list(envelope.verify(keys, 1)) == [one.public_key.keyid]
    with pytest.raises(VerificationError, match="Found: 1, Expected 2"):
        envelope.verify(keys, 2)
    for threshold in (0, -1, 3):
        with pytest.raises(ValueError, match=r"[Tt]hreshold"):
            envelope.verify(keys, threshold)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"signatures": {}}, FormatError),
        ({"signatures": [1]}, FormatError),
        ({"signatures": [{"keyid": "a", "sig": 1}]}, FormatError),
        ({"signatures": [{"keyid": "a", "sig": "?"}]}, FormatError),
        ({"signatures": [{"keyid": "a"}]}, KeyError),
        ({"signatures": [{"keyid": "a", "sig": "AA=="}, {"keyid": "a", "sig": "AA=="}]}, ValueError),
        ({"payload": 1}, FormatError),
        ({"payload": "AA"}, FormatError),
        ({"payloadType": None}, FormatError),
    ],
)
def test_what_is_no_envelope_is_refused(change, kind):
    with pytest.raises(kind):
        Envelope.from_dict({**signed(CryptoSigner.generate_ed25519()).to_dict(), **change})


def test_a_signature_is_over_the_type_too():
    signer = CryptoSigner.generate_ed25519()
    envelope = signed(signer)
    envelope.payload_type = "text/html"
    with pytest.raises(VerificationError):
        envelope.verify([signer.public_key], 1)


def test_two_ids_of_one_key_are_two_keys_here_as_upstream_says_so():
    # `Envelope.verify` counts ids, by its own contract; layouts are judged by key material.
    signer = CryptoSigner.generate_ed25519()
    twin = SSlibKey("ab", signer.public_key.keytype, signer.public_key.scheme, signer.public_key.keyval)
    envelope = signed(signer)
    assert list(envelope.verify([signer.public_key, twin], 1)) == [signer.public_key.keyid]
    with pytest.raises(VerificationError):
        envelope.verify([signer.public_key, twin], 2)
