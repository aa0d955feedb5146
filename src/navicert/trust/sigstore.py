"""Trust roots of Sigstore by file, and the one that ships with this package. Nothing is fetched."""

from __future__ import annotations

import os

from navicert.crypto.trusted_root import TrustedRoot
from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PUBLIC_GOOD: Final = "public-good"
"""The name of the trust root of the public instance of Sigstore."""

PUBLIC_GOOD_TAKEN: Final = "2026-11-29"
"""The day on which it was taken from upstream. What upstream changed later is not in it."""

_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "roots")


def open_trusted_root(path: str | None = None, limits: Limits = LOCAL) -> TrustedRoot:
    """The trust root in the file `path`; None: the one of the public instance as it shipped.

    Raises `Unavailable` where the file cannot be read, `Malformed` where it is none.
    """
    name = path if path is not None else os.path.join(_FOLDER, f"{PUBLIC_GOOD}.json")
    try:
        with open(name, "rb") as stream:
            raw = stream.read(limits.document_bytes + 1)
    except OSError as error:
        raise Unavailable(f"cannot be read: {error.strerror}", path=name) from error
    if len(raw) > limits.document_bytes:
        raise Malformed("too large for a trust root (limit document_bytes)", path=name)
    return TrustedRoot.read(raw, limits, path=path or f"{PUBLIC_GOOD} ({PUBLIC_GOOD_TAKEN})")
