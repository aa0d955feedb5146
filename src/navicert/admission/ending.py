"""What a pass rests on that ends by itself: a layout, the keys of its owners and functionaries, a certificate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.report.line import cut, escape
from navicert.verify.authority import Authority
from navicert.verify.case import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOTICE: Final = timedelta(days=14)
"""How long before something ends its users are warned."""
MOST: Final = 8
"""Endings that a judgement carries, the soonest first."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends `at` a moment: its kind (`layout`, `key`, `certificate`) and what it is called."""

    kind: str
    name: str
    at: datetime

    def soon(self, at: datetime) -> bool:
        """Whether that is within the notice at the moment `at`, or past."""
        return self.at - at < NOTICE

    def notice(self, at: datetime) -> str:
        """The warning at the moment `at`."""
        days = max(0, (self.at - at).days)
        return f"{self.kind} {cut(self.name, 60)} expires in {days} day{'s' * (days != 1)}: renew it"


def endings(policy: Policy) -> tuple[Ending, ...]:
    """What ends of a layout that its owners signed, the soonest first; nothing for one that they did not."""
    body = None if policy.verified is None else policy.verified.body
    if not isinstance(body, Layout):
        return ()
    found = [Ending("layout", escape(policy.sealed.origin), body.expires)]
    found += [Ending("key", f"of owner {key.short}", key.expires) for key in policy.owners if key.expires is not None]
    found += _functionaries(body)
    return tuple(sorted(found, key=lambda one: (one.at, one.kind, one.name)))


def _functionaries(layout: Layout) -> Iterator[Ending]:
    """The end of each functionary's key: its own, and what the layout says of it."""
    try:
        authority = Authority.of(layout)
    except Malformed:
        return  # judged by such a layout nothing passes, and the reason is given there
    for key in {one.fingerprint: one for one in authority.keys.values()}.values():
        moments = [moment for one in authority.validities(key) for moment in (one.until, one.revoked)]
        ends = [moment for moment in (key.expires, *moments) if moment is not None]
        if ends:
            yield Ending("key", f"of functionary {key.short}", min(ends))


def notices(found: Iterable[Ending], at: datetime) -> Iterator[str]:
    """A warning for each that ends soon, the soonest first, and each once."""
    soon = {one for one in found if one.soon(at)}
    for one in sorted(soon, key=lambda one: (one.at, one.kind, one.name)):
        yield one.notice(at)
