"""Which link files upstream would look at for a step, and which of them it would skip.

It looks for one file for each key of the step, subkeys included, in one folder. Where a link lies decides nothing here:
the judgement goes by what is signed. This is what upstream's messages speak of.
"""

from __future__ import annotations

import os

from navicert.compat.shim.in_toto.file_name import FILENAME_FORMAT
from navicert.dataclass import dataclass
from navicert.digest import sha256
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.model.layout import Layout, Step
from navicert.store.gather import Gathered
from navicert.verify.authority import Authority
from navicert.verify.case import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


def tells_unreadable(reason: str) -> bool:
    """Whether `reason` says of a refused file that nobody can read it."""
    return reason.startswith("cannot be read")


@dataclass(frozen=True, slots=True)
class Filed:
    """One link file, and the id that it is named after."""

    keyid: str
    path: str


@dataclass(frozen=True, slots=True)
class Filing:
    """The link files of one layout in one folder."""

    layout: Layout
    folder: str
    gathered: Gathered
    at: datetime

    def of(self, step: Step) -> list[Filed]:
        """The files of those who may sign for `step` that could be read, in the order of its keys."""
        unreadable = {os.path.normpath(one.origin) for one in self.gathered.refused if tells_unreadable(one.reason)}
        found: dict[str, Filed] = {}
        for keyid in self._keyids(step):
            name = FILENAME_FORMAT.format(step_name=step.name, keyid=keyid)
            path = os.path.normpath(os.path.join(self.folder, name))
            if path not in unreadable and os.path.isfile(path):
                found.setdefault(path, Filed(keyid, path))
        return list(found.values())

    def signed(self, step: Step) -> list[Filed]:
        """Those of the files that are signed by whom they are named after."""
        authority = Authority.of(self.layout)
        return [filed for filed in self.of(step) if not self._objection(step, filed, authority)]

    def skipped(self, step: Step) -> Iterator[tuple[Filed, tuple[str, ...]]]:
        """The others, each with upstream's sentence about it: a format, and what goes into it."""
        authority = Authority.of(self.layout)
        for filed in self.of(step):
            objection = self._objection(step, filed, authority)
            if objection:
                yield filed, objection

    def document(self, path: str) -> Verified[Body] | None:
        """The document in the file at `path`, where some key of the layout signed it."""
        path = os.path.normpath(path)
        exhibits = [exhibit.document for exhibit in self.gathered.exhibits]
        for document in exhibits:
            if os.path.normpath(document.origin) == path:
                return document
        # Of the same bytes under several names only one was kept.
        try:
            with open(path, "rb") as stream:
                digest = sha256(stream.read())
        except OSError:
            return None
        return next((document for document in exhibits if document.digest == digest), None)

    def unreadable(self) -> Iterator[Refusal]:
        """The files in this folder that upstream would look at, and nobody can read."""
        names = {
            os.path.normpath(os.path.join(self.folder, FILENAME_FORMAT.format(step_name=step.name, keyid=keyid)))
            for step in self.layout.steps
            for keyid in self._keyids(step)
        }
        for refusal in self.gathered.refused:
            if tells_unreadable(refusal.reason) and os.path.normpath(refusal.origin) in names:
                yield refusal

    def _keyids(self, step: Step) -> list[str]:
        subkeys = {id: self.layout.keys.get(id, {}).get("subkeys") for id in step.pubkeys}
        found = ((id, *(below if isinstance(below, dict) else ())) for id, below in subkeys.items())
        return list(dict.fromkeys(keyid for keyids in found for keyid in keyids))

    def _objection(self, step: Step, filed: Filed, authority: Authority) -> tuple[str, ...]:
        named = [
            key
            for key in authority.authorised(step)
            if any(filed.keyid in (one.id, *one.ids) for one in authority.with_master(key))
        ]
        if not named:
            text = "Skipping link. Keyid '%s' is not authorized to sign links for step '%s'"
            return (text, filed.keyid, step.name)
        document = self.document(filed.path)
        signers = {key.fingerprint for key in document.signers} if document is not None else set()
        signed = [key for key in named if key.fingerprint in signers]
        if not signed:
            text = "Skipping link. Broken link signature with keyid '%s' for step '%s'"
            return (text, filed.keyid, step.name)
        expired = [one for key in signed for one in authority.with_master(key) if one.expired(self.at)]
        if expired:
            from navicert.compat.shim.securesystemslib._gpg.exceptions import KeyExpirationError

            return ("Skipping link. %s", str(KeyExpirationError({**expired[0].to_json(), "keyid": expired[0].id})))
        return ()
