"""What a till's screen shows for each kind of tap."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from besnik import demo
from besnik.contract import Reason
from besnik.site.board import MISSED, PRESENT_FOR, Gap, board
from besnik.store.models import CrmAnswer, CrmSource, Till

from .conftest import UIDS, Tapped

LONG_S = PRESENT_FOR.total_seconds() + 1
PAGE = f"/cashier/{demo.SHOP}/{demo.TILL}/"


@pytest.fixture
def till(orm: str) -> Till:
    return Till.objects.get()


@pytest.mark.parametrize(
    ("key", "reason", "view", "text"),
    [
        ("ana", "ok", "accepted", "Visit counted"),
        ("boris", "blocked", "blocked", "Do not accept this card."),
        ("ana", "too_soon", "too_soon", "The visit counts once."),
        ("ana", "error", "error", "Please hold the card to the reader again."),
        ("ana", "expired", "refused", "This pass has expired."),
        ("ana", "replayed", "refused", "This code was used before."),
        ("blank", "unknown", "new", "This card has no member yet."),
        ("blank", "pending", "pending", "The visit counts when it has said so."),
        ("phone", "random_id", "phone", "It shows a new number each time."),
    ],
)
def test_each_verdict_says_what_to_do(
    client: Client, till: Till, tapped: Tapped, key: str, reason: Reason, view: str, text: str
) -> None:
    CrmSource.objects.create(program=till.shop.program, adapter="other", is_on=True)
    tapped(key, reason)
    assert board(till).view == view
    page = client.get(PAGE).content.decode()
    assert f'data-view="{view}"' in page
    assert text in page
    assert ("Enrol this card" in page) is (view == "new")


def test_a_card_that_waits_for_a_crm_that_is_away_says_so(
    client: Client, till: Till, tapped: Tapped
) -> None:
    source = CrmSource.objects.create(program=till.shop.program, adapter="other", is_on=True)
    tapped("blank", "pending")
    before = board(till).key
    source.breaker = "open"
    source.save()
    assert board(till).key != before, "the screen must be drawn anew"
    assert "The shop’s CRM does not answer now." in client.get(PAGE).content.decode()


def test_a_card_that_waits_for_a_crm_that_has_moved_says_that_it_does_not_answer(
    client: Client, till: Till, tapped: Tapped
) -> None:
    source = CrmSource.objects.create(
        program=till.shop.program,
        adapter="other",
        is_on=True,
        settings={"address": "https://new.example"},
        place={"address": "https://old.example"},
    )
    tapped("blank", "pending")
    assert "The shop’s CRM does not answer now." in client.get(PAGE).content.decode()
    source.settings = source.place
    source.save()
    assert "The visit counts when it has said so." in client.get(PAGE).content.decode()


def test_a_card_of_several_customers_is_not_offered_to_be_enrolled(
    client: Client, till: Till, tapped: Tapped
) -> None:
    tap = tapped("blank", "unknown")
    answer = CrmAnswer.objects.create(
        program=till.shop.program, card=tap.data, state="ambiguous", fetched_at=tap.received_at
    )
    assert board(till).view == "ambiguous"
    page = client.get(PAGE).content.decode()
    assert "A card of several customers" in page
    assert "Enrol this card" not in page
    answer.state = "none"
    answer.save()
    assert board(till).view == "new"


def test_a_member_s_screen_has_name_language_and_card(client: Client, tapped: Tapped) -> None:
    tapped("dariush", "ok")
    page = client.get(PAGE).content.decode()
    assert '<bdi dir="auto" lang="fa">داریوش کریمی</bdi>' in page
    assert '<bdi class="uid" dir="ltr">…A8B9</bdi>' in page
    assert UIDS["dariush"] not in page


def test_a_name_is_never_markup(client: Client, tapped: Tapped) -> None:
    tap = tapped("ana", "ok")
    tap.member.name = '<script>alert("x")</script>'
    tap.member.save()
    page = client.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_tap_of_a_while_ago_is_no_longer_the_person_at_the_till(
    till: Till, tapped: Tapped
) -> None:
    tapped("ana", "ok", ago_s=LONG_S)
    shown = board(till)
    assert shown.view == "waiting"
    assert [line.name for line in shown.earlier] == ["Ana Hoxha"]


def test_a_tap_that_waited_in_the_reader_for_long_does_not_hide_who_is_here(
    till: Till, tapped: Tapped
) -> None:
    tapped("eleni", "ok", ago_s=1)
    before = board(till).key
    tapped("ana", "ok", queued_s=LONG_S)
    shown = board(till)
    assert shown.member and shown.member.name == "Ελένη Παππά"
    assert [line.name for line in shown.earlier] == ["Ana Hoxha"]
    assert shown.key != before, "the screen must be drawn anew"


def test_a_tap_that_waited_briefly_is_shown_and_says_so(
    client: Client, till: Till, tapped: Tapped
) -> None:
    tapped("ana", "ok", queued_s=30)
    assert board(till).view == "accepted"
    assert "This tap waited in the reader" in client.get(PAGE).content.decode()


def test_other_tills_do_not_show_it(till: Till, tapped: Tapped) -> None:
    tapped("ana", "ok")
    other = Till.objects.create(shop=till.shop, slug="till-2", name="Till 2")
    assert board(other).view == "waiting"
    assert board(other).earlier == ()


def test_what_came_before_is_kept_short(till: Till, tapped: Tapped) -> None:
    for ago_s in range(20, 0, -1):
        tapped("ana", "ok", ago_s=ago_s)
    assert len(board(till).earlier) == 4


def test_what_came_while_a_page_was_away_is_listed_and_nothing_twice(
    till: Till, tapped: Tapped
) -> None:
    known = tapped("grace", "ok", ago_s=50)
    for ago_s, key in ((40, "ana"), (30, "eleni"), (20, "dariush"), (10, "ana")):
        tapped(key, "ok", ago_s=ago_s)
    shown = board(till, gap=Gap(known.pk, known.pk + 4))
    assert shown.member
    assert shown.member.name == "Ana Hoxha"
    assert [line.name for line in shown.missed] == ["داریوش کریمی", "Ελένη Παππά", "Ana Hoxha"]
    assert [line.name for line in shown.earlier] == ["Grace Miller"]
    assert (shown.missed_count, shown.missed_more, shown.newest) == (3, 0, known.pk + 4)
    assert shown.key != board(till).key
    assert board(till, gap=Gap(shown.newest, shown.newest)).missed == ()


def test_what_came_after_the_page_was_back_was_not_missed(till: Till, tapped: Tapped) -> None:
    known = tapped("grace", "ok", ago_s=50)
    missed = tapped("boris", "blocked", ago_s=40)
    tapped("eleni", "ok", ago_s=20)
    tapped("ana", "ok", ago_s=10)
    shown = board(till, gap=Gap(known.pk, missed.pk))
    assert [line.name for line in shown.since] == ["Ελένη Παππά"]
    assert [line.name for line in shown.missed] == ["Борис Орлов"]
    assert [line.name for line in shown.earlier] == ["Grace Miller"]


def test_of_very_many_that_were_missed_the_last_are_listed_and_the_others_counted(
    till: Till, tapped: Tapped
) -> None:
    known = tapped("ana", "ok", ago_s=500)
    for ago_s in range(60, 10, -1):
        tapped("ana", "ok", ago_s=ago_s)
    shown = board(till, gap=Gap(known.pk, known.pk + 50))
    assert (len(shown.missed), shown.missed_more) == (MISSED, 49 - MISSED)
    assert shown.earlier == ()


def test_what_was_missed_is_counted_however_much_came_since(till: Till, tapped: Tapped) -> None:
    known = tapped("ana", "ok", ago_s=500)
    for ago_s in range(60, 0, -1):
        tapped("ana", "ok", ago_s=ago_s)
    shown = board(till, gap=Gap(known.pk, known.pk + 10))
    assert (len(shown.missed), shown.missed_more, len(shown.since)) == (10, 0, 4)
    assert shown.earlier == ()


def test_taps_that_waited_stand_where_they_happened(till: Till, tapped: Tapped) -> None:
    known = tapped("grace", "ok", ago_s=100)
    tapped("eleni", "ok", ago_s=20)
    tapped("dariush", "ok", ago_s=10, queued_s=50)  # held to the reader before Eleni came
    tapped("ana", "ok", ago_s=5)
    shown = board(till, gap=Gap(known.pk, known.pk + 3))
    assert [line.name for line in shown.missed] == ["Ελένη Παππά", "داریوش کریمی"]
    assert (shown.missed[0].at - shown.missed[1].at).total_seconds() == pytest.approx(40, abs=1)


def test_what_is_said_of_days_is_drawn_anew_the_next_day(till: Till, tapped: Tapped) -> None:
    tapped("ana", "ok", ago_s=LONG_S)
    now = dt.datetime.now(dt.UTC)
    assert board(till, now).key != board(till, now + dt.timedelta(days=1)).key
