# From a card to its verdict: signal, store, send, and send again until the host has answered.

import asyncio
import json

from firmware import signals
from micropython import const

# No answer in this time: the customer is told that the tap is stored (house plan, section 4).
_ANSWER_MS = const(1500)
_RECEIPT_MS = const(5000)
_IDLE_MS = const(1000)
_LOOK_MS = const(5)
_BACKOFF_MAX_MS = const(60000)
_PASSED_MAX = const(8)
_SAK_ISO_DEP = const(0x20)


# link: publish() and is_up. topic: where taps go. latency_ms: the last verdict's, None before it.
# is_answered is false while no bridge is there to answer. relay may be set to a relay.Relay: it is
# told which tap's card lies there. beats and drains grow at least every 15 s, one for each task.
class Taps:
    def __init__(self, outbox, link, lights, clock, topic):
        self._outbox = outbox
        self._link = link
        self._lights = lights
        self._clock = clock
        self._topic = topic
        self.relay = None
        self._offers = []
        self._live = None
        self._asked = None
        # The tap sent last and its packet id.
        self._sent = None
        self._pid = 0
        self._sent_ms = 0
        self._is_stored = False
        self._is_hurried = False
        self.latency_ms = None
        self.is_answered = True
        self.beats = 0
        self.drains = 0

    # A card was read: show it at once, leave the rest to the task. None: cards of several customers
    # lie there, nobody's tap.
    def on_offer(self, offer):
        if offer is None:
            self._lights.show(signals.SEVERAL)
            return
        self._lights.show(signals.READ)
        self._offers.append(offer)

    # The host's answer (JSON, contract "verdict"). Whatever else arrives here is ignored.
    def on_verdict(self, payload):
        try:
            verdict = json.loads(payload)
            tap_id, outcome, reason = verdict["id"], verdict["r"], verdict["why"]
        except (ValueError, KeyError, TypeError):
            return
        if outcome not in ("accepted", "rejected"):
            return
        self.is_answered = True
        if tap_id == self._live:
            self._live = None
            self.latency_ms = self._passed_ms()
            self._lights.show(signals.for_verdict(outcome, reason))
        self._outbox.remove(tap_id)
        if tap_id == self._asked:
            self._asked = None

    # The task that turns cards into taps. Never ends.
    async def run(self):
        while True:
            self.beats += 1
            if self._offers:
                await self._take(self._offers.pop(0))
            elif self._live and self._passed_ms() > _ANSWER_MS:
                self._show_stored()
            await asyncio.sleep_ms(_LOOK_MS)

    # The task that sends again what nobody answered, oldest first, one at a time. One that gets no
    # answer lets the others pass before it is sent again. Never ends.
    async def drain(self):
        wait_ms = backoff_ms = _IDLE_MS
        passed = []
        while True:
            self.drains += 1
            await asyncio.sleep_ms(min(wait_ms, _IDLE_MS))
            wait_ms -= _IDLE_MS
            if wait_ms > 0 and not self._is_hurried:
                continue
            self._is_hurried = False
            wait_ms = _IDLE_MS
            if not (self._link.is_up and self.is_answered):
                continue
            tap_id = self._outbox.oldest([self._live] + passed)
            if not tap_id or len(passed) > _PASSED_MAX:
                passed.clear()
            elif await self._resend(tap_id):
                wait_ms, backoff_ms = 0, _IDLE_MS
            else:
                passed.append(tap_id)
                wait_ms = backoff_ms = min(backoff_ms * 2, _BACKOFF_MAX_MS)

    # Whether a bridge is there (contract, the bridge's "state"); one that is back need not wait.
    def on_bridge(self, payload):
        self.is_answered = self._is_hurried = b'"online"' in payload

    async def _take(self, offer):
        tap_id = self._outbox.next_id()
        message = self._message(tap_id, offer)
        if self.relay:
            self.relay.tap_id = tap_id
        self._is_stored = self._outbox.put(tap_id, message)
        self._live = tap_id
        self._sent_ms = self._clock.ticks_ms()
        is_sent = await self._publish(tap_id, message)
        if self._live == tap_id and not (is_sent and self.is_answered):
            self._show_stored()

    # Since the live tap was sent.
    def _passed_ms(self):
        return self._clock.ticks_diff(self._clock.ticks_ms(), self._sent_ms)

    # Nobody will answer, or nobody has: what the customer is told then.
    def _show_stored(self):
        self._live = None
        self._lights.show(signals.STORED if self._is_stored else signals.REJECTED)

    # False when the link is down. What this session has sent before goes out as a duplicate.
    async def _publish(self, tap_id, message):
        pid = self._pid if tap_id == self._sent else 0
        self._sent = tap_id
        self._pid = await self._link.publish(self._topic, message, pid=pid)
        return self._pid

    # s, the card's SAK, is told when the host could ask the card for more (ISO-DEP or Type 2); a
    # proof needs no more, and its tap would outgrow what littlefs keeps inline.
    def _message(self, tap_id, offer):
        sak = offer.sak
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
        if not await self._publish(tap_id, message):
            return False
        waited_ms = 0
        while self._asked and waited_ms < _RECEIPT_MS:
            waited_ms += _LOOK_MS
            await asyncio.sleep_ms(_LOOK_MS)
        return not self._asked
