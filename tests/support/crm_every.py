"""What every CRM has to do, Besnik's own store among them, as tests that each adapter runs.

A test module of an adapter derives a class from `EveryCrm` and overrides one fixture, ``records``.
What only another CRM can do is in `support.crm_contract`, which runs these too.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import pytest

from besnik.crm import web
from besnik.crm.every import AnyCrm, CrmAwayError
from besnik.crm.foreign import Customer, ForeignCrm
from support.crm_visits import new_card, new_event, visit

HOSTILE = ("%", "*", "_", "' OR 1=1 --", 'x"}', "a,b", "a)b(", "\\", "{card}", "<b>", "a&b=c")
_short = itertools.count(time.time_ns() % 2**20)


class Records(Protocol):
    """A CRM behind its adapter, whichever face that has; and what people do in it."""

    @property
    def crm(self) -> AnyCrm:
        """The adapter."""

    async def find(self, cards: Sequence[str]) -> Mapping[str, str]:
        """Ask the adapter for cards; return whose they are (the CRM's number) by card."""

    async def visit(self, *visits: tuple[str, str], again: bool = False) -> list[str]:
        """Record visits, each a card that was found and an event's id; return what became of each.

        That is ``done`` or ``already``. ``again``: some of them may have been recorded before.
        """

    async def add(self, name: str, *cards: str) -> str:
        """Make a customer, past the adapter; return the CRM's number."""

    async def visits(self, customer: str) -> int:
        """Return how many visits there are in a customer's record, past the adapter."""

    async def stop(self) -> None:
        """Let nobody reach it."""

    async def start(self) -> None:
        """Let everybody reach it again, with the same data."""


class Kept(Protocol):
    """A CRM that is not ours, as a person works in it. Its methods block."""

    def add(self, name: str, /, *cards: str) -> str:
        """See Records."""

    def events(self, customer: str) -> Sequence[object]:
        """Return the events in a customer's record."""

    def stop(self) -> None:
        """See Records."""

    def start(self) -> None:
        """See Records."""


class ForeignRecords:
    """A CRM that is not ours; see Records."""

    def __init__(self, crm: ForeignCrm, kept: Kept) -> None:
        self.crm = crm
        self._kept = kept
        self._owners: dict[str, str] = {}

    async def find(self, cards: Sequence[str]) -> Mapping[str, str]:
        found = await self.crm.lookup_many(cards, [])
        owners = {card: one.id for card, one in found.items() if isinstance(one, Customer)}
        assert owners.keys() == found.keys(), "no card here has two owners"
        self._owners |= owners
        return owners

    async def visit(self, *visits: tuple[str, str], again: bool = False) -> list[str]:
        told = [visit(self._owners[card], event) for card, event in visits]
        done = await self.crm.record_visits(told, again=again)
        assert [each.event_id for each in done] == [event for _, event in visits]
        return [each.outcome for each in done]

    async def add(self, name: str, *cards: str) -> str:
        return await asyncio.to_thread(self._kept.add, name, *cards)

    async def visits(self, customer: str) -> int:
        return len(await asyncio.to_thread(self._kept.events, customer))

    async def stop(self) -> None:
        await asyncio.to_thread(self._kept.stop)

    async def start(self) -> None:
        await asyncio.to_thread(self._kept.start)


def cards_of_all_lengths() -> tuple[str, str, str]:
    """Return numbers of 4, 7 and 10 bytes that nobody has used in this run."""
    return f"5B{next(_short) % 2**24:06X}", new_card(), f"{new_card()}{next(_short) % 2**24:06X}"


class EveryCrm:
    """The tests; ``records`` is what a derived class overrides.

    ``cards_each``: how many cards a customer can have there, 2 standing for any number.
    """

    cards_each = 2

    @pytest.fixture
    def records(self) -> Records:
        """The CRM of this adapter, running, and the adapter on it."""
        raise NotImplementedError

    async def test_cards_say_whose_they_are_under_the_numbers_that_were_asked(
        self, records: Records
    ) -> None:
        short, usual, long = cards_of_all_lengths()
        theirs = [new_card() for _ in range(self.cards_each)]
        owners = {card: await records.add(f"Anna {card}", card) for card in (short, usual, long)}
        owners |= dict.fromkeys(theirs, await records.add("Ben", *theirs))
        assert await records.find([usual]) == {usual: owners[usual]}
        cards, most = [*owners], records.crm.capabilities.lookup_max
        found: dict[str, str] = {}
        for start in range(0, len(cards), most):
            found |= await records.find(cards[start : start + most])
        assert found == owners

    async def test_as_many_are_asked_for_at_once_as_it_says(self, records: Records) -> None:
        most = records.crm.capabilities.lookup_max
        cards = [new_card() for _ in range(min(most, 4))]
        owners = {card: await records.add(f"Customer {card}", card) for card in cards}
        unknown = [new_card() for _ in range(most - len(cards))]
        assert await records.find([*unknown, *cards]) == owners

    async def test_an_unknown_card_is_absent(self, records: Records) -> None:
        await records.add("Anna Arben", new_card())
        assert await records.find([new_card()]) == {}
        assert await records.find([]) == {}

    async def test_a_code_is_only_ever_a_code(self, records: Records) -> None:
        await records.add("Anna Arben", new_card())
        for code in HOSTILE:
            assert await records.find([code]) == {}, code

    async def test_each_visit_is_recorded_with_its_customer(self, records: Records) -> None:
        card, other = new_card(), new_card()
        anna, ben = await records.add("Anna Arben", card), await records.add("Ben", other)
        for one in (card, other):
            await records.find([one])
        three = [(card, new_event()), (other, new_event()), (card, new_event())]
        assert await records.visit(*three) == ["done"] * 3
        assert (await records.visits(anna), await records.visits(ben)) == (2, 1)
        assert await records.visit() == []

    async def test_a_visit_counts_once_however_often_it_is_told(self, records: Records) -> None:
        card = new_card()
        anna = await records.add("Anna Arben", card)
        await records.find([card])
        old, new = (card, new_event()), (card, new_event())
        await records.visit(old)
        assert await records.visit(old, new, again=True) == ["already", "done"]
        assert await records.visit(old, new, again=True) == ["already", "already"]
        assert await records.visits(anna) == 2

    async def test_it_is_well_and_says_what_it_can_do(self, records: Records) -> None:
        assert (await records.crm.health()).ok
        able = records.crm.capabilities
        assert min(able.lookup_max, able.write_max) >= 1

    async def test_while_it_is_away_it_says_so_and_then_goes_on(self, records: Records) -> None:
        card, before, after = new_card(), new_event(), new_event()
        anna = await records.add("Anna Arben", card)
        assert await records.find([card]) == {card: anna}
        await records.visit((card, before))
        await records.stop()
        try:
            began = time.monotonic()
            with pytest.raises(CrmAwayError):
                await records.find([card])
            with pytest.raises(CrmAwayError):
                await records.visit((card, after))
            health = await records.crm.health()
            assert not health.ok
            assert health.why
            assert time.monotonic() - began < 3 * web.TOTAL_S
        finally:
            await records.start()
        assert await records.find([card]) == {card: anna}
        assert (await records.crm.health()).ok
        both = [(card, before), (card, after)]
        assert await records.visit(*both, again=True) == ["already", "done"]
        assert await records.visits(anna) == 2
