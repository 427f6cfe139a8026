"""What readers say about themselves, as it stands in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besnik.contract import Health, Info, State
from besnik.store.database import is_sqlite
from besnik.store.reports import TABLES, ReaderKey, ReportStore, Said, open_reports
from support.store import open_raw, rows, settings_for

COUNTER = ReaderKey("corner", "counter-1")
AT = dt.datetime(2026, 11, 21, 10, 30, 0, 250_000, tzinfo=dt.UTC)
HEALTH = Health(3600, -61, 30_000, 0, 0, 2, 1, 42)
INFO = Info("0.1.0", "1.3.4", "1.27.0", 1, 7, 3)


def later(seconds: float) -> dt.datetime:
    return AT + dt.timedelta(seconds=seconds)


@pytest.fixture
def reports(database_url: str) -> Iterator[ReportStore]:
    store = open_reports(settings_for(database_url))
    yield store
    store.close()


def said(store: ReportStore, message: State | Info | Health, at: dt.datetime = AT) -> None:
    heard = Said()
    heard.hear(message, at)
    assert store.write({COUNTER: heard}) == set()


def test_the_statements_write_every_column(orm: str) -> None:
    models = {model._meta.db_table: model for model in apps.get_app_config("store").get_models()}
    assert {name for name in models if name.startswith("store_reader")} == {*TABLES, "store_reader"}
    for table, columns in TABLES.items():
        fields = models[table]._meta.concrete_fields
        assert {field.column for field in fields} - {"id"} == set(columns)


def test_what_was_written_is_what_django_reads(reports: ReportStore, orm: str) -> None:
    from besnik.store.models import Reader

    heard = Said()
    for message in (State("online", 7), INFO, HEALTH):
        heard.hear(message, AT)
    reports.write({COUNTER: heard})
    reader = Reader.objects.select_related("state", "info", "health").get(slug="counter-1")
    assert (reader.state.state, reader.state.boot, reader.state.since) == ("online", 7, AT)
    info, health = reader.info, reader.health
    assert (info.firmware, info.umqtt, info.micropython) == ("0.1.0", "1.3.4", "1.27.0")
    assert (info.reset_cause, info.boot, info.config_version, info.since) == (1, 7, 3, AT)
    assert (health.at, health.up_s, health.rssi_dbm, health.heap_free) == (AT, 3600, -61, 30_000)
    assert (health.outbox, health.outbox_since, health.outbox_dropped) == (0, None, 0)
    assert (health.reconnects, health.rc522_recoveries, health.verdict_ms) == (2, 1, 42)
    for row in (reader.state, info, health):
        empty = [field.name for field in row._meta.fields if getattr(row, field.attname) is None]
        row.full_clean(exclude=empty)


def test_a_reader_that_does_not_exist_is_named_and_the_others_are_written(
    reports: ReportStore, database_url: str
) -> None:
    heard = Said()
    heard.hear(State("online", 1), AT)
    strangers = {ReaderKey("corner", "counter-9"), ReaderKey("elsewhere", "counter-1")}
    assert reports.write(dict.fromkeys([*strangers, COUNTER], heard)) == strangers
    assert rows(database_url, "SELECT state FROM store_readerstate") == [("online",)]
    assert reports.write({}) == set()


STATE = "SELECT state, boot FROM store_readerstate"


@pytest.mark.parametrize(
    ("known", "news", "stands"),
    [
        (State("online", 8), State("lost", 7), State("online", 8)),
        (State("offline", 8), State("lost", 7), State("offline", 8)),
        (State("online", 8), State("lost", 8), State("lost", 8)),
        (State("lost", 8), State("online", 8), State("online", 8)),
        (State("online", 800), State("online", 1), State("online", 1)),  # its memory was wiped
    ],
)
def test_a_late_will_does_not_bury_a_newer_birth(
    reports: ReportStore, database_url: str, known: State, news: State, stands: State
) -> None:
    said(reports, known)
    said(reports, news, later(5))
    assert rows(database_url, STATE) == [(stands.s, stands.bd)]
    heard = Said()
    heard.hear(known, AT)
    heard.hear(news, later(5))
    assert heard.state and heard.state[0] == stands


def test_a_retained_state_that_comes_again_keeps_its_time(reports: ReportStore, orm: str) -> None:
    from besnik.store.models import ReaderState

    said(reports, State("lost", 7))
    said(reports, State("lost", 7), later(500))
    assert ReaderState.objects.get().since == AT
    said(reports, State("online", 7), later(600))
    assert ReaderState.objects.get().since == later(600)


def test_info_keeps_the_time_of_its_start(reports: ReportStore, orm: str) -> None:
    from besnik.store.models import ReaderInfo

    said(reports, INFO)
    said(reports, INFO, later(60))
    assert ReaderInfo.objects.get().since == AT
    said(reports, Info("0.2.0", "1.3.4", "1.27.0", 3, 8, 3), later(90))
    info = ReaderInfo.objects.get()
    assert (info.firmware, info.reset_cause, info.since) == ("0.2.0", 3, later(90))


def test_how_long_taps_have_waited_is_kept_while_any_waits(reports: ReportStore, orm: str) -> None:
    from besnik.store.models import ReaderHealth

    for seconds, depth, since in (
        (0, 0, None),
        (60, 2, later(60)),
        (120, 1, later(60)),
        (180, 0, None),
        (240, 5, later(240)),
    ):
        said(reports, Health(1, None, 1, depth, 0, 0, 0, None), later(seconds))
        health = ReaderHealth.objects.get()
        assert (health.outbox, health.outbox_since, health.verdict_ms) == (depth, since, None)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(max_size=60),
    number=st.integers(0, 2**53 - 1),
    rssi=st.none() | st.integers(-(2**63), 2**63),
)
def test_whatever_the_contract_allows_can_be_written(
    reports: ReportStore, database_url: str, text: str, number: int, rssi: int | None
) -> None:
    said(reports, Info(text, text, text, number, number, number))
    said(reports, Health(number, rssi, number, number, number, number, number, number))
    said(reports, State("online", number))
    ((stored,),) = rows(database_url, "SELECT firmware FROM store_readerinfo")
    assert len(stored) <= 32


def test_a_database_that_is_locked_says_so_soon_and_nothing_is_written(
    reports: ReportStore, database_url: str
) -> None:
    with closing(open_raw(database_url)) as other:
        other.execute("BEGIN IMMEDIATE" if is_sqlite(database_url) else "BEGIN")
        if not is_sqlite(database_url):
            other.execute("LOCK TABLE store_readerhealth IN SHARE MODE")
        with pytest.raises(Exception, match="lock"):
            said(reports, HEALTH)
        other.execute("ROLLBACK")
    assert rows(database_url, "SELECT count(*) FROM store_readerhealth") == [(0,)]
    said(reports, HEALTH)
    assert rows(database_url, "SELECT count(*) FROM store_readerhealth") == [(1,)]


def test_what_was_not_written_makes_way_for_what_is_newer() -> None:
    old, new = Said(), Said()
    for message in (State("online", 8), INFO, HEALTH):
        old.hear(message, AT)
    new.hear(State("lost", 7), later(1))
    new.hear(Health(3660, -61, 30_000, 0, 0, 2, 1, 42), later(1))
    new.earlier(old)
    assert new.state == (State("online", 8), AT)
    assert new.info == (INFO, AT)
    assert new.health
    assert new.health[1] == later(1)


def hours(url: str) -> list[tuple[object, ...]]:
    columns = "said, rssi_sum_dbm, rssi_min_dbm, verdict_max_ms, dropped, reconnects, "
    return rows(
        url, f"SELECT {columns} rc522_recoveries, restarts FROM store_readerhour ORDER BY hour"
    )


def health(up_s: int, rssi_dbm: int | None = -60, **changes: int | None) -> Health:
    said = {"heap_free": 1, "outbox": 0, "outbox_dropped": 0, "reconnects": 0}
    return Health(
        up_s=up_s, rssi_dbm=rssi_dbm, **{**said, "rc522_recoveries": 0, "verdict_ms": 40, **changes}
    )


def test_an_hour_sums_up_what_a_reader_added(reports: ReportStore, database_url: str) -> None:
    # The first word says nothing of when it all happened.
    said(reports, health(5000, -60, reconnects=9, outbox_dropped=4), AT)
    said(reports, health(5060, -80, reconnects=10, outbox_dropped=4), later(60))
    said(reports, health(5120, -70, reconnects=12, outbox_dropped=9, verdict_ms=90), later(120))
    assert hours(database_url) == [(3, -210, -80, 90, 5, 3, 0, 0)]


def test_what_two_bridges_hear_alike_is_counted_once(
    reports: ReportStore, database_url: str
) -> None:
    said(reports, health(5000), AT)
    for at in (later(60), later(60.01)):
        said(reports, health(5060, reconnects=2, rc522_recoveries=1), at)
    assert hours(database_url)[0][5:] == (2, 1, 0)


@pytest.mark.parametrize(("up_s", "after_s"), [(30, 60), (9000, 28_800)])
def test_after_a_start_all_that_is_said_is_new(
    reports: ReportStore, database_url: str, up_s: int, after_s: float
) -> None:
    """It is seen by a running time that is too short, though it may be longer than the last."""
    said(reports, health(5000, reconnects=9), AT)
    said(reports, health(up_s, reconnects=2), later(after_s))
    assert [sum(int(str(hour[place])) for hour in hours(database_url)) for place in (5, 7)] == [
        2,
        1,
    ]


def test_a_reader_that_does_not_know_its_signal_leaves_the_others_as_they_are(
    reports: ReportStore, database_url: str
) -> None:
    said(reports, health(5000, None, verdict_ms=None), AT)
    assert hours(database_url)[0][:4] == (0, 0, None, None)
    said(reports, health(5060, -61), later(60))
    said(reports, health(5120, None, verdict_ms=None), later(120))
    assert hours(database_url)[0][:4] == (1, -61, -61, 40)
    said(reports, health(8000, -70), later(3600))
    assert [hour[0] for hour in hours(database_url)] == [1, 1]


def test_django_reads_the_hours_as_they_were_written(reports: ReportStore, orm: str) -> None:
    from besnik.store.models import ReaderHour

    said(reports, HEALTH)
    hour = ReaderHour.objects.get(reader__slug="counter-1")
    assert hour.hour == AT.replace(minute=0, second=0, microsecond=0)
    assert ReaderHour.objects.filter(hour=hour.hour).count() == 1
