"""By what identities without keys are believed: a trust root of Sigstore, at the moment that is judged for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.digest import Digest


class Keyless:
    """A trust root and the moment `at`. What opens the root may be given in its place: it is asked once, when the
    first document needs it, as most chains know keys alone."""

    def __init__(self, root: TrustedRoot | Callable[[], TrustedRoot], at: datetime) -> None:
        self._root: TrustedRoot | None = None
        self._open: Callable[[], TrustedRoot] | None = None
        if callable(root):
            self._open = root
        else:
            self._root = root
        self.at = at

    @property
    def root(self) -> TrustedRoot:
        """The trust root. Raises what opening it raises."""
        if self._root is None:
            if self._open is None:
                raise ValueError("no trust root")
            self._root = self._open()
        return self._root

    @property
    def used(self) -> Digest | None:
        """The digest of the trust root that something was judged by; None where nothing has needed it so far."""
        return None if self._root is None else self._root.digest
