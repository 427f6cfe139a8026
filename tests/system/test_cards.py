"""Cards of each kind on their whole way: field, firmware, broker, bridge, verdict, light."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from besnik.credentials.keyring import NTAG_AID
from besnik.credentials.keys import load_keys
from besnik.run import wallet
from besnik.run.taps import READ
from support.bridge import ANA, CardStation
from support.broker import RunningBroker
from support.cards import (
    ALL_KEYS,
    EV2_KEY,
    KEY_FILE,
    NTAG_KEY,
    OWN_AID,
    SHARED,
    SHARED_AID,
    own_key,
    signature,
    signer_table,
    write_keys,
)
from support.counter import Counter
from support.customer import Customer
from support.processes import Processes, Running, wait_until
from support.store import assert_ledger_adds_up, give_card, rows

IRIS, NIKOS = "04D2E3F4A5B680", "04F1E2D3C4B580"
HIDDEN, QUIET = "04A1E2D3C4B581", "04B1E2D3C4B582"
# Room for every family and the relay at once: what an ESP32 needs PSRAM for.
HEAP = "192K"
TAPS = "SELECT kind, data, tier, outcome, reason FROM store_tap ORDER BY tap_id"
BALANCE = """SELECT balance FROM store_account account
    JOIN store_card card ON card.member_id = account.member_id WHERE card.data = '{}'"""
# Two of the same kind, one of them a copy: it shows a number that its maker never signed.
ORIGINAL, COPY = "04B1B2B3B4B5B6", "04C1C2C3C4C5C6"
SIGNED_CARDS = [
    {
        "key": key,
        "label": key,
        "type": "ntag213",
        "uid": uid,
        "signature": signature(ORIGINAL, 32).hex(),
    }
    for key, uid in (("original", ORIGINAL), ("copy", COPY))
]
KEY_CARD = {
    "key": "nikos",
    "label": "Nikos",
    "type": "desfire-ev3",
    "uid": NIKOS,
    "apps": {OWN_AID.hex(): ["0" * 32, own_key(EV2_KEY, NIKOS, OWN_AID).hex()]},
}
# One shows a random UID and tells the real one to who has the key; one is an NTAG 424 DNA that
# mirrors nothing into its address.
HIDDEN_CARD = {
    "key": "hidden",
    "label": "hidden",
    "type": "desfire-ev2",
    "uid": HIDDEN,
    "apps": {SHARED_AID.hex(): ["0" * 32, SHARED]},
    "random_id": True,
}
QUIET_CARD = {
    "key": "quiet",
    "label": "quiet",
    "type": "ntag424",
    "uid": QUIET,
    "address": "https://corner.example/",
    "keys": ["0" * 32] * 3 + [own_key(NTAG_KEY, QUIET, NTAG_AID).hex(), "0" * 32],
}


@pytest.fixture
def counter(
    state: Path, processes: Processes, broker: RunningBroker, root: Path, database_url: str
) -> Counter:
    """A virtual counter with cards that prove themselves, and a reader that can ask them."""
    keys = write_keys(state, KEY_FILE + signer_table(32))
    made = Counter(state, processes, broker, root)
    made.hold(
        [
            *wallet.described(load_keys(keys, {})),
            KEY_CARD,
            HIDDEN_CARD,
            QUIET_CARD,
            *SIGNED_CARDS,
        ]
    )
    made.set_up(HEAP, cards={"families": ["sun", "uid"], "relay": True})
    give_card(database_url, "ev2", NIKOS, "Ελένη Παππά")
    give_card(database_url, "ev2", HIDDEN, "Ελένη Παππά")
    give_card(database_url, "ntag", QUIET, "Ελένη Παππά")
    made.start_counter()
    return made


@pytest.fixture
async def ready(counter: Counter, bridge: Running, customer: Customer) -> Customer:
    """The whole chain, and a customer whose first tap has been answered at once."""
    counter.start_reader()
    for _ in range(15):
        with contextlib.suppress(TimeoutError):  # it may still be starting
            if await customer.taps("grace") == [READ, "accepted"]:
                return customer
    raise AssertionError("the reader does not get verdicts")


def balance(url: str, uid: str) -> int:
    found = rows(url, BALANCE.format(uid))
    return int(found[0][0]) if found else 0


async def test_a_card_that_proves_itself_is_accepted_with_tier_a(
    ready: Customer, database_url: str
) -> None:
    for _ in range(3):
        assert await ready.taps("iris") == [READ, "accepted"]

    wait_until(lambda: balance(database_url, IRIS) == 3, "three visits are counted")
    proved = [row for row in rows(database_url, TAPS) if row[1] == IRIS]
    assert proved == [("ntag", IRIS, "A", "accepted", "ok")] * 3
    assert_ledger_adds_up(database_url)


async def test_a_phone_and_a_bank_card_are_told_apart_from_members(
    ready: Customer, database_url: str
) -> None:
    # The phone has another UID each time, as one of our cards may: it was asked, and is none.
    assert await ready.taps("phone") == [READ, "unknown"]
    assert await ready.taps("bank") == [READ, "unknown"]

    last = [row[2:] for row in rows(database_url, TAPS)[-2:]]
    assert last == [("X", "rejected", "unknown"), ("D", "rejected", "unknown")]


async def test_of_a_bank_card_and_a_loyalty_card_the_loyalty_card_counts(
    ready: Customer, database_url: str
) -> None:
    assert await ready.taps("bank", "iris") == [READ, "accepted"]
    assert await ready.taps("bank", "ana") == [READ, "accepted"]
    assert (balance(database_url, IRIS), balance(database_url, ANA)) == (1, 1)


async def test_two_loyalty_cards_at_once_are_refused_and_nobody_is_charged(
    ready: Customer, database_url: str
) -> None:
    before = len(rows(database_url, TAPS))

    assert await ready.taps("ana", "eleni", signals=1) == ["several"]

    assert len(rows(database_url, TAPS)) == before
    assert await ready.taps("ana") == [READ, "accepted"]


async def test_a_card_that_is_challenged_through_the_reader_is_accepted_with_tier_a(
    ready: Customer, database_url: str
) -> None:
    for card in ("nikos", "hidden", "quiet", "nikos"):
        assert await ready.taps(card) == [READ, "accepted"], card

    assert rows(database_url, TAPS)[-4:] == [
        ("ev2", NIKOS, "A", "accepted", "ok"),
        ("ev2", HIDDEN, "A", "accepted", "ok"),
        ("ntag", QUIET, "A", "accepted", "ok"),
        ("ev2", NIKOS, "A", "accepted", "ok"),
    ]


async def test_a_new_card_is_asked_whether_it_is_an_original(
    ready: Customer, database_url: str
) -> None:
    assert await ready.taps("original") == [READ, "unknown"]
    assert await ready.taps("copy") == [READ, "unknown"]

    found = rows(database_url, "SELECT data, tier, finding FROM store_tap ORDER BY tap_id")
    assert found[-2:] == [(ORIGINAL, "D", "genuine"), (COPY, "D", "copy")]


async def test_keys_are_in_no_log_no_topic_and_no_table(
    ready: Customer, broker: RunningBroker, state: Path, database_url: str
) -> None:
    async with CardStation(broker) as asked:
        asked.answer = lambda _command: None  # the card on the reader answers for itself
        await ready.taps("iris")
        await ready.taps("nikos")
    logs = "".join(path.read_text(errors="replace") for path in (state / "logs").iterdir())
    password = json.loads((state / "flash/config.json").read_text())["broker"]["password"]
    keys = (*ALL_KEYS, own_key(EV2_KEY, NIKOS, OWN_AID).hex())
    for word in (*keys, IRIS, NIKOS, ANA, "داریوش کریمی", password):
        assert word.lower() not in logs.lower()
    assert asked.commands
    tables = [rows(database_url, f"SELECT * FROM store_{name}") for name in ("tap", "card")]
    for key in keys:
        assert key.lower() not in f"{asked.commands} {tables}".lower()
