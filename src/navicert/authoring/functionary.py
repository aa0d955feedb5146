"""Functionaries as an author names them: whose key files are whose, and when they count."""

from __future__ import annotations

from navicert.authoring.node import Fields, Spot, located, plain
from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.timestamp import parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

    from navicert.model.identity import IdentityPolicy
    from navicert.model.validity import Validity

SAY_POLICY: Final = 'write "type: policy" at the top: it becomes a document that only Navicert reads'
"""What to do about something that a layout cannot say."""

_KEYS: Final = {"keys": "keys", "key": "keys"}
_IDENTITY: Final = {name: name for name in ("identity", "issuer", "claims", "identities")}
_FUNCTIONARY: Final = _KEYS | {
    "valid from": "from",
    "valid_from": "from",
    "valid until": "until",
    "valid_until": "until",
    "revoked": "revoked",
}


@dataclass(frozen=True, slots=True)
class Functionary:
    """A person or machine that performs steps, the files of the public keys that are hers, and the `identities` as
    which Sigstore certifies her; she counts once."""

    name: str
    files: tuple[str, ...]
    line: int = 0
    validity: Validity | None = None
    identities: tuple[IdentityPolicy, ...] = ()

    @property
    def is_declared(self) -> bool:
        """Whether her identities have to be said to be hers: one alone says itself who counts."""
        return len(self.identities) > 1 or bool(self.identities and self.files)


def read_identities(spot: Spot, *, own: bool) -> tuple[tuple[IdentityPolicy, ...], Spot | None]:
    """Whom Sigstore certifies, where the functionary at `spot` is such a one, and where her keys are, if she has any
    beside; none for one who has only keys. `own`: it belongs to our own policy document. Raises `Malformed`."""
    if not isinstance(spot.node, Fields) or not spot.fields().keys() & _IDENTITY.keys():
        return (), spot
    if not own:
        raise spot.wrong("an identity without a key is not for a layout", remedy=SAY_POLICY)
    found = spot.known(_IDENTITY | _KEYS, "a functionary with identities")
    several = found.get("identities")
    if several is None:
        one = {name: inner for name, inner in spot.node.nodes.items() if name in _IDENTITY}
        return (_identity(Spot(Fields(one, spot.node.lines, spot.line), spot.path, spot.where)),), found.get("keys")
    if len(found) > 1 + ("keys" in found):
        raise several.wrong("identities are written as a list and beside it", remedy="write all of them in the list")
    identities = tuple(map(_identity, several.items("a list of identities")))
    if not identities:
        raise several.wrong("no identity is listed", expected="identity and issuer of each")
    return identities, found.get("keys")


def _identity(spot: Spot) -> IdentityPolicy:
    from navicert.model.identity import IdentityPolicy

    try:
        return IdentityPolicy.from_json(plain(spot), spot.where)
    except Malformed as error:
        error.pointer = error.pointer or spot.where
        error.at(located(spot.path, spot.line))
        raise


def read_times(spot: Spot, *, own: bool) -> tuple[Validity | None, Spot]:
    """When the keys of the functionary at `spot` count, None for always, and where the keys are. `own`: it belongs to
    our own policy document. Raises `Malformed`."""
    if not isinstance(spot.node, Fields):
        return None, spot
    if not own:
        if spot.fields().keys() & _FUNCTIONARY.keys():
            raise spot.wrong("times of a functionary are not for a layout", remedy=SAY_POLICY)
        return None, spot
    from navicert.model.validity import Validity

    found = spot.known(_FUNCTIONARY, "a functionary")
    if "keys" not in found or len(found) < 2:
        wanted = "keys, and one of valid from, valid until, revoked"
        raise spot.wrong("not a functionary with times", expected=wanted)
    since, until, revoked = (_moment(found.get(name)) for name in ("from", "until", "revoked"))
    try:
        return Validity.of(since, until, revoked), found["keys"]
    except Malformed as error:
        raise spot.wrong(error.what, expected=error.expected, got=error.got) from None


def _moment(spot: Spot | None) -> datetime | None:
    """A moment, or the first second of a day in UTC."""
    if spot is None:
        return None
    text = spot.text("a moment or day").strip()
    try:
        return parse_timestamp(f"{text}T00:00:00Z" if len(text) == len("2031-05-01") else text)
    except Malformed as error:
        raise spot.wrong(error.what, expected="2031-05-01T00:00:00Z, or 2031-05-01", got=repr(text[:40])) from None


def nearest_functionary(word: str, known: list[str]) -> str:
    """What to do about `word`, which is none of the functionaries that are `known`."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return "declare it under functionaries, with the file of its public key"
