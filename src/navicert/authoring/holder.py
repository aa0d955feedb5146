"""Holders of certificates as an author names them: authorities by name, and what a certificate has to say.

Unlike in a layout, a constraint without roots means all authorities that the file names: they were named for that.
"""

from __future__ import annotations

from navicert.authoring.node import Fields, Spot, Word
from navicert.errors import Malformed
from navicert.model.constraint import ANYTHING, CertificateConstraint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from navicert.crypto.certificate import Certificate

_FIELDS: Final = ("common_name", "dns_names", "emails", "organizations", "uris", "roots")
_CONSTRAINT: Final = {name: name for name in _FIELDS} | {
    "common name": "common_name",
    "dns names": "dns_names",
    "organisations": "organizations",
}


def read_authorities(spot: Spot | None) -> dict[str, str]:
    """The certificates in PEM by the names that the author gives the authorities. Raises `Malformed`."""
    return {} if spot is None else {name: one.text("a certificate in PEM") for name, one in spot.fields().items()}


def read_constraints(spot: Spot | None, authorities: Mapping[str, str]) -> tuple[CertificateConstraint, ...]:
    """The constraints at `spot`, one or a list; their roots are names of `authorities`. Raises `Malformed`."""
    if spot is None:
        return ()
    spots = (spot,) if isinstance(spot.node, Fields) else spot.items("what a certificate has to say")
    if not spots:
        raise spot.wrong("no certificate is described", expected="fields such as common name and uris")
    if not authorities:
        raise spot.wrong("nobody vouches for certificates", remedy='name an authority under "authorities"')
    return tuple(_constraint(one, authorities) for one in spots)


def _constraint(spot: Spot, authorities: Mapping[str, str]) -> CertificateConstraint:
    found = spot.known(_CONSTRAINT, "what a certificate has to say")
    common_name = found.get("common_name")
    roots = _texts(found.get("roots")) or (ANYTHING,)
    for root in roots:
        if root != ANYTHING and root not in authorities:
            known = ", ".join(authorities)
            raise found["roots"].wrong(f'no authority "{root[:60]}"', remedy=f"there are {known}")
    ids = tuple(root if root == ANYTHING else id_of(authorities[root]) for root in roots)
    return CertificateConstraint(
        common_name="" if common_name is None else common_name.text("a common name"),
        dns_names=_texts(found.get("dns_names")),
        emails=_texts(found.get("emails")),
        organizations=_texts(found.get("organizations")),
        uris=_texts(found.get("uris")),
        roots=ids,
    )


def _texts(spot: Spot | None) -> tuple[str, ...]:
    if spot is None or spot.missing:
        return ()
    single = isinstance(spot.node, Word)
    return tuple(item.text("text, or a list of texts") for item in ((spot,) if single else spot.items()))


def id_of(pem: str) -> str:
    """The id of the authority whose certificate is in PEM: the digest of that. Raises `Malformed`."""
    return _only(pem).fingerprint


def authority_json(pem: str) -> dict[str, object]:
    """The object of an authority for a layout, as in-toto-golang writes it."""
    from navicert.crypto.certificate_key import CertificateKey

    key = CertificateKey.of_certificate(_only(pem))
    keyval = {"public": key.public_text.rstrip("\n"), "certificate": pem}
    return {**key.to_json(), "keyid": id_of(pem), "keyval": keyval}


def _only(pem: str) -> Certificate:
    from navicert.crypto.certificate import Certificate

    found = Certificate.read_pem(pem)
    if len(found) != 1:
        raise Malformed("several certificates for one authority", expected="one", got=str(len(found)))
    return found[0]
