"""A certificate authority of a test's own, which issues what no honest one would."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
"""The moment at which all of them are valid, unless made otherwise."""
DAY = datetime.timedelta(days=1)

CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING


class Holder:
    """A certificate and its private key; as an authority, it issues others."""

    def __init__(self, certificate: x509.Certificate, private: Any) -> None:
        self.certificate, self.private = certificate, private

    @property
    def pem(self) -> str:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self,
        common_name: str = "builder",
        *,
        private: Any = None,
        organizations: Iterable[str] = (),
        uris: Iterable[str] = (),
        dns: Iterable[str] = (),
        emails: Iterable[str] = (),
        ca: bool | None = False,
        path_length: int | None = None,
        since: datetime.datetime = NOW - DAY,
        until: datetime.datetime = NOW + DAY,
        usage: str | None = "digital_signature",
        purposes: Iterable[x509.ObjectIdentifier] | None = (CODE_SIGNING,),
        purposes_critical: bool = False,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
        subject: x509.Name | None = None,
    ) -> Holder:
        """A certificate for a holder of these names. `ca` None leaves out the basic constraints."""
        made = private or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self.certificate.subject, subject or name_of(common_name, organizations), made, since, until)
        alternative = [
            *map(x509.UniformResourceIdentifier, uris),
            *map(x509.DNSName, dns),
            *map(x509.RFC822Name, emails),
        ]
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), False)
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, path_length), True)
        if usage is not None:
            builder = builder.add_extension(key_usage(usage), True)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), purposes_critical)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        algorithm = None if isinstance(self.private, Ed25519PrivateKey) else hashes.SHA256()
        return Holder(builder.sign(self.private, algorithm), made)

    def authority(self, common_name: str = "issuing CA", **more: Any) -> Holder:
        """An authority below this one."""
        return self.issue(common_name, **{"ca": True, "usage": "key_cert_sign", "purposes": None, **more})


def new_root(common_name: str = "root CA", *, private: Any = None, **more: Any) -> Holder:
    """A root, signed by itself."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    name = name_of(common_name, ())
    itself = Holder(_builder(name, name, private, NOW, NOW + DAY).sign(private, hashes.SHA256()), private)
    return itself.authority(common_name, private=private, **more)


def name_of(common_name: str, organizations: Iterable[str]) -> x509.Name:
    """The distinguished name with these parts."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
    return x509.Name([*parts, *([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])])


def key_usage(*uses: str) -> x509.KeyUsage:
    """The extension that allows `uses`, named as in `cryptography`, and nothing else."""
    all = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{use: use in uses for use in (*all, *more)})


def by_the_letter(
    builder: x509.CertificateBuilder, own: Any, issuer: Any, *, authority: bool
) -> x509.CertificateBuilder:
    """`builder` with what RFC 5280 asks for beside the names; clients of Python from 3.13 on insist on it. `own` and
    `issuer` are public keys."""
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    return builder.add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True) if authority else builder


def _builder(
    issuer: x509.Name, subject: x509.Name, private: Any, since: datetime.datetime, until: datetime.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(since).not_valid_after(until)
