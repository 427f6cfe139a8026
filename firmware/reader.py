# A reader at work: one asyncio task for each concern, and what the host's messages mean.

import asyncio
import gc

from firmware import health
from micropython import const

_HEALTH_S = const(60)
_CLOCK_RETRY_S = const(60)
_CLOCK_KEEP_S = const(43200)


# The parts of a running reader. topic: the first part of all its topics, with a slash at its end.
# relay may be None.
class Reader:
    def __init__(self, board, topic, lights, outbox, link, taps, presence, relay):
        self.board = board
        self.topic = topic
        self.lights = lights
        self.outbox = outbox
        self.link = link
        self.taps = taps
        self.presence = presence
        self.relay = relay
        self._up_s = 0
        link.on_message = self._on_message
        link.on_up = self._on_up

    # A message of the host; called in the link's task.
    def _on_message(self, topic, payload):
        if topic.endswith(b"/verdict"):
            self.taps.on_verdict(payload)
        elif topic.endswith(b"/apdu/cmd"):
            self.relay.on_command(payload)

    # The link is up: what connecting left behind goes before anything else asks for memory.
    def _on_up(self):
        gc.collect()

    # Runs until one of the tasks fails, which none should: its exception is raised here.
    async def run(self):
        gc.collect()
        await asyncio.gather(
            self.lights.run(),
            self.link.run(),
            self.presence.run(),
            self.taps.run(),
            self.taps.drain(),
            self._tell_health(),
            self._keep_clock(),
        )

    async def _tell_health(self):
        clock = self.board.clock
        began_ms = clock.ticks_ms()
        while True:
            await asyncio.sleep(_HEALTH_S)
            # Summed up in steps: ticks wrap around within days.
            now_ms = clock.ticks_ms()
            self._up_s += clock.ticks_diff(now_ms, began_ms) // 1000
            began_ms = now_ms
            message = health.health(
                self._up_s,
                self.board.rssi_dbm(),
                self.outbox,
                self.link.reconnects,
                self.presence.recoveries,
                self.taps.latency_ms,
            )
            await self.link.publish(self.topic + "health", message, qos=0)

    # The network's time, as soon as there is a network and no card is waiting.
    async def _keep_clock(self):
        while True:
            wait_s = 1
            if self.link.is_up and not self.presence.uid:
                is_set = self.board.clock.set_from_network()
                wait_s = _CLOCK_KEEP_S if is_set else _CLOCK_RETRY_S
            await asyncio.sleep(wait_s)
