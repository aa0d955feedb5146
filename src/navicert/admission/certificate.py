"""The certificate that is served, exchanged without a call being lost.

Files are read, checked and only then taken: a key that does not belong to the certificate, or a certificate that is not
valid now, leaves the one before in place. New connections get the new one, and those that are open go on.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from datetime import UTC, datetime
from typing import Final

from navicert.dataclass import dataclass, field
from navicert.digest import Digest, sha256
from navicert.errors import Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CERTIFIED: Final = "certified"
"""In the state of a request: whether the caller has shown a certificate that TLS found to be good."""
_SKEW: Final = 300
"""Seconds that a certificate may be too young: clocks differ."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate (with the chain behind it) and its key, in PEM, found to belong together."""

    certificate: bytes
    key: bytes = field(repr=False)
    expires: datetime = field(compare=False)

    @property
    def digest(self) -> Digest:
        """What tells two pairs apart."""
        return sha256(self.certificate + b"\0" + self.key)


def read_pair(certificate: str, key: str, at: datetime) -> Pair:
    """The pair in two files. Raises `Malformed`, also where it could not be served at the moment `at`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    raw, secret = _read(certificate), _read(key)
    try:
        leaf = x509.load_pem_x509_certificate(raw)
    except ValueError as error:
        raise Malformed("not a certificate", path=certificate, expected="PEM, the server's own first") from error
    try:
        private = load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise Malformed("not a private key, or an encrypted one", path=key, expected="PEM") from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise Malformed("the key does not belong to the certificate", path=key, expected=f"that of {certificate}")
    if at >= leaf.not_valid_after_utc:
        raise Malformed("the certificate has expired", path=certificate, got=f"{leaf.not_valid_after_utc:%Y-%m-%d}")
    if (leaf.not_valid_before_utc - at).total_seconds() > _SKEW:
        raise Malformed("the certificate is not valid yet", path=certificate, got=f"{leaf.not_valid_before_utc:%c}")
    return Pair(raw, secret, leaf.not_valid_after_utc)


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cadata=_read(path).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise Malformed("no authorities", path=path, expected="certificates in PEM") from error


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            raw = stream.read(LOCAL.key_bytes + 1)
    except OSError as error:
        raise Malformed(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path=path) from error
    if len(raw) > LOCAL.key_bytes:
        raise Malformed("file too large (limit key_bytes)", path=path)
    return raw


class Serving:
    """The TLS of a server, by two files that somebody renews. With `callers`, a file of authorities, whoever shows a
    certificate is known by them, and a wrong one ends the connection; whether one is needed, the server says."""

    def __init__(
        self,
        certificate: str,
        key: str,
        *,
        callers: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._files = (certificate, key)
        self._clock = clock
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The API server speaks HTTP/1.1 with webhooks, so that its calls spread over replicas.
        self.context.set_alpn_protocols(["http/1.1"])
        self.asks_callers = callers is not None
        """Whether callers are asked for a certificate."""
        if callers is not None:
            # Not required by TLS: a kubelet that probes has none.
            self.context.verify_mode = ssl.CERT_OPTIONAL
            _trust(self.context, callers)
        self.pair = read_pair(certificate, key, clock())
        self._take(self.pair)

    def renew(self) -> bool:
        """Take what is in the files now, and say whether that is something else. Raises `Malformed` where it could not
        be served: what was served before still is."""
        pair = read_pair(*self._files, self._clock())
        if pair == self.pair:
            return False
        self._take(pair)
        self.pair = pair
        return True

    @property
    def valid(self) -> bool:
        """Whether what is served has not expired."""
        return self._clock() < self.pair.expires

    def _take(self, pair: Pair) -> None:
        # By a file of our own: what was checked is what is loaded, whatever happens to the others meanwhile.
        handle, path = tempfile.mkstemp(prefix="navicert-tls-", suffix=".pem")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(pair.certificate.rstrip(b"\n") + b"\n" + pair.key)
            self.context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise Malformed(f"not usable for TLS: {error.reason or 'refused'}", path=self._files[0]) from error
        finally:
            os.unlink(path)
