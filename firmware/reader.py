# A reader at work: one asyncio task for each concern, and what the host's messages mean.

import asyncio
import gc
import json
import sys

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
_SETTLED_S = const(60)
_ROOM_BYTES = const(320)
_ROOMS = const(11)
_KINDS = const(("link", "outbox", "rc522"))


# Takes a module out of memory, as far as nobody else holds it.
def forget(name):
    if sys.modules.pop("firmware." + name, None):
        delattr(sys.modules["firmware"], name)
    gc.collect()


# The parts of a running reader. topic: the first part of all its topics, with a slash at its end.
# board: the module firmware.board. is_leaving: the reader starts anew as soon as no card lies
# there. errand: what begin() has begun, None when nothing is.
class Reader:
    def __init__(self, topic, clock, wlan, lights, outbox, link, taps, presence, board):
        self.topic = topic
        self.clock = clock
        self._wlan = wlan
        self.lights = lights
        self.board = board
        self.outbox = outbox
        self.link = link
        self.taps = taps
        self.presence = presence
        self._up_s = 0
        self._no_wifi_s = 0
        self.clock_due_s = 0
        self.is_leaving = False
        self._is_new = True
        self.errand = self._task = None
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
            self.is_leaving = True
        elif self.errand:
            self.errand.on_message(topic, payload)
        elif topic.endswith(b"/cmd/update"):
            self.begin("update", payload)
        elif topic.endswith(b"/cmd/doctor"):
            self.begin("doctor", payload)

    # Begins what is done rarely, by modules that are loaded for it one after the other and
    # forgotten after it. Each has a class Errand with on_message(), for what the host says
    # meanwhile, and the coroutine run(), which returns the next module's name and payload, or None.
    def begin(self, name, payload):
        if not self._task:
            self._task = asyncio.create_task(self._do((name, payload)))

    async def _do(self, todo):
        while todo:
            gc.collect()
            name, payload = todo
            try:
                # What is loaded fills every hole: some are kept for what it will work with.
                room = [bytearray(_ROOM_BYTES) for _ in range(_ROOMS)]
                module = getattr(__import__("firmware." + name), name)
                self.errand = module.Errand(self, payload)
                room.clear()
                todo = await self.errand.run()
            except Exception as error:
                # Without it the reader still reads cards; after a new start it has its whole heap.
                sys.print_exception(error)
                self.is_leaving |= isinstance(error, MemoryError)
                todo = None
            self.errand = module = None
            forget(name)
        self._task = None

    # The link is about to hold up everything: not while a card is read or the customer is told
    # something. TLS needs the time.
    async def _before_stall(self, is_long):
        waited_ms = 0
        while (self.presence.uid or self.lights.playing) and waited_ms < _CARD_WAIT_MS:
            await asyncio.sleep_ms(50)
            waited_ms += 50
        if is_long:
            self.lights.show(signals.CONNECTING)
            if not self.clock.quality and not self.clock.set_from_network():
                self.clock.guess()

    # Runs until one of the tasks fails, which none should: its exception is raised here.
    async def run(self):
        gc.collect()
        await asyncio.gather(
            self.lights.run(),
            self.link.run(),
            self.presence.run(),
            self.taps.run(),
            self.taps.drain(),
            self._tend(),
        )

    # Once a second: is everybody alive, is it time for the clock, for a word about health.
    async def _tend(self):
        dog = self.board.watchdog(_WATCHDOG_MS)
        parts = (self.lights, self.link, self.presence, self.taps)
        began_ms = self.clock.ticks_ms()
        rest_ms = 0
        while True:
            if self.taps.drains and all(part.beats for part in parts):
                self.taps.drains = 0
                for part in parts:
                    part.beats = 0
                dog.feed()
                if self._is_new and self._up_s >= _SETTLED_S:
                    self._is_new = False
                    self.board.settle()
            await asyncio.sleep_ms(1000)
            # Summed up in steps, each from a fresh reading: ticks wrap around within days, and
            # ticks_diff() takes no number beyond their range.
            now_ms = self.clock.ticks_ms()
            rest_ms += self.clock.ticks_diff(now_ms, began_ms)
            began_ms = now_ms
            passed_s = rest_ms // 1000
            rest_ms %= 1000
            self._up_s += passed_s
            await self.link.keep_alive()
            await self._keep(passed_s)

    async def _keep(self, passed_s):
        if self.link.is_up and not self.presence.uid and self._up_s >= self.clock_due_s:
            is_set = self.clock.set_from_network()
            self.clock_due_s = self._up_s + (_CLOCK_KEEP_S if is_set else _CLOCK_RETRY_S)
        if self.link.is_up and self._up_s % _HEALTH_S < passed_s:
            await self.link.publish(self.topic + "health", self.health(), qos=0)
            await self._warn()
        self._no_wifi_s = 0 if self._wlan.isconnected() else self._no_wifi_s + passed_s
        if self._no_wifi_s >= _NO_WIFI_S and self._up_s >= _REBOOT_S:
            self.is_leaving = True
        # Taps are on flash: none is lost by it.
        if self.is_leaving and not self.presence.uid:
            await self.link.close()
            self.board.settle()  # a start that was asked for is no bad one
            self.board.reset()

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
        self.link.last_error = None
        for what, value, before in zip(_KINDS, now, self._warned):
            if value != before:
                line = '{"l":"W","n":0,"m":%s}' % json.dumps("%s: %s" % (what, value))
                await self.link.publish(self.topic + "log", line, qos=0)
        self._warned = (None,) + now[1:]
