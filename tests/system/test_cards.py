"""Cards of each kind on their whole way: field, firmware, broker, bridge, verdict, light."""

from __future__ import annotations

import contextlib
import json

import pytest

from besnik.run.taps import READ
from support.bridge import ANA
from support.counter import Counter
from support.customer import Customer
from support.processes import Running, wait_until
from support.store import assert_ledger_adds_up, rows

IRIS = "04D2E3F4A5B680"
TAPS = "SELECT kind, data, tier, outcome, reason FROM store_tap ORDER BY tap_id"
BALANCE = """SELECT balance FROM store_account account
    JOIN store_card card ON card.member_id = account.member_id WHERE card.data = '{}'"""


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
    assert await ready.taps("phone") == [READ, "rejected"]
    assert await ready.taps("bank") == [READ, "unknown"]

    last = [row[2:] for row in rows(database_url, TAPS)[-2:]]
    assert last == [("X", "rejected", "random_id"), ("D", "rejected", "unknown")]


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


async def test_keys_and_uids_are_in_no_log(ready: Customer, counter: Counter) -> None:
    await ready.taps("iris")
    keys = (counter.flash.parent / "keys.toml").read_text()
    secrets = [line.split('"')[1] for line in keys.splitlines() if "_key" in line]
    logs = "".join(
        path.read_text(errors="replace") for path in (counter.flash.parent / "logs").iterdir()
    )
    config = json.loads((counter.flash / "config.json").read_text())
    for word in (*secrets, IRIS, ANA, "Iris Kola", config["broker"]["password"]):
        assert word.lower() not in logs.lower()
