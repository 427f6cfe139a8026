"""Which language a page is in: a person's own, the browser's choice, what the browser accepts."""

from __future__ import annotations

import pytest
from django.test import Client

PASSWORD = "one that nobody guesses"
START = "/"


@pytest.mark.parametrize(
    ("accepted", "language", "direction", "skip"),
    [
        ("en-GB,en;q=0.9", "en", "ltr", "Skip to the content"),
        ("sq-AL", "sq", "ltr", "Kaloni te përmbajtja"),
        ("ru-RU,ru;q=0.9,en;q=0.5", "ru", "ltr", "Перейти к содержанию"),
        ("el", "el", "ltr", "Μετάβαση στο περιεχόμενο"),
        ("fa-IR,fa", "fa", "rtl", "رفتن به محتوا"),
        ("ja", "en", "ltr", "Skip to the content"),
    ],
)
def test_the_browser_s_language_is_used(
    client: Client, accepted: str, language: str, direction: str, skip: str
) -> None:
    page = client.get(START, HTTP_ACCEPT_LANGUAGE=accepted).content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert skip in page


def test_a_chosen_language_stays(client: Client) -> None:
    answer = client.post("/language", {"language": "el", "next": START})
    assert (answer.status_code, answer.headers["Location"]) == (302, START)
    page = client.get(START, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<html lang="el" dir="ltr">' in page


def test_a_language_switch_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language", {"language": "el", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def language_of(browser: Client, path: str = START) -> str:
    page = browser.get(path, HTTP_ACCEPT_LANGUAGE="ru").content.decode()
    return page.partition('<html lang="')[2][:2]


def log_in(browser: Client, username: str) -> None:
    answer = browser.post("/login", {"username": username, "password": PASSWORD, "next": "/"})
    assert answer.status_code == 302


def test_a_person_s_own_language_comes_before_the_browser_s_choice(anonymous: Client) -> None:
    from besnik.store.models import Staff

    staff = Staff.objects.get(username="demo-cashier")
    staff.language = "el"
    staff.set_password(PASSWORD)
    staff.save()
    anonymous.post("/language", {"language": "sq", "next": "/login"})
    assert language_of(anonymous, "/login") == "sq"
    log_in(anonymous, "demo-cashier")
    assert language_of(anonymous) == "el"


def test_without_a_language_of_one_s_own_the_browser_s_stays(anonymous: Client) -> None:
    from besnik.store.models import Staff

    staff = Staff.objects.get(username="demo-cashier")
    staff.set_password(PASSWORD)
    staff.save()
    log_in(anonymous, "demo-cashier")
    assert language_of(anonymous) == "ru"


def test_a_choice_while_logged_in_becomes_one_s_own(client: Client) -> None:
    from besnik.store.models import Staff

    client.post("/language", {"language": "fa", "next": START})
    assert Staff.objects.filter(language="fa").count() == 1
    client.post("/language", {"language": "xx", "next": START})
    assert Staff.objects.filter(language="fa").count() == 1
