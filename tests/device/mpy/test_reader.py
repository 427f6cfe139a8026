# firmware/reader.py and app.py: what the reader says about itself, and when the watchdog is fed.

import asyncio
import json
import time

import machine
from firmware import app, board, config, reader

_SETTINGS = {
    "shop": "corner",
    "reader": "counter-1",
    "wifi": {"ssid": "shop"},
    "broker": {"host": "127.0.0.1", "port": 1, "plain": True, "password": "secret"},
}


def _recorded(leaf):
    root = reader.__file__[: -len("firmware/reader.py")]
    with open(root + "tests/contract/messages.json") as file:
        return [json.loads(m["text"]) for m in json.load(file) if m["leaf"] == leaf and m["ok"]]


def _reader():
    settings = config.check(_SETTINGS)
    return app.build(settings, None, board, board.wire(settings))


def test_health_with_and_without_what_may_be_unknown():
    built = _reader()
    for latency_ms in (12, None):
        built.taps.latency_ms = latency_ms
        said = json.loads(built.health())
        for message in _recorded("health"):
            assert sorted(said) == sorted(message), said
        assert said["rssi_dbm"] is None and said["verdict_ms"] == latency_ms
        assert said["heap_free"] > 0 and said["up_s"] == 0 and said["reconnects"] == 0


def test_info():
    said = json.loads(app.info(7, 1, 0))
    assert sorted(said) == sorted(_recorded("info")[0])
    assert said["bd"] == 7 and said["mpy"].count(".") == 2


# The board, with a watchdog that counts its meals.
class _Hardware:
    def __init__(self):
        self.meals = 0

    def __getattr__(self, name):
        return getattr(board, name)

    def watchdog(self, timeout_ms):
        return self

    def feed(self):
        self.meals += 1


async def _idle():
    await asyncio.sleep(60)


# How often a reader without a network feeds in six seconds after its start, when the task of one
# of its parts hangs.
async def _meals(hangs=None):
    hardware = _Hardware()
    settings = config.check(_SETTINGS)
    built = app.build(settings, None, hardware, board.wire(settings))
    if hangs:
        getattr(built, hangs).run = _idle
    task = asyncio.create_task(built.run())
    await asyncio.sleep_ms(800)
    early = hardware.meals
    await asyncio.sleep_ms(6200)
    task.cancel()
    return hardware.meals - early


async def test_the_watchdog_is_fed_only_while_all_tasks_live():
    meals = await asyncio.gather(_meals(), _meals("presence"), _meals("taps"), _meals("link"))
    assert meals[0] >= 1 and meals[1:] == [0, 0, 0], meals


# Ticks as an ESP32 has them, about to wrap: ticks_diff() takes nothing that ticks_ms() cannot give.
class _Wrapping:
    quality = 2
    _PERIOD = 1 << 30

    def __init__(self):
        self._ahead_ms = self._PERIOD - 1500 - time.ticks_ms()

    def ticks_ms(self):
        return (time.ticks_ms() + self._ahead_ms) % self._PERIOD

    def ticks_diff(self, later, earlier):
        assert 0 <= later < self._PERIOD and 0 <= earlier < self._PERIOD, (later, earlier)
        half = self._PERIOD // 2
        return (later - earlier + half) % self._PERIOD - half

    def set_from_network(self):
        return True


async def test_uptime_goes_on_when_the_ticks_wrap():
    hardware = _Hardware()
    settings = config.check(_SETTINGS)
    built = app.build(settings, None, hardware, board.wire(settings))
    built.clock = _Wrapping()
    task = asyncio.create_task(built._tend())
    await asyncio.sleep_ms(3400)
    task.cancel()
    assert json.loads(built.health())["up_s"] == 3, built.health()


def test_the_bus_is_one_that_every_esp32_has():
    import machine

    kept, used = machine.SPI, []
    machine.SPI = lambda bus, **rest: used.append(bus) or kept(bus, **rest)
    try:
        board.wire(config.check(_SETTINGS))
    finally:
        machine.SPI = kept
    assert used == [1]


def test_the_interrupt_of_the_chip_is_used_when_it_is_wired():
    for pin, is_wired in ((-1, False), (21, True)):
        settings = config.check(dict(_SETTINGS, pins={"irq": pin}))
        built = app.build(settings, None, board, board.wire(settings))
        assert (built.presence.pcd.irq is not None) == is_wired


def test_the_reset_cause_is_told():
    assert json.loads(app.info(7, machine.WDT_RESET, 0))["reset"] == 3
