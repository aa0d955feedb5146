"""Keys that a certificate vouches for, and the roots that vouch for certificates.

Whoever holds the key of a certificate can sign; whether that counts is another question, which depends on the moment:
`CertificateRoots.chain` answers it. Until then the certificate is anybody's word. Spec: ITE-7; RFC 5280 §6.
"""

from __future__ import annotations

from navicert.crypto import name_constraint
from navicert.crypto.certificate import ANY_PURPOSE, CODE_SIGNING, Certificate
from navicert.crypto.certification import ways
from navicert.crypto.key import Key
from navicert.crypto.material import describe
from navicert.crypto.pem import armour
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed, Refused
from navicert.model.constraint import HolderNames
from navicert.model.field import as_object, as_text, required
from navicert.model.principal import Principal
from navicert.strictjson import canonical, pointer
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import ClassVar, Final

    from navicert.crypto.signer import Signer

PURPOSES: Final = frozenset({CODE_SIGNING, "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", ANY_PURPOSE})
"""Extended key usages of who may sign: code, and what certificates of workloads are for, servers and clients."""


@dataclass(frozen=True, slots=True)
class CertificateKey(Key):
    """The key of a certificate. It is equal to no other key: what may be done with it says the certificate."""

    certified: ClassVar[bool] = True

    certificate: Certificate | None = field(default=None, repr=False)

    @staticmethod
    def of_certificate(certificate: Certificate, id: str | None = None) -> CertificateKey:
        """The key of `certificate`, under `id` or its own. Raises `Malformed` for kinds that cannot sign."""
        key = Key.of(describe(certificate.loaded.public_key()))
        return CertificateKey(key.keytype, key.scheme, key.material, id or key.id, certificate=certificate)

    @staticmethod
    def read(text: str, id: str | None = None) -> CertificateKey:
        """The key of the first certificate in PEM, the holder's; others may follow it. Raises `Malformed`."""
        return CertificateKey.of_certificate(Certificate.read_pem(text)[0], id)

    @property
    def names(self) -> HolderNames:
        """What the certificate says of its holder."""
        return names_of(self.holder)

    @property
    def holder(self) -> Certificate:
        """The certificate."""
        if self.certificate is None:
            raise TypeError("a CertificateKey comes from CertificateKey.of_certificate only")
        return self.certificate

    def with_id(self, id: str) -> CertificateKey:
        """This key under another id."""
        return CertificateKey.of_certificate(self.holder, id)

    @property
    def principal(self) -> Principal | None:
        """The holder: one and the same for all certificates that say the same of her, whatever key they are for. None
        for a certificate that names nobody."""
        names = self.names
        return Principal("certificate", canonical(names.to_json()).decode(), str(names)) if names.all else None

    @property
    def attached(self) -> Mapping[str, object]:
        """The certificate, where in-toto-golang looks for it."""
        return {"cert": armour("CERTIFICATE", self.holder.der)}


