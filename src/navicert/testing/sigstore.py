"""A private Sigstore for tests: certificate authority, log of certificates, Rekor of both kinds, timestamps.

Everything is made and signed for real, in memory; only the place is missing where it would be served. `root` is the
trust root, `navicert.testing.bundle` makes bundles that verify by it::

    sigstore = PrivateSigstore()
    raw = as_bytes(keyless(sigstore, statement))
    judged = judge_bytes(raw, TrustedRoot.read(sigstore.root_bytes()), NOW, wanted=[sigstore.policy])

The keys are as public as this file: never trust one outside a test.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final

from navicert.model.identity import ARC, CLAIMS, Identity, IdentityPolicy, Wanted
from navicert.testing import NOW
from navicert.testing.timestamp_authority import TimestampAuthority, tlv
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ISSUER: Final = "https://token.actions.githubusercontent.com"
SAN: Final = "https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main"
SIGNED: Final = NOW - timedelta(days=30)
"""When bundles are signed, unless another moment is given."""

Json = dict[str, Any]
_ORDERS: Final = {"P-256": 2**255, "P-384": 2**383}
_SCT_LIST: Final = "1.3.6.1.4.1.11129.2.4.2"


def b64(raw: bytes) -> str:
    """`raw` in base64."""
    return base64.b64encode(raw).decode()


def private_key(name: str, curve: str = "P-256") -> Any:
    """The ECDSA key called `name`."""
    from cryptography.hazmat.primitives.asymmetric import ec

    seed = hashlib.sha512(f"navicert.testing.sigstore {name}".encode()).digest()
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDERS[curve] - 1) + 1, curves[curve])


def _spki(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return raw


def der(certificate: Any) -> bytes:
    """A certificate of `cryptography` in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding

    raw: bytes = certificate.public_bytes(Encoding.DER)
    return raw


def pem(certificate: Any) -> str:
    """A certificate of `cryptography` in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    text: str = certificate.public_bytes(Encoding.PEM).decode()
    return text


def ecdsa(private: Any, message: bytes) -> bytes:
    """The ECDSA signature of `private` over `message`, with the hash that goes with its curve."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    hash = hashes.SHA256() if private.key_size == 256 else hashes.SHA384()
    signature: bytes = private.sign(message, ec.ECDSA(hash))
    return signature


