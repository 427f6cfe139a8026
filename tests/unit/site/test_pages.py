"""The ways in, and pages that are not there."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from besnik import demo
from besnik.store.models import Shop


@pytest.fixture
def with_counter() -> Iterator[None]:
    before = settings.BESNIK
    site = msgspec.structs.replace(before.site, counter_socket="/nowhere/control.sock")
    settings.BESNIK = msgspec.structs.replace(before, site=site)
    yield
    settings.BESNIK = before


def test_the_start_page_leads_to_every_till(client: Client) -> None:
    page = client.get("/").content.decode()
    assert f'href="/cashier/{demo.SHOP}/{demo.TILL}/"' in page
    assert "/counter/" not in page


def test_the_start_page_of_an_empty_shop_says_so(client: Client) -> None:
    shop = Shop.objects.get()
    shop.readers.all().delete()
    shop.tills.all().delete()
    assert "There is no till yet." in client.get("/").content.decode()


@pytest.mark.usefixtures("with_counter")
def test_the_start_page_leads_to_the_counter_where_there_is_one(client: Client) -> None:
    page = client.get("/").content.decode()
    assert 'href="/counter/"' in page
    assert 'href="/demo/"' in page
    for path in ("/counter/", "/demo/"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/counter/", "/counter/events", "/demo/"])
def test_without_a_virtual_counter_there_is_no_counter_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_card_cannot_be_moved_without_a_counter(client: Client) -> None:
    assert client.post("/counter/cards/ana", {"present": "yes"}).status_code == 404


@pytest.mark.usefixtures("with_counter")
def test_a_card_that_cannot_be_moved_is_an_error_with_its_reason(client: Client) -> None:
    answer = client.post("/counter/cards/ana", {"present": "yes"})
    assert answer.status_code == 503
    assert "no virtual counter at /nowhere/control.sock" in answer.json()["error"]
    answer = client.post("/counter/cards/ana", {"present": "maybe"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "present = 'maybe': must be yes or no"


@pytest.mark.parametrize(
    "path",
    [
        "/cashier/corner/till-9/",
        "/cashier/nowhere/till-1/",
        "/cashier/corner/till-9/events",
        "/nowhere",
    ],
)
def test_a_page_that_is_not_there_says_so_in_the_visitor_s_language(
    client: Client, path: str
) -> None:
    answer = client.get(path, HTTP_ACCEPT_LANGUAGE="el")
    assert answer.status_code == 404
    assert "Αυτή η σελίδα δεν υπάρχει" in answer.content.decode()


@pytest.mark.parametrize("path", ["/", f"/cashier/{demo.SHOP}/{demo.TILL}/"])
def test_pages_are_read_not_written(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
