"""What a cashier does at the page: each action, its double, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest

from besnik.loyalty.rewards import AmountOff, Reward
from besnik.loyalty.rules import PerAmount, TenderBonus
from support.published import STAMP, publish
from support.till_page import SCRIPT, TillPage, ref, text_of

from .conftest import OpenTill

ANA, GRACE = "Ana Hoxha", "Grace Miller"
POINT = PerAmount(id="spend", per_minor=100)
HOUSE = TenderBonus(id="house", tender="house_card")
FIVE_OFF = Reward(id="five", title="Five off", kind=AmountOff(500), cost=50)


@pytest.fixture(autouse=True)
def _program(orm: str) -> None:
    publish(orm, STAMP, POINT, HOUSE, rewards=(FIVE_OFF,))


def member(name: str = ANA) -> str:
    return f"members/{ref(name)}/"


def balances() -> tuple[int, int]:
    """Return Ana's points and stamps."""
    from besnik.store import books
    from besnik.store.models import Member

    found = books.balances_of(Member.objects.get(name=ANA).pk, dt.datetime.now(dt.UTC))
    return tuple(found[unit].active if unit in found else 0 for unit in ("point", "stamp"))  # type: ignore[return-value]  # two units, two figures


def preview(till: TillPage, amount: str, tap: int | None = None) -> str:
    by = f"tap:{tap}" if tap else ""
    answer = till.client.get(
        f"{till.page}{member()}preview", {"amount": amount, "tender": "cash", "by": by}
    )
    return str(answer.json()["text"])


def test_a_purchase_is_previewed_and_recorded_as_previewed(till: TillPage) -> None:
    tap = till.tap("ana")
    assert preview(till, "37.90", tap) == "+37 points (55 with our card)"
    said = till.do(f"{member()}purchase", key="k", amount="37.90", tender="cash", by=f"tap:{tap}")
    assert "+37 points for Ana Hoxha" in said
    assert re.search("Undo (60|5[5-9])", said)
    assert balances() == (37, 1)


@pytest.mark.parametrize(
    ("typed", "minor"), [("37.90", 3790), ("37,90", 3790), ("۳۷٫۹۰", 3790), ("٣٧,٩", 3790)]
)
def test_amounts_are_understood_in_any_digits(till: TillPage, typed: str, minor: int) -> None:
    from besnik.store.models import Sale

    till.do(f"{member()}purchase", key="k", amount=typed)
    assert Sale.objects.get().amount_minor == minor


@pytest.mark.parametrize("typed", ["", "abc", "1.234", "0", "-5", "3.999"])
def test_what_is_no_amount_is_asked_again_and_stays_typed(till: TillPage, typed: str) -> None:
    from besnik.store.models import Sale

    answer = till.client.post(
        f"{till.page}{member()}purchase", {"key": "k", "amount": typed}, headers=SCRIPT
    )
    page = answer.content.decode()
    assert 'aria-invalid="true"' in page
    assert f'value="{typed}"' in page
    assert not Sale.objects.exists()


def test_a_double_click_does_it_once(till: TillPage) -> None:
    from besnik.store.models import Sale

    for _ in range(2):
        assert "+12 points" in till.do(f"{member()}purchase", key="same", amount="12")
        till.do(f"{member()}topup", key="top", amount="5")
    assert Sale.objects.count() == 1
    assert "€5.00 on the card" in till.see(member())


def test_an_amount_far_above_the_usual_is_asked_about(till: TillPage) -> None:
    from besnik.store.models import Sale

    for number in range(5):
        till.do(f"{member()}purchase", key=f"k{number}", amount="10")
    asked = till.do(f"{member()}purchase", key="slip", amount="100")
    assert "€100.00 is far more than usual here. Is it right?" in asked
    assert Sale.objects.count() == 5
    assert "+100 points" in till.do(f"{member()}purchase", key="slip", amount="100", sure="10000")


