# The model's DESFire EV2/EV3, phone and bank card.

from facing import Facing, hexed
from nativecard import app_of, authenticate, say, scripted

from besnik.sim.model import aes
from besnik.sim.model.desfire_picc import ATS, desfire
from besnik.sim.model.phone_picc import payment, phone

UID = bytes.fromhex("04448BD2DB6B80")
AID = bytes.fromhex("015042")
KEYS = [bytes([number] * 16) for number in (1, 2, 3)]


def app(generation="ev2", **more):
    return app_of(desfire(UID, {AID: KEYS}, generation, **more))


def test_applications_are_listed_and_selected():
    card = app()
    assert say(card, "906A000000") == "0150429100"
    assert say(card, "905A00000301504200") == "9100"
    assert say(card, "906A000000") == "919D", "only from the card's own level"
    assert say(card, "905A00000301504300") == "91A0"
    assert say(card, "905A000002015000") == "917E"
    assert say(card, "905A00000300000000") == "9100" and say(card, "906A000000")[-4:] == "9100"
    assert say(card, "00A4040007D276000085010000") == "9000"
    assert say(card, "00A4040007D276000085010100") == "6A82", "no NDEF application"
    assert say(card, "00B0000002") == "6D00" and say(card, "90C1000000") == "911C"


def test_long_directory_comes_in_frames():
    apps = {bytes((number, 0x50, 0x42)): KEYS for number in range(1, 29)}
    card = app_of(desfire(UID, apps))
    first = card.apdu(bytes.fromhex("906A000000"))
    rest = card.apdu(bytes.fromhex("90AF000000"))
    assert first[-2:] == b"\x91\xaf" and rest[-2:] == b"\x91\x00"
    assert first[:-2] + rest[:-2] == b"".join(sorted(apps)) and len(first) == 57 + 2


def test_directory_may_need_the_master_key():
    card = app()
    card.lists_freely = False
    assert say(card, "906A000000") == "91AE"
    assert authenticate(card, 0, bytes(16)) == "9100"
    mac = hexed(card.session.mac(0x6A, b""))
    answer = card.apdu(bytes.fromhex("906A000008" + mac + "00"))
    assert answer[:3] == AID and answer[3:] == card.session.mac(0x00, AID) + b"\x91\x00"


def test_keys_are_those_of_the_selected_application():
    card = app()
    assert authenticate(card, 1, KEYS[1]) == "9140"
    say(card, "905A00000301504200")
    for number in range(3):
        assert authenticate(card, number, KEYS[number]) == "9100"
    assert authenticate(card, 0, KEYS[1]) == "91AE" and authenticate(card, 3, KEYS[0]) == "9140"
    authenticate(card, 0, KEYS[0])
    say(card, "905A00000301504200")
    assert card.session is None


def test_authentication_is_the_published_one():
    card = app_of(desfire(UID, {AID: [bytes(16)]}))
    say(card, "905A00000301504200")
    card.draw = scripted("B9E2FC789B64BF237CCCAA20EC7E6E48", "9D00C4DF")
    assert say(card, "9071000002000000") == "A04C124213C186F22399D33AC2A3021591AF"
    assert say(
        card,
        "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00",
    ) == ("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663" + "9100")


def test_real_uid_comes_sealed():
    card = app(random_id=True)
    say(card, "905A00000301504200")
    assert say(card, "9051000000") == "91AE"
    authenticate(card, 0, KEYS[0])
    session = card.session
    answer = card.apdu(bytes.fromhex("9051000008" + hexed(session.mac(0x51, b"")) + "00"))
    assert answer[-2:] == b"\x91\x00" and answer[16:24] == session.mac(0x00, answer[:16])
    iv = aes.encrypt(session.enc_key, b"\x5a\xa5" + session.transaction + b"\x01\x00" + bytes(8))
    assert aes.cbc_decrypt(session.enc_key, answer[:16], iv) == aes.pad(UID)


def test_generations_tell_their_version_and_a_random_id_hides_the_uid_there_too():
    for generation, hardware in (("ev2", "04010112001805"), ("ev3", "04010133001805")):
        card = app(generation)
        assert say(card, "9060000000") == hardware + "91AF"
        say(card, "90AF000000")
        assert say(card, "90AF000000")[:14] == hexed(UID)
    card = app(random_id=True)
    say(card, "9060000000")
    say(card, "90AF000000")
    assert say(card, "90AF000000")[:14] == "00" * 7


def test_desfire_on_the_air_with_and_without_random_id():
    facing = Facing(desfire(UID, {AID: KEYS}))
    assert facing.uid == UID and facing.card.atqa == b"\x44\x03" and not facing.card.random
    assert facing.send("E050") == hexed(ATS) == "067577810280"
    card = desfire(UID, {AID: KEYS}, random_id=True)
    seen = set()
    for _ in range(3):
        facing = Facing(card)
        assert len(facing.uid) == 4 and facing.uid[0] == 0x08 and facing.sak == 0x20
        seen.add(facing.uid)
    assert len(seen) == 3 and card.random


def test_phone_has_a_new_uid_each_time_and_none_of_our_applications():
    card = phone()
    seen = set()
    for _ in range(3):
        facing = Facing(card)
        assert facing.uid[0] == 0x08 and len(facing.uid) == 4 and facing.sak == 0x20
        seen.add(facing.uid)
    assert len(seen) == 3
    assert facing.send("E050") == "0578807002"
    assert facing.send("0200A4040007D276000085010100") == "026A82"
    assert facing.send("0300A404000E325041592E5359532E444446303100") == "036A82"
    assert facing.send("0200B0000000") == "026D00"


def test_bank_card_lists_its_application():
    facing = Facing(payment(bytes.fromhex("5B3C2A19")))
    assert facing.sak == 0x20 and facing.send("E050")
    assert facing.send("0200A404000E325041592E5359532E444446303100") == (
        "02"
        "6F2A840E325041592E5359532E4444463031A518BF0C156113"
        "4F07A00000000410105005" + hexed(b"DEBIT") + "870101" + "9000"
    )
    assert facing.send("0300A4040007D276000085010100") == "036A82"
