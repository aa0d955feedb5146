"""Certificates of the webhook, made by Navicert itself: an authority and a leaf, and when each gives way to the next.

Pure, the private keys apart: what is held and the time in, what is to be held out. A new authority is announced first:
it joins the bundle that the API server trusts, and signs nothing yet. Once it was published everywhere and has settled
it signs the next leaf, and the old one stays in the bundle until no replica can still show a leaf of it. So several
runs at once need no leader: each comes to the same step, and the first to write it wins.
Spec: RFC 5280; Kubernetes, "Dynamic Admission Control": caBundle holds one or several authorities in PEM.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from navicert.dataclass import dataclass, replace
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AUTHORITY: Final = timedelta(days=730)
LEAF: Final = timedelta(days=90)
SETTLE: Final = timedelta(minutes=10)
"""How long an authority is in all bundles before a leaf of it is shown: API servers read configurations in seconds."""
OVERLAP: Final = timedelta(days=1)
"""How long the authority of a replaced leaf is still trusted: kubelets bring new Secrets to replicas in minutes."""
BACKDATE: Final = timedelta(hours=1)
"""How far the clocks of a cluster may differ."""
_MOST: Final = 4
"""Authorities in a bundle: two in any rotation, and as many again where somebody forced one."""

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Holding:
    """What the Secret holds: authorities, oldest first; the key of the newest; a leaf and its key."""

    authorities: tuple[x509.Certificate, ...] = ()
    authority_key: Key | None = None
    leaf: x509.Certificate | None = None
    leaf_key: Key | None = None

    @property
    def bundle(self) -> bytes:
        """The authorities in PEM, as a caBundle holds them."""
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in self.authorities)

    @property
    def newest(self) -> x509.Certificate | None:
        """The authority that signs the next leaf, if there is one."""
        return self.authorities[-1] if self.authorities else None


def read_holding(data: Mapping[str, object]) -> Holding:
    """What the `data` of a Secret holds. What cannot be read is not there, so that it is made anew; certificates of
    authorities that can be read are kept, because replicas may still show a leaf of them."""
    authorities = tuple(certificates(_decoded(data, "ca.crt")))[-_MOST:]
    authority_key = _key(_decoded(data, "ca.key"))
    if authority_key is not None and not (authorities and _belongs(authority_key, authorities[-1])):
        authority_key = None
    found = list(certificates(_decoded(data, "tls.crt")))
    leaf_key = _key(_decoded(data, "tls.key"))
    if not found or leaf_key is None or not _belongs(leaf_key, found[0]):
        return Holding(authorities, authority_key)
    return Holding(authorities, authority_key, found[0], leaf_key)


def secret_data(holding: Holding) -> dict[str, str]:
    """The `data` of a Secret that holds all of `holding`."""
    if holding.leaf is None or holding.leaf_key is None or holding.authority_key is None:
        raise TypeError("not a whole holding")
    return {
        "ca.crt": _encoded(holding.bundle),
        "ca.key": _encoded(_pem(holding.authority_key)),
        "tls.crt": _encoded(holding.leaf.public_bytes(serialization.Encoding.PEM)),
        "tls.key": _encoded(_pem(holding.leaf_key)),
    }


def renewed(holding: Holding, names: tuple[str, ...], at: datetime, *, published: bool) -> tuple[Holding, list[str]]:
    """What is to be held at the moment `at`, and what changed, in words; the same holding where nothing did.

    `names` are what the API server expects in the leaf. `published`: whether every configuration in force holds the
    newest authority. One call makes one step; the next step waits for the next call.
    """
    if not names:
        raise Malformed("a certificate without a name")
    newest, key = holding.newest, holding.authority_key
    if newest is None or key is None or newest.not_valid_after_utc <= at:
        fresh, fresh_key = _authority(at)
        # Nothing signed by what was there before can be renewed: there is nothing to wait for.
        started = Holding((*_living(holding.authorities, at), fresh), fresh_key)
        return _with_leaf(started, names, at), ["made an authority and a certificate"]
    if _is_due(newest, at) and _issuer(holding) in (newest, None):
        fresh, fresh_key = _authority(at)
        announced = (*_living(holding.authorities, at), fresh)[-_MOST:]
        return replace(holding, authorities=announced, authority_key=fresh_key), ["announced a new authority"]
    reason = _reason(holding, names, at)
    settled = published and newest.not_valid_before_utc + BACKDATE + SETTLE <= at
    if reason and (settled or _useless(holding, names, at)):
        return _with_leaf(holding, names, at), [f"made a certificate: {reason}"]
    kept = tuple(one for one in holding.authorities if _in_use(one, holding, at))
    if kept != holding.authorities:
        return replace(holding, authorities=kept), ["let go of an authority"]
    return holding, []


def united(known: bytes, current: bytes, at: datetime) -> bytes:
    """A bundle of the authorities in `current`, and of the newest in `known` that they replace (cert-manager keeps the
    newest only). Raises `Malformed` where `current` has none that is valid."""
    living = _living(certificates(current), at)
    if not living:
        raise Malformed("no authority that is valid", path="ca.crt", expected="certificates in PEM")
    former = [one for one in _living(certificates(known), at) if one not in living]
    former.sort(key=lambda one: one.not_valid_before_utc)
    return Holding((*former[-1:], *living[-_MOST:])).bundle


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates in `pem`; none where it is not PEM."""
    try:
        return x509.load_pem_x509_certificates(pem) if pem else []
    except ValueError:
        return []


