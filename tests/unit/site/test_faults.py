"""What is wrong with a reader, from what it says."""

from __future__ import annotations

import datetime as dt
from typing import get_args

import pytest
from msgspec.structs import replace

from besnik.site.faults import GRAVE, Fault, Report, Signal, State

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
WELL = Report(
    said="online",
    said_at=NOW - dt.timedelta(hours=10),
    health_at=NOW - dt.timedelta(seconds=50),
    up_s=36_000,
    rssi_dbm=-60,
    heap_free=30_000,
    reconnects=2,
    rc522_recoveries=1,
    verdict_ms=40,
    reset_cause=1,
)


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (Report(), "never"),
        (Report(health_at=NOW), "never"),
        (WELL, "online"),
        (replace(WELL, health_at=ago(minutes=4)), "silent"),
        (replace(WELL, health_at=None), "silent"),
        (replace(WELL, health_at=None, said_at=ago(seconds=30)), "online"),
        (replace(WELL, said="lost"), "lost"),
        (replace(WELL, said="offline"), "offline"),
        (replace(WELL, said="offline", health_at=ago(days=3)), "offline"),
    ],
)
def test_the_state_is_the_last_word_unless_nothing_followed_it(
    report: Report, state: State
) -> None:
    assert report.state(NOW) == state


@pytest.mark.parametrize(
    ("rssi_dbm", "signal"),
    [(-40, "excellent"), (-55, "excellent"), (-67, "good"), (-75, "fair"), (-76, "weak")],
)
def test_how_well_a_reader_hears_its_wifi(rssi_dbm: int, signal: Signal) -> None:
    assert replace(WELL, rssi_dbm=rssi_dbm).signal == signal


def test_a_reader_without_wifi_has_no_signal() -> None:
    assert replace(WELL, rssi_dbm=None).signal is None
    assert replace(WELL, rssi_dbm=None).faults(NOW) == []


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"said": "lost"}, ["lost"]),
        ({"said": None}, ["never"]),
        ({"said": "offline", "rssi_dbm": -90, "outbox": 4, "outbox_since": ago(days=1)}, []),
        ({"health_at": ago(minutes=9)}, ["silent"]),
        ({"outbox_dropped": 1}, ["dropped"]),
        ({"said": "lost", "outbox_dropped": 1}, ["lost", "dropped"]),
        ({"reset_cause": 3}, ["watchdog"]),
        ({"reset_cause": 3, "started_at": ago(days=2)}, ["watchdog"]),
        ({"reset_cause": 3, "started_at": ago(days=4)}, []),
        ({"reset_cause": 5}, []),
        ({"outbox": 1, "outbox_since": ago(minutes=1)}, []),
        ({"outbox": 1, "outbox_since": ago(minutes=3)}, ["outbox"]),
        ({"rc522_recoveries": 2, "up_s": 60}, []),
        ({"rc522_recoveries": 3, "up_s": 36_000}, ["recoveries"]),
        ({"rc522_recoveries": 3, "up_s": 86_400 * 30}, []),
        ({"reconnects": 9, "up_s": 36_000}, []),
        ({"reconnects": 10, "up_s": 36_000}, ["reconnects"]),
        ({"rssi_dbm": -80}, ["weak"]),
        ({"verdict_ms": 500}, []),
        ({"verdict_ms": 501}, ["slow"]),
        ({"verdict_ms": None}, []),
        ({"heap_free": 7_999}, ["memory"]),
    ],
)
def test_each_fault_has_its_sign(changes: dict[str, object], faults: list[Fault]) -> None:
    assert replace(WELL, **changes).faults(NOW) == faults


def test_the_gravest_come_first() -> None:
    found = replace(
        WELL, health_at=ago(minutes=9), outbox_dropped=2, reset_cause=3, rssi_dbm=-90, heap_free=1
    ).faults(NOW)
    assert found == ["silent", "dropped", "watchdog", "weak", "memory"]
    assert set(get_args(Fault)) >= GRAVE
