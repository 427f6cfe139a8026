# From a card's description, as it stands in a JSON file, to the card:
#
#   {"key": "ana", "label": "Ana's card", "type": "ntag424", "uid": "04DEBEBCFF4C80",
#    "address": "https://shop.example/t?picc_data={picc}&cmac={mac}", "keys": [..five..]}
#
# Bytes are hex text. Fields that a type does not know are left alone: they are for others.
#
#   "uid", or none      uid (null: a phone), sak
#   "ntag213" "ntag215" "ntag216" "ul11" "ul21"
#                       uid, signature, address (of its NDEF message), password, pack, auth0,
#                       read_protected
#   "ntag424"           uid, address (what it mirrors: sun.py), mac_from, keys (5), meta_key and
#                       file_key (their numbers: 2 and 1), count (of the last read session),
#                       signature
#   "desfire-ev2" "desfire-ev3"
#                       uid, apps ({"AID as it is sent": [keys]}), random_id, signature
#   "classic1k"         uid, keys ({"sector": [A, B]}), blocks ({"number": data})
#   "payment"           uid
#   "phone"             nothing

from .classic_picc import BLOCK, ClassicPicc
from .desfire_picc import desfire
from .isodep_picc import IsoDepPicc
from .ndef import uri_message
from .ntag424_picc import KEYS, Ntag424, ntag424
from .phone_picc import payment, phone
from .picc import Picc
from .type2_memory import PRODUCTS
from .type2_picc import Type2Picc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Description = dict[str, Any]

AES_KEY = 16
CLASSIC_KEY = 6


# The card of a description; ValueError says which field is wrong. `seed` sets apart the cards that
# draw random numbers.
def card_of(description: "Description", seed: int = 1) -> Picc:
    kind = description.get("type") or "uid"
    if kind in PRODUCTS:
        return _type2(description, kind)
    make = TYPES.get(kind)
    if make is None:
        known = ", ".join(sorted(list(TYPES) + list(PRODUCTS)))
        raise ValueError("type " + repr(kind) + ": must be one of " + known)
    return make(description, seed)


# What of a card outlives the loss of power and is not in its description, or None: the number of
# the last read session of an NTAG 424 DNA.
def count_of(card: Picc) -> "int | None":
    app = getattr(card, "app", None)
    return app.count if isinstance(app, Ntag424) else None


def set_count(card: Picc, count: int) -> None:
    app = getattr(card, "app", None)
    if isinstance(app, Ntag424):
        app.count = count


def _plain(description: "Description", seed: int) -> Picc:
    if description.get("uid") is None:
        return phone(seed)
    uid = _octets(description, "uid")
    sak = _number(description, "sak", 0x08 if len(uid) == 4 else 0x00, 0xFF)
    return Picc(uid, sak)


def _type2(description: "Description", product: str) -> Picc:
    signature = _octets(description, "signature", 32, bytes(32))
    card = Type2Picc(_octets(description, "uid", 7), product, signature)
    if description.get("address"):
        card.hold(uri_message(description["address"]))
    if description.get("password"):
        password = _octets(description, "password", 4)
        auth0 = _number(description, "auth0", 4, 0xFF)
        to_read = bool(description.get("read_protected"))
        card.protect(password, _octets(description, "pack", 2, bytes(2)), auth0, to_read)
    return card


def _ntag424(description: "Description", seed: int) -> Picc:
    keys = [
        _hex(key, "keys", AES_KEY) for key in description.get("keys") or ["00" * AES_KEY] * KEYS
    ]
    if len(keys) != KEYS:
        raise ValueError("keys: an NTAG 424 DNA has 5, not " + str(len(keys)))
    card = ntag424(
        _octets(description, "uid", 7),
        _text(description, "address"),
        description.get("mac_from") or "",
        keys,
        _number(description, "meta_key", 2, KEYS - 1),
        _number(description, "file_key", 1, KEYS - 1),
        seed,
    )
    set_count(card, _number(description, "count", 0, 0xFFFFFF))
    return _signed(card, description)


def _desfire(generation: str) -> "Callable[[Description, int], Picc]":
    def make(description: "Description", seed: int) -> Picc:
        apps = {}
        for aid, keys in (description.get("apps") or {}).items():
            apps[_hex(aid, "apps", 3)] = [_hex(key, "apps", AES_KEY) for key in keys]
        random_id = bool(description.get("random_id"))
        card = desfire(_octets(description, "uid", 7), apps, generation, random_id, seed)
        return _signed(card, description)

    return make


def _signed(card: IsoDepPicc, description: "Description") -> Picc:
    card.app.signature = _octets(description, "signature", 56, bytes(56))
    return card


def _classic(description: "Description", seed: int) -> Picc:
    card = ClassicPicc(_octets(description, "uid"), seed=seed)
    for sector, pair in (description.get("keys") or {}).items():
        keys = [_hex(key, "keys", CLASSIC_KEY) for key in pair]
        if len(keys) != 2 or not 0 <= int(sector) < 16:
            raise ValueError("keys: each of the sectors 0 to 15 has two, A and B")
        card.set_keys(int(sector), keys[0], keys[1])
    for block, data in (description.get("blocks") or {}).items():
        if not 0 < int(block) < 64 or int(block) % 4 == 3:
            raise ValueError("blocks: " + str(block) + " is not a data block")
        card.blocks[int(block)] = _hex(data, "blocks", BLOCK)
    return card


def _phone(description: "Description", seed: int) -> Picc:  # noqa: ARG001 - nothing to describe
    return phone(seed)


def _payment(description: "Description", seed: int) -> Picc:  # noqa: ARG001 - nothing random
    return payment(_octets(description, "uid"))


TYPES: "dict[str, Callable[[Description, int], Picc]]" = {
    "uid": _plain,
    "ntag424": _ntag424,
    "desfire-ev2": _desfire("ev2"),
    "desfire-ev3": _desfire("ev3"),
    "classic1k": _classic,
    "phone": _phone,
    "payment": _payment,
}


def _octets(
    description: "Description", field: str, size: int = 0, default: "bytes | None" = None
) -> bytes:
    value = description.get(field)
    if value is None and default is not None:
        return default
    return _hex(value, field, size)


def _hex(value: "Any", field: str, size: int = 0) -> bytes:
    try:
        octets = bytes.fromhex(value)
    except (TypeError, ValueError):
        raise ValueError(field + " " + repr(value) + ": must be hex digits")
    if size and len(octets) != size:
        raise ValueError(field + " " + repr(value) + ": must be " + str(size) + " bytes")
    return octets


def _number(description: "Description", field: str, default: int, most: int) -> int:
    value = description.get(field)
    if value is None:
        return default
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(field + " " + repr(value) + ": must be a number from 0 to " + str(most))
    return value


def _text(description: "Description", field: str) -> str:
    value = description.get(field)
    if not isinstance(value, str):
        raise ValueError(field + " " + repr(value) + ": must be a text")
    return value