def names_of(certificate: Certificate) -> HolderNames:
    """What `certificate` says of its holder."""
    from cryptography import x509

    subject = certificate.loaded.subject
    alternative = x509.GeneralNames([])
    for extension in certificate.loaded.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            alternative = x509.GeneralNames(list(extension.value))

    def attributes(oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(str(attribute.value) for attribute in subject.get_attributes_for_oid(oid))

    return HolderNames(
        common_names=tuple(name for name in attributes(x509.NameOID.COMMON_NAME) if name),
        dns_names=tuple(alternative.get_values_for_type(x509.DNSName)),
        emails=tuple(alternative.get_values_for_type(x509.RFC822Name)),
        organizations=attributes(x509.NameOID.ORGANIZATION_NAME),
        uris=tuple(alternative.get_values_for_type(x509.UniformResourceIdentifier)),
    )


@dataclass(frozen=True, slots=True)
class CertificateRoots:
    """The roots that a layout trusts, by the id that it gives each, and the intermediate authorities that it names."""

    roots: Mapping[str, Certificate] = field(default_factory=dict)
    intermediates: tuple[Certificate, ...] = ()

    @staticmethod
    def of(
        roots: Mapping[str, Mapping[str, object]], intermediates: Mapping[str, Mapping[str, object]]
    ) -> CertificateRoots:
        """What the objects of a layout's `rootcas` and `intermediatecas` hold. Raises `Malformed`."""
        return CertificateRoots(
            {id: authority_of(value, pointer("/rootcas", id)) for id, value in roots.items()},
            tuple(authority_of(value, pointer("/intermediatecas", id)) for id, value in intermediates.items()),
        )

    def known(self, leaf: Certificate) -> bool:
        """Whether some root vouches for `leaf`, at whatever moment."""
        return any(True for _ in self._chains(leaf))

    def chains(
        self, leaf: Certificate, moment: datetime, denied: Callable[[Certificate], bool] = lambda _: False
    ) -> tuple[dict[str, tuple[Certificate, ...]], str]:
        """The way up from `leaf` to each root that vouches for it at `moment`, by the root's id; and where there is
        none, why. None leads over a certificate that is `denied`."""
        problem = _unfit(leaf, moment)
        if problem:
            return {}, problem
        found: dict[str, tuple[Certificate, ...]] = {}
        problems: list[str] = []
        for id, chain in self._chains(leaf):
            revoked = next((one for one in chain if denied(one)), None)
            problem = f"the certificate of {revoked.subject} is revoked" if revoked else _objection(chain, moment)
            if problem:
                problems.append(problem)
            else:
                found.setdefault(id, chain)
        if found:
            return found, ""
        return {}, "; ".join(dict.fromkeys(problems[:3])) or "no root of the layout vouches for it"

    def _chains(self, leaf: Certificate) -> Iterator[tuple[str, tuple[Certificate, ...]]]:
        for id, root in self.roots.items():
            for chain in ways(leaf, (*self.intermediates, root), root):
                if len(chain) > 1:  # a root is no functionary
                    yield id, chain


def authority_of(value: Mapping[str, object], where: str = "") -> Certificate:
    """The certificate in the object of an authority: a key object whose `keyval` holds one. Raises `Malformed`."""
    keyval = as_object(required(value, "keyval", where), f"{where}/keyval")
    where = f"{where}/keyval/certificate"
    found = Certificate.read_pem(as_text(required(keyval, "certificate", f"{where}/keyval"), where), where)
    if len(found) != 1:
        raise Malformed("several certificates for one authority", pointer=where, expected="one", got=str(len(found)))
    return found[0]


def described(value: Mapping[str, object]) -> str:
    """Whose certificate the object of an authority holds and until when it is valid, for people."""
    try:
        certificate = authority_of(value)
    except Malformed as error:
        return f"unreadable: {error.what}"
    return f"{certificate.subject}  until {format_timestamp(certificate.not_after)}"


def _unfit(leaf: Certificate, moment: datetime) -> str:
    """Why `leaf` itself must not be relied on."""
    from cryptography import x509

    if not leaf.valid_at(moment):
        dates = f"from {format_timestamp(leaf.not_before)} until {format_timestamp(leaf.not_after)}"
        return f"it was valid {dates}, not at {format_timestamp(moment)}"
    if leaf.is_ca:
        return "it is the certificate of an authority"
    for extension in leaf.loaded.extensions:
        usage = extension.value
        if isinstance(usage, x509.KeyUsage) and not (usage.digital_signature or usage.content_commitment):
            return "its key may not sign (key usage)"
    if leaf.purposes is not None and not leaf.purposes & PURPOSES:
        return "it is for other purposes (extended key usage)"
    odd = _unknown(leaf)
    return f"it has a critical extension that is not understood, {odd}" if odd else ""


def _objection(chain: Sequence[Certificate], moment: datetime) -> str:
    """Why `chain`, leaf first, must not be relied on; empty where nothing is wrong with it."""
    purposes = PURPOSES if chain[0].purposes is None else PURPOSES & chain[0].purposes
    for below, certificate in enumerate(chain[1:]):
        who = f"the certificate of {certificate.subject}"
        if not certificate.valid_at(moment):
            return f"{who} was not valid at {format_timestamp(moment)}"
        if not certificate.is_ca or not certificate.may_certify:
            return f"{who} may not issue certificates"
        if certificate.path_length is not None and below > certificate.path_length:
            return f"{who} may not stand so far above"
        if certificate.purposes is not None and not certificate.purposes & (purposes | {ANY_PURPOSE}):
            return f"{who} is for other purposes"
        odd = _unknown(certificate)
        if odd:
            return f"{who} has a critical extension that is not understood, {odd}"
    return name_constraint.objection(chain)


def _unknown(certificate: Certificate) -> str:
    """A critical extension that is not understood. Name constraints are, here."""
    return next((oid for oid in certificate.unknown_critical if oid != name_constraint.OID), "")


@dataclass(frozen=True, slots=True)
class CertifiedSigner:
    """A signer that attaches a certificate for its key to every signature. See `certified`."""

    signer: Signer
    key: CertificateKey

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.key.id

    def sign(self, message: bytes) -> bytes:
        """The raw signature over `message`."""
        return self.signer.sign(message)


def certified(signer: Signer, text: str, where: str = "") -> CertifiedSigner:
    """`signer`, attaching the certificate in PEM. Raises `Malformed`, and `Refused` for one that is for another key or
    scheme: nobody could verify what was signed."""
    key = CertificateKey.read(text, signer.keyid)
    if (key.material, key.scheme) != (signer.key.material, signer.key.scheme):
        raise Refused(
            "the certificate is for another key than the one that signs",
            path=where,
            expected=f"{signer.key.scheme} key {signer.key.fingerprint[:16]}…",
            got=f"{key.scheme} key {key.fingerprint[:16]}…",
        )
    return CertifiedSigner(signer, key)
