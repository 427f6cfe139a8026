# lib/isodep.py against cards that keep to ISO/IEC 14443-4, and against those that do not.

from fields import Lying
from iso14443 import CardError
from isodep import IsoDep, read_ats

from besnik.sim.model.ats import ats
from besnik.sim.model.faults import (
    BAD_CRC,
    BAD_PARITY,
    GONE,
    LONGER,
    LOST,
    NOT_HEARD,
    OVERSIZE,
    TRUNCATED,
    WRONG_BLOCK,
)
from besnik.sim.model.isodep_picc import ENDLESS, Application, IsoDepPicc

TIMEOUT_S = 60
UID = bytes.fromhex("04A1B2C3D4E580")


class Echo(Application):
    def __init__(self, size=None):
        self.size = size

    def apdu(self, command):
        if self.size is None:
            return bytes(reversed(command)) + b"\x90\x00"
        return bytes(i & 0xFF for i in range(self.size)) + b"\x90\x00"


class Session(Lying):
    def __init__(self, app=None, **settings):
        Lying.__init__(self, IsoDepPicc(UID, app or Echo(), ats(**settings)))
        self.isodep = IsoDep(self.chip, self.bench.clock)

    async def open(self, limit_ms=3000):
        assert self.cards.wake()
        assert self.cards.select().sak == 0x20
        return await self.isodep.activate(limit_ms)


def _command(size):
    return bytes((7 * i + 1) & 0xFF for i in range(size))


def _is_echo(command, answer):
    return answer == bytes(reversed(command)) + b"\x90\x00"


async def test_every_frame_size_of_the_card_and_every_length():
    for fsci in (0, 2, 5, 8):
        session = Session(fsci=fsci)
        await session.open()
        for size in (1, 12, 13, 14, 58, 59, 60, 61, 62, 63, 64, 65, 122, 123, 250):
            assert _is_echo(_command(size), await session.isodep.transceive(_command(size)))


async def test_long_answers_come_in_chains():
    for size in (0, 1, 59, 60, 61, 62, 122, 500, 2000):
        session = Session(Echo(size))
        await session.open()
        assert len(await session.isodep.transceive(b"\x00\xb0\x00\x00\x00")) == size + 2
    session = Session(Echo(40))
    session.card.inf_max = 1
    await session.open()
    assert len(await session.isodep.transceive(b"\x00")) == 42


async def test_deselected_card_sleeps_and_can_be_selected_anew():
    session = Session()
    for _ in range(3):
        await session.open()
        assert _is_echo(b"\x01\x02", await session.isodep.transceive(b"\x01\x02"))
        await session.isodep.deselect()
        assert not session.cards.request()


async def test_card_that_misses_deselect_is_told_again():
    for kind in (NOT_HEARD, LOST, BAD_CRC, BAD_PARITY):
        session = Session()
        await session.open()
        session.card.faults.restart()
        session.card.faults.at(1, kind)
        await session.isodep.deselect()
        assert session.cards.wake(), kind


# The first DESELECT does not reach the card; what is heard instead of its answer is a disturbance.
class Drowned(IsoDepPicc):
    is_drowned = False

    def hear(self, data, bits, now_ns):
        if data[:1] == b"\xc2" and not self.is_drowned:
            self.is_drowned = True
            return b"\xc2\x00\x00", 24
        return IsoDepPicc.hear(self, data, bits, now_ns)


async def test_damaged_answer_to_deselect_is_no_answer():
    session = Session()
    session.lay(Drowned(UID, Echo(), ats()))
    await session.open()
    await session.isodep.deselect()
    assert session.cards.wake()


async def test_failed_activation_leaves_the_card_asleep():
    for kind in (LOST, BAD_CRC, BAD_PARITY):
        session = Session()
        session.card.faults.at(1, kind)
        try:
            await session.open()
            raise AssertionError("activated")
        except CardError as error:
            assert error.reason in ("timeout", "crc", "parity"), error.reason
        assert not session.cards.request()
        assert session.cards.wake(), kind


