"""Policies that change while a program runs: the newest that could be understood as a whole."""

from __future__ import annotations

from navicert.admission.policy import PolicySet
from navicert.errors import NavicertError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class PolicyWatch:
    """What `load` gave last without an error. Half a set is never taken: what cannot be read leaves all of the one
    before in force, because a policy that disappears by a slip would let in what it refuses. `stale` says why what
    `load` gives may be old (empty: it is not)."""

    def __init__(self, load: Callable[[], PolicySet], stale: Callable[[], str] = lambda: "") -> None:
        self._load = load
        self._stale = stale
        self._current = load()
        self.problem = ""
        """Why what is there now is not in force; empty where it is."""

    def __call__(self) -> PolicySet:
        """The policies in force."""
        return self._current

    def renew(self) -> bool:
        """Read them again, and say whether anything changed. Never raises for what is wrong with them: see
        `problem`."""
        try:
            found = self._load()
        except NavicertError as error:
            self.problem = str(error)
            return False
        self.problem = self._stale()
        changed = found != self._current
        self._current = found
        return changed
