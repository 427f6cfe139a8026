"""Rows on what a member sees at any time: balances, levels, rules, and nothing from elsewhere."""

from __future__ import annotations

import datetime as dt
import random
import re

import pytest
from django.db.models import Sum

from besnik.loyalty import operations
from besnik.loyalty.engine import Standing, compute
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.lots import InsufficientError
from besnik.loyalty.rewards import AmountOff
from besnik.loyalty.sale import simple_sale
from besnik.loyalty.tiers import Tier, TierPlan
from rows.member.conftest import Own, OwnPage
from support.pos import Clock, Open
from support.programs import point_per_euro, reward

ENTRIES = 1_000
TIERS = TierPlan(
    tiers=(
        Tier(name="Friend", threshold=0),
        Tier(name="Silver", threshold=50_000, times_bp=13_000, benefits=("parking",)),
        Tier(name="Gold", threshold=150_000, times_bp=16_000, benefits=("lounges",)),
    )
)


def write_random_entries(member: int, program: int, now: dt.datetime) -> None:
    """Write 1,000 entries as tills write them: earned, spent, reserved, paid, let go, expired."""
    from besnik.store import books

    rng = random.Random(9)
    with books.writing(program, [member]) as ledger:
        held: list[books.Posted] = []
        for number in range(ENTRIES):
            at = now - dt.timedelta(minutes=ENTRIES - number)
            unit = rng.choice(["point", "stamp", "EUR"])
            what = rng.random()
            amount = rng.randrange(1, 400)
            try:
                if what < 0.15 and held:
                    kept = held.pop()
                    settle = operations.commit if what < 0.08 else operations.release
                    entry = settle(kept, ledger.later(kept.id))
                elif what < 0.25:
                    entry = operations.hold(program, ledger.lots(member, unit), amount, at)
                elif what < 0.5:
                    entry = operations.redeem(program, ledger.lots(member, unit), amount, at)
                else:
                    raise InsufficientError(0, 0)
            except InsufficientError:
                lot = NewLot(member, unit, amount, at, at, now + dt.timedelta(days=number + 1))
                entry = operations.accrue(program, lot)
            posted = ledger.post(entry, at=at, source="till")
            if entry.kind == "hold":
                held.append(posted)


def history_sums(page: OwnPage) -> dict[str, int]:
    """Return what all pages of the history add up to, by unit."""
    sums = {"point": 0, "stamp": 0, "EUR": 0}
    part: str = "/history"
    while part:
        text = page.html(part)
        for sign, amount, unit in re.findall(r"<bdi>([+-])([\d,]+) (point|stamp)s?</bdi>", text):
            sums[unit] += int(f"{sign}{amount.replace(',', '')}")
        for sign, amount in re.findall(r"<bdi>([+-])€([\d,.]+)</bdi>", text):
            sums["EUR"] += int(f"{sign}{re.sub('[,.]', '', amount)}")
        older = re.search(r'rel="next" href="[^"]*(\?before=\d+)"', text)
        part = f"/history{older[1]}" if older else ""
    return sums


def test_L9_the_page_equals_the_ledger_after_1000_random_entries(
    open_shop: Open, clock: Clock, own: Own
) -> None:
    from besnik.store.models import Entry, Member, Posting

    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500), 10_000),)))
    anna = pos.join()
    member = Member.objects.get(ref=anna.ref)
    write_random_entries(member.pk, pos.program, clock.now)
    assert Entry.objects.filter(program=pos.program).count() >= ENTRIES
    postings = Posting.objects.filter(account__member=member)
    by_account = {
        (unit, account): total
        for unit, account, total in postings.values_list(
            "account__unit", "account__account"
        ).annotate(total=Sum("amount"))
    }
    page = own(anna.ref)
    text = page.text()
    points, stamps, money = (by_account[unit, "main"] for unit in ("point", "stamp", "EUR"))
    assert f" {points:,} points " in text
    assert f" {stamps:,} stamps " in text
    assert f" Money on your card €{money / 100:,.2f} " in text
    for unit in ("point", "stamp"):
        if by_account.get((unit, "held")):
            assert f"{by_account[unit, 'held']:,} {unit}s reserved at the till" in text
    sums = history_sums(page)
    assert sums == {
        unit: by_account[unit, "main"] + by_account.get((unit, "held"), 0) for unit in sums
    }


def test_L9_rewards_and_expiries_are_on_the_page(open_shop: Open, clock: Clock, own: Own) -> None:
    from besnik.loyalty.periods import AfterDays

    program = point_per_euro(
        rewards=(reward(AmountOff(500), 100, title="Five off"),), expiry={"point": AfterDays(30)}
    )
    pos = open_shop(program)
    anna = pos.join()
    anna.buy(8_800)
    text = own(anna.ref).text()
    assert "Five off 12 points to go 88 100 points = €5 off." in text
    assert re.search(r"Use before (30 Jun|1 Jul) 2026 [\w ]* 88 points", text)
    anna.buy(1_200)
    assert "Five off Yours now" in own(anna.ref).text()
    clock.pass_(days=40)
    assert " 0 points " in own(anna.ref).text()


