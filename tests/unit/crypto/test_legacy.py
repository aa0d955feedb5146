from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from navicert.crypto import legacy
from navicert.crypto.formats import load_public_key, load_signer
from navicert.crypto.signer import MemorySigner, generate
from navicert.errors import LimitExceeded, Malformed

PASSWORD = b"correct horse"

# Written by `in-toto-keygen -t ed25519` of in-toto 1.3.1; the password is "correct horse".
PUBLIC_131 = (
    '{"keytype": "ed25519", "scheme": "ed25519", "keyid_hash_algorithms": ["'
    'sha256", "sha512"], "keyval": {"public": "c9e7e999412c0a664078f7707e31f1f88fc48b2595979a2826c5a6ecfafbb67d"}}'
)
PRIVATE_131 = (
    "b63f43ff1123af0fc308f3f79f9448b6@@@@100000@@@@37d158ecc0b9e2a7ede47d03f32681c0f0d251f6c2acb8d768ddbc"
    "e1c25a07d9@@@@686548e7cc565080653740aef6c41624@@@@a5df8307e4d4455d93cc19edcd902f610bbd05f03ded5b4c6c"
    "bd2179905aa8b222a542863d7693708bc1db8d8e1adb8b80ed1eae4eb14fd2f06a859514e9e6e2068cd8ca942633a5c81a50"
    "d31499ebc1589d8215d3bafc88b8250ef783e81fef9050d2e1195c44729c137234ded31eb75e3936ccabe226bd89eaa68e1f"
    "5071e0a1333fc9187ee5687ca4dda65739d02a1008e523050b18a11d04210bff0812f229b4a86974d5dc7ee05ae03cfb5dd3"
    "f44c14a6d5fdd34156275eef8f7ba288d580eadeca88b76fa0b9a2e1943480f650ff8afd8506e6ad0e473ba2529e6d9f631b"
    "6bc5e69365db00781c53961aac468dd0dc53c5e70473d8ce06c68121c4827a6cd0f06ccab6ab55123decd68485c07039ef5a"
    "ae5d60706101f59fd4317811dde924caf255bdc16d118e886ddc64d80bf8b7e42bd49fb977d7ef361bfb9906533e0ce0286f"
    "42d53ba6f585620acdcad7"
)
KEYID_131 = "dc75cefc7a0e9b880001eacb98f7b190f5c772c32f2d5cdbb08219f155dde181"


def opened(text: bytes, password: bytes | None = None) -> MemorySigner:
    return load_signer(text, password=None if password is None else lambda: password)


def document(signer: MemorySigner) -> dict[str, object]:
    value = json.loads(legacy.private_file(signer, None))
    assert isinstance(value, dict)
    return value


def test_a_file_that_in_toto_wrote_opens_under_the_id_that_in_toto_gave_it():
    signer = opened(PRIVATE_131.encode(), PASSWORD)
    public = load_public_key(PUBLIC_131.encode())
    assert signer.keyid == public.id == KEYID_131
    assert signer.key == public
    assert public.verify(signer.sign(b"m"), b"m")


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_what_is_written_is_read_back(signer, password):
    again = opened(legacy.private_file(signer, password), password)
    assert again.key == signer.key
    assert load_public_key(legacy.public_file(signer.key)) == signer.key


def test_json_keys_sign_under_their_legacy_id_unless_told(signers):
    for kind in ("ed25519", "P-256"):
        text = legacy.private_file(signers[kind], None)
        key = signers[kind].key
        assert load_signer(text).keyid == key.legacy_id
        assert load_signer(text, id_form="modern").keyid == key.modern_id
        assert load_signer(text, id_form="go").keyid == key.go_id
        assert load_public_key(legacy.public_file(key)).id == key.legacy_id


def test_rsa_is_written_as_pkcs1_because_in_toto_did(signers):
    text = legacy.private_file(signers["rsa"], None)
    assert text.startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    assert b"DEK-Info: AES-256-CBC" in legacy.private_file(signers["rsa"], PASSWORD)
    assert not legacy.public_file(signers["rsa"].key).endswith(b"\n")


