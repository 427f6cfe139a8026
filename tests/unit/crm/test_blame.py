"""One event that a CRM never takes is its owner's at last, and holds up no other until then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest

from besnik.crm import telling as telling_module
from besnik.crm.foreign import CrmAwayError, Delivered, NewCustomer
from besnik.store.models import CrmDelivery, CrmLink, CrmSource
from besnik.store.people import NewCard, enrol
from support.crm_telling import Telling, telling_to
from support.hot_counter import HotCounter
from support.paper_crm import PaperCrm, PaperServer

PEOPLE = 6


def card(number: int) -> str:
    return f"04C0FFEE{number:04X}80"


@pytest.fixture
def customers(source: CrmSource, counter: HotCounter, paper: PaperServer) -> list[str]:
    """Customers who are members, each with a visit that waits to be told."""
    ids = []
    for number in range(PEOPLE):
        ids.append(paper.add(f"N{number}", card(number)))
        new = NewCard("uid", card(number))
        member = enrol(source.program, name=f"N{number}", language="en", card=new)
        CrmLink.objects.create(program=source.program, member=member, external_id=ids[-1])
        counter.tap(card(number), minute=number)
    return ids


@pytest.fixture
async def telling(
    source: CrmSource, customers: list[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Telling]:
    async with telling_to(source, monkeypatch, '{"write_max": 8}') as made:
        yield made


async def test_what_is_forbidden_about_one_customer_is_the_owner_s_and_the_others_are_told(
    telling: Telling, customers: list[str], paper: PaperServer
) -> None:
    paper.fault(status=403, on="visits", always_of=customers[3])
    await telling.rounds(10)
    assert await telling.states() == {"N3": "refused"}
    row = await telling.database(lambda: CrmDelivery.objects.get(state="refused"))
    assert "403" in row.why
    assert sum(len(paper.events(each)) for each in customers) == PEOPLE - 1
    assert telling.front.breaker.standing.state == "closed"


async def test_a_key_that_may_read_and_not_write_is_not_the_events_fault(
    telling: Telling, paper: PaperServer
) -> None:
    paper.fault(status=403, on="visits", count=1000)
    await telling.rounds(20)
    states = list((await telling.states()).values())
    assert (states.count("refused"), states.count("waiting")) == (2, PEOPLE - 2)
    standing = telling.front.breaker.standing
    assert (standing.state, standing.retry_at) == ("open", None)
    assert "403" in standing.why
    # The owner gives it another key, and tests it.
    paper.fault()
    await telling.front.health()
    await telling.rounds(6)
    assert list((await telling.states()).values()) == ["refused"] * 2


async def test_a_failure_over_one_customer_takes_no_other_s_visit_along(
    telling: Telling, customers: list[str], paper: PaperServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling_module, "_TRIES_MAX", 12)
    paper.fault(status=500, on="visits", always_of=customers[3])
    await telling.rounds(8)
    assert await telling.states() == {"N3": "waiting"}
    assert sum(len(paper.events(each)) for each in customers) == PEOPLE - 1
    await telling.rounds(12)
    assert await telling.states() == {"N3": "refused"}


async def test_a_crm_that_writes_nothing_is_waited_for(
    telling: Telling, customers: list[str], paper: PaperServer
) -> None:
    paper.fault(status=500, on="visits", count=1000)
    await telling.rounds(16)
    assert set((await telling.states()).values()) == {"waiting"}
    paper.fault()
    await telling.rounds(3)
    assert await telling.states() == {}
    assert {len(paper.events(each)) for each in customers} == {1}


async def test_who_is_refused_is_no_sign_that_others_can_be_written(
    telling: Telling, source: CrmSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def create(_: object, new: Sequence[NewCustomer], *, again: bool) -> Sequence[Delivered]:
        if "Besa" in {each.name for each in new}:
            raise CrmAwayError("it broke")
        return [Delivered(each.event_id, "refused", "a phone is needed") for each in new]

    monkeypatch.setattr(PaperCrm, "create_customers", create)
    monkeypatch.setattr(telling_module, "_TRIES_MAX", 12)
    await telling.rounds(1)
    for name in ("Besa", "Dea"):
        await telling.database(partial(enrol, source.program, name=name, language="en"))
    await telling.rounds(30)
    assert await telling.states() == {"Besa": "waiting", "Dea": "refused"}
