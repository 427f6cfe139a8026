# From a card to its verdict: signal, store, send, and send again until the host has answered.

import asyncio
import json

from firmware import signals
from micropython import const

# No answer in this time: the customer is told that the tap is stored (house plan, section 4).
_ANSWER_MS = const(1500)
_RECEIPT_MS = const(5000)
_IDLE_MS = const(1000)
_BACKOFF_MAX_MS = const(60000)
_SAK_ISO_DEP = const(0x20)


# link: publish() and is_up. topic: where taps go. latency_ms: the last verdict's, None before it.
# relay may be set to a relay.Relay: it is told which tap's card lies there.
class Taps:
    def __init__(self, outbox, link, lights, clock, topic):
        self._outbox = outbox
        self._link = link
        self._lights = lights
        self._clock = clock
        self._topic = topic
        self.relay = None
        self._came = asyncio.Event()
        self._receipt = asyncio.Event()
        self._offers = []
        self._live = None
        self._asked = None
        self._sent_ms = 0
        self.latency_ms = None

    # A card was read: show it at once, leave the rest to the task. None: cards of several customers
    # lie there, nobody's tap.
    def on_offer(self, offer):
        if offer is None:
            self._lights.show(signals.SEVERAL)
            return
        self._lights.show(signals.READ)
        self._offers.append(offer)
        self._came.set()

    # The host's answer (JSON, contract "verdict"). Whatever else arrives here is ignored.
    def on_verdict(self, payload):
        try:
            verdict = json.loads(payload)
            tap_id, outcome, reason = verdict["id"], verdict["r"], verdict["why"]
        except (ValueError, KeyError, TypeError):
            return
        if outcome not in ("accepted", "rejected"):
            return
        if tap_id == self._live:
            self._live = None
            self.latency_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._sent_ms)
            self._lights.show(signals.for_verdict(outcome, reason))
        self._outbox.remove(tap_id)
        if tap_id == self._asked:
            self._receipt.set()

    # The task that turns cards into taps. Never ends.
    async def run(self):
        while True:
            if not self._live:
                await self._came.wait()
            elif not await self._has_come(_ANSWER_MS):
                self._live = None
                self._lights.show(signals.STORED)
                continue
            self._came.clear()
            while self._offers:
                await self._take(self._offers.pop(0))

    # The task that sends again what nobody answered, oldest first, one at a time. Never ends.
    async def drain(self):
        wait_ms = _IDLE_MS
        while True:
            await asyncio.sleep_ms(wait_ms)
            tap_id = self._link.is_up and self._outbox.oldest((self._live,))
            if not tap_id:
                wait_ms = _IDLE_MS
            elif await self._resend(tap_id):
                wait_ms = 0
            else:
                wait_ms = min(max(wait_ms, _IDLE_MS) * 2, _BACKOFF_MAX_MS)

    # True when a card or the verdict has come in that time.
    async def _has_come(self, wait_ms):
        try:
            await asyncio.wait_for_ms(self._came.wait(), wait_ms)
        except asyncio.TimeoutError:
            return not self._live
        return True

    async def _take(self, offer):
        tap_id = self._outbox.next_id()
        message = self._message(tap_id, offer)
        if self.relay:
            self.relay.tap_id = tap_id
        is_stored = self._outbox.put(tap_id, message)
        self._live = tap_id
        self._sent_ms = self._clock.ticks_ms()
        if await self._link.publish(self._topic, message):
            return
        if self._live == tap_id:
            self._live = None
            self._lights.show(signals.STORED if is_stored else signals.REJECTED)

    # s, the card's SAK, is told when the host could ask the card for more (ISO-DEP or Type 2); a
    # proof needs no more, and its tap would outgrow what littlefs keeps inline.
    def _message(self, tap_id, offer):
        sak = offer.card.sak
        is_told = self.relay and offer.kind == "uid" and (not sak or sak & _SAK_ISO_DEP)
        return b'{"v":1,"id":"%s","k":"%s","d":"%s",%s"t":%d,"tq":%d,"q":0}' % (
            tap_id.encode(),
            offer.kind.encode(),
            offer.data.encode(),
            b'"s":%d,' % sak if is_told else b"",
            self._clock.unix_s(),
            self._clock.quality,
        )

    # True when the host has answered.
    async def _resend(self, tap_id):
        message = self._outbox.message(tap_id)
        if message is None:
            return True
        self._asked = tap_id
        self._receipt.clear()
        if not await self._link.publish(self._topic, message):
            return False
        try:
            await asyncio.wait_for_ms(self._receipt.wait(), _RECEIPT_MS)
        except asyncio.TimeoutError:
            return False
        return True
