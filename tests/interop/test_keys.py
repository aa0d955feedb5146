"""Keys and signatures both ways with the reference implementation: in-toto 3.1.0 (modern ids), 1.3.1 (legacy ids)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key, load_signer
from navicert.crypto.key import SCHEMES, Key
from navicert.crypto.signer import MemorySigner, generate, private_pem

PASSWORD = "correct horse"
MESSAGE = b"what both sides sign"

# Each program reads one JSON object and writes one.
MODERN = r"""
import json, sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.signer import CryptoSigner, Signature, SSlibKey
asked = json.load(sys.stdin)
message = bytes.fromhex(asked["message"])
told = {}
if "private" in asked:
    password = asked.get("password")
    private = load_pem_private_key(asked["private"].encode(), password and password.encode())
    public = SSlibKey.from_crypto(private.public_key(), scheme=asked.get("scheme"))
    signer = CryptoSigner(private, public)
    told["private_id"] = signer.public_key.keyid
    told["signature"] = signer.sign(message).signature
if "public" in asked:
    key = SSlibKey.from_crypto(load_pem_public_key(asked["public"].encode()), scheme=asked.get("scheme"))
    told["public_id"] = key.keyid
    key.verify_signature(Signature(key.keyid, asked["signature"]), message)
if "object" in asked:
    entry = dict(asked["object"])
    key = SSlibKey.from_dict(entry.pop("keyid"), entry)
    key.verify_signature(Signature(key.keyid, asked["signature"]), message)
    told["object"] = True
json.dump(told, sys.stdout)
"""

LEGACY = r"""
import json, sys
from securesystemslib import interface, keys
asked = json.load(sys.stdin)
message = bytes.fromhex(asked["message"])
told = {}
if "generate" in asked:
    make = getattr(interface, "_generate_and_write_%s_keypair" % asked["generate"])
    make(filepath=asked["path"], password=asked.get("password"))
if "path" in asked:
    public = interface.import_publickeys_from_file([asked["path"] + ".pub"], [asked["type"]])
    (told["public_id"],) = public
    private = interface.import_privatekey_from_file(asked["path"], asked["type"], password=asked.get("password"))
    told["private_id"] = private["keyid"]
    told["signature"] = keys.create_signature(private, message)["sig"]
    if "signature" in asked:
        (key,) = public.values()
        told["good"] = keys.verify_signature(key, {"keyid": key["keyid"], "sig": asked["signature"]}, message)
if "object" in asked:
    told["good"] = keys.verify_signature(
        asked["object"], {"keyid": asked["object"]["keyid"], "sig": asked["signature"]}, message
    )
