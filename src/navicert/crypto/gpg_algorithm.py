"""The public-key algorithms of OpenPGP that in-toto knows: RSA, DSA and EdDSA on Ed25519.

Each has an octet in packets, and a `type`, a `method` and named numbers in the key objects of layouts. An EdDSA
signature is over the digest, not over the message. Spec: RFC 4880 §5.2.2, §5.5.2, §9.1; RFC 9580 §5.5.5.5.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from navicert.crypto import point
from navicert.crypto.gpg_packet import MAX_MPI_BITS, Reader
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HASHES: Final = {2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}
"""Hash algorithms by their octet, under the names of hashlib. Spec: RFC 4880 §9.4."""

SHA1: Final = 2
SHA256: Final = 8

_ED25519: Final = bytes.fromhex("2b06010401da470f01")
_NATIVE_POINT: Final = 0x40
_DSA_Q_BITS: Final = (224, 256)
_HEX: Final = re.compile(rf"[0-9a-fA-F]{{1,{MAX_MPI_BITS // 4}}}")


class Algorithm(NamedTuple):
    """One algorithm: its octet, its two names, and the numbers of a public key in the order of packets."""

    octet: int
    type: str
    method: str
    values: tuple[str, ...]


ALGORITHMS: Final = (
    Algorithm(1, "rsa", "pgp+rsa-pkcsv1.5", ("n", "e")),
    Algorithm(17, "dsa", "pgp+dsa-fips-180-2", ("p", "q", "g", "y")),
    Algorithm(22, "eddsa", "pgp+eddsa-ed25519", ("q",)),
)
BY_OCTET: Final = {algorithm.octet: algorithm for algorithm in ALGORITHMS}
BY_TYPE: Final = {algorithm.type: algorithm for algorithm in ALGORITHMS}


def of_octet(octet: int) -> Algorithm:
    """The algorithm of a packet. Raises `Malformed` for one that in-toto does not know."""
    if octet not in BY_OCTET:
        raise Malformed("unsupported OpenPGP algorithm", expected="RSA, DSA or EdDSA (1, 17, 22)", got=str(octet))
    return BY_OCTET[octet]


# --- packets -------------------------------------------------------------------------------------------------------


def read_values(algorithm: Algorithm, reader: Reader) -> dict[str, str]:
    """The numbers of a public key in hex, as key objects hold them; all of `reader` is taken. Raises `Malformed`."""
    if algorithm.type == "eddsa":
        curve = reader.take(reader.number(1))
        encoded = reader.mpi()
        if curve != _ED25519 or len(encoded) != 1 + point.SIZE or encoded[0] != _NATIVE_POINT:
            raise Malformed("unsupported curve of an OpenPGP key", expected="Ed25519")
        values = {"q": encoded[1:].hex()}
    else:
        values = {name: reader.mpi().hex() for name in algorithm.values}
    reader.end()
    return values


def read_signature(algorithm: Algorithm, reader: Reader) -> bytes:
    """The value of a signature in the form in which in-toto keeps it: of RSA the number, of DSA the DER of both, of
    EdDSA both in 32 bytes each; all of `reader` is taken. Raises `Malformed`."""
    if algorithm.type == "rsa":
        value = reader.mpi()
    else:
        r, s = reader.mpi(), reader.mpi()
        if algorithm.type == "dsa":
            from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

            value = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        elif max(len(r), len(s)) > point.SIZE:
            raise Malformed("not an EdDSA signature", expected=f"two numbers of at most {point.SIZE} bytes")
        else:
            # Numbers lose their leading zeros in packets; these are no numbers, and need them.
            value = r.rjust(point.SIZE, b"\0") + s.rjust(point.SIZE, b"\0")
    reader.end()
    return value


# --- keys ----------------------------------------------------------------------------------------------------------


def material(algorithm: Algorithm, values: Mapping[str, str]) -> bytes:
    """The DER SubjectPublicKeyInfo of a key whose numbers are `values`, in hex. Raises `Malformed` for numbers that
    make no key, and for a key that is too weak or that anyone can sign for."""
    if algorithm.type == "eddsa":
        return _ed25519(values["q"])
    numbers = {name: _number(values[name], name) for name in algorithm.values}
    return _rsa(numbers) if algorithm.type == "rsa" else _dsa(numbers)


def _number(text: str, name: str) -> int:
    if not _HEX.fullmatch(text):
        raise Malformed(f'"{name}" of a gpg key is no number', expected=f"1 to {MAX_MPI_BITS // 4} hexadecimal digits")
    return int(text, 16)


def _ed25519(text: str) -> bytes:
    if len(text) != 2 * point.SIZE:
        raise Malformed('"q" of a gpg key is no Ed25519 point', expected=f"{2 * point.SIZE} hexadecimal digits")
    raw = _number(text, "q").to_bytes(point.SIZE, "big")
    weakness = point.weakness(raw)
    if weakness:
        raise Malformed(f"gpg key refused: {weakness}")
    return point.SPKI + raw


def _rsa(numbers: Mapping[str, int]) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    from navicert.crypto.material import describe

    try:
        public = RSAPublicNumbers(numbers["e"], numbers["n"]).public_key()
    except ValueError as error:
        raise Malformed(f"not a usable RSA key: {str(error).rstrip('.')}") from error
    return describe(public).spki


def _dsa(numbers: Mapping[str, int]) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.dsa import DSAParameterNumbers, DSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from navicert.crypto.material import MIN_RSA_BITS

    p, q, g, y = (numbers[name] for name in BY_TYPE["dsa"].values)
    if p.bit_length() < MIN_RSA_BITS or q.bit_length() not in _DSA_Q_BITS:
        raise Malformed(
            "DSA key too weak to sign or verify with",
            expected=f"at least {MIN_RSA_BITS} bits, and a subgroup of 224 or 256",
            got=f"{p.bit_length()} bits, {q.bit_length()}",
        )
    try:
        public = DSAPublicNumbers(y, DSAParameterNumbers(p, q, g)).public_key()
    except ValueError as error:
        raise Malformed(f"not a usable DSA key: {str(error).rstrip('.')}") from error
    # Generator and key must lie in the subgroup of order q: with a key of 1, say, anyone can sign.
    # Spec: FIPS 186-4 §A.2.2, SP 800-56A rev. 3 §5.6.2.3.1.
    if not (1 < g < p and 1 < y < p) or pow(g, q, p) != 1 or pow(y, q, p) != 1:
        raise Malformed("gpg key refused: its numbers are not those of a DSA key")
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# --- signatures ----------------------------------------------------------------------------------------------------


def verify(type: str, spki: bytes, signature: bytes, hash: int, digest: bytes) -> bool:
    """Whether `signature` (as `read_signature` gives it) is over `digest`, made with `hash` (an octet), by the key of
    `type` whose material `material` gave as `spki`. Any bytes may come as a signature."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    algorithm: hashes.HashAlgorithm = getattr(hashes, HASHES[hash].upper())()
    try:
        if type == "eddsa":
            ed25519.Ed25519PublicKey.from_public_bytes(spki[len(point.SPKI) :]).verify(signature, digest)
            return True
        public = load_der_public_key(spki)
        if isinstance(public, rsa.RSAPublicKey):
            # The number may have lost its leading zeros, or got them back.
            size = (public.key_size + 7) // 8
            whole = signature.lstrip(b"\0").rjust(size, b"\0")
            if len(whole) != size or len(signature) > size:
                return False
            public.verify(whole, digest, padding.PKCS1v15(), Prehashed(algorithm))
            return True
        if isinstance(public, dsa.DSAPublicKey):
            public.verify(signature, digest, Prehashed(algorithm))
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False
