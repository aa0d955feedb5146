"""Every limit on one admission review, with its reason, and the limits on what is read for it."""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.limits import MIB, Limits


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Bounds on the answer to one admission review. Whoever may create a Pod chooses what is in it."""

    review_bytes: int = 8 * MIB
    """One review. The API server takes objects of 3 MiB and sends the old one along: 7 MiB must be accepted."""
    images: int = 128
    """Different images of one object that are judged; Pods have a handful. Of more, none is."""
    uses: int = 20_000
    """Places of one object that name an image: 3 MiB hold no more containers."""
    decision_seconds: float = 8.0
    """Time for one answer. The API server waits 10 s unless configured otherwise."""
    margin_seconds: float = 0.5
    """Kept of the time that the API server grants, to write the answer and send it."""
    image_bytes: int = 64 * MIB
    """What is read of registries for one image, all documents together; chains have some hundred KiB."""
    admission_bytes: int = 128 * MIB
    """The same for all images of one review."""
    message_bytes: int = 1000
    """One denial, in UTF-8. `kubectl` prints it on a terminal."""
    warning_characters: int = 240
    """One warning; the API server shortens those beyond 256 where all together are long."""
    warnings: int = 16
    """Warnings of one answer; the API server begins to cut beyond 4,096 characters."""
    workers: int = 16
    """Images judged at a time, of all reviews."""
    lane: int = 4
    """Images judged at a time from one registry, so that a slow one cannot keep all workers."""
    queue: int = 256
    """Images of one registry that wait for a worker. Beyond it they are refused at once."""
    namespace_judgements: int = 1_000
    """Images that were not judged before, and tags, that one namespace may ask about at once. A rollout asks once about
    each digest, however many replicas there are."""
    namespace_judgements_per_second: float = 20.0
    """How many more it may ask about with every second."""
    outages: int = 5
    """Requests in a row that a registry did not answer, after which it is not asked for a while."""
    outage_window_seconds: float = 30.0
    """Within which these requests were made."""
    outage_pause_seconds: float = 15.0
    """How long it is not asked; then one request tries whether it is back."""
    cached: int = 10_000
    """Verdicts that are remembered."""
    policies: int = 1_000
    """Policies, exceptions and config maps that are loaded."""
    report_results: int = 500
    """Results of one PolicyReport: an object of a cluster holds about one MiB."""
    patterns: int = 1_000
    """Image patterns of one policy."""
    parameters: int = 100
    """Parameters of one policy; layouts have a handful."""
    parameter_characters: int = 10_000
    """The value of one."""


ADMISSION = AdmissionLimits()
"""For a webhook that serves one cluster."""

WEBHOOK = Limits(
    document_bytes=16 * MIB,
    signatures=64,
    links_per_step=64,
    evidence_files=4096,
    sbom_bytes=40 * MIB,
    connect_seconds=3,
    idle_seconds=4,
    request_seconds=6,
    attempts=2,
    retry_seconds=1,
    redirects=3,
    registry_pages=8,
    tags=10_000,
    referrers=100,
    attachment_bytes=16 * MIB,
    attached_bytes=64 * MIB,
    credential_seconds=3,
)
"""As `NETWORK`, for whoever has seconds to answer: what a registry can make a webhook do is bounded much closer."""
