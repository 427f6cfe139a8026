"""Every address by every role: who gets in, who is asked to log in, who is told whom to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from besnik import demo
from besnik.site import access, sessions
from besnik.site.access import Access
from besnik.store import staff
from besnik.store.models import Member, Program, Reader, Role, Shop, Staff, Tap, Till

from .conftest import LogIn, Tapped

ROLES = ("", *Role.values)
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
# What stands for a parameter whose name says nothing: nothing is found by it.
PLAIN = {"int": "999999", "uuid": "00000000-0000-4000-8000-000000000000"}
FETCH = {"X-Requested-With": "fetch"}


class Page(NamedTuple):
    """A view's address in the pattern's words, and what it asks."""

    route: str
    access: Access | None
    module: str

    def address(self, known: dict[str, str]) -> str:
        """Return an address with values for its parameters."""

        def value(found: re.Match[str]) -> str:
            kind, name = found.groups()
            plain = PLAIN.get(kind or "", "x")
            return known.get(f"{kind}:{name}", plain if kind == "int" else known.get(name, plain))

        return "/" + PARAMETER.sub(value, self.route)


def pages(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[Page]:
    """Yield every view of urls.py and of what that includes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns, route)
        else:
            view = pattern.callback
            yield Page(route, getattr(view, "access", None), view.__module__)


def is_api(page: Page) -> bool:
    """Tell whether a key opens the page, not a session: those of the tills' API."""
    return page.module.startswith("ninja.")


@pytest.fixture
def known(tapped: Tapped) -> dict[str, str]:
    """Values for parameters, of things that are there."""
    ana = Member.objects.get(name="Ana Hoxha")
    return {
        "shop": demo.SHOP,
        "till": demo.TILL,
        "reader": demo.READER,
        "member": ana.ref,
        "ref": ana.ref,
        "card": "ana",
        "int:tap": str(tapped("blank", "unknown").pk),
        "int:person": str(Staff.objects.get(role="cashier").pk),
        "int:card": str(ana.cards.get().pk),
        "int:shop": str(Shop.objects.get(slug=demo.SHOP).pk),
        "int:till": str(Till.objects.get(slug=demo.TILL).pk),
        "int:reader": str(Reader.objects.get(slug=demo.READER).pk),
    }


def test_every_address_is_that_of_its_view(known: dict[str, str]) -> None:
    for page in pages():
        assert resolve(page.address(known)).route.replace("$", "") == page.route, page


def test_every_view_says_who_may_open_it() -> None:
    found = list(pages())
    assert len(found) > 15
    silent = [page.route for page in found if page.access is None and not is_api(page)]
    assert silent == [], "put @need(Role...) or @public of besnik.site.access on these"


@pytest.mark.parametrize("role", ROLES)
def test_every_address_by_every_role(
    anonymous: Client, log_in: LogIn, known: dict[str, str], role: str
) -> None:
    client = log_in(role) if role else anonymous
    client.raise_request_exception = False
    person = Staff.objects.get(role=role) if role else None
    wrong = [
        f"{method} {page.address(known)}: {found} instead of {wanted}"
        for page in pages()
        if page.access is not None
        for method in ("GET", "POST")
        if (wanted := expected(page.access, person, method))
        for found in [answered(client, method, page.address(known), wanted)]
        if found != wanted
    ]
    assert wrong == []


def expected(asks: Access, person: Staff | None, method: str) -> str:
    """Return what the page has to do; "" if that is not looked at."""
    if asks.role is not None and person is None:
        return "log in"
    if person is not None and not asks.admits(person, method):
        return "refused"
    # Who may send something is not made to: it would be done.
    return "let in" if method == "GET" else ""


