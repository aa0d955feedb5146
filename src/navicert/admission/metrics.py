"""The counts of a webhook as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from navicert.admission.tally import BOUNDS, Durations, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from prometheus_client.core import Metric

    from navicert.admission.policy import PolicyDocument


class Metrics:
    """Gives what `tally` has counted, how many verdicts are remembered, since when policies are stale, and which are
    odd, whenever it is asked."""

    def __init__(
        self,
        tally: Tally,
        remembered: Callable[[], int],
        clock: Callable[[], datetime],
        stale: Callable[[], datetime | None] = lambda: None,
        odd: Callable[[], Iterable[PolicyDocument]] = lambda: (),
    ) -> None:
        self._tally = tally
        self._remembered = remembered
        self._clock = clock
        self._stale = stale
        self._odd = odd

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Every metric family. Called by the registry."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        tally = self._tally
        decisions = CounterMetricFamily(
            "navicert_admission_decisions", "Decisions.", labels=["hook", "outcome", "reason"]
        )
        for decision, count in sorted(tally.decisions.items()):
            decisions.add_metric(decision, count)
        yield decisions
        yield _counter("navicert_admission_waivers", "Refusals that did not count.", "by", tally.waivers)
        yield _histogram("navicert_admission_seconds", "Time of decisions by phase.", ("hook", "phase"), tally.phases)
        yield _histogram(
            "navicert_judgement_seconds",
            "Time of judgements that were not remembered.",
            ("registry", "outcome"),
            tally.registries,
        )
        yield _counter("navicert_verdict_lookups", "Looks into the memory of verdicts.", "result", tally.lookups)
        yield GaugeMetricFamily("navicert_verdicts", "Verdicts that are remembered.", value=self._remembered())
        now = self._clock()
        expiries = GaugeMetricFamily(
            "navicert_expiry_seconds", "Seconds until something expires.", labels=["kind", "name"]
        )
        for name, at in sorted(tally.expiries.items()):
            expiries.add_metric(name, (at - now).total_seconds())
        yield expiries
        since = self._stale()
        yield GaugeMetricFamily(
            "navicert_policies_stale_seconds",
            "Seconds since policies of the cluster may be old; 0 where they are not.",
            value=0 if since is None else max(0.0, (now - since).total_seconds()),
        )
        odd = GaugeMetricFamily(
            "navicert_policies_malformed", "Policies that are not understood.", labels=["policy", "effect"]
        )
        for policy in self._odd():
            odd.add_metric([policy.label, "refuses" if policy.problem else "before"], 1)
        yield odd
        yield _counter("navicert_renewal_problems", "Renewals that failed.", "of", tally.problems)


def _counter(name: str, help: str, label: str, counts: Mapping[str, int]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, help, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _histogram(name: str, help: str, labels: tuple[str, str], found: Mapping[tuple[str, str], Durations]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, help, labels=list(labels))
    for values, durations in sorted(found.items()):
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], durations.counts, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric(list(values), buckets, durations.total)
    return family
