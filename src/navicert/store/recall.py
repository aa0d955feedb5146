"""What was verified before: for processes that live long and meet the same documents again.

Remembered is that certain bytes were signed by certain keys, and what they say: both are facts that no later moment
changes. Whether a key or a layout has expired, a threshold is met, something is revoked or a policy accepts it is
judged anew each time, and what did not verify is never remembered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from navicert.crypto.key import Key
from navicert.digest import Digest
from navicert.envelope.body import Body
from navicert.envelope.document import Verified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final

BYTES: Final = 64 * 1024 * 1024
"""How much is remembered unless said otherwise, by the size of the files: some thousands of ordinary links."""

Signers = tuple[tuple[str, str, str], ...]


class Recall:
    """Documents by the digest of their file and the keys that they were held against; the least recently used are
    forgotten when their files come to more than `most` bytes. Used by several threads at once."""

    def __init__(self, most: int = BYTES) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[tuple[Digest, Signers], tuple[int, Verified[Body]]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, digest: Digest, keys: Signers, origin: str) -> Verified[Body] | None:
        """The document of the file with `digest`, as if it came from `origin`; None where it is not remembered."""
        with self._lock:
            known = self._known.get((digest, keys))
            if known is None:
                return None
            self._known.move_to_end((digest, keys))
        return known[1].moved(origin)

    def remember(self, keys: Signers, size: int, document: Verified[Body]) -> None:
        """Remember `document`, whose file has `size` bytes and was held against `keys`."""
        if size > self._most:
            return
        with self._lock:
            before = self._known.pop((document.digest, keys), None)
            self._known[document.digest, keys] = (size, document.moved(""))
            self._size += size - (before[0] if before else 0)
            while self._size > self._most:
                _, (gone, _) = self._known.popitem(last=False)
                self._size -= gone

    def __len__(self) -> int:
        return len(self._known)


def signers_of(keys: Collection[Key]) -> Signers:
    """What of `keys` decides who signed a document, and under which names."""
    return tuple((key.scheme, key.fingerprint, key.id) for key in keys)
