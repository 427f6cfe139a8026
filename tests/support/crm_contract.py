"""What every adapter of a foreign CRM has to do, as tests that each runs on its own real CRM.

They are those of `support.crm_every`, which our own store passes too, and what only another CRM is
asked for: its fields, its own numbers, what is made and listed there, keys, slowness and nonsense.

A test module of an adapter derives a class from `CrmContract` and overrides one fixture:

    class TestTryton(CrmContract):
        @pytest.fixture
        def server(self, tryton: TrytonServer) -> CrmServer:
            return tryton
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol
from urllib.parse import urlsplit

import pytest

from besnik.crm import web
from besnik.crm.foreign import (
    Ambiguous,
    CrmAnswerError,
    CrmAwayError,
    CrmRefusedError,
    Customer,
    Delivered,
    ForeignCrm,
    NewCustomer,
    Page,
)
from support.crm_every import EveryCrm, ForeignRecords, Records
from support.crm_visits import new_card, new_event, visit
from support.proxy import Proxy

_GIVEN_UP_S: Final = 2.0
_STALLED_S: Final = 3.0


class CrmServer(Protocol):
    """A real CRM, what people do in it, and what happens to it. Its methods block."""

    # The name of a field of customers that ``add`` fills with ``shown``.
    field: str

    @property
    def url(self) -> str:
        """Where it is: ``http://127.0.0.1:1234``."""

    def open(self, *, url: str = "", key: str = "") -> ForeignCrm:
        """Return the adapter as a shop has it; ``url`` and ``key`` take the place of the real ones.

        ``url`` is that of a server: ``http://127.0.0.1:1234``.
        """

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the adapters of this test list customers by twos."""

    def add(self, name: str, *cards: str, shown: str = "") -> str:
        """Make a customer there, past the adapter; return its id."""

    def remove(self, customer: str) -> None:
        """Delete a customer there."""

    def events(self, customer: str) -> list[str]:
        """Return the ids of the events on a customer's record, as a person would read them."""

    def stop(self) -> None:
        """End the server."""

    def start(self) -> None:
        """Start it again at the same address with the same data."""


def outcomes(delivered: list[Delivered] | tuple[Delivered, ...]) -> list[str]:
    """Return the outcomes."""
    return [each.outcome for each in delivered]


