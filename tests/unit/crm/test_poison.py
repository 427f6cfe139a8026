"""Events that the CRM takes never, more than there are rests between tries: others are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence

import pytest
from django.utils import timezone

from besnik.crm import outbox
from besnik.crm import telling as telling_module
from besnik.crm.foreign import CrmAwayError, Delivered, NewCustomer, Visit
from besnik.store.models import CrmDelivery, CrmLink, CrmSource, Member
from besnik.store.people import NewCard, enrol
from support.crm_telling import Telling, telling_to
from support.hot_counter import HotCounter
from support.paper_crm import PaperCrm, PaperServer

POISON = 14
APART_S = 5


def card(number: int) -> str:
    return f"04C0FFEE{number:04X}80"


def customer(source: CrmSource, paper: PaperServer, number: int) -> Member:
    """Enrol one who is a customer there already."""
    id = paper.add(f"N{number}", card(number))
    new = NewCard("uid", card(number))
    member = enrol(source.program, name=f"N{number}", language="en", card=new)
    CrmLink.objects.create(program=source.program, member=member, external_id=id)
    return member


@pytest.fixture
def poison(source: CrmSource, counter: HotCounter, paper: PaperServer) -> set[str]:
    """Customers whose visits the CRM never takes."""
    for number in range(POISON):
        customer(source, paper, number)
        counter.tap(card(number), minute=number)
    return set(CrmLink.objects.values_list("external_id", flat=True))


@pytest.fixture
async def telling(source: CrmSource, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Telling]:
    monkeypatch.setattr(telling_module, "_TRIES_MAX", 6)
    async with telling_to(source, monkeypatch, '{"write_max": 8, "late_s": 60}') as made:
        yield made


def found_alone(telling: Telling) -> None:
    """All that waits was sent and failed by itself before the worker was started anew."""
    CrmDelivery.objects.filter(state="waiting").update(maybe=True, tries=5, next_at=telling.now)


async def test_a_fresh_visit_is_told_between_them_and_they_are_the_owner_s_at_last(
    telling: Telling,
    source: CrmSource,
    counter: HotCounter,
    paper: PaperServer,
    poison: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = PaperCrm.record_visits

    async def record(
        self: PaperCrm, visits: Sequence[Visit], *, again: bool
    ) -> Sequence[Delivered]:
        if poison.intersection(each.customer for each in visits):
            raise CrmAwayError("it broke")
        return await real(self, visits, again=again)

    monkeypatch.setattr(PaperCrm, "record_visits", record)
    await telling.rounds(1, APART_S)
    await telling.database(found_alone, telling)

    def visit(number: int) -> None:
        customer(source, paper, number)
        counter.tap(card(number), minute=number)

    for number in (POISON, POISON + 1):
        await telling.database(visit, number)
        await telling.rounds(2, APART_S)
        assert f"N{number}" not in await telling.states()
        # All of them have failed by themselves then, at first before something else was written.
        await telling.rounds(POISON, APART_S)
    states = await telling.states()
    assert (len(states), set(states.values())) == (POISON, {"refused"})


async def test_a_fresh_member_is_made_between_those_who_cannot_be(
    telling: Telling, source: CrmSource, paper: PaperServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PaperCrm.create_customers

    async def create(
        self: PaperCrm, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        if any(each.name.startswith("Odd") for each in new):
            raise CrmAwayError("it broke")
        return await real(self, new, again=again)

    monkeypatch.setattr(PaperCrm, "create_customers", create)

    def odd() -> None:
        for number in range(POISON):
            enrol(source.program, name=f"Odd {number}", language="en")

    await telling.database(odd)
    await telling.rounds(1, APART_S)
    await telling.database(found_alone, telling)
    await telling.database(lambda: enrol(source.program, name="Besa", language="en"))
    await telling.rounds(2, APART_S)
    assert "Besa" not in await telling.states()


def test_of_those_that_were_sent_whoever_has_rested_longest_is_first(
    source: CrmSource, counter: HotCounter, poison: set[str]
) -> None:
    now = timezone.now()
    outbox.collect(source.pk, now, can_create=True)
    rows = list(CrmDelivery.objects.order_by("at", "pk"))
    CrmDelivery.objects.update(maybe=True, tries=5)
    for number, row in enumerate(rows):
        # The newest has rested longest; one that was held back rests no more.
        rested = now - dt.timedelta(seconds=number + 1) if number else None
        CrmDelivery.objects.filter(pk=row.pk).update(next_at=rested)
    taken = []
    for _ in rows:
        batch = telling_module.batch(source.pk, 8, now)
        assert batch is not None
        taken += batch.rows
    pks = [row.pk for row in rows]
    assert taken == [pks[0], *pks[:0:-1]]


def test_events_that_go_together_go_in_the_order_in_which_they_happened(
    source: CrmSource, counter: HotCounter, poison: set[str]
) -> None:
    now = timezone.now()
    outbox.collect(source.pk, now, can_create=True)
    rows = list(CrmDelivery.objects.order_by("at", "pk").values_list("pk", flat=True))
    for number, row in enumerate(rows):
        rested = now - dt.timedelta(seconds=number + 1)
        CrmDelivery.objects.filter(pk=row).update(maybe=True, next_at=rested)
    batch = telling_module.batch(source.pk, 8, now)
    assert batch is not None
    assert list(batch.rows) == rows[-8:]
