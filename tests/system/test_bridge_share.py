"""Several bridges at one PostgreSQL database share the taps, and each tap still counts once."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support import postgres
from support.bridge import (
    ANA,
    ELENI,
    BridgeRunner,
    CardStation,
    ReaderStation,
    SiteStation,
    StateStation,
)
from support.broker import RunningBroker
from support.cards import ev2_card, write_keys
from support.database import Databases, PostgresDatabases, postgres_databases
from support.outbox_reader import OutboxReader
from support.postgres import PostgresServer
from support.processes import Processes, Running, wait_until
from support.store import assert_ledger_adds_up, execute, give_card, locked_taps, rows

OWN = "04E1E2E3E4E5E6"
ENTRIES = "SELECT count(*) FROM store_entry"


@pytest.fixture(scope="module")
def prepared_postgres(
    prepared_databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Iterator[PostgresDatabases]:
    """Databases on the server that the settings name, or on one of this module's own."""
    if isinstance(prepared_databases, PostgresDatabases):
        yield prepared_databases
        return
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    processes = Processes(tmp_path_factory.mktemp("postgres"), environment)
    with PostgresServer(processes, programs) as server:
        yield postgres_databases(server.url, environment)


@pytest.fixture
def postgres_url(prepared_postgres: PostgresDatabases, state: Path) -> Iterator[str]:
    """A PostgreSQL database of the test's own, whose shop has a second reader."""
    for url in prepared_postgres.copy(state):
        execute(
            url,
            "INSERT INTO store_reader (shop_id, till_id, slug, name) SELECT shop_id, till_id, "
            "'counter-2', 'Second' FROM store_reader WHERE slug = 'counter-1'",
        )
        yield url


@pytest.fixture
def sharing(
    processes: Processes, broker: RunningBroker, postgres_url: str, state: Path
) -> BridgeRunner:
    """Starts bridges that share the taps."""
    return BridgeRunner(processes, broker, postgres_url, state)


@pytest.fixture
def pair(sharing: BridgeRunner) -> list[Running]:
    """Two bridges that are ready."""
    return [sharing.start(instance=1), sharing.start(instance=2)]


def taps_of(bridge: Running) -> int:
    """Return how many taps a bridge says it settled when it stopped."""
    found = re.search(r"event=stopped taps=(\d+)", bridge.log)
    assert found, bridge.log
    return int(found[1])


