"""NTAG 424 DNA cards by their address, through the real bridge: each read counts once."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import pytest

from besnik.broker import write_private
from support.bridge import ANA, BLANK, BridgeRunner, ReaderStation, SiteStation, Station
from support.broker import RunningBroker
from support.cards import ALL_KEYS, SunCard, write_keys
from support.orm import models_on
from support.processes import Processes, Running
from support.store import assert_ledger_adds_up, execute, give_card, rows

UID, OTHER = "04DE5F1EACC040", "04958CAA5C5E80"
GRACE = "Grace Miller"
WRITTEN = (
    "SELECT kind, data, counter, tier, outcome, reason, card_id IS NOT NULL "
    "FROM store_tap ORDER BY id"
)
COUNTERS = f"SELECT data, counter FROM store_card WHERE data IN ('{UID}', '{OTHER}') ORDER BY data"


@pytest.fixture(autouse=True)
def keys(state: Path) -> Path:
    return write_keys(state)


@pytest.fixture
def card(database_url: str) -> SunCard:
    """Grace's card."""
    give_card(database_url, "ntag", UID, GRACE)
    return SunCard(UID)


async def verdict(reader: ReaderStation, address: str, **changes: object) -> str:
    tap = reader.tap(address, k="sun", **changes)
    # What a killed bridge had not acknowledged is answered once more.
    while (heard := await reader.hear())["id"] != tap:
        pass
    return str(heard["why"])


async def test_a_read_of_a_members_card_is_accepted_as_tier_a(
    bridge: Running, reader: ReaderStation, site: SiteStation, database_url: str, card: SunCard
) -> None:
    card.skip(6)
    tap = reader.tap(card.address(), k="sun", s=0x20)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    [(ref,)] = rows(database_url, f"SELECT ref FROM store_member WHERE name = '{GRACE}'")
    assert (await site.hear())["member"] == ref
    assert rows(database_url, WRITTEN) == [("ntag", UID, 7, "A", "accepted", "ok", True)]
    assert rows(database_url, COUNTERS) == [(UID, 7)]
    assert_ledger_adds_up(database_url)


async def test_the_same_read_again_is_a_replay_also_after_a_new_start(
    bridges: BridgeRunner, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    first = bridges.start()
    lower, counted, next_one = card.addresses(3)
    assert await verdict(reader, counted) == "ok"
    assert await verdict(reader, counted) == "replayed"
    assert await verdict(reader, lower) == "replayed"
    assert await asyncio.to_thread(first.stop) == 0
    second = await asyncio.to_thread(bridges.start)
    assert await verdict(reader, counted) == "replayed"
    assert await verdict(reader, lower) == "replayed"
    second.kill()
    await asyncio.to_thread(bridges.start)
    assert await verdict(reader, counted) == "replayed"
    assert await verdict(reader, next_one) == "ok"
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(2,)]
    assert_ledger_adds_up(database_url)


async def test_of_200_identical_taps_at_once_one_counts(
    bridge: Running,
    broker: RunningBroker,
    reader: ReaderStation,
    database_url: str,
    card: SunCard,
) -> None:
    """Somebody copied the address: the copies come from two readers."""
    execute(
        database_url,
        "INSERT INTO store_reader (shop_id, till_id, slug, name) "
        "SELECT shop_id, till_id, 'counter-2', '2' FROM store_reader",
    )
    address = card.address()
    async with ReaderStation(broker, "counter-2") as other:
        for _ in range(100):
            reader.tap(address, k="sun")
            other.tap(address, k="sun")
        heard = await reader.hear_all(100) + await other.hear_all(100)
    reasons = [each["why"] for each in heard]
    assert (reasons.count("ok"), reasons.count("replayed")) == (1, 199)
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(1,)]
    assert_ledger_adds_up(database_url)


