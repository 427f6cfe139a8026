"""What the worker does with one CRM: nobody waits for another's trouble, nothing is asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from django.utils import timezone

from besnik.contract import Visit
from besnik.crm.foreign import (
    CrmAnswerError,
    CrmSettingsError,
    Customer,
    Delivered,
    Found,
    NewCustomer,
)
from besnik.crm.front import Front
from besnik.crm.pending import Settled
from besnik.crm.thread import DatabaseThread
from besnik.crm.worker import Worker
from besnik.store.models import (
    CrmDelivery,
    CrmLink,
    CrmPending,
    CrmRecord,
    CrmSource,
    Member,
)
from besnik.store.people import NewCard, enrol
from support.hot_counter import CARD, HotCounter
from support.paper_crm import PaperCrm, PaperServer
from support.paper_server import KEY

OTHER, POISON = "04DEADBEEF1281", "04DEADBEEF1282"


class Working:
    """A worker that works when it is told to; ``said`` is what it told the pages."""

    def __init__(self, source: CrmSource, database: DatabaseThread) -> None:
        self.database = database
        self.said: list[Settled] = []
        crm = PaperCrm.open_crm(source.settings, {"key": KEY})
        self.front = Front(crm, source, database)
        self.worker = Worker(source, self.front, database, self.said.append)

    def saw(self, *members: str) -> None:
        for member in members:
            visit = Visit(1, "00001-000001", "corner", "counter-1", member, "accepted", "ok")
            self.worker.heard(visit)


@pytest.fixture
async def working(source: CrmSource, counter: HotCounter) -> AsyncIterator[Working]:
    async with DatabaseThread() as database:
        made = Working(source, database)
        yield made
        await made.front.aclose()


async def asked(paper: PaperServer) -> list[str]:
    return await asyncio.to_thread(lambda: paper.fault())


async def test_a_card_is_asked_for_once_however_often_it_is_held_there(
    working: Working, counter: HotCounter, paper: PaperServer
) -> None:
    for card in (CARD, CARD, OTHER):
        counter.tap(card)
    before = await asked(paper)
    await working.worker.answer_waiting()
    await working.worker.answer_waiting()
    assert (await asked(paper))[len(before) :] == ["cards"]
    assert [each.reason for each in working.said] == ["ok", "ok", "unknown"]


async def test_a_card_that_only_nonsense_is_said_of_holds_up_no_other(
    working: Working, counter: HotCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PaperCrm.lookup_many

    async def odd(self: PaperCrm, cards: Sequence[str], fields: Any) -> Mapping[str, Found]:
        if POISON in cards:
            raise CrmAnswerError("nonsense")
        return await real(self, cards, fields)

    monkeypatch.setattr(PaperCrm, "lookup_many", odd)
    for card in (POISON, CARD, OTHER):
        counter.tap(card)
    await working.worker.answer_waiting()
    states = await working.database(
        lambda: dict(CrmPending.objects.values_list("tap__data", "state"))
    )
    assert states == {POISON: "waiting", CARD: "counted", OTHER: "nobody"}


async def test_fields_are_asked_for_when_they_are_old_and_for_all_at_once(
    working: Working, source: CrmSource, paper: PaperServer
) -> None:
    def linked() -> list[str]:
        members = list(Member.objects.filter(status="active").order_by("pk")[:3])
        for number, member in enumerate(members, 1):
            CrmLink.objects.create(program=source.program, member=member, external_id=str(number))
        return [member.ref for member in members]

    refs = await working.database(linked)
    before = await asked(paper)
    for _ in range(2):
        working.saw(*refs)
        await working.worker.refresh()
    assert (await asked(paper))[len(before) :] == ["ids"]
    # Customers 2 and 3 are gone there: nothing is shown of them, and nobody asks all the time.
    records = await working.database(
        lambda: dict(CrmRecord.objects.values_list("external_id", "fields"))
    )
    assert records["1"] == {"note": "note on Zana Krasniqi"}
    await working.database(CrmRecord.objects.filter(external_id="1").update, is_stale=True)
    working.saw(*refs)
    await working.worker.refresh()
    assert (await asked(paper))[len(before) :] == ["ids", "ids"]
    fresh = CrmRecord.objects.filter(is_stale=False, fetched_at__lte=timezone.now())
    assert await working.database(fresh.count) == len(records)


async def test_a_new_member_whose_card_the_crm_knows_is_not_made_twice(
    working: Working, source: CrmSource, paper: PaperServer
) -> None:
    def enrolled() -> Member:
        card = NewCard("uid", CARD)
        return enrol(source.program, name="Zana K.", language="sq", card=card)

    member = await working.database(enrolled)
    before = await asked(paper)
    await working.worker.tell()
    link = await working.database(CrmLink.objects.get)
    assert (link.member_id, link.external_id) == (member.pk, "1")
    assert (await asked(paper))[len(before) :] == ["cards"]


async def test_a_member_who_cannot_be_made_there_holds_up_nobody_s_visits(
    working: Working,
    source: CrmSource,
    counter: HotCounter,
    paper: PaperServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object, **__: object) -> Sequence[Delivered]:
        raise CrmAnswerError("nonsense")

    monkeypatch.setattr(PaperCrm, "create_customers", broken)
    await working.database(lambda: enrol(source.program, name="Besa", language="sq"))
    counter.tap(CARD)
    await working.worker.answer_waiting()
    with pytest.raises(CrmAnswerError):
        await working.worker.tell()
    assert "visits" in await asked(paper)


async def test_what_a_refused_member_did_is_left_to_the_owner(
    working: Working, source: CrmSource, counter: HotCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(_: object, new: Sequence[NewCustomer], *, again: bool) -> Sequence[Delivered]:
        return [Delivered(each.event_id, "refused", "a phone number is needed") for each in new]

    monkeypatch.setattr(PaperCrm, "create_customers", refuses)

    def enrolled() -> None:
        enrol(source.program, name="Besa", language="sq", card=NewCard("uid", OTHER))
        counter.tap(OTHER)

    await working.database(enrolled)
    await working.worker.tell()
    rows = await working.database(lambda: list(CrmDelivery.objects.order_by("pk")))
    assert [(row.event_id[0], row.state, row.why) for row in rows] == [
        ("m", "refused", "a phone number is needed"),
        ("e", "refused", "this member could not be made a customer there"),
    ]


async def test_found_customers_are_kept_with_the_fields_the_owner_chose(
    working: Working, counter: HotCounter
) -> None:
    found = await working.front.lookup_many([CARD], ["note"])
    assert isinstance(found[CARD], Customer)
    counter.tap(CARD)
    await working.worker.answer_waiting()
    record = await working.database(CrmRecord.objects.get)
    assert (record.name, record.fields) == ("Zana Krasniqi", {"note": "note on Zana Krasniqi"})


async def test_customers_who_are_others_since_they_were_asked_for_are_nobody_here(
    working: Working,
    counter: HotCounter,
    paper: PaperServer,
    source: CrmSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = PaperCrm.lookup_many

    async def slow(self: PaperCrm, cards: Sequence[str], fields: Any) -> Mapping[str, Found]:
        found = await real(self, cards, fields)
        others = CrmSource.objects.filter(pk=source.pk)
        await working.database(lambda: others.update(numbering={source.adapter: 1}))
        return found

    monkeypatch.setattr(PaperCrm, "lookup_many", slow)
    counter.tap(CARD)
    with pytest.raises(CrmSettingsError):
        await working.worker.answer_waiting()
    assert not await working.database(lambda: list(CrmLink.objects.all()))
    row = await working.database(lambda: CrmPending.objects.get())
    assert row.state == "waiting"
