"""What is Tryton's own, and what happens to a write when it stalls: on a real one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from urllib.parse import urlsplit

import pytest

from besnik.crm import web
from besnik.crm.foreign import (
    CrmAnswerError,
    CrmAwayError,
    CrmRefusedError,
    CrmSettingsError,
    Customer,
    Delivered,
    NewCustomer,
)
from besnik.crm.tryton import Tryton
from support.crm_contract import outcomes
from support.crm_visits import new_card, new_event, visit
from support.proxy import Proxy
from support.tryton import TrytonServer, running_tryton

# The first of these on a machine installs Tryton and makes its database.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def tryton(environment: dict[str, str]) -> Iterator[TrytonServer]:
    """A Tryton for all tests of this module."""
    with running_tryton(environment) as server:
        yield server


@pytest.fixture
async def crm(tryton: TrytonServer) -> AsyncIterator[Tryton]:
    """The adapter on it."""
    adapter = tryton.open()
    yield adapter
    await adapter.aclose()


async def test_a_card_is_found_however_a_person_typed_it(crm: Tryton, tryton: TrytonServer) -> None:
    card = new_card()
    colons = ":".join(card[place : place + 2] for place in range(0, len(card), 2)).lower()
    anna = tryton.add("Anna Arben", colons)
    found = await crm.lookup_many([card], [])
    assert found == {card: Customer(anna, "Anna Arben", (card,))}


async def test_a_card_that_was_put_aside_there_finds_nobody(
    crm: Tryton, tryton: TrytonServer
) -> None:
    lost, card = new_card(), new_card()
    anna = tryton.add("Anna Arben", lost, card)
    (number,) = tryton.person.does("party.identifier.search", [["code", "=", lost]], 0, 1, None)
    tryton.person.does("party.identifier.write", [number], {"active": False})
    assert (await crm.lookup_many([lost, card], [])).keys() == {card}

    tryton.person.does("party.party.write", [int(anna)], {"active": False})
    assert await crm.lookup_many([card], []) == {}
    assert await crm.refresh([anna], []) == {}


async def test_a_person_reads_what_happened(crm: Tryton, tryton: TrytonServer) -> None:
    anna = tryton.add("Anna Arben")
    event = new_event()
    await crm.record_visits([visit(anna, event)], again=False)
    said = f"Visit at Corner Café, 2026-11-22 12:00 UTC: +10 points, 30 in all\nBesnik {event}"
    assert tryton.notes(anna) == [said]


async def test_a_new_member_with_a_card_of_somebody_there_is_that_one(
    crm: Tryton, tryton: TrytonServer
) -> None:
    card = new_card()
    anna = tryton.add("Anna Arben", card)
    (known,) = await crm.create_customers([NewCustomer("m1", "Anna", (card,))], again=False)
    assert (known.outcome, known.customer) == ("already", anna)

    tryton.add("Anna again", card)
    (twice,) = await crm.create_customers([NewCustomer("m2", "Anna", (card,))], again=False)
    assert twice.outcome == "refused"
    assert "more than one party" in twice.why


async def test_what_the_user_may_not_do_is_said(crm: Tryton, tryton: TrytonServer) -> None:
    (right,) = tryton.person.does(
        "ir.model.access.create", [{"model": "ir.note", "perm_read": True}]
    )
    try:
        health = await crm.health()
    finally:
        tryton.person.does("ir.model.access.delete", [right])
    assert (health.ok, health.why) == (False, "the user may not write notes")
    assert (await crm.health()).ok


async def test_a_wrong_database_and_an_empty_setting_are_named(tryton: TrytonServer) -> None:
    wrong = Tryton.open_crm({**tryton.settings, "database": "../other"}, tryton.secrets)
    with pytest.raises(CrmAnswerError, match="no such database"):
        await wrong.lookup_many([new_card()], [])
    await wrong.aclose()
    with pytest.raises(CrmSettingsError, match="password"):
        Tryton.open_crm(tryton.settings, {"password": " "})


async def test_an_unknown_field_is_named(crm: Tryton, tryton: TrytonServer) -> None:
    card = new_card()
    tryton.add("Anna Arben", card)
    with pytest.raises(CrmAnswerError, match="shoe_size"):
        await crm.lookup_many([card], ["shoe_size"])


async def test_a_session_that_ended_there_is_begun_again(crm: Tryton, tryton: TrytonServer) -> None:
    anna = tryton.add("Anna Arben")
    event = new_event()
    assert (await crm.health()).ok
    (user,) = tryton.person.does("res.user.search", [["login", "=", "besnik"]], 0, 1, None)
    tryton.person.does("res.user.write", [user], {"password": "another-one-for-now"})
    try:
        with pytest.raises(CrmRefusedError):
            await crm.record_visits([visit(anna, event)], again=False)
    finally:
        tryton.person.does("res.user.write", [user], tryton.secrets)
    assert outcomes([*await crm.record_visits([visit(anna, event)], again=True)]) == ["done"]
    assert tryton.events(anna) == [event]


class TestWritesWithoutAnAnswer:
    """A write that nobody answered may be carried out later; it must not be there twice."""

    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give up early, but not before a busy machine has signed in."""
        monkeypatch.setattr(web, "TOTAL_S", 3.0)

    async def test_a_server_that_stood_still(self, tryton: TrytonServer) -> None:
        crm = tryton.open()
        anna = tryton.add("Anna Arben")
        events = [new_event() for _ in range(2)]
        for event in events:
            assert (await crm.health()).ok
            with stalled(tryton), pytest.raises(CrmAwayError):
                await crm.record_visits([visit(anna, event)], again=False)
            await retried(crm, anna, event)
        await asyncio.sleep(1)
        assert sorted(tryton.events(anna)) == sorted(events)
        await crm.aclose()

    async def test_a_line_that_brings_it_much_later(self, tryton: TrytonServer) -> None:
        anna, event = tryton.add("Anna Arben"), new_event()
        with Proxy(urlsplit(tryton.url).port or 0) as line:
            crm = tryton.open(url=f"http://127.0.0.1:{line.port}")
            assert (await crm.health()).ok
            line.delay_s = 6
            with pytest.raises(CrmAwayError):
                await crm.record_visits([visit(anna, event)], again=False)
            line.delay_s = 0
            await retried(crm, anna, event)
            await asyncio.sleep(4)
            assert tryton.events(anna) == [event]
            await crm.aclose()

    async def test_a_server_that_was_killed(self, tryton: TrytonServer) -> None:
        crm = tryton.open()
        anna, event = tryton.add("Anna Arben"), new_event()
        assert (await crm.health()).ok
        writing = asyncio.create_task(crm.record_visits([visit(anna, event)], again=False))
        await asyncio.sleep(0.02)
        tryton.stop()
        tryton.start()
        with contextlib.suppress(CrmAwayError):
            await writing
        await retried(crm, anna, event)
        assert tryton.events(anna) == [event]
        await crm.aclose()

    async def test_a_new_customer(self, tryton: TrytonServer) -> None:
        crm = tryton.open()
        card = new_card()
        new = NewCustomer(f"m{new_event()}", "Anna Arben", (card,))
        assert (await crm.health()).ok
        with stalled(tryton), pytest.raises(CrmAwayError):
            await crm.create_customers([new], again=False)
        (made,) = await answered(lambda: crm.create_customers([new], again=True))
        await asyncio.sleep(1)
        found = await crm.lookup_many([card], [])
        assert found == {card: Customer(made.customer, "Anna Arben", (card,))}
        await crm.aclose()


@contextlib.contextmanager
def stalled(tryton: TrytonServer) -> Iterator[None]:
    """Within this context the server stands still."""
    tryton.hold()
    try:
        yield
    finally:
        tryton.go_on()


async def retried(crm: Tryton, customer: str, event: str) -> None:
    """Write an event that may be there, as the worker does."""
    visits = [visit(customer, event)]
    (done,) = await answered(lambda: crm.record_visits(visits, again=True))
    assert done.outcome in ("done", "already")


async def answered(call: Callable[[], Awaitable[Sequence[Delivered]]]) -> Sequence[Delivered]:
    """Call until there is an answer."""
    for _ in range(20):
        with contextlib.suppress(CrmAwayError):
            return await call()
        await asyncio.sleep(0.2)
    raise AssertionError("Tryton does not come back")
