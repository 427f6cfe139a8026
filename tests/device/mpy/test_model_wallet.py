# Cards from their descriptions: each type, its fields, and what is wrong with a bad one.

from facing import Facing

from besnik.sim.model.classic_picc import ClassicPicc
from besnik.sim.model.picc import Picc
from besnik.sim.model.type2_picc import Type2Picc
from besnik.sim.model.wallet import card_of, count_of, set_count

SEVEN = "04DEBEBCFF4C80"


def refused(description, words):
    try:
        card_of(description)
    except ValueError as error:
        assert words in str(error), error
    else:
        raise AssertionError("it was taken: " + str(description))


def test_uid_alone_makes_a_card_that_has_only_that():
    card = card_of({"key": "ana", "label": "Ana", "uid": "5B3C2A19", "member": "ana"})
    assert type(card) is Picc and card.uid == bytes.fromhex("5B3C2A19") and card.sak == 0x08
    assert card_of({"uid": SEVEN, "type": None}).sak == 0x00
    assert card_of({"uid": SEVEN, "sak": 0x20}).sak == 0x20
    assert Facing(card_of({"uid": None})).uid[0] == 0x08, "a phone"


def test_every_type_is_made():
    for kind, sak in (
        ("ntag213", 0x00),
        ("ntag215", 0x00),
        ("ntag216", 0x00),
        ("ul11", 0x00),
        ("ul21", 0x00),
        ("classic1k", 0x08),
        ("ntag424", 0x20),
        ("desfire-ev2", 0x20),
        ("desfire-ev3", 0x20),
        ("payment", 0x20),
        ("phone", 0x20),
    ):
        card = card_of({"type": kind, "uid": SEVEN, "address": "https://a.b/"}, 3)
        facing = Facing(card)
        assert facing.sak == sak, kind
        assert facing.uid == bytes.fromhex(SEVEN) or card.random


def test_type_2_holds_its_address_and_its_password():
    description = {
        "type": "ntag215",
        "uid": SEVEN,
        "address": "https://besnik.example/c",
        "password": "01020304",
        "pack": "0A0B",
        "auth0": 4,
        "read_protected": True,
        "signature": "11" * 32,
    }
    card = card_of(description)
    assert isinstance(card, Type2Picc)
    facing = Facing(card)
    assert facing.send("3C00") == "11" * 32
    assert facing.send("3004") == 0x04
    facing.select()
    assert facing.send("1B01020304") == "0A0B"
    assert facing.send("3004")[:8] == "0315D101"


def test_ntag424_has_its_keys_template_and_count():
    keys = ["%02X" % number * 16 for number in range(5)]
    address = "https://besnik.example/t?p={picc}&c={mac}"
    card = card_of({"type": "ntag424", "uid": SEVEN, "address": address, "keys": keys, "count": 41})
    assert card.app.app_keys[3] == b"\x03" * 16 and count_of(card) == 41
    assert (card.app.meta_key, card.app.file_key) == (2, 1)
    set_count(card, 50)
    assert count_of(card) == 50
    assert count_of(card_of({"uid": SEVEN})) is None
    set_count(card_of({"uid": SEVEN}), 1)


def test_desfire_has_its_applications_and_may_hide_its_uid():
    apps = {"015042": ["11" * 16, "22" * 16]}
    card = card_of({"type": "desfire-ev3", "uid": SEVEN, "apps": apps, "random_id": True})
    assert card.random and card.app.uid == bytes.fromhex(SEVEN)
    assert card.app.apps == {b"\x01\x50\x42": [b"\x11" * 16, b"\x22" * 16]}


def test_card_that_takes_apdus_has_its_signature():
    address = "https://besnik.example/t?p={picc}&c={mac}"
    for kind in ("ntag424", "desfire-ev2", "desfire-ev3"):
        description = {"type": kind, "uid": SEVEN, "address": address}
        assert card_of(description).app.signature == bytes(56)
        assert card_of(dict(description, signature="11" * 56)).app.signature == b"\x11" * 56
        refused(dict(description, signature="11" * 32), "must be 56 bytes")


def test_classic_has_its_keys_and_blocks():
    card = card_of(
        {
            "type": "classic1k",
            "uid": "5B3C2A19",
            "keys": {"1": ["A0" * 6, "B0" * 6]},
            "blocks": {"4": "42" * 16},
        }
    )
    assert isinstance(card, ClassicPicc) and card.blocks[4] == b"\x42" * 16
    assert card.blocks[7] == b"\xa0" * 6 + b"\xff\x07\x80\x69" + b"\xb0" * 6


def test_bad_field_is_named():
    refused({"type": "ntag999", "uid": SEVEN}, "type 'ntag999': must be one of classic1k,")
    refused({"uid": "zz"}, "uid 'zz': must be hex")
    refused({"uid": 7}, "uid 7: must be hex")
    refused({"uid": "0011"}, "4, 7 or 10 bytes, not 2")
    refused({"uid": SEVEN, "sak": 300}, "sak 300: must be a number from 0 to 255")
    refused({"type": "ntag213", "uid": "5B3C2A19"}, "uid '5B3C2A19': must be 7 bytes")
    refused({"type": "ul11", "uid": SEVEN, "address": "https://a.b/" + "c" * 60}, "48 bytes")
    refused({"type": "ntag424", "uid": SEVEN}, "address None: must be a text")
    ours = {"type": "ntag424", "uid": SEVEN, "address": "https://a.b/?m={mac}"}
    refused(dict(ours, keys=["00" * 16]), "has 5, not 1")
    refused(dict(ours, keys=["00"] * 5), "keys '00': must be 16 bytes")
    refused(dict(ours, address="https://a.b/?x={what}"), "{what}")
    refused(dict(ours, mac_from="picc"), "mac_from 'picc': not in the address")
    refused({"type": "desfire-ev2", "uid": SEVEN, "apps": {"01": []}}, "apps '01'")
    refused(
        {"type": "classic1k", "uid": "5B3C2A19", "blocks": {"7": "00" * 16}}, "not a data block"
    )
    refused({"type": "classic1k", "uid": "5B3C2A19", "keys": {"1": ["A0" * 6]}}, "two, A and B")
