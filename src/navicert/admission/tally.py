"""What has been counted since the start: decisions, judgements, their time, and when things expire.

Plain numbers, so that deciding knows nothing of whoever reads them. Names that strangers choose (registries, layouts)
are kept to a number, beyond which they are `other`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from typing import Final

from navicert.admission.decision import Decision
from navicert.admission.judgement import Judgement
from navicert.dataclass import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds at which histograms are cut."""
_NAMES: Final = 200
OTHER: Final = "other"


@dataclass(slots=True)
class Durations:
    """A histogram: how many durations were up to each of `BOUNDS` (and beyond), and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Tally:
    """Counts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decisions: Counter[tuple[str, str, str]] = Counter()
        self._waivers: Counter[str] = Counter()
        self._phases: dict[tuple[str, str], Durations] = {}
        self._registries: dict[tuple[str, str], Durations] = {}
        self._known: set[str] = set()
        self._cache: Counter[str] = Counter()
        self._expiries: dict[tuple[str, str], datetime] = {}
        self._problems: Counter[str] = Counter()

    def decision(self, hook: str, decision: Decision, seconds: float, waited: float) -> None:
        """Count a decision of `hook`, which took `seconds`, `waited` of them for registries and judging."""
        with self._lock:
            self._decisions[hook, decision.outcome.value, decision.reason] += 1
            for phase, duration in (("total", seconds), ("waiting", waited), ("deciding", seconds - waited)):
                self._phases.setdefault((hook, phase), Durations()).add(max(0.0, duration))
            for ruling in decision.rulings:
                if ruling.judgement.passed:
                    continue
                if ruling.exception is not None:
                    self._waivers["exception"] += 1
                elif ruling.broken_glass:
                    self._waivers["break-glass"] += 1

    def judged(self, registry: str, policy: str, judgement: Judgement, seconds: float) -> None:
        """Count a judgement that was not remembered."""
        outcome = "outage" if judgement.outage else judgement.standing.value
        with self._lock:
            if registry not in self._known and len(self._known) >= _NAMES:
                registry = OTHER
            self._known.add(registry)
            self._registries.setdefault((registry, outcome), Durations()).add(seconds)
        if judgement.expires is not None:
            self.expires("layout", policy, judgement.expires)
        for ending in judgement.endings:
            self.expires(ending.kind, f"{policy} {ending.name}", ending.at)

    def looked_up(self, *, hit: bool) -> None:
        """Count a look into the memory of verdicts."""
        with self._lock:
            self._cache["hit" if hit else "miss"] += 1

    def expires(self, kind: str, name: str, at: datetime) -> None:
        """Note when the layout of the policy `name` (or a key that counts in it, or the certificate) expires."""
        with self._lock:
            if (kind, name) in self._expiries or len(self._expiries) < _NAMES:
                self._expiries[kind, name] = at

    def retain(self, policies: Collection[str]) -> None:
        """Forget what was noted of other policies than these: what is gone does not expire."""
        with self._lock:
            self._expiries = {
                (kind, name): at
                for (kind, name), at in self._expiries.items()
                if kind == "certificate" or name.partition(" ")[0] in policies
            }

    def problem(self, kind: str) -> None:
        """Count that something could not be renewed: policies, certificate."""
        with self._lock:
            self._problems[kind] += 1

    # --- read ------------------------------------------------------------------------------------------------------

    @property
    def decisions(self) -> Mapping[tuple[str, str, str], int]:
        """By hook, outcome and reason."""
        with self._lock:
            return dict(self._decisions)

    @property
    def waivers(self) -> Mapping[str, int]:
        """Refusals that did not count: by exception, by broken glass."""
        with self._lock:
            return dict(self._waivers)

    @property
    def phases(self) -> Mapping[tuple[str, str], Durations]:
        """By hook and phase."""
        with self._lock:
            return {key: Durations(list(one.counts), one.total) for key, one in self._phases.items()}

    @property
    def registries(self) -> Mapping[tuple[str, str], Durations]:
        """By registry and what came out."""
        with self._lock:
            return {key: Durations(list(one.counts), one.total) for key, one in self._registries.items()}

    @property
    def lookups(self) -> Mapping[str, int]:
        """Hits and misses of the memory of verdicts."""
        with self._lock:
            return dict(self._cache)

    @property
    def expiries(self) -> Mapping[tuple[str, str], datetime]:
        """By kind and name."""
        with self._lock:
            return dict(self._expiries)

    @property
    def problems(self) -> Mapping[str, int]:
        """By what could not be renewed."""
        with self._lock:
            return dict(self._problems)
