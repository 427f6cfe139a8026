"""The demo's cards as the virtual counter makes them, and the keys that prove them.

The keys are random and stay in the demo's folder, as a shop's do.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Final

import msgspec

from besnik import broker, demo
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.keyring import NTAG_AID, Keys, SunKey
from besnik.credentials.keys import load_keys

_ADDRESS: Final = "https://corner.example/t?"
_TEMPLATE: Final = "e={picc}&m={mac}"
_UNUSED: Final = "00" * 16


def write(cards_file: Path, keys_file: Path) -> None:
    """Write the cards for the counter; make the keys first if there are none. KeyFileError."""
    if not keys_file.exists():
        broker.write_private(keys_file, _new_keys())
    cards = described(load_keys(keys_file, {}))
    broker.write_private(cards_file, msgspec.json.encode(cards))


def described(keys: Keys) -> list[dict[str, Any]]:
    """Return the demo's cards as the counter's file has them (``sim/model/wallet.py``).

    A card that proves itself by a key that the shop does not have is left out.
    """
    usable = [key for key in keys.sun if key.meta_key is not None]
    cards = [_card(card, usable[0] if usable else None) for card in demo.CARDS]
    return [card for card in cards if card is not None]


def _new_keys() -> str:
    meta, file = (secrets.token_hex(16).upper() for _ in range(2))
    return (
        f'[[sun]]\nversion = 1\ntemplate = "{_TEMPLATE}"\nmeta_key = "{meta}"\n'
        f'file_key = "{file}"\n'
    )


def _card(card: demo.DemoCard, key: SunKey | None) -> dict[str, Any] | None:
    described: dict[str, Any] = msgspec.to_builtins(card)
    if card.type != "ntag424" or card.uid is None:
        return described
    if key is None or key.meta_key is None:
        return None
    own = key.file_key.reveal()
    if key.diversified:
        own = diversify(own, card_message(bytes.fromhex(card.uid), NTAG_AID, key.system))
    # Key 1 signs the address, key 2 hides the UID in it.
    meta = key.meta_key.reveal().hex().upper()
    described["address"] = _ADDRESS + key.template.text
    described["keys"] = [_UNUSED, own.hex().upper(), meta, _UNUSED, _UNUSED]
    return described
