"""Laws of keys and signatures: what holds for every key, message and file, and not only for chosen ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from navicert.crypto import legacy, point
from navicert.crypto.formats import load_public_key, load_signer
from navicert.crypto.key import SCHEMES, Key
from navicert.crypto.signer import CURVES, MemorySigner, generate, private_pem
from navicert.errors import Malformed

PASSWORD = b"correct horse"


@cache
def signer(scheme: str) -> MemorySigner:
    """One key for each scheme; the RSA ones share theirs."""
    if scheme in SCHEMES["rsa"]:
        return MemorySigner.of(rsa().private, scheme=scheme)
    if scheme == "ed25519":
        return generate()
    return generate("ecdsa", curve=CURVES[SCHEMES["ecdsa"].index(scheme)])


@cache
def rsa() -> MemorySigner:
    return generate("rsa", bits=2048)


schemes = st.sampled_from([scheme for names in SCHEMES.values() for scheme in names])
messages = st.binary(max_size=300)


@cache
def public_files(scheme: str) -> tuple[bytes, ...]:
    """The public half in every form that there is."""
    one = signer(scheme)
    public = one.private.public_key()
    files = [
        one.key.public_pem(),
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        legacy.public_file(one.key),
    ]
    if one.key.keytype == "rsa":
        files.append(public.public_bytes(Encoding.PEM, PublicFormat.PKCS1))
    return tuple(files)


@cache
def private_files(scheme: str) -> tuple[bytes, ...]:
    """The private half in every form that there is, plain."""
    one = signer(scheme)
    forms = [PrivateFormat.PKCS8, PrivateFormat.OpenSSH]
    if one.key.keytype != "ed25519":
        forms.append(PrivateFormat.TraditionalOpenSSL)
    files = [one.private.private_bytes(Encoding.PEM, form, NoEncryption()) for form in forms]
    return (*files, legacy.private_file(one, None), private_pem(one, None))


@cache
def encrypted_files(scheme: str) -> tuple[bytes, ...]:
    """The private half in every form that there is, under PASSWORD."""
    one = signer(scheme)
    quick = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(PASSWORD)
    files = [
        one.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)),
        one.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, quick),
        legacy.private_file(one, PASSWORD),
    ]
    if one.key.keytype != "ed25519":
        under = BestAvailableEncryption(PASSWORD)
        files.append(one.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, under))
    return tuple(files)


class TestSignatures:
    """in-toto v1.0 §4.2: a signature is made with the private half and checked with the public one."""

    @given(schemes, messages)
    def test_what_was_signed_verifies(self, scheme, message):
        one = signer(scheme)
        assert one.key.verify(one.sign(message), message)

    @given(schemes, messages, st.integers(0, 2**16))
    def test_a_signature_with_one_bit_flipped_never_verifies(self, scheme, message, number):
        one = signer(scheme)
        signature = bytearray(one.sign(message))
        bit = number % (len(signature) * 8)
        signature[bit // 8] ^= 1 << bit % 8
        assert not one.key.verify(bytes(signature), message)

    @given(schemes, st.binary(min_size=1, max_size=300), st.data())
    def test_a_message_with_one_bit_flipped_never_verifies(self, scheme, message, data):
        one = signer(scheme)
        bit = data.draw(st.integers(0, len(message) * 8 - 1))
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << bit % 8
        assert not one.key.verify(one.sign(message), bytes(changed))

    @given(schemes, st.binary(max_size=600), messages)
    def test_any_bytes_as_a_signature_are_false_and_raise_nothing(self, scheme, signature, message):
        assert signer(scheme).key.verify(signature, message) is False

    @given(schemes, messages, st.binary(min_size=1, max_size=4), st.booleans())
    def test_a_longer_or_shorter_signature_never_verifies(self, scheme, message, more, front):
        one = signer(scheme)
        signature = one.sign(message)
        assert not one.key.verify(more + signature if front else signature + more, message)
        assert not one.key.verify(signature[len(more) :] if front else signature[: -len(more)], message)

    @given(schemes, schemes, messages)
    def test_a_signature_of_one_key_or_scheme_never_verifies_under_another(self, mine, other, message):
        if mine != other:
            assert not signer(other).key.verify(signer(mine).sign(message), message)

    @given(st.sampled_from(sorted(point._SMALL_ORDER)), st.booleans())
    def test_no_key_that_anyone_can_sign_for_becomes_a_key(self, y, sign):
        public = (y | sign << 255).to_bytes(32, "little").hex()
        with pytest.raises(Malformed):
            Key.from_json({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})


class TestIdentity:
    """A key is its material: whatever it was read from, it counts once and answers to the same ids."""

    @given(st.sampled_from(["ed25519", *SCHEMES["ecdsa"], "rsassa-pss-sha256"]), st.data())
    def test_one_key_in_any_two_forms_is_one_key(self, scheme, data):
        key = signer(scheme).key
        raw = data.draw(st.sampled_from(public_files(scheme)))
        ending = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
        tail = data.draw(st.sampled_from([b"", b"\n", b"\r\n\r\n"]))
        read = load_public_key(raw.strip().replace(b"\n", ending) + tail)
        assert read == key
        assert read.material == key.material
        assert read.fingerprint == key.fingerprint
        assert read.ids == key.ids

    @given(st.sampled_from(["ed25519", *SCHEMES["ecdsa"], "rsassa-pss-sha256"]), st.data(), messages)
    def test_a_private_key_in_any_form_signs_for_its_public_key_in_any_form(self, scheme, data, message):
        private = load_signer(data.draw(st.sampled_from(private_files(scheme))))
        public = load_public_key(data.draw(st.sampled_from(public_files(scheme))))
        assert public.verify(private.sign(message), message)

    @given(schemes, st.from_regex(r"[0-9a-f]{8,128}", fullmatch=True))
    def test_an_id_changes_nothing_but_the_name(self, scheme, id):
        key = signer(scheme).key
        renamed = key.with_id(id)
        assert renamed == key
        assert hash(renamed) == hash(key)
        assert renamed.ids == key.ids | {id}
        assert Key.from_json(renamed.to_json()).id == id
        assert Key.from_json(renamed.to_json()) == key


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
key_objects = st.fixed_dictionaries(
    {},
    optional={
        "keyid": json_values,
        "keyid_hash_algorithms": json_values,
        "keytype": st.sampled_from([*SCHEMES, *SCHEMES["ecdsa"]]) | json_values,
        "scheme": schemes | json_values,
        "keyval": st.fixed_dictionaries({}, optional={"public": json_values, "private": json_values}) | json_values,
        "method": json_values,
    },
)


def refusal(read: Callable[..., object], *arguments: object) -> Malformed | None:
    """How `read` refuses its arguments, or None where it takes them. Any other exception goes through."""
    try:
        read(*arguments)
    except Malformed as error:
        return error
    return None


def flipped(data: st.DataObject, raw: bytes) -> bytes:
    """`raw` with one bit changed."""
    changed = bytearray(raw)
    changed[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(changed)


class TestHostileInput:
    """Whatever bytes come as a key: a key, or one clear refusal."""

    @given(st.binary(max_size=400))
    def test_random_bytes_are_refused_as_malformed(self, raw):
        for load in (load_public_key, load_signer):
            with pytest.raises(Malformed) as caught:
                load(raw, path="key")
            assert str(caught.value).startswith("key: ")

    @given(st.text(max_size=200), st.sampled_from(["-----BEGIN PUBLIC KEY-----\n", "ssh-ed25519 ", "{", "00@@@@1@@@@"]))
    def test_random_text_that_begins_like_a_key_is_refused_as_malformed(self, text, start):
        raw = (start + text).encode("utf-8", "surrogatepass")
        for load in (load_public_key, load_signer):
            with pytest.raises(Malformed):
                load(raw)

    @settings(max_examples=300)
    @given(st.sampled_from(["ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "rsassa-pss-sha256"]), st.data())
    def test_a_damaged_key_file_is_a_key_or_refused_in_one_line(self, scheme, data):
        raw = bytearray(data.draw(st.sampled_from(public_files(scheme) + private_files(scheme))))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        for load in (load_public_key, load_signer):
            assert "\n" not in str(refusal(load, bytes(raw)))

    @settings(max_examples=100)
    @given(st.sampled_from(["ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"]), st.data())
    def test_a_damaged_encrypted_file_is_a_key_or_refused_in_one_line(self, scheme, data):
        # PKCS#8 has no code over its ciphertext, so another key may come out of it; its public half will not fit.
        raw = flipped(data, data.draw(st.sampled_from(encrypted_files(scheme))))
        assert "\n" not in str(refusal(lambda: load_signer(raw, password=lambda: PASSWORD)))

    @settings(max_examples=60)
    @given(st.sampled_from(["ed25519", "ecdsa-sha2-nistp256"]), st.data())
    def test_a_damaged_encrypted_file_of_in_toto_1x_never_gives_another_key(self, scheme, data):
        raw = flipped(data, encrypted_files(scheme)[2])
        try:
            opened = load_signer(raw, password=lambda: PASSWORD)
        except Malformed:
            return
        assert opened.key == signer(scheme).key

    @given(key_objects | json_values)
    def test_any_json_value_is_a_key_or_refused_as_malformed(self, value):
        error = refusal(lambda: Key.from_json(value, pointer="/keys/x"))
        assert error is None or error.pointer.startswith("/keys/x")
