"""A tap through the real bridge: verdict, visit, rows, and each tap exactly once."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from besnik.bridge.account import account
from besnik.bridge.connection import Connection, Delivery
from besnik.config import Broker, Config
from besnik.loyalty.rules import PerVisit
from support.bridge import ANA, BLANK, BORIS, ELENI, BridgeRunner, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.orm import models_on
from support.processes import Processes, Running
from support.published import publish
from support.store import assert_ledger_adds_up, execute, rows

pytestmark = pytest.mark.usefixtures("bridge")


async def test_an_accepted_tap_is_answered_shown_and_written(
    reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    tap = reader.tap(ANA)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    [(ref,)] = rows(database_url, "SELECT ref FROM store_member WHERE name = 'Ana Hoxha'")
    assert await site.hear() == {
        "v": 1,
        "tap": tap,
        "shop": "corner",
        "reader": "counter-1",
        "member": ref,
        "r": "accepted",
        "why": "ok",
    }
    written = "SELECT tap_id, data, tier, outcome, reason, read_at, clock_quality FROM store_tap"
    assert rows(database_url, written) == [(tap, ANA, "D", "accepted", "ok", 1_795_300_000, 2)]
    assert rows(database_url, "SELECT balance FROM store_account ORDER BY balance") == [(-1,), (1,)]
    assert_ledger_adds_up(database_url)


@pytest.mark.parametrize(
    ("uid", "why", "shows_member"),
    [(BORIS, "blocked", True), (BLANK, "unknown", False), ("08A1B2C3", "random_id", False)],
)
async def test_a_refused_tap_is_answered_shown_and_written_without_an_entry(
    reader: ReaderStation,
    site: SiteStation,
    database_url: str,
    uid: str,
    why: str,
    shows_member: bool,
) -> None:
    tap = reader.tap(uid)
    assert await reader.hear() == {"id": tap, "r": "rejected", "why": why}
    visit = await site.hear()
    assert (visit["r"], visit["why"], visit["member"] is not None) == (
        "rejected", why, shows_member,
    )  # fmt: skip
    assert rows(database_url, "SELECT data, outcome, reason FROM store_tap") == [
        (uid, "rejected", why)
    ]
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(0,)]


async def test_a_random_uid_is_not_looked_up_even_if_somebody_enrolled_it(
    reader: ReaderStation, database_url: str
) -> None:
    execute(database_url, "UPDATE store_card SET data = '08A1B2C3' WHERE data = '5B3C2A19'")
    reader.tap("08A1B2C3")
    assert (await reader.hear())["why"] == "random_id"
    assert rows(database_url, "SELECT card_id, member_id FROM store_tap") == [(None, None)]


async def test_a_repeated_id_gets_the_first_verdict_and_counts_once(
    reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    tap = reader.tap(ANA)
    first = await reader.hear()
    await site.hear()
    execute(database_url, "UPDATE store_card SET state = 'blocked' WHERE data = '5B3C2A19'")
    reader.tap(ANA, id=tap, q=1)
    assert await reader.hear() == first
    # What the id says counts, not the rest: another card under a used id is the same tap.
    reader.tap(BLANK, id=tap)
    assert await reader.hear() == first
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(1,)]
    assert rows(database_url, "SELECT data FROM store_tap") == [(ANA,)]
    assert site.heard.empty()
    assert_ledger_adds_up(database_url)


async def test_many_taps_at_once_each_count_once(
    reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    """All in one go, so they share batches: one card many times, and ids that repeat."""
    sent = [reader.tap(ANA if number % 2 else ELENI) for number in range(200)]
    for tap in sent[:50]:
        reader.tap(ANA, id=tap)
    verdicts = await reader.hear_all(250)
    assert {verdict["id"] for verdict in verdicts} == set(sent)
    assert {verdict["r"] for verdict in verdicts} == {"accepted"}
    visits = await site.hear_all(200)
    assert sorted(visit["tap"] for visit in visits) == sent
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(200,)]
    assert rows(database_url, "SELECT balance FROM store_account ORDER BY balance") == [
        (-200,),
        (100,),
        (100,),
    ]
    assert_ledger_adds_up(database_url)


async def test_a_change_of_the_programs_rules_counts_from_the_next_tap_on(
    reader: ReaderStation, database_url: str
) -> None:
    reader.tap(ANA)
    await reader.hear()
    publish(database_url, PerVisit(id="visit", unit="stamp", give=3))
    reader.tap(ANA)
    await reader.hear()
    assert (4,) in rows(database_url, "SELECT balance FROM store_account")
    assert_ledger_adds_up(database_url)


async def test_an_enrolled_card_is_known_at_its_next_tap(
    reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    from besnik.store.members import enrol_tap
    from besnik.store.models import Tap

    def enrol() -> str:
        with models_on(database_url):
            return enrol_tap(Tap.objects.get(), name="Mira Dushi", language="sq").ref

    reader.tap(BLANK)
    assert (await reader.hear())["why"] == "unknown"
    await site.hear()
    ref = await asyncio.to_thread(enrol)
    reader.tap(BLANK)
    assert (await reader.hear())["r"] == "accepted"
    assert (await site.hear())["member"] == ref


async def test_one_reader_never_waits_for_a_delayed_acknowledgement(
    reader: ReaderStation,
) -> None:
    """40 ms would mean that TCP_NODELAY is lost somewhere (performance.md, section 0)."""
    loop = asyncio.get_running_loop()
    taken = []
    for _ in range(30):
        start = loop.time()
        reader.tap(ANA)
        await reader.hear()
        taken.append(loop.time() - start)
    # A new connection is acknowledged at once for a while; a busy machine is late now and then.
    later = sorted(taken[10:])
    assert later[len(later) // 4] < 0.02


async def test_the_bridge_sends_without_waiting_for_more(broker: RunningBroker) -> None:
    connection = Connection(account(Config()), b"lost", Delivery.done, lambda: None)
    password = broker.passwords["bridge"]
    await connection.open(Broker(broker.host, broker.port, bridge_password=password))
    plug = connection._connection._transport.get_extra_info("socket")
    assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await connection.close()


async def test_sigterm_ends_the_bridge_in_order(bridge: Running, reader: ReaderStation) -> None:
    reader.tap(ANA)
    await reader.hear()
    assert await asyncio.to_thread(bridge.stop, 3) == 0
    assert "event=stopped taps=1 batches=1" in bridge.log


async def test_the_log_names_nobody(bridge: Running, reader: ReaderStation) -> None:
    for uid in (ANA, BORIS, BLANK, "08A1B2C3", "not a uid"):
        reader.tap(uid)
    await reader.hear_all(4)
    await asyncio.to_thread(bridge.stop)
    assert bridge.log.count("bridge: ready") == 1
    for secret in (ANA, BORIS, BLANK, "08A1B2C3", "not a uid", "Hoxha", "00042-"):
        assert secret not in bridge.log


def test_a_second_bridge_at_an_sqlite_file_is_refused(
    processes: Processes, broker: RunningBroker, state: Path
) -> None:
    bridges = BridgeRunner(processes, broker, f"sqlite:///{state}/shop.sqlite3", state)
    first = bridges.start()
    second = bridges.start(ready=False)
    assert second.wait() == 2
    assert f"another bridge (process {first.pid}) works on {state}/shop.sqlite3" in second.log
    assert "Traceback" not in second.log
    assert first.alive
