"""All workloads, in the order of the table.

A new one goes into the module that it belongs to, or into one of its own that is listed here. It needs neither upstream
nor floors: contestants that print their figures (`prints=True`, one JSON object as the last line) are shown by whatever
`Figure`s the workload lists, and goals with `against=""` hold them to a value. A server that it needs is started by
`prepare` and stopped by `Race.close`.
"""

from __future__ import annotations

from typing import Final

from bench.suite import admission, recording, start, verification
from bench.workload import Workload

WORKLOADS: Final[tuple[Workload, ...]] = (
    *start.WORKLOADS,
    *recording.WORKLOADS,
    *verification.WORKLOADS,
    *admission.WORKLOADS,
)
