"""Cards that prove themselves, with the keys of the tests; they answer as the chip's model does."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from ecdsa import SECP128r1, SigningKey
from ecdsa.curves import NIST224p

from besnik.broker import write_private
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.keyring import NTAG_AID
from besnik.sim.model.desfire_picc import desfire
from besnik.sim.model.isodep_picc import Application
from besnik.sim.model.ntag424_picc import ntag424

META, FILE, NTAG_KEY, EV2_KEY, SHARED = (
    "D0C1B2A3948576675849302112031425",
    "1F2E3D4C5B6A798897A6B5C4D3E2F101",
    "77665544332211008899AABBCCDDEEF1",
    "5A4B3C2D1E0F9A8B7C6D5E4F3A2B1C0D",
    "0F1E2D3C4B5A69788796A5B4C3D2E1F5",
)
ALL_KEYS: Final = (META, FILE, NTAG_KEY, EV2_KEY, SHARED)
# As SelectApplication carries it: one application with a key for each card, one that shares it.
OWN_AID, SHARED_AID = bytes.fromhex("4F5742"), bytes.fromhex("535742")
ADDRESS: Final = "e={picc}&c={mac}"
# Who signs the UIDs of these cards: for Type 2, and for those that take APDUs. NXP's private keys
# are NXP's.
SIGNERS: Final = {
    32: SigningKey.from_secret_exponent(0x5EC2E75, SECP128r1),
    56: SigningKey.from_secret_exponent(0x5EC2E75, NIST224p),
}
KEY_FILE: Final = f"""
[[sun]]
version = 1
template = "{ADDRESS}"
meta_key = "{META}"
file_key = "{FILE}"

[[ev2]]
version = 3
aid = "{OWN_AID.hex().upper()}"
key_number = 1
key = "{EV2_KEY}"

[[ev2]]
version = 2
aid = "{SHARED_AID.hex().upper()}"
key_number = 1
key = "{SHARED}"
diversified = false

[[ev2]]
version = 4
aid = "{NTAG_AID.hex().upper()}"
key_number = 3
key = "{NTAG_KEY}"
"""


def signer_table(size: int) -> str:
    """Return the table of the key file that believes the signer of ``size`` bytes."""
    point = SIGNERS[size].get_verifying_key().to_string("uncompressed").hex().upper()
    return f'[[originality]]\nname = "tests, {size} bytes"\npublic_key = "{point}"\n'


def signature(uid: str, size: int) -> bytes:
    """Return a signature of ``size`` bytes over a UID."""
    # A UID is shorter than any curve's order, so it is signed as it is, unhashed.
    signed: bytes = SIGNERS[size].sign_digest(bytes.fromhex(uid))
    return signed


def write_keys(state: Path, text: str = KEY_FILE) -> Path:
    """Write the key file of a state folder."""
    file = state / "keys.toml"
    write_private(file, text)
    return file


def own_key(master: str, uid: str, aid: bytes) -> bytes:
    """Return the card's own key."""
    return diversify(bytes.fromhex(master), card_message(bytes.fromhex(uid), aid, "besnik"))


class SunCard:
    """An NTAG 424 DNA of ours; each ``address()`` is one read."""

    def __init__(self, uid: str, *, file_key: str = FILE, template: str = ADDRESS) -> None:
        self.uid = uid
        # Key 1 signs addresses, key 2 hides the UID in them, key 3 answers challenges.
        keys = [
            secrets.token_bytes(16),
            own_key(file_key, uid, NTAG_AID),
            bytes.fromhex(META),
            own_key(NTAG_KEY, uid, NTAG_AID),
            secrets.token_bytes(16),
        ]
        card = ntag424(bytes.fromhex(uid), f"https://tap.example/?{template}", keys=keys)
        self.app: Application = card.app

    def address(self) -> str:
        """Read the card and return what its reader would send."""
        for command in ("00A4040007D276000085010100", "00A4000C02E104"):
            assert self._ask(command) == b"\x90\x00"
        length = int.from_bytes(self._ask("00B0000002")[:2], "big")
        message = self._ask(f"00B00002{length:02X}")[:-2]
        return message.partition(b"?")[2].decode()

    def addresses(self, count: int) -> list[str]:
        """Read the card so many times."""
        return [self.address() for _ in range(count)]

    def skip(self, count: int) -> None:
        """Let somebody else read the card so many times."""
        self.app.count += count  # type: ignore[attr-defined]  # the model's counter

    def _ask(self, command: str) -> bytes:
        answer = self.app.apdu(bytes.fromhex(command))
        assert answer is not None
        return answer


def ev2_card(uid: str, *, key: bytes | None = None) -> Application:
    """Return a DESFire that shows its UID and has a key of its own."""
    own = own_key(EV2_KEY, uid, OWN_AID) if key is None else key
    return desfire(bytes.fromhex(uid), {OWN_AID: [secrets.token_bytes(16), own]}).app


def hidden_card(uid: str, *, key: bytes | None = None) -> Application:
    """Return a DESFire that shows a random UID and tells the real one to who has the key."""
    shared = bytes.fromhex(SHARED) if key is None else key
    apps = {SHARED_AID: [secrets.token_bytes(16), shared]}
    return desfire(bytes.fromhex(uid), apps, random_id=True).app
