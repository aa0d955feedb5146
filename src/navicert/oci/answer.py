"""An answer that cannot be relied on: what it means for whoever asked.

A registry that gives other bytes than it was asked for, a list that is none, or an image that is damaged says nothing
about the image that was meant. To somebody who wants to know whether it may be used, that is not a malformed request:
nothing could be found out.
"""

from __future__ import annotations

from contextlib import contextmanager

from navicert.errors import Malformed, Unavailable
from navicert.oci.exchange import NotThere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering() -> Iterator[None]:
    """Makes `Unavailable` of whatever is `Malformed` in the answers that are read inside; that something the user named
    is not there stays what it is."""
    try:
        yield
    except NotThere:
        raise
    except Malformed as error:
        found = Unavailable(
            error.what,
            path=error.path,
            pointer=error.pointer,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
        )
        raise found from error
