"""Name constraints: which names an authority may give out.

An authority that was allowed names of one domain only must not vouch for others. Spec: RFC 5280 §4.2.1.10.
"""

from __future__ import annotations

import re

from navicert.crypto.certificate import Certificate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from cryptography import x509

OID: Final = "2.5.29.30"
"""The extension, where it is looked at."""

_AUTHORITY: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<host>[A-Za-z0-9._~-]+)(?::[0-9]*)?(?=[/?#]|$)"
)


def objection(chain: Sequence[Certificate]) -> str:
    """Why a certificate of `chain` (leaf first) has a name that one above it may not give out; empty where none has."""
    for index, issuer in enumerate(chain):
        constraints = constraints_of(issuer)
        if constraints is None:
            continue
        for below in chain[:index]:
            for name in _names(below.loaded):
                if not _permits(constraints, name):
                    return f"the certificate of {issuer.subject} may not vouch for {_shown(name)}"
    return ""


def constraints_of(certificate: Certificate) -> x509.NameConstraints | None:
    """The constraints in `certificate`; None where it has none."""
    from cryptography import x509

    for extension in certificate.loaded.extensions:
        if isinstance(extension.value, x509.NameConstraints):
            return extension.value
    return None


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    """All names of the holder: alternative ones, the distinguished one, and e-mail addresses in that."""
    from cryptography import x509

    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            yield from extension.value
    if list(certificate.subject):
        yield x509.DirectoryName(certificate.subject)
    for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name(str(attribute.value))


def _permits(constraints: x509.NameConstraints, name: x509.GeneralName) -> bool:
    for excluded in constraints.excluded_subtrees or ():
        # What cannot be compared might be what was excluded.
        if type(excluded) is type(name) and _is_within(name, excluded) is not False:
            return False
    permitted = [one for one in constraints.permitted_subtrees or () if type(one) is type(name)]
    return not permitted or any(_is_within(name, one) is True for one in permitted)


def _is_within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool | None:
    """Whether `name` lies in `subtree`, which is of its kind; None where that cannot be told."""
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from cryptography import x509

    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName):
        return _is_domain_within(name.value, subtree.value, itself=True)
    if isinstance(name, x509.RFC822Name) and isinstance(subtree, x509.RFC822Name):
        return _is_mailbox_within(name.value, subtree.value)
    if isinstance(name, x509.UniformResourceIdentifier) and isinstance(subtree, x509.UniformResourceIdentifier):
        host = _host(name.value)
        return None if host is None else _is_domain_within(host, subtree.value, itself=False)
    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        wanted = list(subtree.value.rdns)
        return list(name.value.rdns)[: len(wanted)] == wanted
    if isinstance(name, x509.IPAddress) and isinstance(subtree, x509.IPAddress):
        address, network = name.value, subtree.value
        if isinstance(address, IPv4Address | IPv6Address) and isinstance(network, IPv4Network | IPv6Network):
            return address.version == network.version and address in network
    return None


def _is_domain_within(host: str, domain: str, *, itself: bool) -> bool:
    """Whether `host` is `domain` or lies below it; `itself`: a domain without a leading dot has hosts below it."""
    host, domain = host.lower().rstrip("."), domain.lower().rstrip(".")
    if not domain:
        return True
    if domain.startswith("."):
        return host.endswith(domain) and host != domain
    return host == domain or (itself and host.endswith(f".{domain}"))


def _is_mailbox_within(mailbox: str, wanted: str) -> bool:
    local, at, host = mailbox.rpartition("@")
    if "@" in wanted:
        wanted_local, _, wanted_host = wanted.rpartition("@")
        return at == "@" and local == wanted_local and host.lower() == wanted_host.lower()
    return at == "@" and _is_domain_within(host, wanted, itself=False)


def _host(uri: str) -> str | None:
    """The host in `uri`; None where it has none, or a number. Spec: RFC 3986 §3.2."""
    found = _AUTHORITY.match(uri)
    host = found["host"] if found else ""
    return host if host and not host.replace(".", "").isdigit() else None


def _shown(name: x509.GeneralName) -> str:
    from cryptography import x509

    value = name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)
    return f'"{value[:80]}"'
