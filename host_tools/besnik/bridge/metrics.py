"""What Prometheus reads of a bridge: docs/bridge.md has the names. No label names anybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from besnik.bridge.intake import Fault
from besnik.config import ConfigError
from besnik.store.hot import Recorded

HOST: Final = "127.0.0.1"
_BATCH_TAPS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Counts of one bridge; ``serve`` shows them."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside each counter
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._taps = Counter(
            "besnik_taps", "Taps answered.", ["verdict", "reason"], registry=registry
        )
        self._answers = lru_cache(maxsize=64)(self._taps.labels)
        self._repeated = Counter(
            "besnik_taps_repeated", "Taps that had been written before.", registry=registry
        )
        self._batch_taps = Histogram(
            "besnik_batch_taps", "Taps in a batch.", buckets=_BATCH_TAPS, registry=registry
        )
        self._commit = Histogram(
            "besnik_commit_seconds", "Time to settle a batch.", buckets=_SECONDS, registry=registry
        )
        self._tap = Histogram(
            "besnik_tap_seconds", "From tap to answer.", buckets=_SECONDS, registry=registry
        )
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
        self._answers(answer.outcome, answer.reason).inc()
        self._tap.observe(age_s)
        if answer.repeat:
            self._repeated.inc()

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
