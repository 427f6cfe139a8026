"""The rows of the requirements that the cashier's page keeps, each with its own numbers."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest

from besnik.loyalty.guards import Goodwill
from besnik.loyalty.rewards import Access, AmountOff, FreeItem, Reward
from besnik.loyalty.rules import PerAmount
from besnik.loyalty.templates import airline
from besnik.loyalty.tiers import TierPlan
from support.programs import BASIS
from support.published import STAMP, publish
from support.till_page import SCRIPT, TillPage, ref, text_of

from .conftest import OpenTill

POINT = PerAmount(id="spend", per_minor=100)
ANA = "Ana Hoxha"


def test_L16_goodwill_takes_two_presses_and_above_a_hundred_a_pin(orm: str, till: TillPage) -> None:
    from django.contrib.auth.hashers import make_password

    from besnik.store.models import AuditRecord, Entry, Staff

    publish(orm, POINT, goodwill=Goodwill(alone=100, a_day=500))
    member = f"members/{ref(ANA)}/"
    sheet = till.client.get(f"{till.page}{member}goodwill", headers=SCRIPT)
    filled = sheet.content.decode()
    assert 'value="50"' in filled
    assert re.search(r'value="complaint"[^>]*checked', filled), "the second press gives it"
    began = time.monotonic()
    said = till.do(f"{member}goodwill", key="g1", amount="50", reason="complaint")
    assert "+50 points for Ana Hoxha" in said
    assert time.monotonic() - began < 60
    assert (Entry.objects.get().reason, Entry.objects.get().staff.username) == (
        "complaint",
        "demo-cashier",
    )
    assert AuditRecord.objects.filter(action="till.goodwill", target=ref(ANA)).count() == 1
    above = {"key": "g2", "amount": "101", "reason": "complaint"}
    refused = till.do(f"{member}goodwill", **above)
    assert "This needs the PIN of a shift lead." in refused
    assert "User name of who agrees" in refused
    lead = Staff.objects.get(username="demo-lead")
    lead.pin = make_password("4711")
    lead.save()
    wrong = till.do(f"{member}goodwill", **above, username="demo-lead", pin="0000")
    assert "Name or PIN is wrong." in wrong
    given = till.do(f"{member}goodwill", **above, username="demo-lead", pin="4711")
    assert "+101 points for Ana Hoxha" in given
    assert "151 points" in till.see(member)


@pytest.mark.parametrize(("reading", "tier_bp"), [("A", 1300), ("B", 1500)])
def test_L30_silver_is_named_with_its_services(
    orm: str, till: TillPage, reading: str, tier_bp: int
) -> None:
    _tiers(orm, reading)
    till.tap("ana", tier="A")
    till.do(f"members/{ref(ANA)}/purchase", key="k1", amount="500.00")
    shown = till.see()
    assert "Silver" in shown
    assert "priority" in shown
    assert "lounges" not in shown
    earned = till.do(f"members/{ref(ANA)}/purchase", key="k2", amount="1000.00", sure="100000")
    assert f"+{tier_bp:,} points for Ana Hoxha" in earned


@pytest.mark.parametrize(("reading", "tier_bp"), [("A", 1600), ("B", 2000)])
def test_L31_gold_is_named_with_its_services(
    orm: str, till: TillPage, reading: str, tier_bp: int
) -> None:
    _tiers(orm, reading)
    till.tap("ana", tier="A")
    till.do(f"members/{ref(ANA)}/purchase", key="k1", amount="1500.00")
    shown = till.see()
    assert all(word in shown for word in ("Gold", "priority", "lounges", "snack", "massage"))
    earned = till.do(f"members/{ref(ANA)}/purchase", key="k2", amount="1000.00")
    assert f"+{tier_bp:,} points for Ana Hoxha" in earned


def test_L73_a_blank_card_is_a_named_card_within_twenty_seconds(till: TillPage) -> None:
    began = time.monotonic()
    tap = till.tap("blank")
    sheet = till.html()
    asked = set(re.findall(r'name="(name|language|consents)"', sheet))
    assert asked == {"name", "language", "consents"}, "three fields"
    assert not re.search(r'name="consents"[^>]*checked', sheet), "nothing is agreed to beforehand"
    fields = {"name": "Nora Dema +355 69 123 4567", "language": "sq", "consents": ["marketing"]}
    assert "once more" in till.do(f"taps/{tap}/enrol", key="e1", **fields)
    till.tap("blank")
    assert "Nora Dema is enrolled." in till.do(f"taps/{tap}/enrol", key="e1", **fields)
    till.tap("blank")
    shown = till.see()
    assert time.monotonic() - began < 20
    assert "Visit counted" in shown
    assert "Nora Dema" in shown
    assert "•••4567" in shown


def test_L89_visits_and_purchases_are_counted_apart(orm: str, till: TillPage) -> None:
    from besnik.store.glance import visits
    from besnik.store.models import Member, Sale

    publish(orm, STAMP, POINT)
    for ago_s in (400, 300, 200, 100, 0):
        till.tap("ana", ago_s=ago_s)
    for number in range(3):
        till.do(f"members/{ref(ANA)}/purchase", key=f"s{number}", amount=f"{number + 1}.00")
    member = Member.objects.get(name=ANA)
    assert (visits(member), Sale.objects.filter(member=member).count()) == (5, 3)
    shown = till.see()
    assert "Last visit today" in shown
    assert all(amount in shown for amount in ("€1.00", "€2.00", "€3.00"))


def test_L102_a_tag_decides_the_offer(orm: str, till: TillPage) -> None:
    from besnik.store.models import Member, Person

    publish(
        orm,
        POINT,
        rewards=(
            Reward(id="off", title="Five off", kind=AmountOff(500), cost=60),
            Reward(id="item", title="Any cake", kind=FreeItem(), cost=50),
            Reward(id="evening", title="Tasting evening", kind=Access(), cost=40),
        ),
    )
    till.do(f"members/{ref(ANA)}/purchase", key="k", amount="100")
    person = Person.objects.get(member=Member.objects.get(name=ANA))
    for motive, first in (("", "Five off"), ("quality", "Any cake"), ("status", "Tasting evening")):
        person.motive = motive
        person.save()
        chips = till.html(f"members/{ref(ANA)}/").split('<ul class="chips"')[1]
        assert first in text_of(chips.split("</strong>")[0])


def test_L102_the_tenth_visit_is_thanked_for_once(till: TillPage) -> None:
    for visit in range(1, 12):
        till.tap("ana", ago_s=(12 - visit) * 10)
        assert ("10 visits by now: say thank you." in till.see()) is (visit == 10)
    assert "say thank you" not in till.see(f"members/{ref(ANA)}/")


def test_L106_three_gifts_are_named_with_their_source(till: TillPage) -> None:
    from besnik.store.models import Gift, Member

    member = Member.objects.get(name=ANA)
    gifts = (
        ("Birthday cake", "The Corner"),
        ("Cinema ticket", "Kino Millennium"),
        ("Free parking", "City of Tirana"),
    )
    for title, source in gifts:
        Gift.objects.create(
            member=member, title=title, source=source, given_at=dt.datetime.now(dt.UTC)
        )
    till.tap("ana")
    shown = till.see()
    assert all(f"{title} from {source}" in shown for title, source in gifts)


def test_L110_fifty_taps_at_three_readers_show_the_right_member_at_the_right_till(
    orm: str, open_till: OpenTill
) -> None:
    from besnik.store.models import Reader, Shop, Till

    names = {"ana": ANA, "eleni": "Ελένη Παππά", "dariush": "داریوش کریمی", "grace": "Grace Miller"}
    shop = Shop.objects.get()
    tills = {"counter-1": open_till()}
    for number in (2, 3):
        place = Till.objects.create(shop=shop, slug=f"till-{number}", name=f"Till {number}")
        Reader.objects.create(shop=shop, till=place, slug=f"reader-{number}", name="R")
        tills[f"reader-{number}"] = open_till(till=place.slug)
    right = 0
    for number in range(50):
        reader = list(tills)[number % 3]
        card = list(names)[number * 7 % 4]
        tills["counter-1"].tap(card, reader=reader)
        shown = tills[reader].get("")
        right += names[card] in shown.split("Earlier at this till")[0]
    assert right == 50


def test_L111_a_cashier_sees_tags_and_no_free_notes(open_till: OpenTill) -> None:
    from besnik.store.models import Member, Note, Person

    member = Member.objects.get(name=ANA)
    Person.objects.filter(member=member).update(tags=["espresso"], motive="quality")
    Note.objects.create(
        member=member, text="Her son is ill, call 069 123 4567", at=dt.datetime.now(dt.UTC)
    )
    cashier, lead = open_till("cashier"), open_till("lead")
    cashier.tap("ana")
    for page in (cashier, lead):
        assert "espresso" in page.see()
        assert "Looks for quality" in page.see()
    assert "Her son" not in cashier.html()
    assert "Her son is ill" in lead.see()
    assert "123 4567" not in lead.html(), "a number in a note is masked as well"


@pytest.mark.parametrize("role", ["cashier", "lead", "manager", "owner", "auditor"])
def test_L116_the_till_never_shows_a_whole_phone_number(open_till: OpenTill, role: str) -> None:
    from besnik.store.models import Member, Person
    from besnik.store.people import digest

    phone = "+355691234567"
    Person.objects.filter(member=Member.objects.get(name=ANA)).update(
        phone=phone, phone_digest=digest(phone)
    )
    page = open_till(role)
    page.tap("ana")
    for path in ("", f"members/{ref(ANA)}/", "find?q=%2B355691234567", "find?q=Ana"):
        shown = page.client.get(page.page + path, headers=SCRIPT).content.decode()
        assert "•••4567" in shown
        assert not re.search(r"69\s*123\s*4567", shown)


def _tiers(url: str, reading: str) -> None:
    program = airline(BASIS, reading)  # type: ignore[arg-type]  # "A" or "B"
    plan = program.tiers
    assert isinstance(plan, TierPlan)
    publish(url, *program.rule_sets[0].rules, tiers=plan)
