"""What is said of a tap that is settled: the verdict to its reader, the visit to the screens."""

from __future__ import annotations

from functools import lru_cache

from besnik import contract
from besnik.bridge.intake import Arrival
from besnik.bridge.link import Link
from besnik.bridge.metrics import Metrics
from besnik.store.hot import Recorded


class Answers:
    """Sends them over ``link`` and counts them."""

    def __init__(self, link: Link, metrics: Metrics) -> None:
        self._link = link
        self._metrics = metrics

    def send(self, arrival: Arrival, settled: Recorded) -> None:
        """Say what became of a tap."""
        verdict = contract.Verdict(arrival.tap.id, settled.outcome, settled.reason)
        to_reader, to_screens = _topics(arrival.shop, arrival.reader)
        self._link.send(
            to_reader,
            contract.encode(verdict),
            expiry_s=contract.VERDICT_EXPIRY_S,
            deadline_s=arrival.received_s + contract.VERDICT_EXPIRY_S,
        )
        self._metrics.answered(settled, arrival.age_s)
        # A repeat was shown before; unless the broker had to send it again, which means that
        # the answer to the first may never have left.
        if settled.repeat and not arrival.redelivered:
            return
        visit = contract.Visit(
            v=1,
            tap=arrival.tap.id,
            shop=arrival.shop,
            reader=arrival.reader,
            member=settled.member_ref,
            r=settled.outcome,
            why=settled.reason,
        )
        self._link.send(to_screens, contract.encode(visit))


@lru_cache(maxsize=1024)
def _topics(shop: str, reader: str) -> tuple[str, str]:
    return contract.topic(shop, reader, "verdict"), contract.topic(shop, reader, "visit")
