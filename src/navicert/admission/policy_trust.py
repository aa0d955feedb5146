"""Whom a policy believes: owners of its layout, the trust root of identities, authorities whose timestamps count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from navicert.admission.limits import WEBHOOK
from navicert.admission.policy_field import items_of, known_fields, parsed, read_file, some_of
from navicert.crypto.certification import authority_of_pem
from navicert.crypto.formats import load_public_key
from navicert.crypto.trusted_root import TrustedRoot
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.identity import IdentityPolicy, Wanted, claim_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from navicert.authoring.node import Spot
    from navicert.crypto.certification import CertificateAuthority
    from navicert.crypto.key import Key

MOST_AUTHORITIES: Final = 16
"""Timestamp authorities of one policy: each token is held against every one of them."""

_FORMS: Final = ("identity", "identityMatching")


@dataclass(frozen=True, slots=True)
class NamedOwners:
    """The owners that a policy names, `origins` with the file of each key (empty where it stands in the policy), and
    how many of all must have signed; None for all."""

    keys: tuple[Key, ...] = ()
    origins: tuple[str, ...] = ()
    identities: tuple[IdentityPolicy, ...] = ()
    threshold: int | None = None


class TrustReader:
    """Reads what a policy says about whom it believes. `folder` is that of the policy's file, empty for an object of a
    cluster, which may name no files; `path` is what the policy is called."""

    def __init__(self, folder: str, path: str) -> None:
        self._folder = folder
        self._path = path

    def owners(self, spot: Spot | None) -> NamedOwners:
        """Whose signatures make the layout count. Raises `Malformed` where nobody is named."""
        if spot is None:
            return NamedOwners()
        found = known_fields(spot, ("keys", "identities", "threshold"), "owners")
        if not found.keys() & {"keys", "identities"}:
            raise spot.wrong("nobody owns the layout", expected="keys, identities, or both")
        keyed = [self.key(entry) for entry in some_of(spot, found, "keys")] if "keys" in found else []
        identities = self.identities(some_of(spot, found, "identities")) if "identities" in found else ()
        threshold = found.get("threshold")
        need = None if threshold is None else threshold.integer(1)
        distinct = len({key.fingerprint for key, _ in keyed}) + len(identities)
        if threshold is not None and need is not None and need > distinct:
            raise threshold.wrong("cannot be met", expected=f"1 to {distinct}, the number of owners", got=str(need))
        keys, origins = tuple(key for key, _ in keyed), tuple(origin for _, origin in keyed)
        return NamedOwners(keys, origins, identities, need)

    @staticmethod
    def identities(entries: Iterable[Spot]) -> tuple[IdentityPolicy, ...]:
        """Who may sign without a key. Raises `Malformed`, also for one that is named twice."""
        identities: dict[str, IdentityPolicy] = {}
        for entry in entries:
            one = _identity(entry)
            if identities.setdefault(str(one.to_json()), one) is not one:
                raise entry.wrong("an identity that is named twice", got=str(one)[:80])
        return tuple(identities.values())

    def key(self, spot: Spot) -> tuple[Key, str]:
        """A public key, and the file it is from."""
        found = known_fields(spot, ("file", "pem"), "a key")
        if len(found) != 1:
            raise spot.wrong("exactly one of file and pem")
        if "pem" in found:
            text = found["pem"].text("a public key")
            return load_public_key(text.encode(), path=f"{self._path}{spot.where}"), ""
        path = self.file(found["file"])
        return load_public_key(read_file(path, WEBHOOK.key_bytes), path=path), path

    def trusted_root(self, spot: Spot | None) -> TrustedRoot | None:
        """What identities are proved by; None for the root that ships."""
        if spot is None:
            return None
        found = known_fields(spot, ("inline", "file"), "trustedRoot")
        if len(found) != 1:
            raise spot.wrong("exactly one of inline and file")
        if "file" in found:
            path = self.file(found["file"])
            return TrustedRoot.read(read_file(path, WEBHOOK.document_bytes), WEBHOOK, path=path)
        text = found["inline"].text("a trust root of Sigstore as text (inline: |)")
        return TrustedRoot.read(text.encode(), WEBHOOK, path=f"{self._path}{spot.where}")

    def timestamp_authorities(self, spot: Spot | None) -> tuple[CertificateAuthority, ...]:
        """Whose timestamps say when a key signed; none where nobody is named."""
        if spot is None:
            return ()
        entries = items_of(spot)
        if not entries:
            raise spot.wrong("an empty list", remedy="leave it out to believe no timestamps")
        if len(entries) > MOST_AUTHORITIES:
            raise spot.wrong("too many timestamp authorities", expected=f"at most {MOST_AUTHORITIES}")
        return tuple(self._authority(entry) for entry in entries)

    def _authority(self, spot: Spot) -> CertificateAuthority:
        found = known_fields(spot, ("file", "pem"), "a timestamp authority")
        if len(found) != 1:
            raise spot.wrong("exactly one of file and pem")
        if "pem" in found:
            name, text = f"{self._path}{spot.where}", found["pem"].text("certificates in PEM")
        else:
            name = self.file(found["file"])
            text = read_file(name, WEBHOOK.key_bytes).decode("ascii", "replace")
        try:
            return authority_of_pem(text, name)
        except Malformed as error:
            raise error.at(name) from None

    def file(self, spot: Spot) -> str:
        """The path that a file is named by."""
        if not self._folder:
            raise spot.wrong("an object of the cluster names no files", remedy="write it inline")
        return os.path.normpath(os.path.join(self._folder, spot.text("a path")))


def _identity(spot: Spot) -> IdentityPolicy:
    """Who may sign without a key. A name and its issuer are required: each alone says nothing."""
    found = known_fields(spot, (*_FORMS, "issuer", "claims", "claimsMatching"), "an identity")
    forms = [name for name in _FORMS if name in found]
    if len(forms) != 1:
        raise spot.wrong("exactly one of identity and identityMatching")
    if "issuer" not in found:
        raise spot.wrong('required field "issuer" is missing', remedy="anyone has any name at an issuer of their own")
    claims: dict[str, Wanted] = {}
    for field, make in (("claims", Wanted.exactly), ("claimsMatching", Wanted.matching)):
        for name, wanted in _claims(found, field, make):
            if name in claims:
                raise found[field].wrong("one claim constrained twice", got=name)
            claims[name] = wanted
    make = Wanted.exactly if forms == ["identity"] else Wanted.matching
    return IdentityPolicy(parsed(found[forms[0]], make), parsed(found["issuer"], Wanted.exactly), claims)


def _claims(found: Mapping[str, Spot], field: str, make: Callable[[str], Wanted]) -> list[tuple[str, Wanted]]:
    if field not in found:
        return []
    entries = found[field].fields(field)
    if not entries:
        raise found[field].wrong("empty constraint", remedy="leave it out, or name a claim")
    claims = []
    for name, entry in entries.items():
        try:
            known = claim_name(name)
        except Malformed as error:
            raise entry.wrong(error.what, expected=error.expected, got=error.got) from error
        claims.append((known, parsed(entry, make)))
    return claims