def test_L9_the_page_works_with_the_shop_closed(open_shop: Open, own: Own) -> None:
    from besnik.store.models import Reader, TillKey

    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(5_000)
    TillKey.objects.update(revoked_at=pos.clock.now)
    assert not Reader.objects.filter(shop=pos.shop).exists()
    assert " 50 points " in own(anna.ref).text()


def test_L33_the_table_of_levels_and_what_is_missing_to_the_next(open_shop: Open, own: Own) -> None:
    pos = open_shop(point_per_euro(tiers=TIERS))
    anna = pos.join()
    anna.buy(28_800)
    page = own(anna.ref)
    text = page.text()
    assert "€212 more and you are Silver." in text
    assert '<progress max="100" value="57"' in page.html()
    for line in (
        "Friend: every member.",
        "Silver: from purchases of €500.",
        "Silver earns 30% more. Silver also gets: parking.",
        "Gold: from purchases of €1,500.",
        "Gold earns 60% more. Gold also gets: lounges.",
    ):
        assert line in text
    anna.buy(21_199)
    assert "€0.01 more and you are Silver." in own(anna.ref).text()
    anna.buy(1)
    assert "€1,000 more and you are Gold." in own(anna.ref).text()
    anna.buy(100_000)
    assert "You are at the top" in own(anna.ref).text()


def test_L33_the_pace_says_when_the_next_level_is_reached(
    open_shop: Open, clock: Clock, own: Own
) -> None:
    pos = open_shop(point_per_euro(tiers=TIERS))
    anna = pos.join()  # on the first day of the year
    clock.set("2026-03-31T12:00")
    anna.buy(30_000)  # 300 in 90 days: 200 more take 60
    assert "At this pace you are Silver in 2 months." in own(anna.ref).text()


def test_L117_the_rule_on_the_page_and_the_engine_agree_on_1000_amounts(
    open_shop: Open, own: Own
) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    said = re.search(
        r"How it works (\d+) points? for every €(\d+) you spend\. A part of €1 does not count\.",
        own(anna.ref).text(),
    )
    assert said is not None
    give, per = map(int, said.groups())
    rng = random.Random(117)
    amounts = rng.choices(range(1, 100_000), k=1_000)
    program = pos.rules()
    for amount_minor in amounts:
        sale = simple_sale(amount_minor, pos.clock.now)
        earned = compute(program.rule_sets[0], sale, Standing(), program.tz)
        assert sum(part.amount for part in earned.parts) == amount_minor // (100 * per) * give
    # What a till is told is what the engine says.
    for amount_minor in amounts[:20]:
        asked = pos.ask("preview", who=anna.who, amount_minor=amount_minor)["earned"]
        (earned_at_till,) = asked.values()
        assert earned_at_till.get("point", 0) == amount_minor // (100 * per) * give


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("sq", "1 pikë për çdo 1 € që shpenzoni."),
        ("ru", "1 балл за каждые 1 € покупки."),
        ("el", "1 πόντος για κάθε 1 € αγορών."),
        ("fa", "۱ امتیاز برای هر ۱ یورو خرید."),
    ],
)
def test_L117_the_rules_are_plain_in_every_language(
    open_shop: Open, own: Own, language: str, line: str
) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join(language=language)
    page = own(anna.ref)
    assert f'lang="{language}"' in page.html()
    assert line in page.text()


def test_L9_the_link_is_all_it_takes_and_all_that_opens_the_page(open_shop: Open, own: Own) -> None:
    pos = open_shop(point_per_euro())
    anna, ben = pos.join("Anna"), pos.join("Ben")
    page, other = own(anna.ref), own(ben.ref)
    answer = page.get()
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "Set-Cookie" not in answer.headers
    sources = re.findall(r'(?:src|href|action)="([^"#]+)"', answer.content.decode())
    assert sources
    assert [source for source in sources if not source.startswith("/")] == []
    mixed = other.address.replace(ben.ref, anna.ref)
    assert page.client.get(mixed).status_code == 404
    assert page.client.get(page.address[:-1]).status_code == 404
    assert page.client.post(f"{mixed}/leave", {"how": "erase"}).status_code == 404


def test_L9_who_tries_links_is_slowed_down(
    open_shop: Open, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.site.rate import Limiter
    from besnik.site.views import member

    pos = open_shop(point_per_euro())
    page = own(pos.join().ref)
    monkeypatch.setattr(member, "_WRONG", Limiter(3, 60))
    answers = [page.client.get(f"{page.address[:-1]}{end}").status_code for end in "-x_yzA"]
    assert answers[-1] == 429
    assert page.client.get(page.address).status_code == 429
    monkeypatch.setattr(member, "_WRONG", Limiter(3, 60))
    page.get()