class PrivateSigstore:
    """One instance. Two of different `name` have nothing in common but how they are made."""

    def __init__(self, name: str = "private") -> None:
        from cryptography.hazmat.primitives.asymmetric import ed25519

        self.name = name
        self.start = NOW - timedelta(days=365)
        self.ca_key = private_key(f"{name} ca", "P-384")
        self.between_key = private_key(f"{name} intermediate", "P-384")
        self.ct_key = private_key(f"{name} ct")
        self.rekor_key = private_key(f"{name} rekor")
        self.tiles_key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{name} tiles".encode()).digest())
        self.tiles_name = f"log2026.{name}.example"
        self.ca = self.authority(f"{name} root", self.ca_key)
        self.between = self.authority(f"{name} intermediate", self.between_key, by=(self.ca, self.ca_key))
        self.tsa_root_key = private_key(f"{name} tsa root", "P-384")
        self.tsa_root = self.authority(f"{name} tsa root", self.tsa_root_key, purpose=None)
        self.tsa = self.timestamps()

    # --- certificates ----------------------------------------------------------------------------------------------

    def authority(
        self,
        subject: str,
        private: Any,
        *,
        by: tuple[Any, Any] | None = None,
        purpose: str | None = "1.3.6.1.5.5.7.3.3",
        ca: bool = True,
        certify: bool | None = None,
        path_length: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        critical: bool = False,
    ) -> Any:
        """The certificate of an authority, signed by `by` (certificate and key), else by itself. `certify` is its key
        usage, where that is to differ from `ca`."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if by is None else by[0].subject)
            .public_key(private.public_key())
            .serial_number(_number(subject))
            .not_valid_before(start or self.start)
            .not_valid_after(end or NOW + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
            .add_extension(_usage(certify=ca if certify is None else certify), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        )
        if by is not None:
            builder = builder.add_extension(_issuer_key(by[1]), critical=False)
        if purpose and by is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(purpose)]), critical=False)
        if critical:
            odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
            builder = builder.add_extension(odd, critical=True)
        return builder.sign(private if by is None else by[1], hashes.SHA384())

    def certificate(
        self,
        private: Any,
        *,
        san: object = SAN,
        issuer: str = ISSUER,
        claims: Mapping[str, str] | None = None,
        start: datetime = SIGNED - timedelta(minutes=1),
        minutes: int = 10,
        by: tuple[Any, Any] | None = None,
        purposes: Sequence[str] = ("1.3.6.1.5.5.7.3.3",),
        ca: bool = False,
        sign: bool = True,
        issuer_v1: str | None = None,
        issuer_v2: bool = True,
        critical: bool = False,
        sct: bool = True,
        sct_key: Any = None,
        sct_log: bytes | None = None,
        sct_at: datetime | None = None,
        sct_issuer: bytes | None = None,
    ) -> Any:
        """A certificate for the key `private`, as Fulcio would issue one. `san` is a text (a URI, or an e-mail address
        where it has no `:`) or a list of names of `cryptography`."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        signer, signer_key = by or (self.between, self.between_key)
        text = {"1": issuer if issuer_v1 is None else issuer_v1} if issuer_v1 != "" else {}
        text |= {"8": issuer} if issuer_v2 else {}
        text |= {number: claims[name] for number, name in CLAIMS.items() if claims and name in claims}
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(signer.subject)
            .public_key(private.public_key())
            .serial_number(_number(f"{san} {start}"))
            .not_valid_before(start)
            .not_valid_after(start + timedelta(minutes=minutes))
            .add_extension(x509.SubjectAlternativeName(_names(san)), critical=True)
            .add_extension(_usage(sign=sign, certify=ca), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(map(x509.ObjectIdentifier, purposes))), critical=False)
            .add_extension(_issuer_key(signer_key), critical=False)
        )
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        if critical:
            odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
            builder = builder.add_extension(odd, critical=True)
        for number, claim in text.items():
            encoded = claim.encode() if int(number) <= 6 else tlv(0x0C, claim.encode())
            builder = builder.add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier(ARC + number), encoded), critical=False
            )
        if not sct:
            return builder.sign(signer_key, hashes.SHA384())
        # The log signs the certificate as it is without its promise.
        before = builder.sign(signer_key, hashes.SHA384()).tbs_certificate_bytes
        milliseconds = int((sct_at or start).timestamp() * 1000)
        whom = hashlib.sha256(_spki(signer_key.public_key())).digest() if sct_issuer is None else sct_issuer
        signed = b"\x00\x00" + milliseconds.to_bytes(8, "big") + b"\x00\x01" + whom
        signed += len(before).to_bytes(3, "big") + before + b"\x00\x00"
        signature = ecdsa(sct_key or self.ct_key, signed)
        log = hashlib.sha256(_spki(self.ct_key.public_key())).digest() if sct_log is None else sct_log
        one = b"\x00" + log + milliseconds.to_bytes(8, "big") + b"\x00\x00\x04\x03" + _counted(signature)
        value = tlv(0x04, _counted(_counted(one)))
        return builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(_SCT_LIST), value), critical=False
        ).sign(signer_key, hashes.SHA384())

    def timestamps(
        self,
        *,
        purposes: Sequence[str] = ("1.3.6.1.5.5.7.3.8",),
        critical: bool = True,
        end: datetime | None = None,
        private: Any = None,
    ) -> TimestampAuthority:
        """A timestamp authority under the root of this instance."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        private = private or private_key(f"{self.name} tsa")
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{self.name} tsa")]))
            .issuer_name(self.tsa_root.subject)
            .public_key(private.public_key())
            .serial_number(_number(f"{self.name} tsa"))
            .not_valid_before(self.start)
            .not_valid_after(end or NOW + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(map(x509.ObjectIdentifier, purposes))), critical=critical)
            .add_extension(_issuer_key(self.tsa_root_key), critical=False)
        )
        return TimestampAuthority(builder.sign(self.tsa_root_key, hashes.SHA384()), private)

    # --- the trust root --------------------------------------------------------------------------------------------

    def root(self, *, logs: bool = True, ctlogs: bool = True, timestamps: bool = True) -> Json:
        """The trust root of this instance as a JSON object, with the parts that are asked for."""
        since = {"start": format_timestamp(self.start)}
        rekor, ct = self.rekor_key.public_key(), self.ct_key.public_key()
        document: Json = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [_chain(f"https://fulcio.{self.name}.example", [self.between, self.ca], since)],
        }
        if logs:
            document["tlogs"] = [
                _log(f"https://rekor.{self.name}.example", rekor, "PKIX_ECDSA_P256_SHA_256", since),
                _log(f"https://{self.tiles_name}", self.tiles_key.public_key(), "PKIX_ED25519", since, self.tiles_id),
            ]
        if ctlogs:
            document["ctlogs"] = [_log(f"https://ct.{self.name}.example", ct, "PKIX_ECDSA_P256_SHA_256", since)]
        if timestamps:
            chain = [self.tsa.certificate, self.tsa_root]
            document["timestampAuthorities"] = [_chain(f"https://tsa.{self.name}.example", chain, since)]
        return document

    def root_bytes(self, **parts: bool) -> bytes:
        """The trust root as a file."""
        return json.dumps(self.root(**parts)).encode()

    @property
    def rekor_id(self) -> bytes:
        """The id of the log of the first kind."""
        return hashlib.sha256(_spki(self.rekor_key.public_key())).digest()

    @property
    def tiles_id(self) -> bytes:
        """The id of the log of the second kind. Spec: C2SP signed-note (Ed25519 signatures)."""
        public = self.tiles_key.public_key().public_bytes_raw()
        return hashlib.sha256(f"{self.tiles_name}\n".encode() + b"\x01" + public).digest()

    @property
    def identity(self) -> Identity:
        """Who signs, unless somebody else is asked for."""
        return Identity(ISSUER, SAN)

    @property
    def policy(self) -> IdentityPolicy:
        """What accepts exactly `identity`."""
        return IdentityPolicy(Wanted.exactly(SAN), Wanted.exactly(ISSUER))


# --- parts of certificates and trust roots -------------------------------------------------------------------------


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big") | 1


def _counted(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw


def _names(san: object) -> list[Any]:
    from cryptography import x509

    if not isinstance(san, str):
        return list(san)  # type: ignore[call-overload, no-any-return]
    return [x509.UniformResourceIdentifier(san) if ":" in san else x509.RFC822Name(san)]


def _issuer_key(private: Any) -> Any:
    from cryptography import x509

    return x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key())


def _usage(*, sign: bool = False, certify: bool = False) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=not (sign or certify),
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=certify,
        encipher_only=False,
        decipher_only=False,
    )


def _log(url: str, public: Any, details: str, since: Mapping[str, str], id: bytes | None = None) -> Json:
    raw = _spki(public)
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": b64(raw), "keyDetails": details, "validFor": dict(since)},
        "logId": {"keyId": b64(hashlib.sha256(raw).digest() if id is None else id)},
    }


def _chain(url: str, certificates: Sequence[Any], since: Mapping[str, str]) -> Json:
    return {
        "subject": {"organization": "example", "commonName": url},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": b64(der(certificate))} for certificate in certificates]},
        "validFor": dict(since),
    }
