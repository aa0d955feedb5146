"""What only our own policy document says of itself, beyond a classic layout."""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.enumeration import Enum
from navicert.model.release import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from navicert.model.identity import IdentityPolicy
    from navicert.model.validity import Validity


class RunRule(Enum):
    """What the run ids of links, which recorders write, must be to each other."""

    SAME = "same"
    """Links that carry one carry the same one."""
    REQUIRED = "required"
    """Every link carries the same one."""
    ANY = "any"
    """Nothing is asked of them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Name, version and persons; the step whose products are the target (empty: the last that makes any); what ties the
    links to one run; by key id, when keys count that do not count always; and by person, the identities without a key
    that are hers, beside the keys that `release` names: she counts once."""

    release: Release
    target: str = ""
    run: RunRule = RunRule.SAME
    validity: Mapping[str, Validity] = field(default_factory=dict)
    identities: Mapping[str, tuple[IdentityPolicy, ...]] = field(default_factory=dict)
