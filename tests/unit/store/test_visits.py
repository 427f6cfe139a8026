"""What a visit leaves in the database: a lot with its expiry, by the program's newest version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential
from besnik.loyalty.guards import Velocity
from besnik.loyalty.periods import AfterDays
from besnik.loyalty.rules import Cap, PerVisit, When
from besnik.loyalty.tiers import Tier, TierPlan
from besnik.store.hot import CardKey, DecidedTap, HotStore, Recorded, happened_at, open_hot
from besnik.store.models import (
    Alert,
    Card,
    Entry,
    Lot,
    Member,
    Program,
    Reader,
    Shop,
    TierHeld,
    Till,
)
from support.published import STAMP, publish
from support.store import assert_ledger_adds_up, rows, settings_for

ANA, ELENI = "5B3C2A19", "04A1B2C3D4E580"
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)  # a Saturday
_SLOT = "SELECT unit, amount, main FROM store_lot ORDER BY id"


class Visits:
    """Presents cards at readers of a database, as the bridge does after its messages."""

    _numbers = count(1)

    def __init__(self, url: str) -> None:
        self.url = url
        self.hot: HotStore = open_hot(settings_for(url))

    def tap(
        self,
        uid: str = ANA,
        at: dt.datetime = NOON,
        *,
        slug: str = "counter-1",
        read_at: int = 0,
        clock_quality: int = 2,
        queued: bool = False,
    ) -> DecidedTap:
        reader = self.hot.readers([slug])[slug]
        key = CardKey(reader.rules.program, CardRef("uid", uid))
        card = self.hot.cards([key]).get(key)
        read_at = read_at or int(at.timestamp())
        when = happened_at(read_at, clock_quality, queued, at)
        decision = decide(Credential(key.ref, "D"), card, reader, when)
        return DecidedTap(
            reader=reader.id,
            tap_id=f"00001-{next(self._numbers):06d}",
            ref=key.ref,
            card=card,
            tier="D",
            outcome=decision.outcome,
            reason=decision.reason,
            read_at=read_at,
            clock_quality=clock_quality,
            queued=queued,
            received_at=at,
            entry=decision.entry,
            bounds=decision.bounds,
        )

    def visit(self, uid: str = ANA, at: dt.datetime = NOON, slug: str = "counter-1") -> Recorded:
        [recorded] = self.hot.record([self.tap(uid, at, slug=slug)])
        return recorded


@pytest.fixture
def visits(database_url: str) -> Iterator[Visits]:
    made = Visits(database_url)
    yield made
    made.hot.close()


def test_a_visit_opens_a_lot_with_expiry_and_waiting_time(visits: Visits, orm: str) -> None:
    publish(orm, STAMP, expiry={"stamp": AfterDays(30)}, pending_days=2)
    visits.visit()
    lot = Lot.objects.get()
    assert (lot.member.name, lot.unit, lot.amount, lot.main) == ("Ana Hoxha", "stamp", 1, 1)
    assert (lot.held, lot.spent, lot.expired, lot.entry) == (0, 0, 0, Entry.objects.get())
    assert (lot.opened_at, lot.available_at) == (NOON, NOON + dt.timedelta(days=2))
    assert lot.expires_at == dt.datetime(2026, 12, 22, tzinfo=dt.UTC)
    assert_ledger_adds_up(orm)


def test_a_lot_of_a_program_without_expiry_is_for_ever(visits: Visits, orm: str) -> None:
    publish(orm, STAMP)
    visits.visit()
    lot = Lot.objects.get()
    assert (lot.available_at, lot.expires_at) == (NOON, None)


def test_the_newest_version_counts_from_the_next_tap_on(visits: Visits) -> None:
    visits.visit()
    publish(visits.url, PerVisit(id="visit", unit="stamp", give=3), PerVisit(id="p", give=10))
    visits.visit()
    publish(visits.url)
    assert visits.visit().outcome == "accepted"
    lots = [("stamp", 1, 1), ("stamp", 3, 3), ("point", 10, 10)]
    assert rows(visits.url, _SLOT) == lots


def test_a_rule_of_one_shop_and_day_holds_there_and_then(visits: Visits, orm: str) -> None:
    here = Reader.objects.get()
    market = Shop.objects.create(program=here.shop.program, slug="market", name="Market")
    Reader.objects.create(
        shop=market, till=Till.objects.create(shop=market, slug="t"), slug="market-1", name="m"
    )
    only = When(shops=("market",), weekdays=("sat",))
    publish(orm, PerVisit(id="market", unit="stamp", when=only))
    visits.visit()
    visits.visit(at=NOON + dt.timedelta(days=1), slug="market-1")
    assert not Lot.objects.exists()
    visits.visit(slug="market-1")
    assert rows(orm, _SLOT) == [("stamp", 1, 1)]


def test_a_rule_of_a_tier_goes_by_the_tier_the_member_holds(visits: Visits, orm: str) -> None:
    plan = TierPlan(
        tiers=tuple(Tier(name=str(step), threshold=step) for step in range(3)), unit="stamp"
    )
    publish(orm, PerVisit(id="gold", unit="stamp", when=When(levels=(2,))), tiers=plan)
    TierHeld.objects.create(member=Member.objects.get(name="Ana Hoxha"), level=2, since=NOON.date())
    visits.visit(ELENI)
    visits.visit(ANA)
    assert Lot.objects.get().member.name == "Ana Hoxha"


@pytest.mark.parametrize(
    ("clock_quality", "queued", "hours"),
    [(2, True, -30), (1, True, 0), (0, True, 0), (2, False, 0)],
)
def test_an_entry_happened_when_a_clock_that_can_be_trusted_says(
    visits: Visits, orm: str, clock_quality: int, queued: bool, hours: int
) -> None:
    read_at = int((NOON - dt.timedelta(hours=30)).timestamp())
    tap = visits.tap(read_at=read_at, clock_quality=clock_quality, queued=queued)
    visits.hot.record([tap])
    entry = Entry.objects.get()
    assert entry.occurred_at == NOON + dt.timedelta(hours=hours)
    assert (entry.created_at, entry.source) == (NOON, "reader")


def test_no_tap_happened_after_it_came(visits: Visits, orm: str) -> None:
    ahead = int((NOON + dt.timedelta(hours=1)).timestamp())
    visits.hot.record([visits.tap(read_at=ahead, queued=True)])
    assert Entry.objects.get().occurred_at == NOON


@pytest.mark.parametrize("card_state", ["blocked", "replaced"])
def test_a_card_that_is_blocked_or_replaced_is_refused(
    visits: Visits, orm: str, card_state: str
) -> None:
    Card.objects.filter(data=ANA).update(state=card_state)
    assert visits.visit().reason == "blocked"
    assert not Entry.objects.exists()


@pytest.mark.parametrize("status", ["closed", "erased"])
def test_a_member_who_left_earns_nothing(visits: Visits, orm: str, status: str) -> None:
    Member.objects.filter(name="Ana Hoxha").update(status=status)
    assert (visits.visit().reason, visits.visit(ELENI).reason) == ("blocked", "ok")
    assert Lot.objects.get().member.name == "Ελένη Παππά"


def test_one_card_in_three_programs_has_three_balances(visits: Visits, orm: str) -> None:
    for name in ("bakery", "cinema"):
        program = Program.objects.create(name=name)
        publish(orm, PerVisit(id="visit", unit="stamp", give=5), program=program.pk)
        shop = Shop.objects.create(program=program, slug=name, name=name)
        till = Till.objects.create(shop=shop, slug="t", name="t")
        Reader.objects.create(shop=shop, till=till, slug=name, name=name)
        member = Member.objects.create(program=program, name=f"Ana at {name}")
        Card.objects.create(program=program, member=member, kind="uid", data=ANA)
    refs = {visits.visit(slug=slug).member_ref for slug in ("counter-1", "bakery", "bakery")}
    refs.add(visits.visit(slug="cinema").member_ref)
    assert len(refs) == 3
    found = rows(
        orm,
        """SELECT member.name, balance FROM store_account account
           JOIN store_member member ON member.id = account.member_id ORDER BY member.name""",
    )
    assert found == [("Ana Hoxha", 1), ("Ana at bakery", 10), ("Ana at cinema", 5)]
    assert_ledger_adds_up(orm)


def test_the_sixth_earning_in_ten_minutes_is_refused_with_an_alert(
    visits: Visits, orm: str
) -> None:
    publish(orm, STAMP, velocity=Velocity(most=5, minutes=10))
    reasons = [visits.visit(at=NOON + dt.timedelta(minutes=minute)).reason for minute in range(6)]
    assert reasons == ["ok"] * 5 + ["too_soon"]
    alert = Alert.objects.get()
    member = Member.objects.get(name="Ana Hoxha")
    assert (alert.kind, alert.member, alert.program) == ("too_fast", member, member.program)
    assert alert.at == NOON + dt.timedelta(minutes=5)
    assert alert.detail.keys() == {"card", "reader", "tap", "minutes"}
    assert visits.visit(ELENI, NOON + dt.timedelta(minutes=5)).reason == "ok"
    # The first of the five is ten minutes ago.
    assert visits.visit(at=NOON + dt.timedelta(minutes=10)).reason == "ok"
    assert visits.visit(at=NOON + dt.timedelta(minutes=10, seconds=1)).reason == "too_soon"
    assert Entry.objects.count() == 7
    assert Lot.objects.filter(member=member).count() == 6


def test_what_comes_too_soon_in_one_batch_is_refused_too(visits: Visits, orm: str) -> None:
    publish(orm, STAMP, velocity=Velocity(most=2, minutes=10, gap_s=3))
    moments = [0, 1, 3, 7]
    taps = [visits.tap(at=NOON + dt.timedelta(seconds=second)) for second in moments]
    taps.insert(1, visits.tap(ELENI))
    given = [recorded.reason for recorded in visits.hot.record(taps)]
    assert given == ["ok", "ok", "too_soon", "ok", "too_soon"]
    assert [recorded.reason for recorded in visits.hot.record(taps)] == given
    assert Alert.objects.count() == 2


def test_a_tap_that_waited_is_judged_by_its_own_time(visits: Visits, orm: str) -> None:
    publish(orm, STAMP, velocity=Velocity(most=1, minutes=10))
    assert visits.visit().reason == "ok"
    for minutes, reason in ((30, "ok"), (25, "too_soon"), (45, "ok")):
        read_at = int((NOON - dt.timedelta(minutes=minutes)).timestamp())
        tap = visits.tap(at=NOON, read_at=read_at, queued=True)
        assert [each.reason for each in visits.hot.record([tap])] == [reason]


def test_a_cap_a_day_counts_all_that_a_member_earned_on_it(visits: Visits, orm: str) -> None:
    publish(
        orm,
        PerVisit(id="visit", unit="stamp", give=2),
        Cap(id="cap", unit="stamp", most=3, per="day"),
    )
    second = Card.objects.get(data=ANA)
    Card.objects.create(program=second.program, member=second.member, kind="uid", data="AABBCCDD")
    batch = [visits.tap(), visits.tap("AABBCCDD"), visits.tap(ELENI), visits.tap()]
    assert [recorded.reason for recorded in visits.hot.record(batch)] == ["ok"] * 4
    assert visits.visit().outcome == "accepted"
    visits.visit(at=NOON + dt.timedelta(hours=12))
    yesterday = visits.tap(
        at=NOON, read_at=int((NOON - dt.timedelta(hours=13)).timestamp()), queued=True
    )
    visits.hot.record([yesterday])
    found = Lot.objects.order_by("opened_at", "id").values_list("member__name", "amount")
    assert list(found) == [
        ("Ana Hoxha", 2), ("Ana Hoxha", 2), ("Ana Hoxha", 1), ("Ελένη Παππά", 2), ("Ana Hoxha", 2),
    ]  # fmt: skip
    assert Entry.objects.count() == 5


def test_bridges_that_write_at_once_keep_to_the_limit_together(
    visits: Visits, database_url: str
) -> None:
    publish(database_url, STAMP, velocity=Velocity(most=5, minutes=10))
    taps = [visits.tap() for _ in range(12)]

    def write(share: list[DecidedTap]) -> None:
        own = open_hot(settings_for(database_url))
        for tap in share:
            own.record([tap])
        own.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, [taps[start::3] for start in range(3)]))
    assert rows(database_url, "SELECT count(*) FROM store_lot") == [(5,)]
    assert rows(database_url, "SELECT count(*) FROM store_alert") == [(7,)]
    assert_ledger_adds_up(database_url)


def test_a_program_without_a_version_recognises_its_members_and_gives_nothing(
    visits: Visits, orm: str
) -> None:
    program = Program.objects.create(name="bakery")
    shop = Shop.objects.create(program=program, slug="bakery", name="bakery")
    till = Till.objects.create(shop=shop, slug="t", name="t")
    Reader.objects.create(shop=shop, till=till, slug="bakery", name="bakery")
    member = Member.objects.create(program=program, name="Ana")
    Card.objects.create(program=program, member=member, kind="uid", data=ANA)
    recorded = visits.visit(slug="bakery")
    assert (recorded.outcome, recorded.member_ref) == ("accepted", member.ref)
    assert not Entry.objects.exists()
