"""Cards that are asked who they are, through their reader: whatever they and it may do."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from besnik.sim.model.isodep_picc import Application
from support.bridge import ANA, BLANK, BridgeRunner, CardStation, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.cards import OWN_AID, SHARED_AID, SunCard, ev2_card, hidden_card, write_keys
from support.orm import models_on
from support.processes import Running, wait_until
from support.store import assert_ledger_adds_up, execute, give_card, locked_taps, rows

OWN, HIDDEN, NTAG = "04E1E2E3E4E5E6", "04F1F2F3F4F5F6", "04DE5F1EACC040"
RANDOM = "08A1B2C3"
WRONG_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
GRACE = "Grace Miller"
ISO_DEP = 0x20
WRITTEN = "SELECT kind, data, tier, outcome, reason, card_id IS NOT NULL FROM store_tap ORDER BY id"


@pytest.fixture(autouse=True)
def keys(state: Path) -> Path:
    return write_keys(state)


@pytest.fixture(autouse=True)
def cards(database_url: str) -> None:
    """Grace's cards: one that shows its UID, one that hides it, an NTAG 424 DNA."""
    give_card(database_url, "ev2", OWN, GRACE)
    give_card(database_url, "ev2", HIDDEN, GRACE)
    give_card(database_url, "ntag", NTAG, GRACE)


async def verdict(reader: ReaderStation, uid: str, **changes: Any) -> str:
    tap = reader.tap(uid, **({"s": ISO_DEP} | changes))
    heard = await reader.hear()
    assert heard["id"] == tap
    return str(heard["why"])


async def settled(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, "the host said what it had to")


class Stuffed(Application):
    """A card that answers every command with the same."""

    def __init__(self, answer: str) -> None:
        self._answer = bytes.fromhex(answer)

    def apdu(self, _command: bytes) -> bytes:
        """Answer."""
        return self._answer


async def test_a_card_that_holds_its_key_is_accepted_as_tier_a(
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    on_reader: CardStation,
    database_url: str,
) -> None:
    on_reader.lay(ev2_card(OWN))
    tap = reader.tap(OWN, s=ISO_DEP)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    assert (await site.hear())["member"] is not None
    assert rows(database_url, WRITTEN) == [("ev2", OWN, "A", "accepted", "ok", True)]
    said = on_reader.sent(tap)
    # The application of the shared key comes later, as its version is lower; NTAG's first.
    assert said[0].startswith("00A4040007")
    assert f"905A000003{OWN_AID.hex().upper()}00" in said
    assert said[-1] == "end"
    assert [each["n"] for each in on_reader.commands] == list(range(1, len(said) + 1))
    assert_ledger_adds_up(database_url)