def test_a_chip_holds_its_reward_and_the_paid_sale_settles_it(till: TillPage) -> None:
    tap = till.tap("ana", tier="A")
    by = f"tap:{tap}"
    till.do(f"{member()}purchase", key="k", amount="80", by=by)
    held = till.do(f"{member()}hold", key="h", reward="five", by=by)
    assert "Held for the sale: Five off" in held
    assert "50 points held" in held
    hold = re.search(r'name="hold" value="(h\d+)"', till.html())
    assert hold
    assert "30 points" in till.see()
    said = till.do(f"{member()}purchase", key="k2", amount="20", by=by, hold=hold[1])
    assert "+20 points for Ana Hoxha" in said
    assert balances()[0] == 50
    assert "held" not in till.see().split("Earlier")[0]


def test_a_hold_is_given_or_let_go(till: TillPage) -> None:
    tap = till.tap("ana", tier="A")
    by = f"tap:{tap}"
    till.do(f"{member()}purchase", key="k", amount="120", by=by)
    for act, left in (("release", 120), ("commit", 70)):
        till.do(f"{member()}redeem", key=f"h{act}", amount="50", by=by)
        hold = re.search(r'name="hold" value="(h\d+)"', till.html())
        assert hold
        till.do(f"{member()}{act}", key=f"{act}", hold=hold[1], by=by)
        assert balances()[0] == left
    gone = till.do(f"{member()}commit", key="again", hold=hold[1])
    assert "Nothing is reserved any more. Redeem again." in gone


def test_a_card_that_can_be_copied_redeems_with_a_phone_or_a_pin(
    till: TillPage,
) -> None:
    from django.contrib.auth.hashers import make_password

    from besnik.store.models import Member, Person, Staff
    from besnik.store.people import digest

    phone = "+355691234567"
    Person.objects.filter(member=Member.objects.get(name=ANA)).update(
        phone=phone, phone_digest=digest(phone)
    )
    tap = till.tap("ana", tier="D")
    till.do(f"{member()}purchase", key="k", amount="120")
    asked = till.do(f"{member()}hold", key="h1", reward="five", by=f"tap:{tap}")
    assert "This card can be copied" in asked
    assert "PIN" in asked
    Staff.objects.filter(username="demo-lead").update(pin=make_password("4711"))
    pin = {"username": "demo-lead", "pin": "4711"}
    held = till.do(f"{member()}redeem", key="h2", reward="five", by=f"tap:{tap}", **pin)
    assert "Held for the sale: Five off" in held
    found = till.client.get(f"{till.page}find", {"q": phone}, headers=SCRIPT).content.decode()
    address = re.search(r'href="([^"]*)\?by=([^"]*)"', found)
    assert address
    page = till.client.get(f"{address[1]}?by={address[2]}", headers=SCRIPT).content.decode()
    by = re.search(r'name="by" value="(phone:[^"]*)"', page)
    assert by
    held = till.do(f"{member()}hold", key="h3", reward="five", by=by[1])
    assert "Held for the sale: Five off" in held


def test_undo_takes_back_what_was_just_done_and_only_once(till: TillPage) -> None:
    said = till.client.post(
        f"{till.page}{member()}purchase", {"key": "k", "amount": "37.90"}, headers=SCRIPT
    ).content.decode()
    what = re.search(r'name="what" value="([^"]*)"', said)
    assert what
    undone = till.do("undo", key="u", what=what[1])
    assert "Taken back." in undone
    assert "-37 points" in undone
    assert balances()[0] == 0
    assert "taken back before" in till.do("undo", key="u2", what=what[1])


