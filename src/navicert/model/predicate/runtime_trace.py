"""The runtime-trace predicate: what a monitor saw while a process ran.

Spec: in-toto attestation framework, spec/predicates/runtime-trace.md (v0.1, v0.2).
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class RuntimeTracePredicate:
    """What was seen. A log is None where the monitor kept none, which is not the same as one in which nothing is.

    `trace_policy` and the entries of `processes` and `network` are JSON objects as received: their form is the
    monitor's.
    """

    monitor: str
    host: str
    process_type: str
    event: str
    processes: tuple[Mapping[str, object], ...] | None
    network: tuple[Mapping[str, object], ...] | None
    files: tuple[ResourceDescriptor, ...] | None
    monitor_config: ResourceDescriptor | None = None
    trace_policy: Mapping[str, object] = field(default_factory=dict)
    started: datetime | None = None
    finished: datetime | None = None

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> RuntimeTracePredicate:
        """The trace of a predicate. Raises `Malformed`, also for one without any log."""
        reader = Reader(predicate, where)
        monitor, process = reader.child("monitor"), reader.child("monitoredProcess")
        log, metadata = reader.child("monitorLog"), reader.maybe_child("metadata")
        if not any(log.has(name) for name in ("process", "network", "fileAccess")):
            raise Malformed("logs nothing", pointer=log.where, expected="one of process, network and fileAccess")
        return RuntimeTracePredicate(
            monitor.text("type"),
            process.text("hostID"),
            process.text("type"),
            process.text("event"),
            tuple(one.fields for one in log.children("process")) if log.has("process") else None,
            tuple(one.fields for one in log.children("network")) if log.has("network") else None,
            log.descriptors("fileAccess") if log.has("fileAccess") else None,
            monitor.descriptor("configSource"),
            monitor.mapping("tracePolicy"),
            metadata.maybe_moment("buildStartedOn"),
            metadata.maybe_moment("buildFinishedOn"),
        )
