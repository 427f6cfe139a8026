# The bench itself: emulated time is shared by tasks, and cards come and go on time.

import asyncio

from bench import Bench


async def test_tasks_sleep_side_by_side_in_emulated_time():
    clock = Bench().clock
    woke = []

    async def sleeper(period_ms):
        for _ in range(3):
            await clock.sleep_ms(period_ms)
            woke.append((clock.ticks_ms(), period_ms))

    await asyncio.gather(sleeper(10), sleeper(25), sleeper(1))
    assert woke == sorted(woke) and woke[-1] == (75, 25) and clock.ticks_ms() == 75


async def test_cancelled_sleeper_holds_nobody_up():
    clock = Bench().clock
    forever = asyncio.create_task(clock.sleep_ms(1000000))
    await clock.sleep_ms(5)
    forever.cancel()
    await clock.sleep_ms(5)
    assert clock.ticks_ms() == 10


async def test_cards_come_and_go_at_their_moment():
    bench = Bench(ana="5B3C2A19", phone=None)
    bench.present("ana", after_us=7000)
    bench.remove("ana", after_us=9000)
    await bench.clock.sleep_ms(8)
    assert bench.board.in_field("ana")
    await bench.clock.sleep_ms(2)
    assert not bench.board.in_field("ana")
    assert bench.events[-2:] == [("card", "ana", 1, 7000), ("card", "ana", 0, 9000)]


def test_frames_are_counted_since_the_last_look():
    bench = Bench()
    bench.frames()
    for _ in range(3):
        bench.cs(0)
        bench.spi.read(2)
        bench.cs(1)
    assert bench.frames() == 3 and bench.frames() == 0
