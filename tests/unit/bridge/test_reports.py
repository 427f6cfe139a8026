"""What readers say about themselves reaches the database, beside the taps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from besnik.bridge import reports as bridge_reports
from besnik.bridge.intake import BadInputError, Report, read_report
from besnik.bridge.reports import Reports
from besnik.bridge.tally import Tally
from besnik.contract import Health, Info, State, encode
from support.processes import wait_until
from support.store import execute, rows, settings_for

HEALTH = Health(60, -61, 30_000, 0, 0, 2, 1, 42)
TOPIC = "besnik/v1/corner/counter-1/"


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def reports(database_url: str, tally: Tally) -> Iterator[Reports]:
    made = Reports(settings_for(database_url), tally)
    yield made
    made.stop()


def hear(reports: Reports, message: State | Info | Health, reader: str = "counter-1") -> None:
    reports.hear(Report("corner", reader, message))


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, "it is so")


def up_s(url: str) -> list[int]:
    return [row[0] for row in rows(url, "SELECT up_s FROM store_readerhealth")]


async def test_a_burst_is_written_once_with_its_last_word(
    reports: Reports, database_url: str
) -> None:
    hear(reports, HEALTH)
    await until(lambda: up_s(database_url) == [60])
    began = time.monotonic()
    for second in range(1000):
        hear(reports, msgspec.structs.replace(HEALTH, up_s=second))
    assert time.monotonic() - began < 0.5
    await until(lambda: up_s(database_url) == [999])
    assert time.monotonic() - began > 0.5, "at most one write a second"


async def test_what_strangers_say_is_counted_and_dropped(
    reports: Reports, database_url: str, tally: Tally
) -> None:
    hear(reports, HEALTH, "counter-9")
    hear(reports, HEALTH)
    await until(lambda: tally.totals() == {"report_dropped_unknown_reader": 1})
    assert up_s(database_url) == [60]


async def test_what_waits_is_limited(
    reports: Reports, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_reports, "WAITING_MAX", 0)
    hear(reports, HEALTH)
    assert tally.totals() == {"report_dropped_too_many": 1}


async def test_after_an_outage_of_the_database_the_latest_is_written(
    reports: Reports, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "besnik.bridge.reports")
    execute(database_url, "ALTER TABLE store_readerhealth RENAME TO hidden")
    hear(reports, HEALTH)
    hear(reports, State("online", 8))
    await until(lambda: "reports_wait" in caplog.text)
    hear(reports, State("lost", 7))
    hear(reports, msgspec.structs.replace(HEALTH, up_s=120))
    execute(database_url, "ALTER TABLE hidden RENAME TO store_readerhealth")
    await until(lambda: up_s(database_url) == [120])
    assert rows(database_url, "SELECT state, boot FROM store_readerstate") == [("online", 8)]
    await until(lambda: "reports_written" in caplog.text)


@pytest.mark.parametrize("message", [State("lost", 3), Info("1", "2", "3", 1, 2, 3), HEALTH])
def test_a_report_is_read(message: State | Info | Health) -> None:
    leaf = type(message).__name__.lower()
    assert read_report(TOPIC + leaf, encode(message)) == Report("corner", "counter-1", message)


@pytest.mark.parametrize(
    ("leaf", "payload", "fault"),
    [
        ("state", b"", "not_json"),
        ("state", b'{"s":"dancing","bd":1}', "fields"),
        ("info", b"\xff", "not_utf8"),
        ("health", b"{}", "fields"),
        ("health", b" " * 2000, "too_large"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason(
    leaf: str, payload: bytes, fault: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        read_report(TOPIC + leaf, payload)
    assert caught.value.fault == fault
