"""The policy of a command line: a signed layout in one file, the keys of its owners in others.

Of nearly every layout in-toto's own objects have nothing to say, and making them takes longer than judging by them. So
the layout is read by Navicert alone where it is plain: every check that these objects make is made here too, on what
Navicert has read. Whatever is not plain is left to the objects, which alone refuse, and say why.
"""

from __future__ import annotations

from navicert.crypto.key import SCHEMES, Key
from navicert.envelope.document import open_document
from navicert.envelope.dsse import PAYLOAD_TYPE
from navicert.errors import Malformed, NavicertError
from navicert.model.layout import Layout
from navicert.trust.keyfile import open_public_key
from navicert.verify.case import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Final

    from navicert.envelope.document import Sealed

_KEY: Final = frozenset({"keyid", "keyid_hash_algorithms", "keytype", "keyval", "scheme"})


class KeyFiles:
    """Public keys by the names of their files. Each file is read once: it may be a pipe."""

    def __init__(self) -> None:
        self._found: dict[str, Key | NavicertError] = {}

    def open(self, path: str) -> Key:
        """The key in the file. Raises `NavicertError`, again and again."""
        found = self._found.get(path)
        if found is None:
            try:
                found = open_public_key(path)
            except NavicertError as error:
                found = error
            self._found[path] = found
        if isinstance(found, NavicertError):
            raise found
        return found

    def named_in(self, text: str) -> str:
        """The file of the first key whose id is in `text`; nothing where there is none."""
        files = {key.id: path for path, key in self._found.items() if isinstance(key, Key)}
        return next((path for keyid, path in files.items() if keyid in text), "")


def plain_policy(raw: bytes, path: str, owners: Sequence[Key], at: datetime) -> Policy | None:
    """The policy that `raw`, the file at `path`, holds: a plain layout that is valid `at` that moment and that all of
    `owners` signed. None for every other, and for keys that are not plain."""
    if not owners or any(type(key) is not Key for key in owners):
        return None
    owners = tuple({key.id: key for key in owners}.values())
    try:
        sealed = open_document(raw, path=path)
        if not _plainly_signed(sealed, owners):
            return None
        verified = sealed.verified_by(owners)
    except Malformed:
        return None
    if verified is None or not set(owners).issubset(verified.signers):
        return None
    layout = verified.body
    if not isinstance(layout, Layout) or not _is_plain(layout) or layout.expires <= at:
        return None
    return Policy(sealed, owners, verified)


def _plainly_signed(sealed: Sealed, owners: Sequence[Key]) -> bool:
    """Whether every signature has an id of its own, and one of them is an id of each of `owners`."""
    ids = {signature.keyid for signature in sealed.signatures}
    if None in ids or len(ids) < len(sealed.signatures):
        return False
    if sealed.form == "dsse" and sealed.payload_type != PAYLOAD_TYPE:
        return False
    return all(key.id in ids or not ids.isdisjoint(key.ids) for key in owners)


def _is_plain(layout: Layout) -> bool:
    """Whether `layout` has no field that not every implementation knows, and keys that each of them takes."""
    return not (
        layout.extra
        or layout.rootcas
        or layout.intermediatecas
        or any(step.extra or step.certificates for step in layout.steps)
        or any(inspection.extra for inspection in layout.inspections)
    ) and all(map(_is_plain_key, layout.keys.values()))


def _is_plain_key(described: Mapping[str, object]) -> bool:
    keytype, keyval = described.get("keytype"), described.get("keyval")
    return (
        described.keys() <= _KEY
        and isinstance(described.get("keyid"), str)
        and isinstance(keytype, str)
        and described.get("scheme") in SCHEMES.get(keytype, ())
        and isinstance(keyval, dict)
        and isinstance(keyval.get("public"), str)
    )
