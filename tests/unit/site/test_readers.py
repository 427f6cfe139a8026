"""The owner's page of readers: each fault with what to do, in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from besnik import demo
from besnik.site.views.readers import ReadersScreen
from besnik.store.models import Staff

from .conftest import Tapped

if TYPE_CHECKING:
    from besnik.store.models import Reader

Said = Callable[..., "Reader"]


@pytest.fixture
def said(orm: str) -> Said:
    """Writes what a reader says about itself; by default that all is well."""
    from besnik.store.models import Reader, ReaderHealth, ReaderInfo, ReaderState

    def write(slug: str = demo.READER, state: str = "online", **changes: Any) -> Reader:
        now = timezone.now()
        first = Reader.objects.get(slug=demo.READER)
        reader, _ = Reader.objects.get_or_create(
            slug=slug, defaults={"shop": first.shop, "till": first.till, "name": slug.title()}
        )
        since = now - dt.timedelta(hours=3)
        ReaderState.objects.create(reader=reader, state=state, boot=7, since=since)
        info = {name: changes.pop(name) for name in ("reset_cause",) if name in changes}
        made_of = {"firmware": "0.1.0", "umqtt": "1.3.4", "micropython": "1.27.0", "reset_cause": 1}
        ReaderInfo.objects.create(
            reader=reader, boot=7, config_version=1, since=since, **(made_of | info)
        )
        well = {
            "at": now - dt.timedelta(seconds=20),
            "up_s": 10_800,
            "rssi_dbm": -61,
            "heap_free": 30_720,
            "outbox": 0,
            "outbox_dropped": 0,
            "reconnects": 1,
            "rc522_recoveries": 0,
            "verdict_ms": 42,
        }
        ago = {key: now - past for key, past in changes.items() if isinstance(past, dt.timedelta)}
        ReaderHealth.objects.create(reader=reader, **(well | changes | ago))
        return reader

    return write


def shown(client: Client, language: str = "en") -> str:
    """Return the page's text, without markup."""
    page = client.get("/readers/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace(" .", ".")


def test_a_reader_that_is_well(client: Client, said: Said, tapped: Tapped) -> None:
    said()
    tapped("ana", "ok", ago_s=190)
    text = shown(client)
    for part in (
        "All is well",
        "1 of 1 reader is on line.",
        "On line 3 hours ago",
        "Last tap 3 minutes ago",
        "Taps that wait in it 0",
        "Last answer took 42 ms",
        "Wi-Fi signal good -61 dBm",
        "Card chip restarted 0 times",
        "Connected again 1 time",
        "Free memory 30 KB",
        "Running for 3 hours",
        "Started by power",
        "Besnik 0.1.0 · MicroPython 1.27.0 · umqtt 1.3.4",
        "It said so just now",
    ):
        assert part in text


def test_a_shop_without_readers_says_what_comes_next(client: Client) -> None:
    from besnik.store.models import Reader

    Reader.objects.all().delete()
    assert "There is no reader yet Your technician adds one" in shown(client)


def test_a_reader_that_never_came(client: Client, orm: str) -> None:
    text = shown(client)
    assert "1 reader needs you" in text
    assert "Never seen This reader has never connected. Switch it on." in text


HOUR_AGO = {"at": dt.timedelta(hours=1)}
WAITING = {"outbox": 3, "outbox_since": dt.timedelta(minutes=12, seconds=5)}


@pytest.mark.parametrize(
    ("changes", "what", "to_do"),
    [
        ({"state": "lost"}, "The connection to this reader is lost.", "power and that its Wi-Fi"),
        (HOUR_AGO, "It says that it is on line, and nothing else", "switch it off and on."),
        ({"outbox_dropped": 5}, "5 taps were lost:", "why it could not send for so long."),
        ({"reset_cause": 3}, "It hung and started itself again.", "Update its firmware."),
        (WAITING, "3 taps wait in the reader. So it has been for 12 minutes.", "They are safe"),
        ({"rc522_recoveries": 7}, "chip had to be restarted 7 times.", "power of the RC522"),
        ({"reconnects": 30}, "It lost its connection 30 times.", "Two readers with one name"),
        ({"rssi_dbm": -85}, "The Wi-Fi is weak.", "closer together"),
        ({"verdict_ms": 1900}, "The last answer took 1,900 ms.", "machine with the bridge"),
        ({"heap_free": 100}, "It is short of memory.", "Restart it at a quiet moment"),
    ],
)
def test_each_fault_says_what_to_do(
    client: Client, said: Said, changes: dict[str, Any], what: str, to_do: str
) -> None:
    said(**changes)
    text = shown(client)
    assert "1 reader needs you" in text
    assert to_do in text[text.index(what) :]


def test_a_reader_that_was_switched_off_is_no_fault(client: Client, said: Said) -> None:
    said(state="offline")
    text = shown(client)
    assert "All is well" in text
    assert "Switched off 3 hours ago It was stopped in order." in text


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("ru", ["5 касаний потеряно", "2 часа", "3 часа назад", "ждут 3 касания"]),
        ("fa", ["۵ خوانش", "-۸۵ dBm", "۳ ساعت پیش"]),
        ("sq", ["5 lexime", "3 orë më parë"]),
        ("el", ["5 αναγνώσεις", "πριν από 3 ώρες"]),
    ],
)
def test_numbers_and_times_are_written_as_in_each_language(
    client: Client, said: Said, language: str, parts: list[str]
) -> None:
    said(outbox_dropped=5, up_s=7300, rssi_dbm=-85, **WAITING)
    text = shown(client, language)
    for part in parts:
        assert part in text


def test_a_name_is_never_markup(client: Client, said: Said) -> None:
    reader = said()
    reader.name = "<script>alert(1)</script>"
    reader.save()
    assert "<script>alert" not in client.get("/readers/").content.decode()


def test_the_number_of_queries_does_not_depend_on_the_number_of_readers(
    client: Client, said: Said
) -> None:
    said()
    counts = []
    for number in (2, 12):
        for more in range(number, number + 5):
            said(f"reader-{more}")
        with CaptureQueriesContext(connection) as queries:
            client.get("/readers/")
        counts.append(len(queries))
    assert counts == [4, 4]  # session, person, shops, readers


def test_the_stream_tells_the_list_first_and_then_only_what_changed(
    said: Said, tapped: Tapped
) -> None:
    from besnik.store.models import Reader, ReaderHealth

    said()
    said("reader-2")
    screen = ReadersScreen(Staff.objects.get(role="owner"), "en")
    (first,) = screen.look()
    assert first.startswith(b"event: list\n")
    assert screen.look() == []
    ReaderHealth.objects.filter(reader__slug="reader-2").update(at=timezone.now(), verdict_ms=99)
    reader, total, plan = screen.look()
    assert reader.startswith(b"event: reader\n")
    assert b"99 ms" in reader
    assert b"reader-2" in reader
    assert total.startswith(b"event: summary\n")
    assert plan.startswith(b"event: map\n")
    Reader.objects.create(
        slug="reader-3",
        name="Three",
        shop=Reader.objects.first().shop,  # type: ignore[union-attr]  # there is one
        till=Reader.objects.first().till,  # type: ignore[union-attr]  # there is one
    )
    (whole,) = screen.look()
    assert whole.startswith(b"event: list\n")
