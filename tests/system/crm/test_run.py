"""The whole way of a card that only another CRM knows: reader, bridge, worker, CRM, and back."""

from __future__ import annotations

from besnik.crm import sources
from besnik.store.models import CrmDelivery, CrmLink, CrmPending, CrmSource, Member
from besnik.store.people import NewCard, enrol
from support.bridge import ANA, ReaderStation, SiteStation
from support.crm_reckoning import reckon, waiting
from support.in_store import in_store
from support.paper_crm import PaperServer
from support.processes import Running, wait_until
from support.store import assert_ledger_adds_up
from support.worker import CARD, Workers, delivered

OTHER, NOBODYS = "04DEADBEEF1281", "04DEADBEEF1282"


async def test_a_customer_of_the_crm_is_served_at_their_first_tap(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    paper: PaperServer,
    orm: str,
) -> None:
    worker = workers.start()
    tap = reader.tap(CARD)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "pending"}
    first, second = await site.hear(), await site.hear(10)
    assert (first["why"], first["member"]) == ("pending", None)
    member = await in_store(Member.objects.get, name="Zana Krasniqi")
    assert (second["tap"], second["why"], second["member"]) == (tap, "ok", member.ref)
    reader.tap(CARD)
    assert (await reader.hear())["why"] == "ok"
    found = await in_store(delivered, paper, 2)
    assert [(customer, points) for _, customer, points in found] == [("1", 1), ("1", 1)]
    assert worker.stop() == 0
    await in_store(assert_ledger_adds_up, orm)


async def test_a_card_of_nobody_is_refused_from_then_on(
    workers: Workers, bridge: Running, reader: ReaderStation, site: SiteStation
) -> None:
    workers.start()
    reader.tap(NOBODYS)
    assert (await reader.hear())["why"] == "pending"
    assert [(await site.hear(10))["r"] for _ in range(2)] == ["accepted", "rejected"]
    reader.tap(NOBODYS)
    assert (await reader.hear())["why"] == "unknown"


async def test_who_is_enrolled_at_the_till_is_made_there_with_what_they_did(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    paper: PaperServer,
    source: CrmSource,
    orm: str,
) -> None:
    def enrolled() -> Member:
        card = NewCard("uid", OTHER)
        return enrol(source.program, name="Besa Gashi", language="sq", card=card)

    member = await in_store(enrolled)
    reader.tap(OTHER)
    assert (await reader.hear())["why"] == "ok"
    reader.tap(ANA)  # who is no customer there
    assert (await reader.hear())["why"] == "ok"
    workers.start()
    ((event, customer, points),) = await in_store(delivered, paper, 1)
    assert (event[0], customer, points) == ("e", "2", 1)
    link = await in_store(CrmLink.objects.get)
    assert (link.member_id, link.external_id) == (member.pk, "2")
    await in_store(wait_until, lambda: waiting(orm) == 0, "nothing waits")
    refused = CrmDelivery.objects.filter(state="refused")
    assert await in_store(list, refused) == []


async def test_a_crm_that_hangs_delays_no_verdict_and_loses_no_visit(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    paper: PaperServer,
    source: CrmSource,
    orm: str,
) -> None:
    workers.start()
    await in_store(lambda: paper.fault(delay_s=3, on="cards"))
    for _ in range(2):
        reader.tap(CARD)
        assert (await reader.hear())["why"] == "pending"
    reader.tap(ANA)
    assert (await reader.hear())["why"] == "ok"
    heard = [(await site.hear(20))["why"] for _ in range(5)]
    assert sorted(heard) == ["ok"] * 3 + ["pending"] * 2
    found = await in_store(delivered, paper, 2)
    assert [(customer, points) for _, customer, points in found] == [("1", 1)] * 2
    assert (await in_store(reckon, orm, paper)).is_clean


async def test_a_card_that_waits_for_a_crm_that_is_off_counts_once_it_is_enrolled(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    site: SiteStation,
    source: CrmSource,
    orm: str,
) -> None:
    taps = [reader.tap(OTHER), reader.tap(NOBODYS)]
    assert [(await reader.hear())["why"] for _ in taps] == ["pending", "pending"]
    assert [(await site.hear())["why"] for _ in taps] == ["pending", "pending"]
    await in_store(sources.switch_off, source)
    workers.start()

    def enrolled() -> Member:
        card = NewCard("uid", OTHER)
        return enrol(source.program, name="Besa Gashi", language="sq", card=card)

    member = await in_store(enrolled)
    said = await site.hear(20)
    assert (said["tap"], said["why"], said["member"]) == (taps[0], "ok", member.ref)
    states = CrmPending.objects.order_by("pk").values_list("state", flat=True)
    assert await in_store(list, states) == ["counted", "waiting"]
    await in_store(lambda: assert_ledger_adds_up(orm, each_earns=False))
