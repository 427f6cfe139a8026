# firmware/presence.py: one tap for each presentation, however long the card rests; a deaf chip is
# revived.

from fields import Watched

from bench import Bench
from besnik.sim.model.picc import Picc

UID = "04A1B2C3D4E580"


class _Counter(Watched):
    def __init__(self, **cards):
        Watched.__init__(self, Bench(**cards))

    def noted(self, offer):
        return offer and offer.uid


async def test_a_resting_card_is_one_tap():
    counter = _Counter(ana=UID)
    await counter.watch_ms(200)
    counter.bench.present("ana")
    await counter.watch_ms(60000)
    assert counter.seen == [bytes.fromhex(UID)]


async def test_the_same_card_again_is_a_new_tap():
    counter = _Counter(ana=UID)
    for _ in range(3):
        counter.bench.present("ana")
        await counter.watch_ms(500)
        counter.bench.remove("ana")
        await counter.watch_ms(500)
    assert len(counter.seen) == 3


async def test_another_card_right_behind_is_a_tap_of_its_own():
    counter = _Counter(ana=UID, boris="5B3C2A19")
    counter.bench.present("ana")
    await counter.watch_ms(300)
    counter.bench.remove("ana")
    counter.bench.present("boris")
    await counter.watch_ms(1000)
    assert counter.seen == [bytes.fromhex(UID), bytes.fromhex("5B3C2A19")]


# Nobody looks while the link connects by TLS; cards of one batch begin with the same bytes.
async def test_a_card_of_the_same_batch_put_there_unwatched_is_a_tap_of_its_own():
    other = UID[:-2] + "81"
    counter = _Counter(ana=UID, boris=other)
    counter.bench.present("ana")
    await counter.watch_ms(300)
    counter.bench.remove("ana")
    counter.bench.present("boris")
    counter.bench.clock.sleep_us(400000)
    await counter.watch_ms(1000)
    assert counter.seen == [bytes.fromhex(UID), bytes.fromhex(other)]


async def test_noise_on_a_resting_card_is_no_removal():
    counter = _Counter(ana=UID)
    counter.bench.present("ana")
    await counter.watch_ms(300)
    counter.bench.noise(10)
    await counter.watch_ms(120000)
    assert len(counter.seen) == 1


async def test_card_is_seen_within_60_ms():
    for delay_ms in range(0, 50, 7):
        counter = _Counter(ana=UID)
        await counter.watch_ms(200 + delay_ms)
        counter.bench.present("ana")
        began_ms = counter.bench.clock.ticks_ms()
        await counter.watch_ms(200)
        assert counter.seen and counter.seen_ms - began_ms <= 60, counter.seen_ms - began_ms


async def test_a_phone_has_a_new_uid_at_each_presentation():
    counter = _Counter(phone=None)
    for _ in range(2):
        counter.bench.present("phone")
        await counter.watch_ms(500)
        counter.bench.remove("phone")
        await counter.watch_ms(500)
    assert len(counter.seen) == 2 and counter.seen[0] != counter.seen[1]
    assert all(uid[0] == 0x08 for uid in counter.seen)


async def test_a_chip_that_lost_power_reads_again_within_2_s_and_is_counted():
    counter = _Counter(ana=UID)
    await counter.watch_ms(500)
    counter.bench.board.power_cycle()
    counter.bench.present("ana")
    await counter.watch_ms(2000)
    assert counter.seen == [bytes.fromhex(UID)]
    assert counter.presence.recoveries == 1
    assert counter.faults[-1] is False and True in counter.faults


# How often the reset pin of the chip is pulled while the firmware watches for so long.
async def _pulled(counter, duration_ms):
    levels = []
    rst = counter.chip.rst
    counter.chip.rst = lambda level: levels.append(level) or rst(level)
    await counter.watch_ms(duration_ms)
    counter.chip.rst = rst
    return levels.count(0)


async def test_a_soft_reset_comes_first_and_the_pin_when_it_did_not_help():
    counter = _Counter(ana=UID)
    await counter.watch_ms(6000)
    counter.bench.board.power_cycle()
    assert await _pulled(counter, 2000) == 0 and counter.presence.recoveries == 1
    counter.bench.board.power_cycle()
    assert await _pulled(counter, 2000) == 1 and counter.presence.recoveries == 2
    counter.bench.present("ana")
    await counter.watch_ms(500)
    assert counter.seen == [bytes.fromhex(UID)]


async def test_a_dead_bus_is_a_fault_until_it_is_back():
    for stuck in (0x00, 0xFF):
        counter = _Counter(ana=UID)
        counter.bench.board.spi.stuck = stuck
        await counter.watch_ms(3000)
        assert counter.faults and counter.faults[-1] is True
        counter.bench.board.spi.stuck = None
        counter.bench.present("ana")
        await counter.watch_ms(2000)
        assert counter.faults[-1] is False
        assert counter.seen == [bytes.fromhex(UID)]


async def test_a_chip_that_dies_under_a_resting_card_gives_no_second_tap():
    counter = _Counter(ana=UID)
    counter.bench.present("ana")
    await counter.watch_ms(500)
    counter.bench.board.power_cycle()
    await counter.watch_ms(3000)
    assert counter.seen == [bytes.fromhex(UID)]


async def test_cards_of_two_customers_are_nobodys_tap():
    counter = _Counter(ana=UID, boris="5B3C2A19")
    counter.bench.present("ana")
    counter.bench.present("boris")
    await counter.watch_ms(3000)
    assert counter.seen == [None]
    counter.bench.remove("boris")
    await counter.watch_ms(1000)
    counter.bench.remove("ana")
    await counter.watch_ms(1000)
    counter.bench.present("ana")
    await counter.watch_ms(1000)
    assert counter.seen[-1] == bytes.fromhex(UID), counter.seen


async def test_pulsed_field_is_on_for_a_millisecond_and_sees_cards_that_start_at_once():
    counter = _Counter(ana=UID)
    counter.presence.is_pulsed = True
    counter.bench.card("ana").start_ns = 50000
    await counter.watch_ms(300)
    chip = counter.presence.pcd
    switched_us = []

    class Watched:
        def __getattr__(self, name):
            return getattr(chip, name)

        def field(self, on):
            chip.field(on)
            switched_us.append(counter.bench.clock.ticks_us())

        def power_down(self):
            chip.power_down()
            switched_us.append(counter.bench.clock.ticks_us())

    counter.presence.pcd = Watched()
    await counter.watch_ms(500)
    on_us = [off - on for on, off in zip(switched_us[::2], switched_us[1::2])]
    assert len(on_us) > 10 and max(on_us) <= 1000, on_us
    counter.presence.pcd = chip
    counter.bench.present("ana")
    await counter.watch_ms(2000)
    assert counter.seen == [bytes.fromhex(UID)]


async def test_a_card_that_ignores_the_checks_is_one_tap_until_it_is_taken_away():
    class Deaf(Picc):
        def hear(self, data, bits, now_ns):
            return None if bits == 7 and data[0] == 0x52 else Picc.hear(self, data, bits, now_ns)

    counter = _Counter()
    counter.bench.board.add("deaf", Deaf(bytes.fromhex(UID)))
    for taps in (1, 2):
        counter.bench.present("deaf")
        await counter.watch_ms(5000)
        assert len(counter.seen) == taps, counter.seen
        counter.bench.remove("deaf")
        await counter.watch_ms(500)