async def happens(condition: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    await asyncio.to_thread(wait_until, condition, what, timeout_s)


@asynccontextmanager
async def load(broker: RunningBroker) -> AsyncIterator[list[OutboxReader]]:
    """Two readers that send each tap until it is answered."""
    readers = [
        OutboxReader(broker, "counter-1", ANA, 1),
        OutboxReader(broker, "counter-2", ELENI, 2),
    ]
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    await happens(lambda: all(reader.sessions for reader in readers), "the readers are there")
    yield readers
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_both_settle_taps_and_every_tap_counts_once(
    pair: list[Running], reader: ReaderStation, site: SiteStation, postgres_url: str
) -> None:
    """The same two members at both bridges at once: two writers of the same balances."""
    taps = [reader.tap(ANA if number % 3 else ELENI) for number in range(600)]
    verdicts = await reader.hear_all(600)
    assert sorted(verdict["id"] for verdict in verdicts) == taps
    assert {verdict["r"] for verdict in verdicts} == {"accepted"}
    assert sorted(visit["tap"] for visit in await site.hear_all(600)) == taps
    assert rows(postgres_url, "SELECT balance FROM store_account ORDER BY balance") == [
        (-600,), (200,), (400,),
    ]  # fmt: skip
    assert_ledger_adds_up(postgres_url)
    for bridge in pair:
        assert await asyncio.to_thread(bridge.stop, 3) == 0
        assert taps_of(bridge) == 300
        assert "event=store_away" not in bridge.log


async def test_the_same_tap_at_both_bridges_is_written_once(
    pair: list[Running], reader: ReaderStation, postgres_url: str
) -> None:
    for number in range(1, 101):
        for _ in range(4):
            reader.tap(ANA, id=f"00001-{number:06d}")
    verdicts = await reader.hear_all(400)
    assert {verdict["r"] for verdict in verdicts} == {"accepted"}
    assert rows(postgres_url, ENTRIES) == [(100,)]
    assert_ledger_adds_up(postgres_url)


async def test_kills_of_either_lose_and_double_nothing(
    sharing: BridgeRunner, pair: list[Running], broker: RunningBroker, postgres_url: str
) -> None:
    async with StateStation(broker) as state_of, load(broker) as readers:
        for victim, number in ((0, 1), (1, 2), (0, 1)):
            for _ in range(60):
                for each in readers:
                    each.tap()
                await asyncio.sleep(0.003)
            pair[victim].kill()
            # The other answers whatever comes now, and says so.
            assert (await state_of.until("lost"))["s"] == "lost"
            assert (await state_of.until("online"))["s"] == "online"
            new = {each.tap() for each in readers for _ in range(20)}
            await happens(
                lambda new=new: not any(new & each.outbox.keys() for each in readers),
                "the other bridge answers at once",
                0.9,
            )
            pair[victim] = await asyncio.to_thread(sharing.start, instance=number)
        await happens(lambda: not any(each.outbox for each in readers), "all is answered")
        sent = list(itertools.chain(*(each.taps for each in readers)))
    assert rows(postgres_url, "SELECT count(*) FROM store_tap") == [(len(sent),)]
    assert rows(postgres_url, ENTRIES) == [(len(sent),)]
    assert_ledger_adds_up(postgres_url)


async def test_taps_in_the_hands_of_a_killed_bridge_are_settled_by_the_other(
    pair: list[Running], broker: RunningBroker, postgres_url: str
) -> None:
    """The broker forgets them (see bridge/account.py), the readers do not."""
    async with load(broker) as readers:
        with locked_taps(postgres_url):
            for _ in range(20):
                for each in readers:
                    each.tap()
            await asyncio.sleep(0.3)
            pair[0].kill()
        await happens(lambda: not any(each.outbox for each in readers), "all is answered")
    assert rows(postgres_url, ENTRIES) == [(40,)]
    assert_ledger_adds_up(postgres_url)


async def test_taps_without_any_bridge_wait_in_the_readers(
    sharing: BridgeRunner, pair: list[Running], broker: RunningBroker, postgres_url: str
) -> None:
    async with StateStation(broker) as state_of, load(broker) as readers:
        for bridge in pair:
            assert await asyncio.to_thread(bridge.stop, 3) == 0
        await state_of.until("offline")
        for each in readers:
            each.tap()
        await asyncio.sleep(0.3)
        assert all(each.outbox for each in readers)
        await asyncio.to_thread(sharing.start, instance=2)
        await happens(lambda: not any(each.outbox for each in readers), "all is answered")
    assert rows(postgres_url, ENTRIES) == [(2,)]


async def test_cards_are_asked_by_the_bridge_that_has_their_tap(
    sharing: BridgeRunner, broker: RunningBroker, postgres_url: str, state: Path
) -> None:
    write_keys(state)
    give_card(postgres_url, "ev2", OWN, "Grace Miller")
    pair = [sharing.start(instance=1), sharing.start(instance=2)]
    async with ReaderStation(broker) as reader, CardStation(broker) as on_reader:
        for _ in range(4):
            on_reader.lay(ev2_card(OWN))
            reader.tap(OWN, s=0x20)
            assert (await reader.hear())["why"] == "ok"
            await asyncio.sleep(0.6)  # a bridge asks no more than twice a second
    assert rows(postgres_url, "SELECT DISTINCT tier FROM store_tap") == [("A",)]
    for bridge in pair:
        assert await asyncio.to_thread(bridge.stop, 3) == 0
        assert taps_of(bridge) == 2
        assert "relay_ignored" not in bridge.log


def test_an_sqlite_file_has_one_bridge(
    processes: Processes, broker: RunningBroker, state: Path
) -> None:
    bridges = BridgeRunner(processes, broker, f"sqlite:///{state}/besnik.sqlite3", state)
    bridge = bridges.start(instance=2, ready=False)
    assert bridge.wait() == 2
    assert "bridge.instance = 2: several bridges need PostgreSQL" in bridge.log
    assert "Traceback" not in bridge.log


async def test_two_bridges_of_one_name_do_not_count_twice(
    sharing: BridgeRunner, reader: ReaderStation, postgres_url: str
) -> None:
    """The broker lets only one of them in at a time; the other comes back in its place."""
    first = await asyncio.to_thread(sharing.start)
    await asyncio.to_thread(sharing.start)
    await happens(lambda: "event=broker_lost" in first.log, "the first is out")
    taps = [reader.tap(ANA) for _ in range(20)]
    heard = set()
    while heard != set(taps):
        heard.add((await reader.hear(10))["id"])
    assert rows(postgres_url, "SELECT count(*) FROM store_tap") == [(20,)]
    assert_ledger_adds_up(postgres_url)


async def test_a_database_server_that_is_gone_for_a_while_loses_nothing(
    sharing: BridgeRunner,
    prepared_postgres: PostgresDatabases,
    broker: RunningBroker,
    reader: ReaderStation,
    postgres_url: str,
) -> None:
    """It hangs up and lets nobody in, as a server does that is restarted."""
    bridge = await asyncio.to_thread(sharing.start)
    async with StateStation(broker) as state_of:
        assert (await state_of.hear())["s"] == "online"
        with prepared_postgres.closed(postgres_url):
            taps = [reader.tap(ANA) for _ in range(50)]
            assert (await state_of.hear())["s"] == "offline"
            assert reader.heard.empty()
        assert (await state_of.hear())["s"] == "online"
    assert sorted(verdict["id"] for verdict in await reader.hear_all(50)) == taps
    assert bridge.log.count("event=store_away") == bridge.log.count("event=store_back") == 1
    assert "event=broker_lost" not in bridge.log
    assert rows(postgres_url, ENTRIES) == [(50,)]
    assert_ledger_adds_up(postgres_url)


async def test_a_bridge_in_the_place_of_a_hanging_one_is_not_buried_by_its_will(
    sharing: BridgeRunner, broker: RunningBroker
) -> None:
    """The broker closes the old session, and says its will, when the new one comes."""
    old = await asyncio.to_thread(sharing.start)
    async with StateStation(broker) as state_of:
        birth = await state_of.hear()
    os.kill(old.pid, signal.SIGSTOP)
    await asyncio.sleep(1.1)
    await asyncio.to_thread(sharing.start)
    await asyncio.sleep(0.3)
    async with StateStation(broker, "counter-2") as late:
        last = await late.hear()
        assert last["s"] == "online"
        assert last["bd"] > birth["bd"]
    old.kill()