def answered(client: Client, method: str, address: str, wanted: str) -> str:
    answer = client.generic(method, address, headers={"Accept": "text/html"})
    if answer.status_code == 302 and answer["Location"].startswith("/login?next="):
        # A script is told in words and numbers.
        scripted = client.generic(method, address, headers=FETCH)
        return "log in" if scripted.status_code == 401 else f"{scripted.status_code} by script"
    if answer.status_code == 403:
        text = answer.content.decode() if wanted == "refused" else ""
        return "refused" if "Please ask" in text else f"403 {text[:80]}"
    return "let in" if answer.status_code < 500 else str(answer.status_code)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("cashier", "This is for managers and owners. Please ask one of them."),
        ("lead", "This is for managers and owners. Please ask one of them."),
    ],
)
def test_who_is_refused_is_told_whom_to_ask(log_in: LogIn, role: str, words: str) -> None:
    client = log_in(role)
    answer = client.get("/readers/", headers={"Accept": "text/html"})
    assert (answer.status_code, words in answer.content.decode()) == (403, True)
    answer = client.get("/readers/", headers=FETCH)
    assert (answer.status_code, answer.content.decode()) == (403, words)


def test_an_auditor_reads_and_sends_nothing(log_in: LogIn, known: dict[str, str]) -> None:
    auditor = log_in("auditor")
    till = f"/cashier/{demo.SHOP}/{demo.TILL}/"
    assert auditor.get(till).status_code == 200
    answer = auditor.post(
        f"{till}taps/{known['int:tap']}/enrol", {"name": "Nora", "language": "en"}
    )
    assert answer.status_code == 403
    assert not Member.objects.filter(name="Nora").exists()


def test_a_form_that_was_sent_too_late_leads_back_to_its_page(anonymous: Client) -> None:
    answer = anonymous.post(
        f"/cashier/{demo.SHOP}/{demo.TILL}/taps/1/enrol",
        {"name": "Nora"},
        headers={"Referer": "http://localhost/cashier/corner/till-1/", "Accept": "text/html"},
    )
    assert answer["Location"].endswith("next=http%3A%2F%2Flocalhost%2Fcashier%2Fcorner%2Ftill-1%2F")


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_stream_and_a_script_get_401_and_no_page(anonymous: Client, kind: str) -> None:
    answer = anonymous.get(f"/cashier/{demo.SHOP}/{demo.TILL}/events", headers={"Accept": kind})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]
    assert answer.content.decode() == "You are no longer logged in. Please log in again."


class Elsewhere(NamedTuple):
    """Another program with everything of its own."""

    program: Program
    shop: Shop
    till: Till
    reader: Reader


@pytest.fixture
def elsewhere(orm: str) -> Elsewhere:
    program = Program.objects.create(name="Elsewhere")
    shop = Shop.objects.create(program=program, slug="elsewhere", name="Elsewhere")
    till = Till.objects.create(shop=shop, slug="till-7", name="Till 7")
    reader = Reader.objects.create(shop=shop, till=till, slug="reader-7", name="Reader 7")
    return Elsewhere(program, shop, till, reader)


def browser_of(person: Staff) -> Client:
    client = Client(HTTP_HOST="localhost")
    client.force_login(person)
    return client


def worker(program: Program, role: str, *shops: Shop) -> Staff:
    made, _ = staff.add(program, username=f"new-{role}", name="New", role=role, shops=shops)
    Staff.objects.filter(pk=made.pk).update(must_change=False)
    return Staff.objects.get(pk=made.pk)


def test_another_program_s_things_are_not_there(
    elsewhere: Elsewhere, known: dict[str, str], log_in: LogIn
) -> None:
    stranger = browser_of(worker(elsewhere.program, "owner"))
    rows = {name.rpartition(":")[2] for name in known}
    named = [page for page in pages() if rows & {name for _, name in PARAMETER.findall(page.route)}]
    shown = [
        f"{page.route}: {answer.status_code}"
        for page in named
        if page.access and page.access.role is not None
        for answer in [stranger.get(page.address(known), headers={"Accept": "text/html"})]
        if answer.status_code not in (404, 405)
    ]
    assert shown == []
    assert stranger.get("/cashier/elsewhere/till-7/").status_code == 200
    assert "Counter 1" not in stranger.get("/readers/").content.decode()
    assert "Reader 7" not in log_in("owner").get("/readers/").content.decode()
    assert demo.TILL not in stranger.get("/").content.decode()


