"""What one policy says about one image, and for how long that holds."""

from __future__ import annotations

from navicert.admission.cause import Cause
from navicert.admission.ending import Ending
from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.enumeration import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


class Standing(Enum):
    """What came out. What could not be found out is neither of the two, and never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One outcome. `cause` is there unless it passed. `outage`: nothing was found out because a registry gave no usable
    answer, and for no other reason. `until` is the moment at which a pass ends by itself (the layout's expiry, grace
    included); `layout` and `expires` are the name and expiry of the layout that was passed, and `endings` what else it
    rests on that ends, the soonest first."""

    standing: Standing
    cause: Cause | None = None
    warnings: tuple[str, ...] = ()
    outage: bool = False
    layout: str = ""
    expires: datetime | None = None
    until: datetime | None = None
    policy: Digest | None = None
    endings: tuple[Ending, ...] = ()

    def __post_init__(self) -> None:
        if (self.standing is Standing.PASSED) == (self.cause is not None):
            raise ValueError("what did not pass has a cause, and nothing else has")

    @property
    def passed(self) -> bool:
        """Whether the policy is satisfied."""
        return self.standing is Standing.PASSED


def unknown(id: str, reason: str, *, outage: bool = False, layout: str = "") -> Judgement:
    """That nothing could be found out, and why."""
    return Judgement(Standing.UNKNOWN, Cause(id, reason, layout), outage=outage)


def refused(id: str, reason: str, *, layout: str = "") -> Judgement:
    """That it does not pass, and why."""
    return Judgement(Standing.FAILED, Cause(id, reason, layout))
