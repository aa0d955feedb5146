"""One entry of a transparency log, as bundles carry it.

Spec: sigstore/protobuf-specs, sigstore_rekor.proto.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry is in a tree: `index` of the leaf, the siblings on its way up, and the root that they lead to.

    `checkpoint` is what the log signed about the tree (a note), None where there is none: then the proof proves
    nothing, because whoever wrote it may have made the tree.
    """

    index: int
    tree_size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a log entered: `body`, under `index`. `log_id` names the log; `kind` and `version` are what is claimed of
    the body.

    `promise` (a signed entry timestamp) is the log's signature over body, moment and index.
    """

    log_id: bytes
    index: int
    kind: str
    version: str
    body: bytes = field(repr=False)
    integrated: int | None = None
    """Seconds since 1970; proved by `promise` and by nothing else."""
    promise: bytes | None = field(default=None, repr=False)
    proof: InclusionProof | None = field(default=None, repr=False)

    @property
    def moment(self) -> datetime:
        """When the log says that it entered it, in UTC. Raises `Malformed` where it does not say."""
        from datetime import UTC, datetime

        if self.integrated is None:
            raise Malformed("the log entry has no time")
        try:
            return datetime.fromtimestamp(self.integrated, UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise Malformed("the time of the log entry is no date", got=str(self.integrated)[:24]) from error
