"""Key files of every form, told apart by what is in them: PEM, OpenSSH, OpenPGP, and the JSON of in-toto 1.x."""

from __future__ import annotations

from navicert.crypto import pem
from navicert.crypto.key import IdForm, Key
from navicert.errors import LimitExceeded, Malformed, NavicertError
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.crypto.material import PrivateKey
    from navicert.crypto.signer import MemorySigner

_FORMS = "a key in PEM, OpenSSH, OpenPGP or in-toto 1.x form"


def load_public_key(raw: bytes, *, path: str = "", scheme: str | None = None) -> Key:
    """The public key in `raw`, whatever its form; `path` is where it came from, for messages.

    Its id is the modern one, of an in-toto 1.x file the legacy one. `scheme` chooses another than the type's default.
    Raises `Malformed` for everything else, a private key included: whoever verifies must not need one.
    """
    try:
        return _public(raw, scheme)
    except NavicertError as error:
        error.at(path)
        raise


def load_signer(
    raw: bytes,
    *,
    password: pem.Password | None = None,
    path: str = "",
    scheme: str | None = None,
    id_form: IdForm | None = None,
) -> MemorySigner:
    """The private key in `raw`, whatever its form, as a signer.

    `password` is called only where the key is encrypted. `id_form` says which of its ids to sign under: by default
    the one that the programs sign under that read such files, legacy for those of in-toto 1.x and modern for others.
    Raises `Malformed`, and `Unavailable` where a library that the form needs is not installed.
    """
    try:
        return _signer(raw, password, scheme, id_form)
    except NavicertError as error:
        error.at(path)
        raise


def _public(raw: bytes, scheme: str | None) -> Key:
    if _is_pem(raw):
        return Key.of(pem.load_public(_text(raw)), scheme=scheme)
    from navicert.crypto import gpg_armour, legacy, openssh

    if gpg_armour.is_binary(raw):
        return _under(_openpgp(_bounded(raw)), scheme)
    text = _text(raw)
    if gpg_armour.is_armoured(text):
        return _under(_openpgp(gpg_armour.unarmour(text)), scheme)
    if legacy.is_plain(text):
        return _under(legacy.load_public(text), scheme)
    if legacy.is_encrypted(text):
        raise pem.private_given("an encrypted private key of in-toto 1.x")
    found = openssh.load_public(text) if openssh.is_public_line(text) else pem.load_public(text)
    return Key.of(found, scheme=scheme)


def _signer(raw: bytes, password: pem.Password | None, scheme: str | None, id_form: IdForm | None) -> MemorySigner:
    from navicert.crypto.signer import MemorySigner

    text = _text(raw)
    if _is_pem(raw):
        return MemorySigner.of(_of_block(text, password), scheme=scheme, form=id_form or "modern")
    from navicert.crypto import legacy, openssh

    if legacy.is_plain(text) or legacy.is_encrypted(text):
        signer = legacy.load_signer(text, password)
        _under(signer.key, scheme)
        return signer if id_form is None else signer.with_id(signer.key.id_of(id_form))
    if openssh.is_public_line(text):
        raise pem.public_given("an OpenSSH public key")
    return MemorySigner.of(_of_block(text, password), scheme=scheme, form=id_form or "modern")


def _is_pem(raw: bytes) -> bool:
    """Whether `raw` is so clearly PEM that no other form has to be thought of, nor its module loaded. What is not may
    be PEM all the same."""
    return raw.startswith(b"-----BEGIN ") and b" PGP " not in raw and b"@@@@" not in raw


def _openpgp(data: bytes) -> Key:
    from navicert.crypto.gpg_bundle import read_bundle

    return read_bundle(data)


def _of_block(text: str, password: pem.Password | None) -> PrivateKey:
    block = pem.only_block(text)
    if block.label == pem.OPENSSH_LABEL:
        from navicert.crypto import openssh

        return openssh.load_private(block, password)
    if block.label in pem.PRIVATE_LABELS:
        return pem.load_private(block, password)
    raise pem.public_given(block.label) if block.label in pem.PUBLIC_LABELS else pem.foreign(block.label)


def _under(key: Key, scheme: str | None) -> Key:
    """`key`, whose file states its scheme, if `scheme` does not ask for another."""
    if scheme not in (None, key.scheme):
        raise Malformed("the key file states another signature scheme", expected=repr(scheme), got=key.scheme)
    return key


def _bounded(raw: bytes) -> bytes:
    if len(raw) > LOCAL.key_bytes:
        raise LimitExceeded(
            "too large for a key (limit key_bytes)",
            expected=f"at most {LOCAL.key_bytes} bytes",
            got=f"{len(raw)} bytes" if len(raw) > LOCAL.key_bytes + 1 else "more",
            remedy="give the file of a key",
        )
    return raw


def _text(raw: bytes) -> str:
    try:
        text = _bounded(raw).decode("utf-8").removeprefix("\ufeff")  # which editors on Windows write
    except UnicodeDecodeError as error:
        # DER begins with the tag of a SEQUENCE.
        der = raw.startswith(b"\x30")
        remedy = "convert it with: openssl pkey -inform DER -in FILE" if der else "export it in PEM"
        raise Malformed("not text, so no key file", expected=_FORMS, got="binary data", remedy=remedy) from error
    if not text.strip():
        raise Malformed("empty", expected=_FORMS)
    return text