@contextlib.contextmanager
def says(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the address of a server that answers everything with the same."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Yield the address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class CrmContract(EveryCrm):
    """The tests; ``server`` is what a derived class overrides."""

    @pytest.fixture
    def server(self) -> CrmServer:
        """The real CRM of this adapter, running."""
        raise NotImplementedError

    @pytest.fixture
    async def crm(self, server: CrmServer) -> AsyncIterator[ForeignCrm]:
        """The adapter on it."""
        adapter = server.open()
        yield adapter
        await adapter.aclose()

    @pytest.fixture
    def records(self, crm: ForeignCrm, server: CrmServer) -> Records:
        """See EveryCrm."""
        return ForeignRecords(crm, server)

    async def test_a_card_is_found_with_the_fields_asked_for(
        self, crm: ForeignCrm, server: CrmServer
    ) -> None:
        card, second, other = new_card(), new_card(), new_card()
        anna = server.add("Anna Arben", card, second, shown="likes tea")
        server.add("Ben Other", other, shown="likes coffee")
        found = await crm.lookup_many([card], [server.field])
        assert found.keys() == {card}
        customer = found[card]
        assert isinstance(customer, Customer)
        assert (customer.id, customer.name) == (anna, "Anna Arben")
        assert customer.fields == {server.field: "likes tea"}
        assert {card} <= set(customer.cards) <= {card, second}

    async def test_a_card_of_two_customers_is_ambiguous(
        self, crm: ForeignCrm, server: CrmServer
    ) -> None:
        card, clear = new_card(), new_card()
        ids = {server.add("Anna Arben", card), server.add("Anna Arben", card)}
        server.add("Ben", clear)
        found = await crm.lookup_many([card, clear], [])
        twice = found[card]
        assert isinstance(twice, Ambiguous)
        assert set(twice.ids) == ids
        assert isinstance(found[clear], Customer)

    async def test_customers_are_read_again_by_their_ids(
        self, crm: ForeignCrm, server: CrmServer
    ) -> None:
        anna = server.add("Anna Arben", new_card(), shown="likes tea")
        gone = server.add("Gone", new_card())
        server.remove(gone)
        read = await crm.refresh([anna, gone], [server.field])
        assert read.keys() == {anna}
        assert (read[anna].name, read[anna].fields) == ("Anna Arben", {server.field: "likes tea"})

    async def test_visits_are_written_under_their_own_ids(
        self, crm: ForeignCrm, server: CrmServer
    ) -> None:
        anna, ben = server.add("Anna Arben", new_card()), server.add("Ben", new_card())
        first, second, third = new_event(), new_event(), new_event()
        visits = [visit(anna, first), visit(ben, second), visit(anna, third, points=-20)]
        done = await crm.record_visits(visits, again=False)
        assert [each.event_id for each in done] == [first, second, third]
        assert outcomes([*done]) == ["done", "done", "done"]
        assert sorted(server.events(anna)) == sorted([first, third])
        assert server.events(ben) == [second]

    async def test_a_visit_that_is_written_late_is_there_once(
        self, crm: ForeignCrm, server: CrmServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A request stalls on its way, is given up here, and arrives all the same."""
        able = crm.capabilities
        assert able.idempotent_writes or able.late_s == 0 or able.late_s >= 6 * web.TOTAL_S
        anna, event = server.add("Anna Arben", new_card()), new_event()
        monkeypatch.setattr(web, "TOTAL_S", _GIVEN_UP_S)
        with Proxy(urlsplit(server.url).port or 0) as line:
            slow = server.open(url=f"http://127.0.0.1:{line.port}")
            await slow.record_visits([], again=False)
            assert (await slow.health()).ok, "it has a connection, and is let in"
            line.delay_s = _STALLED_S
            with pytest.raises(CrmAwayError):
                await slow.record_visits([visit(anna, event)], again=False)
            # What the CRM's server takes for it at most is over, by what the adapter says of it.
            await asyncio.sleep(_STALLED_S)
            await slow.aclose()
        await crm.record_visits([visit(anna, event)], again=True)
        assert server.events(anna) == [event]

    async def test_one_visit_of_nobody_does_not_stop_the_others(
        self, crm: ForeignCrm, server: CrmServer
    ) -> None:
        anna, gone = server.add("Anna Arben", new_card()), server.add("Gone", new_card())
        server.remove(gone)
        first, lost, last = new_event(), new_event(), new_event()
        visits = [visit(anna, first), visit(gone, lost), visit(anna, last)]
        done = await crm.record_visits(visits, again=False)
        assert outcomes([*done]) == ["done", "refused", "done"]
        assert done[1].why
        assert sorted(server.events(anna)) == sorted([first, last])

    async def test_a_member_enrolled_here_is_made_there_once(self, crm: ForeignCrm) -> None:
        if not crm.capabilities.can_create:
            pytest.skip("this adapter says that it makes no customers")
        card, event = new_card(), f"m{new_event()}"
        new = NewCustomer(event, "Céline O'Neill", (card,), "+35569123456", "celine@example.com")
        (made,) = await crm.create_customers([new], again=False)
        assert (made.event_id, made.outcome, bool(made.customer)) == (event, "done", True)
        found = (await crm.lookup_many([card], []))[card]
        assert isinstance(found, Customer)
        assert (found.id, found.name) == (made.customer, "Céline O'Neill")
        (again,) = await crm.create_customers([new], again=True)
        assert (again.outcome, again.customer) == ("already", made.customer)
        assert isinstance((await crm.lookup_many([card], []))[card], Customer)

    async def test_customers_are_listed_in_pages(
        self, crm: ForeignCrm, server: CrmServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not crm.capabilities.can_list:
            pytest.skip("this adapter says that it lists no customers")
        server.small_pages(monkeypatch)
        cards = {server.add(f"Listed {number}", card): card for number, card in _cards(5)}
        seen: list[Customer] = []
        page = Page((), "")
        while page.after is not None:
            page = await crm.list_customers(page.after or None, [])
            seen += page.customers
            assert len(page.customers) <= 2
        listed = {each.id: each for each in seen}
        assert len(listed) == len(seen), "nobody twice"
        assert {id_: listed[id_].cards for id_ in cards} == {
            id_: (card,) for id_, card in cards.items()
        }

    async def test_it_says_which_fields_there_are(self, crm: ForeignCrm, server: CrmServer) -> None:
        fields = {each.name: each for each in await crm.describe()}
        assert fields[server.field].label

    async def test_what_the_owner_fills_in_has_names_and_one_secret_at_least(
        self, crm: ForeignCrm
    ) -> None:
        settings = type(crm).asks_for()
        assert len({each.name for each in settings}) == len(settings)
        assert all(each.label for each in settings)
        assert any(each.is_secret for each in settings)

    async def test_a_wrong_key_is_refused(self, server: CrmServer) -> None:
        crm = server.open(key="0123456789abcdef")
        with pytest.raises(CrmRefusedError) as caught:
            await crm.lookup_many([new_card()], [])
        assert "0123456789abcdef" not in str(caught.value)
        health = await crm.health()
        assert not health.ok
        assert health.why
        await crm.aclose()

    async def test_silence_ends_with_its_time(
        self, server: CrmServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(web, "TOTAL_S", 0.3)
        with silent() as url:
            crm = server.open(url=url)
            began = time.monotonic()
            with pytest.raises(CrmAwayError):
                await crm.lookup_many([new_card()], [])
            assert time.monotonic() - began < 5
            await crm.aclose()

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"7", b"null", b'{"a":', b""])
    async def test_nonsense_is_named(self, server: CrmServer, body: bytes) -> None:
        with says(200, body) as url:
            crm = server.open(url=url)
            with pytest.raises(CrmAnswerError):
                await crm.lookup_many([new_card()], [])
            assert not (await crm.health()).ok
            await crm.aclose()

    async def test_too_many_requests_come_back_later(self, server: CrmServer) -> None:
        with says(429, b"{}", {"Retry-After": "17"}) as url:
            crm = server.open(url=url)
            with pytest.raises(CrmAwayError) as caught:
                await crm.lookup_many([new_card()], [])
            assert caught.value.retry_after_s == 17
            await crm.aclose()

    async def test_a_server_that_fails_is_away(self, server: CrmServer) -> None:
        with says(500, b"oops") as url:
            crm = server.open(url=url)
            with pytest.raises(CrmAwayError):
                await crm.record_visits([visit("1", new_event())], again=False)
            await crm.aclose()


def _cards(count: int) -> list[tuple[int, str]]:
    return [(number, new_card()) for number in range(count)]