def test_an_ecdsa_private_half_is_sec1_because_in_toto_wrote_that(signers):
    keyval = document(signers["P-256"])["keyval"]
    assert isinstance(keyval, dict)
    assert load_pem_private_key(keyval["private"].encode(), None) is not None
    assert keyval["private"].startswith("-----BEGIN EC PRIVATE KEY-----")


def test_an_old_ecdsa_key_repeats_its_scheme_as_keytype(signers):
    old = {**document(signers["P-256"]), "keytype": "ecdsa-sha2-nistp256"}
    signer = opened(json.dumps(old).encode())
    assert signer.key == signers["P-256"].key
    assert signer.keyid not in signers["P-256"].key.ids  # in-toto of that time hashed the keytype it saw


def test_an_empty_password_is_refused_rather_than_pretending_to_encrypt(signers):
    for kind in ("ed25519", "rsa"):
        with pytest.raises(Malformed, match="the password is empty"):
            legacy.private_file(signers[kind], b"")


# --- encrypted -----------------------------------------------------------------------------------------------------


def sealed(signers) -> list[str]:
    return legacy.private_file(signers["ed25519"], PASSWORD).decode().split("@@@@")


def test_a_wrong_password_is_said_so():
    with pytest.raises(Malformed, match="wrong password"):
        opened(PRIVATE_131.encode(), b"wrong")


def test_a_missing_password_is_said_so():
    with pytest.raises(Malformed, match="encrypted, and no password was given"):
        opened(PRIVATE_131.encode())


def test_a_changed_ciphertext_is_not_decrypted(signers, monkeypatch):
    salt, rounds, code, iv, text = sealed(signers)
    flipped = f"{int(text[:2], 16) ^ 1:02x}{text[2:]}"
    decrypted: list[bytes] = []

    def spy(_key: bytes, _iv: bytes, data: bytes) -> bytes:
        decrypted.append(data)
        return data

    monkeypatch.setattr(legacy, "_aes_ctr", spy)
    with pytest.raises(Malformed, match="wrong password, or a damaged file"):
        opened("@@@@".join((salt, rounds, code, iv, flipped)).encode(), PASSWORD)
    assert decrypted == []


def test_a_changed_initial_vector_which_no_code_covers_is_noticed(signers):
    salt, rounds, code, iv, text = sealed(signers)
    for position in range(0, 32, 2):
        changed = iv[:position] + f"{int(iv[position : position + 2], 16) ^ 0x80:02x}" + iv[position + 2 :]
        with pytest.raises(Malformed):
            opened("@@@@".join((salt, rounds, code, changed, text)).encode(), PASSWORD)


def test_the_code_is_compared_in_constant_time(signers, monkeypatch):
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    opened("@@@@".join(sealed(signers)).encode(), PASSWORD)
    assert len(compared) == 1
    assert len(compared[0][0]) == len(compared[0][1]) == 32


@pytest.mark.parametrize("rounds", ["0", "10000001", "9" * 20])
def test_rounds_that_would_take_forever_are_refused(signers, rounds):
    salt, _, code, iv, text = sealed(signers)
    with pytest.raises(LimitExceeded, match="kdf_iterations"):
        opened("@@@@".join((salt, rounds, code, iv, text)).encode(), PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:4],
        lambda parts: [*parts, "00"],
        lambda parts: ["", *parts[1:]],
        lambda parts: ["zz", *parts[1:]],
        lambda parts: [parts[0] + "0", *parts[1:]],  # an odd number of digits
        lambda parts: [*parts[:4], parts[4] + "0"],
        lambda parts: [*parts[:4], ""],
        lambda parts: [parts[0], "-1", *parts[2:]],
        lambda parts: [parts[0], "٣", *parts[2:]],
        lambda parts: [*parts[:2], "00", *parts[3:]],
    ],
)
def test_a_damaged_encrypted_file_is_refused(signers, change):
    with pytest.raises(Malformed, match="damaged"):
        opened("@@@@".join(change(sealed(signers))).encode(), PASSWORD)


