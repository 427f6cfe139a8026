"""Logging in and out: who gets in, for how long, and what somebody learns who does not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from besnik.site import sessions
from besnik.store import staff
from besnik.store.models import AuditRecord, Program, Role, Staff

from .conftest import LogIn

SECRET = "correct horse battery"
WRONG = "User name and password do not belong together."


@pytest.fixture
def nora(orm: str) -> Staff:
    """A cashier with a password."""
    person, _ = staff.add(
        Program.objects.get(), username="nora", name="Nora Dema", role="cashier", password=SECRET
    )
    return person


def enter(client: Client, password: str = SECRET, **more: str) -> HttpResponse:
    given = {"username": "nora", "password": password} | more
    address = given.pop("address", "127.0.0.1")
    return client.post("/login", given, REMOTE_ADDR=address)  # type: ignore[return-value]


def test_the_right_password_leads_to_where_the_visitor_wanted(
    anonymous: Client, nora: Staff
) -> None:
    asked = anonymous.get("/cashier/corner/till-1/?x=1")
    assert asked.status_code == 302
    assert asked["Location"] == "/login?next=%2Fcashier%2Fcorner%2Ftill-1%2F%3Fx%3D1"
    page = anonymous.get(asked["Location"]).content.decode()
    assert 'name="next" value="/cashier/corner/till-1/?x=1"' in page
    answer = enter(anonymous, next="/cashier/corner/till-1/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/cashier/corner/till-1/?x=1")
    assert anonymous.get("/cashier/corner/till-1/").status_code == 200
    assert AuditRecord.objects.latest("pk").action == "login"


@pytest.mark.parametrize(
    "next_",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""],
)
def test_a_log_in_leads_nowhere_else(anonymous: Client, nora: Staff, next_: str) -> None:
    assert enter(anonymous, next=next_)["Location"] == "/"


def test_a_user_name_is_taken_whatever_its_case(anonymous: Client, nora: Staff) -> None:
    assert enter(anonymous, username=" Nora ").status_code == 302


def test_nobody_learns_whether_a_user_name_is_there(anonymous: Client, nora: Staff) -> None:
    gone, _ = staff.add(
        Program.objects.get(), username="gone", name="Gone", role="cashier", password=SECRET
    )
    Staff.objects.filter(pk=gone.pk).update(is_active=False)
    answers = [
        enter(anonymous, "wrong"),
        enter(anonymous, username="nobody"),
        enter(anonymous, username="gone"),
        enter(anonymous, "", username="demo-owner"),
    ]
    texts = [answer.content.decode().split("<form class")[1] for answer in answers]
    assert {answer.status_code for answer in answers} == {422}
    assert all(WRONG in text for text in texts)
    forms = {text.split('id="username"')[0].split("</p>")[-1] for text in texts}
    assert len(forms) == 1


def test_a_log_in_from_elsewhere_is_refused(nora: Staff) -> None:
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    answer = enter(strict)
    assert answer.status_code == 403
    assert "This form is too old." in answer.content.decode()
    scripted = strict.post("/login", headers={"X-Requested-With": "fetch"})
    assert scripted["Content-Type"] == "text/plain; charset=utf-8"


def test_every_log_in_makes_a_new_session(anonymous: Client, nora: Staff) -> None:
    enter(anonymous)
    first = anonymous.cookies["session"].value
    enter(anonymous)
    assert anonymous.cookies["session"].value != first
    assert Session.objects.filter(session_key=first).count() == 0


def test_the_cookie_is_kept_from_scripts_and_other_sites(anonymous: Client, nora: Staff) -> None:
    cookie = enter(anonymous).cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == sessions.LIMITS[Role.CASHIER].whole_s


def test_who_logged_out_is_out(anonymous: Client, nora: Staff) -> None:
    enter(anonymous)
    key = anonymous.cookies["session"].value
    assert anonymous.get("/logout").status_code == 405
    assert anonymous.post("/logout").status_code == 302
    anonymous.cookies["session"] = key
    assert anonymous.get("/").status_code == 302


@pytest.mark.usefixtures("nora")
class TestLockout:
    """Five wrong passwords of one person at one address, then a pause."""

    def test_after_five_even_the_right_one_waits_and_is_told_how_long(
        self, anonymous: Client
    ) -> None:
        codes = [enter(anonymous, "wrong").status_code for _ in range(5)]
        assert codes == [422] * 4 + [429]
        answer = enter(anonymous)
        assert answer.status_code == 429
        assert "That was wrong too often. Please wait 15 minutes," in answer.content.decode()
        assert 800 < int(answer["Retry-After"]) <= 900
        locked = AuditRecord.objects.filter(action="login.locked")
        assert [record.target for record in locked] == [f"staff:{Staff.objects.latest('pk').pk}"]

    def test_others_at_the_same_address_still_get_in(self, anonymous: Client) -> None:
        staff.add(
            Program.objects.get(), username="ben", name="Ben", role="cashier", password=SECRET
        )
        for _ in range(6):
            enter(anonymous, "wrong")
        assert enter(anonymous, username="ben").status_code == 302

    def test_the_same_person_still_gets_in_elsewhere(self, anonymous: Client) -> None:
        for _ in range(6):
            enter(anonymous, "wrong", address="192.0.2.7")
        assert enter(anonymous, address="192.0.2.8").status_code == 302
        assert enter(anonymous, address="192.0.2.7").status_code == 429

    def test_somebody_who_is_not_there_is_locked_out_just_the_same(self, anonymous: Client) -> None:
        codes = [enter(anonymous, username="nobody").status_code for _ in range(6)]
        assert codes == [422] * 4 + [429] * 2

    def test_other_letters_and_other_browsers_are_no_way_round(self, anonymous: Client) -> None:
        for number in range(5):
            name = "nora" if number % 2 else "NORA "
            anonymous.defaults["HTTP_USER_AGENT"] = f"browser {number}"
            enter(anonymous, "wrong", username=name)
        assert enter(anonymous).status_code == 429

    def test_the_right_one_counts_from_the_beginning_again(self, anonymous: Client) -> None:
        for _ in range(2):
            for _each in range(3):
                enter(anonymous, "wrong")
            assert enter(anonymous).status_code == 302


Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets hours pass for the limits of sessions."""
    began: list[float] = []

    def pass_(hours: float) -> None:
        # From the first time on, which is after the log-in, however long that took.
        began.append(time.time())
        now = began[0] + hours * 3600
        monkeypatch.setattr(sessions.time, "time", lambda: now)

    return pass_


