"""One signature as it was received, and what signing leaves in a document."""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.errors import Refused
from navicert.limits import Limits
from navicert.model.field import as_list, required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from navicert.crypto.signer import Signer


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as received. `keyid` is a hint and may be missing; `fields` is the whole JSON object.

    `headers` is what makes a signature one of OpenPGP: the hashed part of its packet, which it is over too. `bundled`
    says that it came in a Sigstore bundle that a key signed: there RSA keys may have signed by PKCS #1 v1.5 too.
    """

    keyid: str | None
    value: bytes
    fields: dict[str, object] = field(default_factory=dict, compare=False)
    headers: bytes | None = None
    bundled: bool = False

    @property
    def proof(self) -> bytes:
        """All that a key checks of this signature, in one value."""
        return self.value if self.headers is None else b"%d:%b%b" % (len(self.headers), self.headers, self.value)

    @property
    def certificate(self) -> object:
        """What stands in the place of the signer's certificate, in PEM; None where nothing does. Nobody signed it.

        in-toto-golang calls the field `cert`, ITE-7 `certificate`.
        """
        return self.fields.get("cert") or self.fields.get("certificate") or None

    def made_by(self, key: Key, message: bytes) -> bool:
        """Whether `key`, or a subkey of it, made this signature over `message`."""
        return any(self.made_by_member(member, message) for member in key.members)

    def made_by_member(self, key: Key, message: bytes) -> bool:
        """Whether just `key` made this signature over `message`."""
        if key.verify(self.value, message, self.headers):
            return True
        return self.bundled and key.in_bundles() is not key and key.in_bundles().verify(self.value, message)


def hinted_first(signature: Signature, keys: Collection[Key]) -> Iterator[tuple[Key, bool]]:
    """`keys` in the order to try, each with whether the id hints at it: the exact id, then whoever answers to it, then
    all others. A signature of OpenPGP and a key that is none have nothing to do with each other."""
    keyid, openpgp = signature.keyid, signature.headers is not None
    keys = [key for key in keys if key.openpgp == openpgp]
    if not keyid:
        yield from ((key, False) for key in keys)
        return
    yield from ((key, True) for key in keys if key.id == keyid)
    # Working out the other ids of a key is not free: only where the exact id did not do.
    others = [key for key in keys if key.id != keyid]
    yield from ((key, True) for key in others if keyid in key.ids)
    if not openpgp:
        yield from ((key, False) for key in others if keyid not in key.ids)


def entries(document: dict[str, object], limits: Limits) -> list[object]:
    """The `signatures` of a document, not yet looked at. Raises `Malformed` and `LimitExceeded`."""
    return as_list(required(document, "signatures", ""), "/signatures", most=limits.signatures)


def others(kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> list[dict[str, object]]:
    """Those of `kept` that stay beside new ones by `signers`: all by other key ids. Raises `Refused` for no signer."""
    if not signers:
        raise Refused("nothing to sign with", remedy="name at least one key")
    ids = {signer.keyid for signer in signers}
    return [entry for entry in kept if entry.get("keyid") not in ids]