async def test_many_reads_of_many_cards_at_once_count_all(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    give_card(database_url, "ntag", OTHER, "Ana Hoxha")
    other = SunCard(OTHER)
    for _ in range(60):
        reader.tap(card.address(), k="sun")
        reader.tap(other.address(), k="sun")
        reader.tap(ANA)
    assert {each["why"] for each in await reader.hear_all(180)} == {"ok"}
    assert rows(database_url, COUNTERS) == [(OTHER, 60), (UID, 60)]
    assert_ledger_adds_up(database_url)


async def test_a_tap_told_again_gets_its_first_verdict(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    address = card.address()
    tap = reader.tap(address, k="sun")
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    reader.tap(address, k="sun", id=tap, q=1)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(1,)]


async def test_a_tap_that_waited_counts_after_newer_ones_but_earns_only(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    """It was read before, at a reader without a network; the card went on to another one."""
    waited, live = card.addresses(2)
    assert await verdict(reader, live) == "ok"
    assert await verdict(reader, waited, q=1) == "ok"
    assert await verdict(reader, waited, q=1) == "replayed"
    assert await verdict(reader, live, q=1) == "replayed"
    assert [row[2:6] for row in rows(database_url, WRITTEN)] == [
        (2, "A", "accepted", "ok"),
        (1, "D", "accepted", "ok"),
        (1, "D", "rejected", "replayed"),
        (2, "D", "rejected", "replayed"),
    ]
    assert rows(database_url, COUNTERS) == [(UID, 2)]
    assert_ledger_adds_up(database_url)


async def test_an_unknown_card_is_enrolled_and_its_read_does_not_count_again(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    from besnik.store.members import enrol_tap
    from besnik.store.models import Tap

    def enrol() -> None:
        with models_on(database_url):
            enrol_tap(Tap.objects.get(), name="Mira Dushi", language="sq")

    card = SunCard(OTHER)
    card.skip(4)
    first = card.address()
    assert await verdict(reader, first) == "unknown"
    assert rows(database_url, WRITTEN) == [("ntag", OTHER, 5, "A", "rejected", "unknown", False)]
    await asyncio.to_thread(enrol)
    assert await verdict(reader, first) == "replayed"
    assert await verdict(reader, first, q=1) == "replayed"
    assert await verdict(reader, card.address()) == "ok"
    assert rows(database_url, COUNTERS) == [(OTHER, 6)]


async def test_a_blocked_card_is_refused_and_stays_where_it_was(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    give_card(database_url, "ntag", UID, GRACE, state="blocked")
    assert await verdict(reader, SunCard(UID).address()) == "blocked"
    assert rows(database_url, COUNTERS) == [(UID, None)]


def forged(card: SunCard) -> list[tuple[str, str]]:
    """Return addresses that prove nothing, with the reason for the log."""
    good = card.address()
    other_keys = SunCard(UID, file_key="0123456789ABCDEF0123456789ABCDEF").address()
    swapped = card.address()[:34] + good[34:]
    lrp = "e=07D9CA2545881D4BFDD920BE1603268C0714420DD893A497&c=F9481AC7D855BDB6"
    return [
        (good[:-1] + ("0" if good[-1] != "0" else "1"), "bad_mac"),
        (swapped, "bad_mac"),
        (other_keys, "bad_mac"),
        (lrp, "unsupported"),
        ("p=" + good[2:], "malformed"),
        ("12345678", "malformed"),
        ("?" * 160, "malformed"),
    ]


async def test_an_address_that_proves_nothing_is_answered_like_an_unknown_card(
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    database_url: str,
    card: SunCard,
) -> None:
    for address, reason in forged(card):
        assert await verdict(reader, address) == "unknown"
        assert (await site.hear())["member"] is None
        assert f"event=sun_failed reason={reason}" in bridge.log
    taps = rows(database_url, WRITTEN)
    assert {(row[0], *row[2:]) for row in taps} == {
        ("sun", None, "X", "rejected", "unknown", False)
    }
    assert not any(UID in row[1] or "=" in row[1] for row in taps)
    # The reader is told nothing; the cashier is told why.
    found = rows(database_url, "SELECT finding FROM store_tap ORDER BY id")
    assert [row[0] for row in found] == [reason for _address, reason in forged(card)]
    assert await verdict(reader, card.address()) == "ok"


async def test_a_forged_address_can_never_be_enrolled(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    from besnik.store.members import EnrolError, enrol_tap
    from besnik.store.models import Tap

    def enrol() -> None:
        with models_on(database_url):
            for tap in Tap.objects.all():
                with pytest.raises(EnrolError):
                    enrol_tap(tap, name="Mira Dushi", language="sq")

    for address, _ in forged(card):
        await verdict(reader, address)
    await asyncio.to_thread(enrol)


async def test_a_card_known_by_its_uid_alone_is_not_the_card_of_an_address(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    """And a copied UID does not become the card that proves it."""
    assert await verdict(reader, card.address()) == "ok"
    reader.tap(UID)
    assert (await reader.hear())["why"] == "unknown"
    give_card(database_url, "uid", OTHER, GRACE)
    assert await verdict(reader, SunCard(OTHER).address()) == "unknown"


async def test_a_counter_that_rose_far_is_said(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    await verdict(reader, card.address())
    card.skip(999)
    await verdict(reader, card.address())
    assert "event=counter_gap" not in bridge.log
    card.skip(1000)
    assert await verdict(reader, card.address()) == "ok"
    [(row,)] = rows(database_url, f"SELECT id FROM store_card WHERE data = '{UID}'")
    assert f"event=counter_gap reader=counter-1 card={row} gap=1001" in bridge.log


async def test_without_keys_only_uid_cards_work_and_that_is_said_once(
    bridges: BridgeRunner, reader: ReaderStation, keys: Path, card: SunCard
) -> None:
    await asyncio.to_thread(keys.unlink)
    bridge = bridges.start()
    assert await verdict(reader, card.address()) == "unknown"
    reader.tap(ANA)
    assert (await reader.hear())["why"] == "ok"
    assert bridge.log.count("event=no_keys") == 1


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("", 0o644, "chmod 600"),
        ("[[sun]]\nversion = 1\n", 0o600, "keys.toml: sun[0]"),
        (f'[[sun]\nfile_key = "{ALL_KEYS[0]}"', 0o600, "keys.toml: is not TOML at line 1"),
        (f'[[ev2]]\nkey = "{ALL_KEYS[0]}00"', 0o600, "keys.toml: ev2[0]"),
    ],
)
async def test_a_key_file_that_cannot_be_used_is_named_and_shows_no_key(
    bridges: BridgeRunner, keys: Path, text: str, mode: int, said: str
) -> None:
    write_private(keys, text)
    await asyncio.to_thread(keys.chmod, mode)
    bridge = bridges.start(ready=False)
    assert await asyncio.to_thread(bridge.wait) == 2
    assert said in bridge.log
    assert "Traceback" not in bridge.log
    assert ALL_KEYS[0] not in bridge.log


async def test_the_settings_name_another_key_file(
    bridges: BridgeRunner, reader: ReaderStation, keys: Path, card: SunCard
) -> None:
    await asyncio.to_thread(keys.rename, keys.with_name("other.toml"))
    file = bridges.settings_file
    file.write_text(file.read_text() + '[credentials]\nkeys = "other.toml"\n')
    await asyncio.to_thread(bridges.start)
    assert await verdict(reader, card.address()) == "ok"


async def test_keys_are_in_no_log_no_topic_and_no_table(
    bridge: Running,
    broker: RunningBroker,
    reader: ReaderStation,
    database_url: str,
    card: SunCard,
    processes: Processes,
) -> None:
    async with Station(broker, "monitor", "besnik/v1/#", 5) as monitor:
        addresses = [card.address(), *(address for address, _ in forged(card))]
        for address in addresses:
            await verdict(reader, address)
        await asyncio.to_thread(bridge.stop)
        told = [await monitor.hear() for _ in range(3 * len(addresses))]
    said = f"{told}{bridge.log}{broker.log}"
    for table in ("store_tap", "store_card"):
        said += str(rows(database_url, f"SELECT * FROM {table}"))
    for key in ALL_KEYS:
        assert key not in said.upper()
    for secret in (UID, *addresses, "Miller"):
        assert secret not in bridge.log


async def test_unknown_blocked_and_forged_take_the_same_time(
    bridge: Running, reader: ReaderStation, database_url: str, card: SunCard
) -> None:
    """Who tries out cards learns nothing by the clock (credentials.md, section 3)."""
    give_card(database_url, "ntag", OTHER, GRACE, state="blocked")
    unknown, blocked = SunCard("04AAAAAAAAAA80"), SunCard(OTHER)
    loop = asyncio.get_running_loop()
    taken: dict[str, list[float]] = {"unknown": [], "blocked": [], "forged": []}
    for _ in range(60):
        good = card.address()
        for name, address in (
            ("unknown", unknown.address()),
            ("blocked", blocked.address()),
            ("forged", good[:-2] + ("00" if good[-2:] != "00" else "11")),
        ):
            start = loop.time()
            await verdict(reader, address)
            taken[name].append(loop.time() - start)
    medians = [statistics.median(times) for times in taken.values()]
    assert max(medians) - min(medians) < 0.005


async def test_a_uid_tap_of_an_unknown_card_is_as_before(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    reader.tap(BLANK, s=0x08)
    assert (await reader.hear())["why"] == "unknown"
    assert rows(database_url, WRITTEN) == [("uid", BLANK, None, "D", "rejected", "unknown", False)]
