# lib/ecp.py and the firmware's poll: Apple's frame goes out between two requests when the settings
# ask for it, and never otherwise.

from ecp import FRAMES, send
from fields import Lying, Watched, holding

from besnik.sim.model.crc import with_crc
from besnik.sim.model.picc import Picc

UID = bytes.fromhex("04A1B2C3D4E580")
REQA = b"\x26"


# Hears everything and says nothing, as a phone that has not made up its mind.
class Listener(Picc):
    def __init__(self):
        Picc.__init__(self, UID)
        self.heard = []

    def hear(self, data, bits, now_ns):
        self.heard.append((bytes(data), bits))


def test_frames_are_those_that_phones_were_seen_to_know():
    for name, known in (
        ("vas_or_pay", "6A01000000F6F1"),
        ("vas_and_pay", "6A010000017FE0"),
        ("vas", "6A01000002E4D2"),
        ("ignore", "6A01CF0000ABB1"),
    ):
        assert FRAMES[name] == bytes.fromhex(known) == with_crc(bytes.fromhex(known)[:5]), name


def test_a_frame_is_sent_whole_and_no_answer_is_no_fault():
    lying = Lying(Listener())
    assert send(lying.chip, FRAMES["vas"])
    assert lying.card.heard == [(FRAMES["vas"], 56)]
    lying.bench.board.spi.stuck = 0x00
    assert not send(lying.chip, FRAMES["vas"])


async def test_the_poll_carries_the_frame_that_is_set_and_none_by_default():
    counter = Watched(holding(phone=Listener(), ana=Picc(UID)))
    counter.bench.present("phone")
    heard = counter.bench.card("phone").heard
    await counter.watch_ms(500)
    assert {data for data, _ in heard} == {REQA}
    heard.clear()
    counter.presence.ecp = FRAMES["vas"]
    await counter.watch_ms(500)
    frames = [data for data, _ in heard]
    assert frames[1::2] == [FRAMES["vas"]] * len(frames[1::2]) and len(frames) > 20
    assert frames[::2] == [REQA] * len(frames[::2])
    counter.bench.remove("phone")
    counter.bench.present("ana")
    await counter.watch_ms(500)
    assert counter.seen == [("uid", "04A1B2C3D4E580")]
