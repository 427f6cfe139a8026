# firmware/signals.py: what the pins do for each signal, and which signal gives way to which.

import asyncio

from firmware import signals

RED, GREEN, AMBER, DARK = (1, 0), (0, 1), (1, 1), (0, 0)


class _Parts:
    def __init__(self):
        self.colour = [0, 0]
        self.tone_hz = 0
        self._next_hz = 0
        self.seen = []

    def red(self, level):
        self._set(0, level)

    def green(self, level):
        self._set(1, level)

    def _set(self, which, level):
        self.colour[which] = level

    def freq(self, hz):
        self._next_hz = hz

    def duty_u16(self, duty):
        self.tone_hz = self._next_hz if duty else 0
        self.seen.append((tuple(self.colour), self.tone_hz))


def _lights(volume=100):
    parts = _Parts()
    return parts, signals.Signals(parts.red, parts.green, parts, volume)


async def _play(show, after_ms=1500, volume=100):
    parts, lights = _lights(volume)
    task = asyncio.create_task(lights.run())
    await asyncio.sleep_ms(0)
    parts.seen.clear()
    await show(lights)
    await asyncio.sleep_ms(after_ms)
    task.cancel()
    return parts.seen


def _without_repeats(seen):
    return [step for i, step in enumerate(seen) if i == 0 or seen[i - 1] != step]


async def test_a_verdict_at_once_waits_for_the_read_signal():
    async def show(lights):
        lights.show(signals.READ)
        lights.show(signals.ACCEPTED)

    seen = _without_repeats(await _play(show))
    assert seen == [(AMBER, 2400), (AMBER, 0), (GREEN, 2800), (GREEN, 0), (DARK, 0)], seen


async def test_the_next_card_takes_the_place_of_a_verdict():
    async def show(lights):
        lights.show(signals.REJECTED)
        await asyncio.sleep_ms(50)
        lights.show(signals.READ)

    seen = _without_repeats(await _play(show, 300))
    assert seen == [(RED, 400), (AMBER, 2400), (AMBER, 0), (DARK, 0)], seen


async def test_fault_blinks_until_it_is_over_and_lets_others_through():
    async def show(lights):
        lights.set_fault(True)
        await asyncio.sleep_ms(20)
        lights.show(signals.STORED)
        await asyncio.sleep_ms(700)
        lights.set_fault(False)

    seen = _without_repeats(await _play(show, 50))
    assert seen[:5] == [(RED, 0), (AMBER, 0), (DARK, 0), (AMBER, 0), (DARK, 0)], seen
    assert (RED, 0) in seen[5:], seen
    assert seen[-1] == (DARK, 0) or seen[-1] == (RED, 0)


async def test_quiet_readers_make_no_sound():
    async def show(lights):
        lights.show(signals.UNKNOWN)

    assert all(tone_hz == 0 for _, tone_hz in await _play(show, volume=0))


def test_no_two_signals_are_told_apart_by_colour_alone():
    patterns = (
        signals.READ,
        signals.ACCEPTED,
        signals.REJECTED,
        signals.UNKNOWN,
        signals.STORED,
        signals.SEVERAL,
        signals.CONNECTING,
        signals.FAULT,
    )
    # Every third byte is a colour.
    grey = [bytes(b if i % 3 else b > 0 for i, b in enumerate(pattern)) for pattern in patterns]
    assert len(set(grey)) == len(patterns)


async def test_tones_are_as_loud_and_as_high_as_set():
    parts = _Parts()
    duties = []
    parts.duty_u16 = duties.append
    lights = signals.Signals(parts.red, parts.green, parts, 50, 75)
    lights.show(signals.ACCEPTED)
    assert duties[-1] == 8192 and parts._next_hz == 2100