async def test_a_card_that_hides_its_uid_is_found_by_the_real_one(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    card = hidden_card(HIDDEN)
    on_reader.lay(card)
    assert await verdict(reader, RANDOM) == "ok"
    card.reset()
    assert await verdict(reader, "08FFEEDD") == "ok"
    assert rows(database_url, WRITTEN) == [("ev2", HIDDEN, "A", "accepted", "ok", True)] * 2


async def test_an_ntag_424_that_showed_only_its_uid_proves_itself_too(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    on_reader.lay(SunCard(NTAG).app)
    assert await verdict(reader, NTAG) == "ok"
    assert rows(database_url, WRITTEN) == [("ntag", NTAG, "A", "accepted", "ok", True)]


@pytest.mark.parametrize(
    ("card", "shown", "proved"),
    [(hidden_card("04A9A8A7A6A5A4"), RANDOM, "04A9A8A7A6A5A4"),
     (ev2_card("04B9B8B7B6B5B4"), "04B9B8B7B6B5B4", "04B9B8B7B6B5B4")],
    ids=["hidden", "shown"],
)  # fmt: skip
async def test_a_new_card_of_ours_is_unknown_and_enrolled_as_what_it_is(
    bridge: Running,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    card: Application,
    shown: str,
    proved: str,
) -> None:
    from besnik.store.members import enrol_tap
    from besnik.store.models import Tap

    def enrol() -> None:
        with models_on(database_url):
            enrol_tap(Tap.objects.get(), name="Mira Dushi", language="sq")

    on_reader.lay(card)
    assert await verdict(reader, shown) == "unknown"
    assert rows(database_url, WRITTEN) == [("ev2", proved, "A", "rejected", "unknown", False)]
    await asyncio.to_thread(enrol)
    card.reset()
    assert await verdict(reader, shown) == "ok"


async def test_a_blocked_card_is_blocked(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    execute(database_url, f"UPDATE store_card SET state = 'blocked' WHERE data = '{OWN}'")
    on_reader.lay(ev2_card(OWN))
    assert await verdict(reader, OWN) == "blocked"


@pytest.mark.parametrize(
    ("card", "shown", "log"),
    [(ev2_card(OWN, key=WRONG_KEY), OWN, ""),
     (hidden_card(HIDDEN, key=WRONG_KEY), RANDOM, "not_authentic"),
     (hidden_card("04A9A8A7A6A5A4"), OWN, "wrong_uid"),
     (Stuffed("6A82"), RANDOM, "no_application"),
     (Stuffed("6E00"), RANDOM, "unsupported"),
     (Stuffed("91AF"), OWN, "refused"),
     (Stuffed("9000"), OWN, "refused"),
     (Stuffed("00"), OWN, "malformed"),
     (Stuffed("00" * 400), OWN, "refused")],
    ids=["wrong-key", "wrong-shared-key", "other-card", "phone", "no-apdus", "endless", "yes-man",
         "short", "long"],
)  # fmt: skip
async def test_a_card_that_cannot_prove_itself_is_answered_like_an_unknown_one(
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    on_reader: CardStation,
    database_url: str,
    card: Application,
    shown: str,
    log: str,
) -> None:
    on_reader.lay(card)
    assert await verdict(reader, shown) == "unknown"
    assert (await site.hear())["member"] is None
    assert rows(database_url, WRITTEN) == [("uid", shown, "X", "rejected", "unknown", False)]
    assert f"event=relay_refuted reason={log}" in bridge.log
    await settled(lambda: on_reader.commands[-1].get("end") == 1)


@pytest.mark.parametrize("shown", [OWN, RANDOM])
@pytest.mark.parametrize("word", ["gone", "busy", "forbidden", "timeout", "protocol", "format"])
async def test_a_reader_that_says_why_it_has_no_answer_ends_the_talk(
    bridge: Running,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    word: str,
    shown: str,
) -> None:
    on_reader.answer = lambda _command: {"e": word}
    assert await verdict(reader, shown) == "error"
    assert rows(database_url, WRITTEN) == [("uid", shown, "X", "rejected", "error", False)]
    assert f"event=relay_failed reason={word}" in bridge.log
    # The reader has ended it; nothing is left to be ended.
    assert len(on_reader.commands) == 1


@pytest.mark.parametrize("steps", range(5))
async def test_a_card_that_leaves_or_falls_silent_at_any_step_is_an_error_in_time(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str, steps: int
) -> None:
    card = ev2_card(OWN)

    def answer(command: dict[str, Any]) -> dict[str, Any] | None:
        said = card.apdu(bytes.fromhex(command["c"]))
        return {"r": said.hex().upper()} if said and command["n"] <= steps else None

    on_reader.answer = answer
    start = asyncio.get_running_loop().time()
    why = await verdict(reader, OWN)
    taken = asyncio.get_running_loop().time() - start
    if why == "ok":
        assert steps == 4
        return
    assert why == "error"
    assert 1.9 < taken < 4
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(0,)]
    await settled(lambda: on_reader.commands[-1] == {**on_reader.commands[-1], "end": 1})
    assert on_reader.commands[-1]["n"] == steps + 2


async def test_a_card_that_is_slow_all_the_way_has_two_seconds_in_all(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    card = ev2_card(OWN)

    def answer(command: dict[str, Any]) -> None:
        said = card.apdu(bytes.fromhex(command["c"]))
        assert said is not None
        asyncio.get_running_loop().call_later(
            0.8, on_reader.reply, command, {"r": said.hex().upper()}
        )

    on_reader.answer = answer
    start = asyncio.get_running_loop().time()
    assert await verdict(reader, OWN) == "error"
    assert 1.9 < asyncio.get_running_loop().time() - start < 4
    # The answer that comes after the end is ignored, and the next talk is not disturbed by it.
    await asyncio.sleep(0.8)
    card.reset()
    on_reader.lay(card)
    assert await verdict(reader, OWN) == "ok"
    assert "event=relay_ignored reason=late" in bridge.log


ODD: dict[str, dict[str, Any] | bytes] = {
    "of another tap": {"r": "6E00", "tx": "00001-000001"},
    "out of order": {"r": "6E00", "n": 9},
    "told again": {"r": "6E00", "n": 1},
    "over 1 KiB": {"r": "00" * 600 + "6E00"},
    "empty": {"r": ""},
    "no hex": {"r": "hello world!"},
    "nothing in it": {},
    "both": {"r": "6E00", "e": "gone"},
    "garbage": b"\xff\xfe{",
    "far too long": b'{"r":"' + b"0" * 60_000,
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_answer_that_nobody_asked_for_is_ignored(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str, odd: str
) -> None:
    """It comes before each right one from the second on, which still counts."""
    card = hidden_card(HIDDEN)

    def answer(command: dict[str, Any]) -> dict[str, Any]:
        if command["n"] > 1:
            on_reader.reply(command, ODD[odd])
        said = card.apdu(bytes.fromhex(command["c"]))
        assert said is not None
        return {"r": said.hex().upper()}

    on_reader.answer = answer
    assert await verdict(reader, RANDOM) == "ok"


async def test_another_reader_cannot_answer_for_this_one(
    bridge: Running,
    broker: RunningBroker,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
) -> None:
    async with CardStation(broker, "counter-2") as other:
        card = ev2_card(OWN)

        def answer(command: dict[str, Any]) -> None:
            said = card.apdu(bytes.fromhex(command["c"]))
            assert said is not None
            other.reply(command, {"r": said.hex().upper()})
            told = {"tx": command["tx"], "n": command["n"], "r": said.hex().upper()}
            for topic in (on_reader.rsp_topic, "besnik/v1/elsewhere/counter-2/apdu/rsp"):
                other.say(topic, str(told).replace("'", '"').encode())

        on_reader.answer = answer
        assert await verdict(reader, OWN) == "error"


async def test_taps_of_others_go_on_while_a_card_is_asked(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str
) -> None:
    execute(
        database_url,
        "INSERT INTO store_reader (shop_id, till_id, slug, name) "
        "SELECT shop_id, till_id, 'counter-2', '2' FROM store_reader",
    )
    async with ReaderStation(broker, "counter-2") as other:
        silent = reader.tap(OWN, s=ISO_DEP)
        for _ in range(10):
            other.tap(ANA)
            assert (await other.hear())["why"] == "ok"
        assert reader.heard.empty()
        assert (await reader.hear())["id"] == silent


async def test_a_new_card_at_the_reader_ends_the_talk_with_the_one_before(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    on_reader.answer = lambda _command: None
    first = reader.tap(OWN, s=ISO_DEP)
    await settled(lambda: len(on_reader.commands) == 1)
    card = hidden_card(HIDDEN)
    on_reader.lay(card)
    second = reader.tap(RANDOM, s=ISO_DEP)
    heard = {each["id"]: each["why"] for each in await reader.hear_all(2, 1.9)}
    assert heard == {first: "error", second: "ok"}
    # At no time two were open: nothing more was said to the first card.
    assert [each["tx"] for each in on_reader.commands] == [first] + [second] * (
        len(on_reader.commands) - 1
    )


async def test_a_reader_starts_at_most_two_talks_in_a_second(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    starts: list[float] = []

    def answer(_command: dict[str, Any]) -> dict[str, Any]:
        starts.append(asyncio.get_running_loop().time())
        return {"r": "6A82"}

    on_reader.answer = answer
    whys = []
    while "error" not in whys:
        whys.append(await verdict(reader, RANDOM))
        assert len(whys) < 100
    assert whys[:2] == ["unknown", "unknown"]
    assert len(starts) == len(whys) - 1
    assert "event=relay_failed reason=limit" in bridge.log
    await asyncio.sleep(1)
    assert await verdict(reader, RANDOM) == "unknown"


async def test_the_31st_talk_in_a_minute_is_refused(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    on_reader.lay(Stuffed("6A82"))
    whys = []
    for _ in range(33):
        whys.append(await verdict(reader, RANDOM))
        await asyncio.sleep(0.51)
    assert whys == ["unknown"] * 30 + ["error"] * 3
    assert len({each["tx"] for each in on_reader.commands}) == 30


async def test_a_card_over_the_limit_that_needs_no_proof_is_as_before(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    """A bank card, say: it is asked when it may be, and unknown in any case."""
    on_reader.lay(Stuffed("6A82"))
    for _ in range(4):
        assert await verdict(reader, BLANK) == "unknown"
    assert {row[:3] for row in rows(database_url, WRITTEN)} == {("uid", BLANK, "D")}


async def test_who_need_not_be_asked_is_not_asked(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    for uid, changes, why in (
        (ANA, {}, "ok"),  # known by its UID
        (ANA, {"s": 0x08}, "ok"),
        (OWN, {"s": 0x08}, "unknown"),  # a copy that cannot even speak
        (BLANK, {"s": 0x08}, "unknown"),  # a MIFARE Classic has nothing to say
        (RANDOM, {"s": 0x08}, "random_id"),
        (RANDOM, {"q": 1}, "random_id"),
        (BLANK, {"q": 1}, "unknown"),
    ):
        assert await verdict(reader, uid, **changes) == why
    reader.tap(RANDOM)  # from a reader that does not relay
    assert (await reader.hear())["why"] == "random_id"
    assert on_reader.commands == []


async def test_a_card_whose_tap_waited_cannot_be_asked_and_earns_only(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    """The customer was told that it counts."""
    assert await verdict(reader, OWN, q=1) == "ok"
    assert rows(database_url, WRITTEN) == [("uid", OWN, "D", "accepted", "ok", True)]
    assert on_reader.commands == []
    assert_ledger_adds_up(database_url)


async def test_without_a_key_a_card_that_has_to_prove_itself_is_an_error(
    bridges: BridgeRunner,
    state: Path,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
) -> None:
    write_keys(state, "")
    bridge = await asyncio.to_thread(bridges.start)
    assert await verdict(reader, OWN) == "error"
    assert await verdict(reader, RANDOM) == "random_id"
    assert on_reader.commands == []
    assert "event=relay_failed reason=no_key count=1 reader=counter-1" in bridge.log


async def test_a_tap_told_again_is_not_asked_again(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    on_reader.lay(ev2_card(OWN))
    tap = reader.tap(OWN, s=ISO_DEP)
    first = await reader.hear()
    commands = len(on_reader.commands)
    for _ in range(3):
        reader.tap(OWN, s=ISO_DEP, id=tap)
        assert await reader.hear() == first
    assert len(on_reader.commands) == commands
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(1,)]


async def test_a_copy_from_the_outbox_waits_for_the_card(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    card = ev2_card(OWN)
    pace = itertools.chain([0.5], itertools.repeat(0.0))

    def answer(command: dict[str, Any]) -> None:
        said = card.apdu(bytes.fromhex(command["c"]))
        assert said is not None
        asyncio.get_running_loop().call_later(
            next(pace), on_reader.reply, command, {"r": said.hex().upper()}
        )

    on_reader.answer = answer
    tap = reader.tap(OWN, s=ISO_DEP)
    await settled(lambda: len(on_reader.commands) == 1)
    reader.tap(OWN, s=ISO_DEP, id=tap, q=1)
    assert await reader.hear_all(2) == [{"id": tap, "r": "accepted", "why": "ok"}] * 2
    assert rows(database_url, WRITTEN) == [("ev2", OWN, "A", "accepted", "ok", True)]


async def test_a_copy_from_the_outbox_counts_when_the_card_says_nothing(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    """By then the reader has shown that the tap is stored and will count."""
    on_reader.answer = lambda _command: None
    tap = reader.tap(OWN, s=ISO_DEP)
    await settled(lambda: len(on_reader.commands) == 1)
    reader.tap(OWN, s=ISO_DEP, id=tap, q=1)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    assert rows(database_url, WRITTEN) == [("uid", OWN, "D", "accepted", "ok", True)]
    await asyncio.sleep(0.2)
    assert reader.heard.empty()
    assert_ledger_adds_up(database_url)


async def test_a_bridge_that_dies_in_the_middle_leaves_nothing_and_the_tap_comes_again(
    bridges: BridgeRunner, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    first = bridges.start()
    on_reader.answer = lambda _command: None
    tap = reader.tap(OWN, s=ISO_DEP)
    await settled(lambda: len(on_reader.commands) == 1)
    first.kill()
    on_reader.lay(ev2_card(OWN))
    await asyncio.to_thread(bridges.start)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    assert rows(database_url, WRITTEN) == [("ev2", OWN, "A", "accepted", "ok", True)]


async def test_a_bridge_told_to_leave_in_the_middle_leaves_in_time(
    bridge: Running,
    bridges: BridgeRunner,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
) -> None:
    on_reader.answer = lambda _command: None
    tap = reader.tap(OWN, s=ISO_DEP)
    await settled(lambda: len(on_reader.commands) == 1)
    assert await asyncio.to_thread(bridge.stop, 3) == 0
    on_reader.lay(ev2_card(OWN))
    await asyncio.to_thread(bridges.start)
    assert (await reader.hear())["id"] == tap


async def test_a_broker_that_is_away_in_the_middle_loses_no_tap(
    bridge: Running, broker: RunningBroker, database_url: str
) -> None:
    """Longer than a talk lasts: what the card could not be asked is not held against it."""
    async with ReaderStation(broker) as reader, CardStation(broker) as on_reader:
        on_reader.answer = lambda _command: None
        tap = reader.tap(OWN, s=ISO_DEP)
        await settled(lambda: len(on_reader.commands) == 1)
    await asyncio.to_thread(broker.stop)
    await asyncio.sleep(2.3)
    broker.start()
    async with ReaderStation(broker) as reader, CardStation(broker) as on_reader:
        on_reader.lay(ev2_card(OWN))
        assert await reader.hear(10) == {"id": tap, "r": "accepted", "why": "ok"}
    assert rows(database_url, WRITTEN) == [("ev2", OWN, "A", "accepted", "ok", True)]


async def test_a_database_that_is_slow_does_not_hold_the_card(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    """The card is asked as soon as its tap was looked up, and written when that is possible."""
    on_reader.lay(ev2_card(OWN))
    with locked_taps(database_url):
        tap = reader.tap(OWN, s=ISO_DEP)
        await settled(lambda: bool(on_reader.sent(tap)) and on_reader.sent(tap)[-1] == "end")
    if database_url.startswith("sqlite"):
        assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}


async def test_the_log_names_no_card_and_no_command(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    for card in (ev2_card(OWN), ev2_card(OWN, key=WRONG_KEY)):
        on_reader.lay(card)
        await verdict(reader, OWN)
    on_reader.answer = on_reader.gone
    await asyncio.sleep(0.6)
    await verdict(reader, OWN)
    await asyncio.to_thread(bridge.stop)
    secrets = [OWN, "00042-", OWN_AID.hex().upper(), SHARED_AID.hex().upper(), "Miller"]
    secrets += [each["c"] for each in on_reader.commands if "c" in each]
    for secret in secrets:
        assert secret not in bridge.log