async def test_card_that_needs_long_to_settle_has_no_more_than_the_limit():
    session = Session(fwi=14, sfgi=14)
    began_ms = session.bench.clock.ticks_ms()
    try:
        await session.open(100)
        await session.isodep.transceive(b"\x01")
        raise AssertionError("answered")
    except CardError as error:
        assert error.reason == "timeout", error.reason
    await session.isodep.deselect()
    assert session.bench.clock.ticks_ms() - began_ms < 140


async def test_card_that_asks_for_time_gets_it():
    session = Session()
    await session.open()
    session.card.ask_for_time(3, 10)
    assert _is_echo(b"\x01\x02", await session.isodep.transceive(b"\x01\x02"))
    session.card.ask_for_time(2, 1)
    command = _command(150)
    assert _is_echo(command, await session.isodep.transceive(command))


async def test_card_that_asks_for_time_for_ever_is_given_up_in_time():
    for multiplier in (1, 59):
        session = Session()
        await session.open(500)
        session.card.ask_for_time(ENDLESS, multiplier)
        began_ms = session.bench.clock.ticks_ms()
        await _fails(session, b"\x01\x02", ("timeout",))
        assert session.bench.clock.ticks_ms() - began_ms < 1000


async def test_endless_chain_is_given_up():
    for inf_max in (1, 256):
        session = Session(Echo(200))
        session.card.inf_max = inf_max
        session.card.chains_for_ever = True
        await session.open()
        await _fails(session, b"\x01\x02", ("overflow", "timeout", "protocol"))


async def test_one_lost_or_damaged_answer_is_asked_for_again():
    for kind in (LOST, NOT_HEARD, BAD_CRC, BAD_PARITY):
        for at in range(1, 6):
            session = Session()
            await session.open()
            session.card.faults.restart()
            session.card.faults.at(at, kind)
            command = _command(130)
            assert _is_echo(command, await session.isodep.transceive(command)), (kind, at)
            assert session.card.applied == 1, (kind, at)


async def test_hostile_answers_end_with_a_reason_and_in_time():
    for kind in (GONE, WRONG_BLOCK, TRUNCATED, LONGER, OVERSIZE):
        for at in range(1, 7):
            session = Session()
            await session.open()
            session.card.faults.restart()
            session.card.faults.always(kind, at)
            began_ms = session.bench.clock.ticks_ms()
            if kind in (TRUNCATED, LONGER):  # their CRC is right: only the length is wrong
                await _ends(session, _command(200))
            else:
                await _fails(session, _command(200), None)
            assert session.bench.clock.ticks_ms() - began_ms < 3100, (kind, at)


async def test_card_taken_away_at_every_moment():
    for after_us in range(0, 40000, 1009):
        session = Session()
        try:
            session.bench.remove("card", after_us=after_us)
            if not session.cards.wake():
                continue
            session.cards.select()
            await session.isodep.activate()
            for _ in range(4):
                assert _is_echo(_command(60), await session.isodep.transceive(_command(60)))
        except CardError as error:
            assert error.reason in ("timeout", "crc", "length", "protocol", "parity"), error.reason


def test_ats_of_any_shape():
    assert read_ats(b"\x05\x78\x80\x80\x00")[0] == 64
    assert read_ats(b"\x01") == (32, 4832, 0)
    assert read_ats(b"\x02\x02")[1] == 4832
    assert read_ats(b"\x03\x25\x71")[1:] == (302 << 7, 604)
    for bad in (b"", b"\x02", b"\x02\x70", b"\x05\x78\x80", b"\x00"):
        try:
            read_ats(bad)
            raise AssertionError("taken: %r" % bad)
        except CardError as error:
            assert error.reason == "length"


async def _ends(session, command):
    try:
        await session.isodep.transceive(command)
    except CardError:
        pass


async def _fails(session, command, reasons):
    try:
        answer = await session.isodep.transceive(command)
    except CardError as error:
        assert reasons is None or error.reason in reasons, error.reason
    else:
        raise AssertionError("answered: %r" % answer)