def test_another_shop_s_things_are_not_there(elsewhere: Elsewhere, tapped: Tapped) -> None:
    here = Shop.objects.get(slug=demo.SHOP)
    there = Shop.objects.create(program=here.program, slug="there", name="There")
    Till.objects.create(shop=there, slug="till-8", name="Till 8")
    cashier = browser_of(worker(here.program, "cashier", there))
    assert cashier.get("/cashier/there/till-8/").status_code == 200
    tap = tapped("blank", "unknown")
    for path in ("", "events"):
        assert cashier.get(f"/cashier/{demo.SHOP}/{demo.TILL}/{path}").status_code == 404
    answer = cashier.post(
        f"/cashier/{demo.SHOP}/{demo.TILL}/taps/{tap.pk}/enrol", {"name": "N", "language": "en"}
    )
    assert answer.status_code == 404
    # Nor by way of one's own till.
    answer = cashier.post(
        f"/cashier/there/till-8/taps/{tap.pk}/enrol", {"name": "N", "language": "en"}
    )
    assert answer.status_code == 404
    assert Tap.objects.get(pk=tap.pk).member is None
    manager = browser_of(worker(here.program, "manager", there))
    assert "Counter 1" not in manager.get("/readers/").content.decode()


def test_what_a_person_sees_is_of_their_shops(elsewhere: Elsewhere) -> None:
    here = Shop.objects.get(slug=demo.SHOP)
    there = Shop.objects.create(program=here.program, slug="there", name="There")
    everywhere = Staff.objects.get(role="cashier")
    assert set(access.shops_of(everywhere)) == {here, there}
    everywhere.shops.add(there)
    assert set(access.shops_of(everywhere)) == {there}
    assert set(access.tills_of(everywhere)) == set()
    everywhere.shops.add(elsewhere.shop)  # a mistake in the database opens nothing
    assert set(access.shops_of(everywhere)) == {there}
    everywhere.shops.set([elsewhere.shop])
    assert set(access.shops_of(everywhere)) == set()


class TestSomebodyWhoWasLetGo:
    """Sessions end at once, open streams within a few seconds."""

    @pytest.fixture
    def changed(self, log_in: LogIn) -> Any:
        assert log_in  # the database is there
        owner = Staff.objects.get(role="owner")
        here = Shop.objects.get(slug=demo.SHOP)
        return {
            "deactivate": lambda who: staff.deactivate(who, by=owner),
            "reset": lambda who: staff.reset_password(who, by=owner),
            "change": lambda who: staff.change(
                who, by=owner, name=who.name, role="cashier", shops=[here]
            ),
        }

    @pytest.mark.parametrize("how", ["deactivate", "reset", "change"])
    def test_is_logged_out(self, log_in: LogIn, changed: Any, how: str) -> None:
        client = log_in("lead")
        key = client.cookies["session"].value
        assert isinstance(sessions.still_there(key), Staff)
        changed[how](Staff.objects.get(role="lead"))
        assert client.get("/").status_code == 302
        assert not isinstance(sessions.still_there(key), Staff)

    async def test_sees_no_more_of_an_open_stream(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(access, "CHECK_S", -1.0)
        is_there = [True, True, False]
        monkeypatch.setattr(access, "_still_admitted", lambda *_: is_there.pop(0))

        async def lines() -> Any:
            while True:
                yield b"board"

        request = HttpRequest()
        request.session = sessions.SessionStore("key")
        person = Staff(pk=1, role="cashier")
        stream = access._while_there(request, person, Access(Role.CASHIER), lines())
        assert [line async for line in stream] == [
            b"board",
            b"board",
            b"event: login\ndata: null\n\n",
        ]

    def test_is_not_admitted_to_a_stream_any_more(self, log_in: LogIn, changed: Any) -> None:
        lead = Staff.objects.get(role="lead")
        key = log_in("lead").cookies["session"].value
        asks = Access(Role.CASHIER)
        assert access._still_admitted(key, lead.pk, asks)
        assert not access._still_admitted(key, lead.pk + 1, asks)
        assert not access._still_admitted(key, lead.pk, Access(Role.MANAGER))
        changed["deactivate"](lead)
        assert not access._still_admitted(key, lead.pk, asks)
