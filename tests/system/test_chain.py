"""A tap on its whole way, firmware included, while parts of the way are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from besnik.run.taps import READ
from support.bridge import ANA, ELENI, BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.processes import Running
from support.store import assert_ledger_adds_up, rows

RECOVERY_TIMEOUT_S = 30.0

TAPS = "SELECT data, outcome, reason, queued FROM store_tap ORDER BY tap_id"


async def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(int(RECOVERY_TIMEOUT_S / 0.1)):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {RECOVERY_TIMEOUT_S} s: {what}")


async def welcomed(customer: Customer, url: str) -> None:
    """Tap Eleni's card until it is accepted at once: reader, broker and bridge are in touch."""
    for _ in range(15):
        if await customer.taps("eleni") == [READ, "accepted"]:
            break
    else:
        raise AssertionError("the reader does not get verdicts")
    await until(lambda: count(url, ELENI) > 0, "Eleni's taps arrive")


def count(url: str, uid: str) -> int:
    return int(rows(url, f"SELECT count(*) FROM store_tap WHERE data = '{uid}'")[0][0])


def balance(url: str, uid: str) -> int:
    query = f"""SELECT balance FROM store_account account
        JOIN store_card card ON card.member_id = account.member_id WHERE card.data = '{uid}'"""
    found = rows(url, query)
    return int(found[0][0]) if found else 0


async def test_a_broker_that_comes_last_is_found_by_all(
    broker: RunningBroker,
    bridges: BridgeRunner,
    counter: Counter,
    customer: Customer,
    database_url: str,
) -> None:
    broker.stop()
    counter.start_reader()
    bridge = bridges.start(ready=False)
    assert await customer.taps("ana") == [READ, "stored"]

    broker.start()

    bridge.wait_for("bridge: ready")
    await until(lambda: count(database_url, ANA) == 1, "the stored tap arrives")
    await welcomed(customer, database_url)
    assert rows(database_url, TAPS)[0] == (ANA, "accepted", "ok", True)
    assert balance(database_url, ANA) == 1


@pytest.mark.parametrize("lost", ["broker", "bridge"])
async def test_taps_made_while_something_is_away_count_once_and_in_order(
    lost: str,
    broker: RunningBroker,
    bridges: BridgeRunner,
    bridge: Running,
    counter: Counter,
    customer: Customer,
    database_url: str,
) -> None:
    counter.start_reader()
    await welcomed(customer, database_url)
    before = len(rows(database_url, TAPS))

    (broker if lost == "broker" else bridge).kill()
    for card in ("ana", "boris", "ana"):
        assert await customer.taps(card) == [READ, "stored"]
    broker.start() if lost == "broker" else bridges.start()

    await until(lambda: len(rows(database_url, TAPS)) >= before + 3, "three stored taps arrive")
    await welcomed(customer, database_url)
    new = rows(database_url, TAPS)[before : before + 3]
    verdicts = [row[1:3] for row in new]
    assert verdicts == [("accepted", "ok"), ("rejected", "blocked"), ("accepted", "ok")]
    assert balance(database_url, ANA) == 2
    assert_ledger_adds_up(database_url)


async def test_a_reader_that_loses_power_keeps_its_taps(
    broker: RunningBroker,
    bridge: Running,
    counter: Counter,
    customer: Customer,
    database_url: str,
) -> None:
    reader = counter.start_reader()
    await welcomed(customer, database_url)
    broker.kill()
    assert await customer.taps("ana") == [READ, "stored"]

    reader.kill()
    broker.start()
    counter.start_reader()

    await until(lambda: count(database_url, ANA) == 1, "the tap on flash arrives")
    assert (ANA, "accepted", "ok", True) in rows(database_url, TAPS)
    assert await customer.taps("ana") == [READ, "accepted"]
    assert balance(database_url, ANA) == 2
    assert_ledger_adds_up(database_url)


async def test_a_wrong_setting_is_named_and_better_ones_are_waited_for(
    counter: Counter, customer: Customer, state: Path
) -> None:
    config = (counter.flash / "config.json").read_text()
    (counter.flash / "config.json").write_text(config.replace('"counter-1"', '"Counter 1"'))

    reader = counter.start_reader()

    reader.wait_for('config.json: reader = "Counter 1": must be 1 to 16 of a-z, 0-9 and hyphen')
    assert await customer.sees() == "waiting"
    assert await customer.sees() == "waiting"
