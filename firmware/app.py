# Wires the parts of a reader together; one asyncio task for each concern.

import asyncio
import gc
import sys

import iso14443
import mfrc522
from firmware import health, link, outbox, presence, signals, taps
from micropython import const

_ROOT = "besnik/v1"
_HEALTH_S = const(60)
_CLOCK_RETRY_S = const(60)
_CLOCK_KEEP_S = const(43200)
_OUTBOX_FOLDER = "outbox"


# One reader: settings is what config.load() gives; board has clock, wlan, led_red, led_green,
# buzzer, rc522 and rssi_dbm(); boot is this run's number.
class Reader:
    def __init__(self, settings, board, boot, reset_cause):
        self._board = board
        self._began_ms = board.clock.ticks_ms()
        self._up_s = 0
        self._topic = "%s/%s/%s/" % (_ROOT, settings["shop"], settings["reader"])
        self.lights = signals.Signals(
            board.led_red, board.led_green, board.buzzer, settings["buzzer"]
        )
        self.outbox = outbox.Outbox(_OUTBOX_FOLDER, boot, settings["outbox.cap"])
        self.link = link.Link(
            board.wlan,
            (settings["wifi.ssid"], settings["wifi.password"]),
            self._account(settings, boot, reset_cause),
            board.clock,
            self._on_message,
            self._on_up,
        )
        self.taps = taps.Taps(self.outbox, self.link, self.lights, board.clock, self._topic + "tap")
        spi, cs, rst = board.rc522
        chip = mfrc522.MFRC522(spi, cs, rst, board.clock, settings["rc522.gain_db"])
        self.presence = presence.Presence(
            chip, iso14443.TypeA(chip), board.clock, self.taps.on_card, self.lights.set_fault
        )

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

    def _account(self, settings, boot, reset_cause):
        state = self._topic + "state"
        return link.Account(
            settings["broker.host"],
            settings["broker.port"],
            settings["reader"],
            settings["broker.password"],
            (self._topic + "verdict",),
            (state, b'{"s":"lost","bd":%d}' % boot),
            (
                (state, b'{"s":"online","bd":%d}' % boot),
                (self._topic + "info", health.info(boot, reset_cause, settings["version"])),
            ),
        )

    def _on_message(self, topic, payload):
        if topic.endswith(b"/verdict"):
            self.taps.on_verdict(payload)

    def _on_up(self):
        gc.collect()

    async def _tell_health(self):
        clock = self._board.clock
        while True:
            await asyncio.sleep(_HEALTH_S)
            # Summed up in steps: ticks wrap around within days.
            self._up_s += clock.ticks_diff(clock.ticks_ms(), self._began_ms) // 1000
            self._began_ms = clock.ticks_ms()
            message = health.health(
                self._up_s,
                self._board.rssi_dbm(),
                self.outbox,
                self.link.reconnects,
                self.presence.recoveries,
                self.taps.latency_ms,
            )
            await self.link.publish(self._topic + "health", message, qos=0)

    # The network's time, as soon as there is a network and no card is waiting.
    async def _keep_clock(self):
        while True:
            wait_s = 1
            if self.link.is_up and not self.presence.uid:
                is_set = self._board.clock.set_from_network()
                wait_s = _CLOCK_KEEP_S if is_set else _CLOCK_RETRY_S
            await asyncio.sleep(wait_s)


# Blinks the fault for ever, without the parts that need settings.
async def show_fault(board):
    lights = signals.Signals(board.led_red, board.led_green, board.buzzer, False)
    lights.set_fault(True)
    await lights.run()


# The checked settings and None, or the defaults and what is wrong. The module that checks them is
# forgotten again: it is needed once and would hold 3 KB of the 45 for ever.
def read_settings():
    import firmware
    from firmware import config

    try:
        return config.load(), None
    except config.ConfigError as error:
        return config.DEFAULTS, error
    finally:
        del sys.modules["firmware.config"]
        del firmware.config


# Reads the settings and runs the reader. hardware is the module firmware.board.
def main(hardware):
    settings, error = read_settings()
    board = hardware.Board(settings)
    if error:
        print(error)
        asyncio.run(show_fault(board))
    reader = Reader(settings, board, hardware.boot_count(), hardware.reset_cause())
    settings = None  # the parts hold what they need
    asyncio.run(reader.run())
