# lib/type4.py and firmware/identify.py: an NTAG 424 DNA, phones and payment cards beside it.

from fields import Lying, Watched, holding
from firmware.identify import Identifier, choose
from iso14443 import CardError
from isodep import IsoDep
from type4 import read_ndef

from besnik.sim.model.isodep_picc import ENDLESS
from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.phone_picc import payment, phone

TIMEOUT_S = 60
UID, OTHER = bytes.fromhex("04DEBEBCFF4C80"), bytes.fromhex("04DEBEBCFF4D80")
ADDRESS = "https://corner.example/t?e={picc}&m={mac}"


class Counter(Watched):
    def __init__(self, families=("sun", "uid"), **cards):
        Watched.__init__(self, holding(**cards), families)


async def test_ndef_message_is_read_whole():
    lying = Lying(ntag424(UID, ADDRESS))
    lying.select()
    isodep = IsoDep(lying.chip, lying.bench.clock)
    await isodep.activate()
    message = await read_ndef(isodep)
    assert message[:5] == b"\xd1\x01" + bytes((len(message) - 4,)) + b"U\x04", message
    assert b"corner.example/t?e=" in message


async def test_sun_card_offers_its_proof_anew_each_time():
    counter = Counter(card=ntag424(UID, ADDRESS))
    for _ in range(3):
        counter.bench.present("card")
        await counter.watch_ms(600)
        counter.bench.remove("card")
        await counter.watch_ms(500)
    assert len(counter.seen) == 3 and len(set(counter.seen)) == 3, counter.seen
    for kind, data in counter.seen:
        assert kind == "sun" and data[:2] == "e=" and data[34:37] == "&m=" and len(data) == 53


async def test_sun_card_is_read_within_150_ms_and_rests_as_one_tap():
    for delay_ms in range(0, 26, 5):
        counter = Counter(card=ntag424(UID, ADDRESS))
        await counter.watch_ms(200 + delay_ms)
        began_ms = counter.bench.clock.ticks_ms()
        counter.bench.present("card")
        await counter.watch_ms(10000)
        assert len(counter.seen) == 1, counter.seen
        assert counter.seen_ms - began_ms <= 150, counter.seen_ms - began_ms


async def test_reader_without_the_family_offers_the_uid():
    counter = Counter(("uid",), card=ntag424(UID, ADDRESS))
    counter.bench.present("card")
    await counter.watch_ms(500)
    assert counter.seen == [("uid", "04DEBEBCFF4C80")]


async def test_plain_phone_offers_a_random_uid():
    counter = Counter(phone=phone())
    counter.bench.present("phone")
    await counter.watch_ms(2000)
    assert len(counter.seen) == 1 and counter.seen[0][0] == "uid"
    assert counter.seen[0][1][:2] == "08" and len(counter.seen[0][1]) == 8


async def test_loyalty_card_wins_beside_a_payment_card():
    for ours in (ntag424(UID, ADDRESS), _plain()):
        counter = Counter(bank=payment(bytes.fromhex("5566778899AABB")), ours=ours)
        counter.bench.present("bank")
        counter.bench.present("ours")
        await counter.watch_ms(3000)
        assert len(counter.seen) == 1 and counter.seen[0], counter.seen
        assert counter.seen[0][1][:2] in ("e=", "04"), counter.seen


async def test_two_loyalty_cards_are_nobodys_tap():
    counter = Counter(one=ntag424(UID, ADDRESS), other=ntag424(OTHER, ADDRESS))
    counter.bench.present("one")
    counter.bench.present("other")
    await counter.watch_ms(3000)
    assert counter.seen == [None]


async def test_sun_card_taken_away_at_every_moment_gives_its_proof_or_nothing():
    for after_us in range(0, 90000, 3001):
        counter = Counter(card=ntag424(UID, ADDRESS))
        await counter.watch_ms(100)
        counter.bench.present("card")
        counter.bench.remove("card", after_us=after_us)
        await counter.watch_ms(600)
        assert all(offer and offer[0] == "sun" for offer in counter.seen), (after_us, counter.seen)
        assert len(counter.seen) <= 1


async def test_noise_does_not_turn_a_sun_card_into_a_uid_or_two_taps():
    counter = Counter(card=ntag424(UID, ADDRESS))
    counter.bench.noise(10)
    counter.bench.present("card")
    await counter.watch_ms(30000)
    assert len(counter.seen) == 1 and counter.seen[0][0] == "sun", counter.seen


async def test_a_card_that_stalls_is_given_up_within_the_budget():
    for cards in (1, 2):
        bench = holding(one=ntag424(UID, ADDRESS), other=ntag424(OTHER, ADDRESS))
        counter = Watched(bench)
        for key in ("one", "other")[:cards]:
            bench.card(key).ask_for_time(ENDLESS, 59)
            bench.present(key)
        counter.chip.reset()
        counter.chip.field(True)
        bench.clock.sleep_us(6000)
        assert counter.cards.request()
        began_ms = bench.clock.ticks_ms()
        try:
            await Identifier(counter.chip, counter.cards, bench.clock, ("sun", "uid")).offers()
            raise AssertionError("a stalling card offered something")
        except CardError as error:
            assert error.reason == "timeout", error.reason
        # 250 ms, and what saying goodbye to the card takes.
        assert bench.clock.ticks_ms() - began_ms <= 270, bench.clock.ticks_ms() - began_ms


def test_choice_among_offers():
    class Offered:
        def __init__(self, rank, is_payment=False):
            self.rank = rank
            self.is_payment = is_payment

    strong, plain, bank = Offered(0), Offered(1), Offered(1, True)
    assert choose([bank]) is bank
    assert choose([plain, strong]) is strong
    assert choose([plain, bank]) is plain
    assert choose([plain, Offered(1)]) is None
    assert choose([strong, Offered(0)]) is None
    assert choose([bank, Offered(1, True)]) is None


def _plain():
    from besnik.sim.model.picc import Picc

    return Picc(bytes.fromhex("04A1B2C3D4E580"))