json.dump(told, sys.stdout)
"""

Oracle = Callable[..., dict[str, Any]]


def oracle(python: Path, program: str) -> Oracle:
    def ask(**asked: object) -> dict[str, Any]:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", program],
            input=json.dumps({"message": MESSAGE.hex(), **asked}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        return told

    return ask


@pytest.fixture(scope="module")
def modern(component) -> Oracle:
    """Asks the library under in-toto 3.1.0."""
    return oracle(component("in-toto-3.1.0") / "python", MODERN)


@pytest.fixture(scope="module")
def legacy(component) -> Oracle:
    """Asks the library under in-toto 1.3.1."""
    return oracle(component("in-toto-1.3.1") / "python3", LEGACY)


@pytest.fixture(scope="module")
def rsa() -> MemorySigner:
    return generate("rsa", bits=2048)


@pytest.fixture(scope="module")
def signers(rsa) -> dict[str, MemorySigner]:
    """One signer for each scheme."""
    made = {name: MemorySigner.of(rsa.private, scheme=name) for name in SCHEMES["rsa"]}
    for curve in ("P-256", "P-384", "P-521"):
        signer = generate("ecdsa", curve=curve)
        made[signer.key.scheme] = signer
    made["ed25519"] = generate()
    return made


# --- in-toto 3.1.0 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [name for names in SCHEMES.values() for name in names])
def test_in_toto_3_reads_our_keys_under_our_modern_id_and_both_verify(modern, signers, scheme):
    signer = signers[scheme]
    told = modern(
        private=private_pem(signer, None).decode(),
        public=signer.key.public_pem().decode(),
        scheme=scheme,
        signature=signer.sign(MESSAGE).hex(),
        object=signer.key.to_json(),
    )
    assert told["private_id"] == told["public_id"] == signer.key.modern_id
    assert told["object"] is True
    assert signer.key.verify(bytes.fromhex(told["signature"]), MESSAGE)


@pytest.mark.parametrize("scheme", ["ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"])
def test_in_toto_3_opens_our_encrypted_keys(modern, signers, scheme):
    signer = signers[scheme]
    told = modern(private=private_pem(signer, PASSWORD.encode()).decode(), password=PASSWORD)
    assert told["private_id"] == signer.key.modern_id


def test_ed25519_signatures_are_the_same_bytes(modern, signers):
    signer = signers["ed25519"]
    told = modern(private=private_pem(signer, None).decode())
    assert told["signature"] == signer.sign(MESSAGE).hex()


# --- in-toto 1.3.1 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("type", ["ed25519", "ecdsa", "rsa"])
def test_we_read_keys_that_in_toto_1_made_under_its_id_and_both_verify(legacy, tmp_path, type, password):
    path = str(tmp_path / "key")
    told = legacy(generate=type, path=path, type=type, password=password)
    signer = load_signer(
        Path(path).read_bytes(), password=None if password is None else PASSWORD.encode, id_form="legacy"
    )
    public = load_public_key(Path(path + ".pub").read_bytes())
    assert signer.key == public
    assert signer.keyid == told["private_id"] == told["public_id"] == public.legacy_id
    assert public.verify(bytes.fromhex(told["signature"]), MESSAGE)
    signature = signer.sign(MESSAGE).hex()
    assert legacy(path=path, type=type, password=password, signature=signature)["good"] is True


@pytest.mark.parametrize("type", ["ed25519", "ecdsa"])
def test_json_keys_of_in_toto_1_are_known_by_its_id_without_asking(legacy, tmp_path, type):
    path = tmp_path / "key"
    told = legacy(generate=type, path=str(path), type=type)
    assert load_signer(path.read_bytes()).keyid == told["private_id"]
    assert load_public_key((tmp_path / "key.pub").read_bytes()).id == told["public_id"]


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("type", ["ed25519", "ecdsa", "rsa"])
def test_in_toto_1_reads_the_legacy_keys_that_we_make(legacy, tmp_path, type, password):
    path = str(tmp_path / "key")
    words = ["keygen", path, "--legacy", "--type", type]
    assert main([*words, "--password", password] if password else words) == 0
    signer = load_signer(Path(path).read_bytes(), password=PASSWORD.encode)
    told = legacy(path=path, type=type, password=password, signature=signer.sign(MESSAGE).hex())
    assert told["private_id"] == told["public_id"] == signer.key.legacy_id
    assert told["good"] is True
    assert signer.key.verify(bytes.fromhex(told["signature"]), MESSAGE)


def test_in_toto_1_reads_the_rsa_keys_that_we_make(legacy, tmp_path):
    path = str(tmp_path / "key")
    assert main(["keygen", path, "--type", "rsa"]) == 0
    signer = load_signer(Path(path).read_bytes())
    told = legacy(path=path, type="rsa", signature=signer.sign(MESSAGE).hex())
    assert told["private_id"] == signer.key.legacy_id
    assert told["good"] is True


@pytest.mark.parametrize("scheme", ["ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", *SCHEMES["rsa"]])
@pytest.mark.parametrize("form", ["modern", "legacy"])
def test_in_toto_1_verifies_with_the_key_objects_that_we_write(legacy, signers, scheme, form):
    signer = signers[scheme]
    key = signer.key.with_id(signer.key.id_of(form))
    told = legacy(object=key.to_json(), signature=signer.sign(MESSAGE).hex())
    assert told["good"] is True


@pytest.mark.parametrize("type", ["ed25519", "ecdsa", "rsa"])
def test_a_key_of_in_toto_1_is_the_same_key_in_in_toto_3_and_here(legacy, modern, tmp_path, type):
    path = tmp_path / "key"
    told = legacy(generate=type, path=str(path), type=type)
    signer = load_signer(path.read_bytes())
    again = modern(private=private_pem(signer, None).decode())
    assert {told["public_id"], again["private_id"]} <= signer.key.ids
    assert Key.from_json(signer.key.to_json(), id=told["public_id"]) == signer.key
