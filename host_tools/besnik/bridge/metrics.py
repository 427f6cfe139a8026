"""What Prometheus reads of a bridge: docs/bridge.md has the names. No label names anybody."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from besnik.bridge.intake import Fault
from besnik.config import ConfigError
from besnik.store.hot import Recorded

HOST: Final = "127.0.0.1"
_BATCH_TAPS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


# What is counted for each tap or batch is counted here with as little as that takes: the client's
# own counters cost a tap more than its verdict does. Written by one thread, read by another.
class _Spread(Collector):
    """A histogram."""

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._bounds = bounds
        self._by_bucket = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._by_bucket[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[Metric]:
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._by_bucket), strict=True))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, self._sum)
        yield family


class _Answers(Collector):
    """The taps that were answered, by their verdicts."""

    def __init__(self) -> None:
        self._taps: Counted[tuple[str, str]] = Counted()
        self._repeated = 0

    def count(self, answer: Recorded) -> None:
        self._taps[answer.outcome, answer.reason] += 1
        if answer.repeat:
            self._repeated += 1

    def collect(self) -> Iterator[Metric]:
        taps = CounterMetricFamily("besnik_taps", "Taps answered.", labels=["verdict", "reason"])
        for labels, count in self._taps.copy().items():
            taps.add_metric(labels, count)
        yield taps
        yield CounterMetricFamily(
            "besnik_taps_repeated", "Taps that had been written before.", value=self._repeated
        )


class Metrics:
    """Counts of one bridge; ``serve`` shows them."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside each counter
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._answers = _Answers()
        self._tap = _Spread("besnik_tap_seconds", "From tap to answer.", _SECONDS)
        self._batch_taps = _Spread("besnik_batch_taps", "Taps in a batch.", _BATCH_TAPS)
        self._commit = _Spread("besnik_commit_seconds", "Time to settle a batch.", _SECONDS)
        for each in (self._answers, self._tap, self._batch_taps, self._commit):
            registry.register(each)
        self._bad_input = Counter(
            "besnik_bad_input", "Messages answered with nothing.", ["fault"], registry=registry
        )
        for fault in get_args(Fault):
            self._bad_input.labels(fault)
        self._talks = Counter("besnik_relay_talks", "Cards asked.", ["outcome"], registry=registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show ``value()`` as the gauge ``besnik_…``; it is called on another thread."""
        Gauge(f"besnik_{name}", text, registry=self.registry).set_function(value)

    def settled(self, taps: int, seconds: float) -> None:
        """Count a batch."""
        self._batch_taps.observe(taps)
        self._commit.observe(seconds)

    def answered(self, answer: Recorded, age_s: float) -> None:
        """Count a tap's answer."""
        self._answers.count(answer)
        self._tap.observe(age_s)

    def refused(self, fault: Fault) -> None:
        """Count bad input."""
        self._bad_input.labels(fault).inc()

    def talked(self, outcome: str) -> None:
        """Count a card that was asked."""
        self._talks.labels(outcome).inc()

    def serve(self, port: int) -> None:
        """Serve them on ``port`` of this machine until the process ends; ConfigError if taken."""
        try:
            start_http_server(port, HOST, self.registry)
        except OSError as error:
            raise ConfigError(
                f"bridge.metrics_port: {HOST}:{port} cannot be served ({error.strerror}); "
                "give another port, or 0 for none"
            ) from error