def test_an_encrypted_file_with_something_else_inside_is_refused(signers):
    for text in ("[]", "no JSON", "{}"):
        with pytest.raises(Malformed):
            opened(legacy._encrypt(text, PASSWORD).encode(), PASSWORD)


def test_what_is_written_takes_as_many_rounds_as_in_toto_does(signers):
    assert sealed(signers)[1] == "100000"


def test_bytes_that_are_not_text_inside_are_refused(signers):
    salt, iv, rounds = bytes(16), bytes(16), 1000
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD, salt, rounds, 32)
    inside = legacy._aes_ctr(key, iv, b"\xff\xfe\xfd")
    code = hmac.digest(key, inside, "sha256")
    text = "@@@@".join((salt.hex(), str(rounds), code.hex(), iv.hex(), inside.hex()))
    with pytest.raises(Malformed, match="does not open"):
        opened(text.encode(), PASSWORD)


# --- the wrong half, or halves that do not fit ---------------------------------------------------------------------


def test_a_private_file_is_no_public_key(signers):
    for password in (None, PASSWORD):
        with pytest.raises(Malformed, match=r"a private key where a public one belongs.*KEY\.pub"):
            load_public_key(legacy.private_file(signers["ed25519"], password))


@pytest.mark.parametrize("private", [None, ""])
def test_a_public_file_is_no_private_key(signers, private):
    value = json.loads(legacy.public_file(signers["ed25519"].key))
    if private is not None:
        value["keyval"]["private"] = private
    with pytest.raises(Malformed, match="a public key where a private one belongs"):
        opened(json.dumps(value).encode())


def test_halves_of_different_keys_are_refused_because_signatures_would_betray_the_private_one(signers):
    mixed = document(signers["ed25519"])
    mixed["keyval"] = {**mixed["keyval"], "public": generate().key.public_text}  # type: ignore[dict-item]
    with pytest.raises(Malformed, match="of different keys"):
        opened(json.dumps(mixed).encode())


@pytest.mark.parametrize("private", ["00" * 31, "zz" * 32, "0" * 63])
def test_a_private_half_that_is_not_64_digits_is_refused(signers, private):
    value = document(signers["ed25519"])
    value["keyval"]["private"] = private  # type: ignore[index]
    with pytest.raises(Malformed, match="not an Ed25519 private key") as caught:
        opened(json.dumps(value).encode())
    assert private not in str(caught.value)


def test_a_private_half_that_is_no_pem_is_refused_with_its_pointer(signers):
    value = document(signers["P-256"])
    value["keyval"]["private"] = "-----BEGIN EC PRIVATE KEY-----\n"  # type: ignore[index]
    with pytest.raises(Malformed, match="cut off") as caught:
        opened(json.dumps(value).encode())
    assert caught.value.pointer == "/keyval/private"


@pytest.mark.parametrize("text", ["{", "{}", '{"keyval": 1}', '{"keyval": {"private": 1}}', '{"a": 1, "a": 2}'])
def test_other_json_is_refused(text):
    for load in (load_public_key, load_signer):
        with pytest.raises(Malformed):
            load(text.encode())


def test_a_scheme_that_the_file_does_not_state_is_refused(signers):
    text = legacy.private_file(signers["ed25519"], None)
    assert load_signer(text, scheme="ed25519").key == signers["ed25519"].key
    with pytest.raises(Malformed, match="states another signature scheme"):
        load_signer(text, scheme="rsassa-pss-sha256")
    with pytest.raises(Malformed, match="states another signature scheme"):
        load_public_key(legacy.public_file(signers["ed25519"].key), scheme="rsassa-pss-sha256")


def test_an_rsa_key_object_with_its_private_half_is_read_too(signers):
    key = signers["rsa"].key
    value = {**key.to_json(), "scheme": "rsa-pkcs1v15-sha256"}
    private = legacy.private_file(signers["rsa"], None).decode()
    value["keyval"] = {"public": key.public_text, "private": private}
    signer = opened(json.dumps(value).encode())
    assert signer.key.scheme == "rsa-pkcs1v15-sha256"
    assert signer.key.verify(signer.sign(b"m"), b"m")
