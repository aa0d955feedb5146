"""The two ways to judge: as in-toto does, and as Navicert does.

Each property is one row of the table in `docs/reference/conformance.md`; everything else is the same in both.
"""

from __future__ import annotations

from navicert.enumeration import Enum


class Profile(Enum):
    """UPSTREAM is what the `in-toto-*` programs promise; STRICT is what `navicert` promises."""

    UPSTREAM = "upstream"
    STRICT = "strict"

    @property
    def refuses_empty_layout(self) -> bool:
        """Whether a layout without steps fails."""
        return self is Profile.STRICT

    @property
    def compares_strong_digests(self) -> bool:
        """Whether artifacts are compared by their common strong digests, and not by equality of the digest sets."""
        return self is Profile.STRICT

    @property
    def match_must_hold(self) -> bool:
        """Whether a MATCH fails that finds its artifact with another digest, if nothing else consumes it."""
        return self is Profile.STRICT

    @property
    def selects_among_links(self) -> bool:
        """Whether links that disagree are grouped, and some consistent choice of groups may stand."""
        return self is Profile.STRICT

    @property
    def warns_of_loose_rules(self) -> bool:
        """Whether rules that bind nothing are warned of."""
        return self is Profile.STRICT

    @property
    def inspects_one_by_one(self) -> bool:
        """Whether the rules of an inspection are judged before the next one is run, or after all have run."""
        return self is Profile.STRICT

    @property
    def compares_every_command(self) -> bool:
        """Whether a recorded command is compared even where the layout expects none."""
        return self is Profile.UPSTREAM
