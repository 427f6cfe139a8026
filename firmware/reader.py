# A reader at work: one asyncio task for each concern, and what the host's messages mean.

import asyncio
import gc
import json

from firmware import signals
from micropython import const

# The firmware's own version, as in pyproject.toml.
VERSION = "0.1.0"

_HEALTH_S = const(60)
_CLOCK_RETRY_S = const(60)
_CLOCK_KEEP_S = const(43200)
# Longer than anything that holds up all tasks at once: DNS with a dead server, a TLS handshake.
_WATCHDOG_MS = const(60000)
_CARD_WAIT_MS = const(3000)
# So long without Wi-Fi, the chip's own radio may be at fault; but not more than once an hour.
_NO_WIFI_S = const(1800)
_REBOOT_S = const(3600)
_KINDS = const(("link", "outbox", "rc522"))


# The parts of a running reader. topic: the first part of all its topics, with a slash at its end.
# board: the module that has watchdog() and reset().
class Reader:
    def __init__(self, topic, clock, wlan, lights, outbox, link, taps, presence, board):
        self._topic = topic
        self._clock = clock
        self._wlan = wlan
        self._lights = lights
        self._board = board
        self.outbox = outbox
        self.link = link
        self.taps = taps
        self.presence = presence
        self._up_s = 0
        self._no_wifi_s = 0
        self._clock_due_s = 0
        self._is_leaving = False
        self._warned = (None, 0, 0)
        link.codec.client.set_callback(self._on_message)
        link.before_stall = self._before_stall

    # A message of the host; called in the link's task.
    def _on_message(self, topic, payload):
        if topic.endswith(b"/verdict"):
            self.taps.on_verdict(payload)
        elif topic.endswith(b"/bridge/state"):
            self.taps.on_bridge(payload)
        elif topic.endswith(b"/apdu/cmd"):
            self.presence.relay.on_command(payload)
        elif topic.endswith(b"/cmd/reboot"):
            self._is_leaving = True

    # The link is about to hold up everything: not while a card is read or the customer is told
    # something. TLS needs the time.
    async def _before_stall(self, is_long):
        waited_ms = 0
        while (self.presence.uid or self._lights.playing) and waited_ms < _CARD_WAIT_MS:
            await asyncio.sleep_ms(50)
            waited_ms += 50
        if is_long:
            self._lights.show(signals.CONNECTING)
            if not self._clock.quality and not self._clock.set_from_network():
                self._clock.guess()

    # Runs until one of the tasks fails, which none should: its exception is raised here.
    async def run(self):
        gc.collect()
        await asyncio.gather(
            self._lights.run(),
            self.link.run(),
            self.presence.run(),
            self.taps.run(),
            self.taps.drain(),
            self._tend(),
        )

    # Once a second: is everybody alive, is it time for the clock, for a word about health.
    async def _tend(self):
        dog = self._board.watchdog(_WATCHDOG_MS)
        parts = (self._lights, self.link, self.presence, self.taps)
        began_ms = self._clock.ticks_ms()
        rest_ms = 0
        while True:
            if self.taps.drains and all(part.beats for part in parts):
                self.taps.drains = 0
                for part in parts:
                    part.beats = 0
                dog.feed()
            await asyncio.sleep_ms(1000)
            # Summed up in steps, each from a fresh reading: ticks wrap around within days, and
            # ticks_diff() takes no number beyond their range.
            now_ms = self._clock.ticks_ms()
            rest_ms += self._clock.ticks_diff(now_ms, began_ms)
            began_ms = now_ms
            passed_s = rest_ms // 1000
            rest_ms %= 1000
            self._up_s += passed_s
            await self.link.keep_alive()
            await self._keep(passed_s)

    async def _keep(self, passed_s):
        if self.link.is_up and not self.presence.uid and self._up_s >= self._clock_due_s:
            is_set = self._clock.set_from_network()
            self._clock_due_s = self._up_s + (_CLOCK_KEEP_S if is_set else _CLOCK_RETRY_S)
        if self._up_s % _HEALTH_S < passed_s:
            await self.link.publish(self._topic + "health", self.health(), qos=0)
            await self._warn()
        self._no_wifi_s = 0 if self._wlan.isconnected() else self._no_wifi_s + passed_s
        if self._no_wifi_s >= _NO_WIFI_S and self._up_s >= _REBOOT_S:
            self._is_leaving = True
        # Taps are on flash: none is lost by it.
        if self._is_leaving and not self.presence.uid:
            await self.link.close()
            self._board.reset()

    # The health message (contract).
    def health(self):
        try:
            rssi_dbm = self._wlan.status("rssi")
        except (OSError, ValueError):
            rssi_dbm = None
        return (
            '{"up_s":%d,"rssi_dbm":%s,"heap_free":%d,"outbox":%d,"outbox_dropped":%d,'
            '"reconnects":%d,"rc522_recoveries":%d,"verdict_ms":%s}'
            % (
                self._up_s,
                json.dumps(rssi_dbm),
                gc.mem_free(),
                len(self.outbox),
                self.outbox.dropped,
                max(self.link.reconnects, 0),
                self.presence.recoveries,
                json.dumps(self.taps.latency_ms),
            )
        )

    # What went wrong since the last time, one line for each kind (contract, "log").
    async def _warn(self):
        now = (self.link.last_error, self.outbox.dropped, self.presence.recoveries)
        for what, value, before in zip(_KINDS, now, self._warned):
            if value != before:
                line = '{"l":"W","n":0,"m":%s}' % json.dumps("%s: %r" % (what, value))
                await self.link.publish(self._topic + "log", line, qos=0)
        self._warned = now