def _reason(holding: Holding, names: tuple[str, ...], at: datetime) -> str:
    """Why the leaf must be replaced; empty where it must not."""
    leaf = holding.leaf
    if leaf is None:
        return "there was none"
    if _names(leaf) != set(names):
        return "it has other names"
    if _issuer(holding) != holding.newest:
        return "the authority is a new one"
    return "the old one is near its end" if _is_due(leaf, at) else ""


def _useless(holding: Holding, names: tuple[str, ...], at: datetime) -> bool:
    """Whether no API server accepts the leaf, so that waiting makes nothing better."""
    leaf = holding.leaf
    ended = leaf is None or leaf.not_valid_after_utc <= at + SETTLE
    return ended or _issuer(holding) is None or (leaf is not None and not _names(leaf) & set(names))


def _issuer(holding: Holding) -> x509.Certificate | None:
    """The authority in the bundle that signed the leaf."""
    leaf = holding.leaf
    if leaf is None:
        return None
    for one in holding.authorities:
        try:
            leaf.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return one
    return None


def _in_use(one: x509.Certificate, holding: Holding, at: datetime) -> bool:
    if one in (holding.newest, _issuer(holding)):
        return True
    leaf = holding.leaf
    recent = leaf is None or leaf.not_valid_before_utc + BACKDATE + OVERLAP > at
    return recent and one.not_valid_after_utc > at


def _is_due(one: x509.Certificate, at: datetime) -> bool:
    """Whether less than a third of the life of `one` is left."""
    life = one.not_valid_after_utc - one.not_valid_before_utc
    return one.not_valid_after_utc - at < life / 3


def _living(authorities: Iterable[x509.Certificate], at: datetime) -> tuple[x509.Certificate, ...]:
    return tuple(one for one in authorities if one.not_valid_after_utc > at)


def _names(leaf: x509.Certificate) -> set[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return set(found.get_values_for_type(x509.DNSName))


def _authority(at: datetime) -> tuple[x509.Certificate, Key]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Navicert webhooks {at:%Y-%m-%dT%H:%M:%SZ}")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATE)
        .not_valid_after(at + AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


def _with_leaf(holding: Holding, names: tuple[str, ...], at: datetime) -> Holding:
    newest, authority_key = holding.newest, holding.authority_key
    if newest is None or authority_key is None:
        raise TypeError("no authority")
    key = ec.generate_private_key(ec.SECP256R1())
    identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "navicert-webhook")]))
        .issuer_name(newest.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATE)
        .not_valid_after(min(at + LEAF, newest.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identity, critical=False)
    )
    return replace(holding, leaf=builder.sign(authority_key, hashes.SHA256()), leaf_key=key)


def _belongs(key: Key, certificate: x509.Certificate) -> bool:
    return key.public_key() == certificate.public_key()


def _key(pem: bytes) -> Key | None:
    try:
        key = serialization.load_pem_private_key(pem, None) if pem else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _pem(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _decoded(data: Mapping[str, object], name: str) -> bytes:
    value = data.get(name)
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
