"""Enrolment: what is accepted, what is asked again, and what is refused."""

from __future__ import annotations

import pytest
from django.test import Client

from besnik import demo
from besnik.site.board import board
from besnik.store.models import Card, Member, Shop, Tap, Till

from .conftest import UIDS, LogIn, Tapped

SCRIPT = {"X-Requested-With": "fetch"}


def address(tap: Tap, till: str = demo.TILL) -> str:
    return f"/cashier/{demo.SHOP}/{till}/taps/{tap.pk}/enrol"


@pytest.fixture
def tap(tapped: Tapped) -> Tap:
    """The second read of a card that nobody has: it agrees with the first."""
    tapped("blank", "unknown")
    return tapped("blank", "unknown")


def test_a_new_card_gets_a_member(client: Client, tap: Tap) -> None:
    answer = client.post(address(tap), {"name": "Nora Dema", "language": "sq"}, headers=SCRIPT)
    assert answer.status_code == 200
    assert "Nora Dema is enrolled." in answer.content.decode()
    card = Card.objects.get(data=UIDS["blank"])
    assert (card.member.name, card.member.language, card.state) == ("Nora Dema", "sq", "active")
    shown = board(Till.objects.get())
    assert shown.view == "enrolled"
    assert shown.member and shown.member.name == "Nora Dema"


def test_without_script_the_page_itself_comes_back(client: Client, tap: Tap) -> None:
    answer = client.post(address(tap), {"name": " ", "language": "sq"})
    assert answer.status_code == 422
    assert "<!doctype html>" in answer.content.decode()
    assert "Please write the name." in answer.content.decode()
    answer = client.post(address(tap), {"name": "Nora", "language": "sq"})
    member = Member.objects.get(name="Nora")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/cashier/corner/till-1/members/{member.ref}/",
    )
    assert "Nora is enrolled." in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    ("name", "language", "message"),
    [
        ("", "sq", "Please write the name."),
        ("  \t ", "sq", "Please write the name."),
        ("x" * 121, "sq", "This name is too long. Please shorten it."),
        ("A\x07na", "sq", "Some characters cannot be shown. Please type the name again."),
        ("Ana", "xx", "Please choose one of the languages in the list."),
        ("Ana", "", "Please choose one of the languages in the list."),
    ],
)
def test_what_cannot_be_used_is_asked_again_with_what_was_typed(
    client: Client, tap: Tap, name: str, language: str, message: str
) -> None:
    members = Member.objects.count()
    answer = client.post(address(tap), {"name": name, "language": language}, headers=SCRIPT)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<!doctype" not in page
    assert message in page
    assert not name or f'value="{name}"' in page
    assert Member.objects.count() == members
    assert Card.objects.filter(data=UIDS["blank"]).count() == 0


def test_null_characters_are_no_name(client: Client, tap: Tap) -> None:
    answer = client.post(address(tap), {"name": "A\0na", "language": "sq"}, headers=SCRIPT)
    assert answer.status_code == 200
    assert 'class="wrong"' in answer.content.decode()


def test_a_card_that_was_read_once_is_not_sure(client: Client, tapped: Tapped) -> None:
    once = tapped("blank", "unknown")
    form = {"name": "Nora", "language": "sq"}
    page = client.post(address(once), form, headers=SCRIPT).content.decode()
    assert "Hold the same card to the reader once more" in page
    assert 'value="Nora"' in page
    assert not Card.objects.filter(data=UIDS["blank"]).exists()
    tapped("blank", "unknown")
    assert "Nora is enrolled." in client.post(address(once), form, headers=SCRIPT).content.decode()


def test_messages_are_in_the_cashier_s_language(client: Client, tap: Tap) -> None:
    answer = client.post(address(tap), {"name": ""}, headers={**SCRIPT, "Accept-Language": "fa"})
    assert "لطفاً نام را بنویسید." in answer.content.decode()


def test_a_card_enrolled_meanwhile_keeps_its_member(client: Client, tap: Tap) -> None:
    client.post(address(tap), {"name": "First", "language": "en"}, headers=SCRIPT)
    answer = client.post(address(tap), {"name": "Second", "language": "en"}, headers=SCRIPT)
    assert answer.status_code == 200
    assert "This card already belongs to a member." in answer.content.decode()
    assert Card.objects.get(data=UIDS["blank"]).member.name == "First"
    assert not Member.objects.filter(name="Second").exists()


@pytest.mark.parametrize("reason", ["ok", "blocked", "random_id", "error"])
def test_only_an_unknown_card_can_be_enrolled(client: Client, tapped: Tapped, reason: str) -> None:
    tap = tapped("phone" if reason == "random_id" else "ana", reason)
    members = Member.objects.count()
    answer = client.post(address(tap), {"name": "Nora", "language": "en"}, headers=SCRIPT)
    assert answer.status_code == 404
    assert Member.objects.count() == members


def test_a_card_can_be_enrolled_only_where_it_was_tapped(client: Client, tap: Tap) -> None:
    Till.objects.create(shop=Shop.objects.get(), slug="till-2", name="Till 2")
    answer = client.post(address(tap, "till-2"), {"name": "Nora", "language": "en"}, headers=SCRIPT)
    assert answer.status_code == 404


def test_a_form_from_elsewhere_is_refused(log_in: LogIn, tap: Tap) -> None:
    strict = log_in("cashier", enforce_csrf_checks=True)
    answer = strict.post(address(tap), {"name": "Nora", "language": "en"}, headers=SCRIPT)
    assert answer.status_code == 403
    assert not Card.objects.filter(data=UIDS["blank"]).exists()
