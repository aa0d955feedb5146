"""The exceptions of Navicert, grouped by whose fault it is.

::

    NavicertError
    ├── Malformed             the input: a document, key, option or rule that is not what it claims to be
    │   └── LimitExceeded     the input is larger, deeper or more numerous than a named limit allows
    ├── Unavailable           the world: a file, program or server that could not be read, run or reached
    ├── Refused               the request: understood, and not done because it would be unsafe
    └── VerificationFailed    the evidence: judged, and not passed; carries the verdict

"Not authorised", "expired" and "threshold missed" are outcomes of a verdict, never exceptions; only
`Verdict.require` turns a verdict into one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.verdict import Verdict


class NavicertError(Exception):
    """What went wrong, in one line, with what a caller needs to act on it.

    `what` names the problem; `path` is the file or reference that it was found in; `pointer` is the JSON
    pointer inside it; `expected` and `got` are the two sides of a comparison; `remedy` says what to do.
    """

    def __init__(
        self,
        what: str,
        *,
        path: str = "",
        pointer: str = "",
        expected: str = "",
        got: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.path = path
        self.pointer = pointer
        self.expected = expected
        self.got = got
        self.remedy = remedy

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.path, self.pointer) if part)
        text = f"{where}: {self.what}" if where else self.what
        if self.expected and self.got:
            text += f" (expected {self.expected}, got {self.got})"
        elif self.expected:
            text += f" (expected {self.expected})"
        elif self.got:
            text += f" (got {self.got})"
        if self.remedy:
            text += f" – {self.remedy}"
        return text

    def at(self, path: str) -> NavicertError:
        """This error, naming the file it was found in (unless a more precise one is named already)."""
        if not self.path:
            self.path = path
        return self


class Malformed(NavicertError):
    """The input is not a well-formed document, key, rule or option."""


class LimitExceeded(Malformed):
    """The input goes beyond a limit of `navicert.limits`; the limit's name is in the message."""


class Unavailable(NavicertError):
    """Something outside could not be read, run or reached, so nothing can be said about it."""


class Refused(NavicertError):
    """The request is understood and not carried out, because doing so would be unsafe."""


class VerificationFailed(NavicertError):
    """The evidence was judged and did not pass. `verdict` explains why."""

    def __init__(self, what: str, verdict: Verdict) -> None:
        super().__init__(what)
        self.verdict = verdict