def test_a_page_that_is_loaded_anew_still_undoes_for_the_rest_of_the_minute(
    till: TillPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.site.cashier import done

    till.do(f"{member()}purchase", key="k", amount="37.90")
    clock = time.time()

    for later_s, left in ((0, r"(5[5-9]|60)"), (20, r"(3[5-9]|40)")):
        monkeypatch.setattr(done.time, "time", lambda later_s=later_s: clock + later_s)
        assert re.search(rf'data-undo data-seconds="{left}"', till.html())
    monkeypatch.setattr(done.time, "time", lambda: clock + 61)
    assert "data-undo" not in till.html()
    monkeypatch.setattr(done.time, "time", lambda: clock)
    assert "data-undo" not in till.html(), "what is over stays over"


def test_what_was_undone_is_not_offered_again(till: TillPage) -> None:
    said = till.client.post(
        f"{till.page}{member()}purchase", {"key": "k", "amount": "37.90"}, headers=SCRIPT
    ).content.decode()
    what = re.search(r'name="what" value="([^"]*)"', said)
    assert what
    till.do("undo", key="u", what=what[1])

    assert "Taken back." in till.see()
    assert "data-undo" not in till.html()


def test_later_it_takes_a_reason_and_a_shift_lead(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.site.cashier import serving
    from besnik.store.models import Entry

    cashier, lead = open_till("cashier"), open_till("lead")
    cashier.do(f"{member()}purchase", key="k", amount="37.90")
    entry = Entry.objects.get(kind="accrue")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    monkeypatch.setattr(serving, "now", lambda: later)
    asked = cashier.do(f"{member()}reverse", key="r1", entry=entry.pk, reason="wrong amount")
    assert "Ask for their PIN" in asked
    assert "Say why: write a reason." in lead.do(f"{member()}reverse", key="r2", entry=entry.pk)
    done = lead.do(f"{member()}reverse", key="r3", entry=entry.pk, reason="wrong amount")
    assert "Taken back." in done
    assert balances()[0] == 0


def test_lines_that_come_back_take_back_their_points(till: TillPage) -> None:
    from besnik.store import till as verbs
    from besnik.store.models import SaleLine, Staff, Till
    from besnik.store.till.asks import Accrue, Item, Who

    place = verbs.Place.of_staff(
        Staff.objects.get(username="demo-cashier"), Till.objects.select_related("shop").get()
    )
    items = (
        Item(id="1", amount_minor=3000, title="Beans"),
        Item(id="2", amount_minor=790, title="Mug"),
    )
    verbs.accrue(place, Accrue(receipt="R1", who=Who(member=ref(ANA)), lines=items))
    sheet = till.get(f"{member()}refund")
    assert "Beans · €30.00" in sheet
    mug = SaleLine.objects.get(title="Mug").pk
    said = till.do(f"{member()}refund", key="r", lines=[mug], reason="broken")
    assert "€7.90 came back." in said
    assert balances()[0] == 30
    assert "Mug" not in till.get(f"{member()}refund")


def test_a_purchase_is_moved_to_the_right_person_within_the_day(till: TillPage) -> None:
    from besnik.store.models import Sale

    till.tap("grace")
    till.do(f"{member()}purchase", key="k", amount="37.90")
    sheet = till.get(f"{member()}move")
    assert "€37.90" in sheet
    assert GRACE in sheet, "who held a card to the reader lately is offered"
    sale = Sale.objects.get()
    said = till.do(f"{member()}move", key="m", sale=sale.receipt, to=ref(GRACE))
    assert "The purchase was moved." in said
    assert balances()[0] == 0
    sale.refresh_from_db()
    assert sale.member.name == GRACE
    Sale.objects.update(at=sale.at - dt.timedelta(days=2))
    assert "€37.90" not in till.get(f"{member(GRACE)}move")


def test_a_lost_card_is_replaced_and_refused_from_that_moment(till: TillPage) -> None:
    from besnik.store.models import Card, Member

    till.do(f"{member()}purchase", key="k", amount="10")
    old = Card.objects.get(member=Member.objects.get(name=ANA))
    assert "Hold the new card to the reader." in till.do(f"{member()}replace", old=old.pk, key="1")
    till.tap("blank")
    assert "once more" in till.do(f"{member()}replace", old=old.pk, key="1")
    till.tap("blank")
    said = till.do(f"{member()}replace", old=old.pk, key="1")
    assert "The new card is Ana Hoxha’s." in said
    till.tap("ana")
    shown = till.html()
    assert 'data-view="blocked"' in shown
    assert "This card was reported lost." in shown
    assert "data-sell" not in shown
    till.tap("blank")
    shown = till.see()
    assert "Visit counted" in shown
    assert "10 points" in shown


def test_a_purchase_before_the_card_goes_to_the_next_card(till: TillPage) -> None:
    from besnik.store.models import Sale

    assert "€37.90 waits for the next card." in till.do("sale", key="k", amount="37.90")
    assert "€37.90 waits for the next card." in till.see()
    tap = till.tap("ana")
    assert "A purchase of €37.90 waits for this card." in till.see()
    sale = Sale.objects.get()
    said = till.do(f"{member()}attach", key="a", receipt=sale.receipt, by=f"tap:{tap}")
    assert "+37 points for Ana Hoxha" in said
    assert balances() == (37, 1)
    assert "waits" not in till.see()


def test_a_phone_that_cannot_be_recognised_gets_a_printed_code(till: TillPage) -> None:
    from besnik.store.models import Card, CardKind

    till.tap("phone")
    assert "Enrol with a printed code" in till.see()
    said = till.do("enrol", key="e", name="Nora", language="sq")
    code = Card.objects.get(kind=CardKind.CODE)
    assert "Nora is enrolled." in said
    assert f"{code.data[:4]}-{code.data[4:8]}-{code.data[8:]}" in said
    assert "Nora" in till.get(f"find?q={code.data}")


def test_without_script_every_step_is_a_page(till: TillPage) -> None:
    till.tap("ana")
    address = f"{till.page}{member()}"
    answer = till.client.post(f"{address}purchase", {"key": "k", "amount": "12"})
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    page = text_of(till.client.get(address).content.decode())
    assert "+12 points for Ana Hoxha" in page
    assert "+12 points for Ana Hoxha" in till.see(member()), "as long as it can be undone"
    wrong = till.client.post(f"{address}purchase", {"key": "k2", "amount": "1.2.3"})
    assert wrong.status_code == 422
    assert "<!doctype html>" in wrong.content.decode()
    sheet = till.client.get(f"{address}goodwill")
    assert sheet.status_code == 200
    assert "<!doctype html>" in sheet.content.decode()


def test_an_auditor_reads_and_does_nothing(open_till: OpenTill) -> None:
    page = open_till("auditor")
    page.tap("ana")
    shown = page.html()
    assert ANA in shown
    assert "data-sell" not in shown
    assert "Goodwill" not in shown
    for act in ("purchase", "goodwill", "topup", "hold", "replace"):
        assert page.client.post(f"{page.page}{member()}{act}", {"key": "x"}).status_code == 403


def test_members_of_another_program_are_nobody_here(till: TillPage) -> None:
    from besnik.store.models import Member, Program

    other = Member.objects.create(program=Program.objects.create(name="Other"), name="Stranger")
    assert till.client.get(f"{till.page}members/{other.ref}/").status_code == 404
    assert "Nobody is found by" in till.get("find?q=Stranger")
    assert till.client.post(f"{till.page}members/{other.ref}/purchase").status_code == 404


def test_the_customer_sees_no_history(till: TillPage) -> None:
    from besnik.site.hub import Watch
    from besnik.site.screen import CustomerScreen
    from besnik.store.models import Staff

    till.do(f"{member()}purchase", key="k", amount="37.90")
    till.tap("ana")
    where = Staff.objects.get(username="demo-cashier"), "corner", "till-1"
    [event] = CustomerScreen(Watch(frozenset()), where).look()
    shown = event.decode()
    assert ANA in shown
    assert "Mirë se vini" in shown, "in the member's own language"
    assert "37.90" not in shown
    assert "Card" not in text_of(shown)


def test_what_is_asked_of_the_database_does_not_grow_with_history(
    till: TillPage,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for purchases in (1, 12):
        for number in range(purchases):
            till.do(f"{member()}purchase", key=f"k{purchases}{number}", amount="10")
            till.tap("ana", ago_s=600 - number)
        till.tap("ana")
        till.get("")
        with CaptureQueriesContext(connection) as asked:
            till.get("")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[1] <= 50
