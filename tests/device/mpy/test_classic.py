# lib/classic.py against a MIFARE Classic 1K.

from classic import KEY_B, Classic
from fields import Lying
from iso14443 import CardError

from besnik.sim.model.classic_picc import ClassicPicc

UID = bytes.fromhex("5B3C2A19")
KEY = b"\xff\xff\xff\xff\xff\xff"
OTHER = b"\xa0\xa1\xa2\xa3\xa4\xa5"


class Session(Lying):
    def __init__(self):
        Lying.__init__(self, ClassicPicc(UID))
        self.tag = Classic(self.chip)
        self.select()


def test_blocks_are_read_and_written_with_the_right_key():
    session = Session()
    session.tag.authenticate(4, KEY, UID)
    session.tag.write(4, b"sixteen bytes 96")
    assert session.tag.read(4) == b"sixteen bytes 96"
    session.tag.authenticate(9, KEY, UID)  # another sector, from within the session
    assert session.tag.read(8) == bytes(16)
    session.tag.stop()
    session.select()


def test_a_wrong_key_is_refused_also_within_a_session():
    session = Session()
    session.refused(lambda: session.tag.authenticate(4, OTHER, UID))
    session.tag.stop()
    session.select()
    session.tag.authenticate(4, KEY, UID)
    session.refused(lambda: session.tag.authenticate(8, OTHER, UID))
    session.tag.stop()


def test_a_block_without_authentication_is_refused_or_unanswered():
    session = Session()
    try:
        session.tag.read(4)
        raise AssertionError("read without a key")
    except CardError as error:
        assert error.reason in ("refused", "timeout"), error.reason


def test_a_readable_key_b_opens_nothing():
    session = Session()
    session.tag.authenticate(4, KEY, UID, KEY_B)  # in a new card it may be read (8.7.2)
    session.refused(lambda: session.tag.write(4, bytes(16)))


def test_a_block_that_does_not_exist_is_refused():
    session = Session()
    session.refused(lambda: session.tag.authenticate(200, KEY, UID))


def test_a_card_that_leaves_gives_a_reason():
    for after_us in range(0, 12000, 701):
        session = Session()
        session.bench.remove("card", after_us=after_us)
        try:
            session.tag.authenticate(4, KEY, UID)
            session.tag.read(4)
        except CardError as error:
            assert error.reason != "deaf", after_us


def test_wrong_arguments_are_named():
    session = Session()
    for call in (
        lambda: session.tag.authenticate(4, b"short", UID),
        lambda: session.tag.write(4, b"short"),
    ):
        try:
            call()
            raise AssertionError("taken")
        except ValueError as error:
            assert "bytes" in str(error)