class TestLimits:
    """A till stays logged in for a shift; who may change more is asked again sooner."""

    @pytest.mark.parametrize(
        ("role", "idle_h"), [("cashier", 4), ("lead", 4), ("manager", 1), ("owner", 0.5)]
    )
    def test_who_does_nothing_is_logged_out(
        self, log_in: LogIn, later: Later, role: str, idle_h: float
    ) -> None:
        client = log_in(role)
        later(idle_h - 0.1)
        assert client.get("/").status_code == 200
        later(2 * idle_h - 0.3)
        assert client.get("/").status_code == 200
        later(3 * idle_h)
        assert client.get("/").status_code == 302
        assert Session.objects.count() == 0

    @pytest.mark.parametrize(("role", "whole_h"), [("cashier", 14), ("manager", 12), ("owner", 8)])
    def test_a_shift_ends_however_much_is_done(
        self, log_in: LogIn, later: Later, role: str, whole_h: float
    ) -> None:
        client = log_in(role)
        for step in range(int(whole_h * 4)):
            later(step / 4)
            assert client.get("/").status_code == 200, step / 4
        later(whole_h)
        assert client.get("/").status_code == 302

    def test_an_open_screen_is_use_of_a_till_and_of_nothing_else(
        self, log_in: LogIn, later: Later
    ) -> None:
        till, office = log_in("cashier"), log_in("owner")
        keys = [browser.cookies["session"].value for browser in (till, office)]
        for hours in (0.3, 3, 6):
            later(hours)
            seen = [isinstance(sessions.still_there(key), Staff) for key in keys]
            assert seen == [True, hours < 0.5]
        assert till.get("/").status_code == 200

    def test_what_a_page_asks_by_itself_is_no_use(self, log_in: LogIn, later: Later) -> None:
        client = log_in("owner")
        later(0.3)
        asked = client.get("/session", headers={"X-Requested-With": "stream"})
        assert asked.json()["staff"] == Staff.objects.get(role="owner").pk
        later(0.6)
        asked = client.get("/session", headers={"X-Requested-With": "stream"})
        assert (asked.status_code, asked["WWW-Authenticate"]) == (401, 'Session realm="besnik"')


class TestPassword:
    """One's own password."""

    def test_a_password_that_somebody_else_knows_is_changed_first(self, anonymous: Client) -> None:
        _person, given = staff.add(
            Program.objects.get(), username="nora", name="Nora", role="auditor"
        )
        assert enter(anonymous, given)["Location"] == "/account/password"
        assert anonymous.get("/")["Location"] == "/account/password"
        events = anonymous.get("/readers/events", HTTP_ACCEPT="text/event-stream")
        assert events.status_code == 403
        answer = anonymous.post(
            "/account/password", {"old": given, "new": SECRET, "repeated": SECRET}
        )
        assert answer.status_code == 302
        assert anonymous.get("/").status_code == 200

    @pytest.mark.usefixtures("nora")
    def test_it_ends_every_other_session(self, anonymous: Client) -> None:
        other = Client(HTTP_HOST="localhost")
        enter(anonymous)
        enter(other)
        new = "another long secret"
        given = {"old": SECRET, "new": new, "repeated": new}
        assert anonymous.post("/account/password", given).status_code == 302
        assert anonymous.get("/").status_code == 200
        assert other.get("/").status_code == 302

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"old": "wrong"}, "This is not your present password."),
            ({"repeated": "something else"}, "This is not the same password."),
            ({"new": "short", "repeated": "short"}, "too short"),
            ({"new": "noradema12", "repeated": "noradema12"}, "too similar"),
            ({"new": "0987654321", "repeated": "0987654321"}, "entirely numeric"),
            ({"new": "password123", "repeated": "password123"}, "too common"),
            ({"new": SECRET, "repeated": SECRET}, "another password"),
        ],
    )
    def test_what_cannot_be_used_is_said(
        self, anonymous: Client, nora: Staff, given: dict[str, str], message: str
    ) -> None:
        enter(anonymous)
        new = "another long secret"
        answer = anonymous.post(
            "/account/password", {"old": SECRET, "new": new, "repeated": new} | given
        )
        assert answer.status_code == 422
        assert message in answer.content.decode()
        assert new not in answer.content.decode()
        assert Staff.objects.get(pk=nora.pk).check_password(SECRET)


def test_a_site_without_an_owner_says_how_to_make_one(anonymous: Client) -> None:
    assert "besnik staff add NAME --role owner" in anonymous.get("/login").content.decode()
    staff.add(Program.objects.get(), username="first", name="First", role="owner", password=SECRET)
    assert "besnik staff" not in anonymous.get("/login").content.decode()
