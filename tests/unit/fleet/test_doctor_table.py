"""What the doctor says of several readers in one table, and whom it is asked to examine."""

from __future__ import annotations

import pytest

from besnik.cli import main
from besnik.fleet import terminal
from besnik.fleet.doctor.finding import ok, skipped, wrong
from besnik.fleet.doctor.table import Examined, status, table

WIRING = ok("wiring", "RC522 version 2.0")
AWAY = wrong("bridge", "the bridge died", "start it")
LATE = wrong("clock", "60 s behind", "mend it")


def test_readers_that_are_well() -> None:
    found = [
        Examined("/dev/ttyUSB0", "counter-1", [WIRING, skipped("lights", "nobody")]),
        Examined("counter-2", "counter-2", [WIRING]),
    ]
    assert table(found) == [
        "/dev/ttyUSB0 counter-1  nothing is wrong; not looked at: lights",
        "counter-2               nothing is wrong",
        "2 of 2 are well",
    ]
    assert status(found) == 0


def test_what_is_wrong_with_all_is_said_once_and_before_the_rest() -> None:
    found = [
        Examined("counter-1", "counter-1", [WIRING, AWAY]),
        Examined("counter-2", "counter-2", [LATE, AWAY]),
        Examined("counter-3", "", [], "the reader is gone.\nIs it plugged in?"),
    ]
    assert table(found) == [
        "all of them  bridge       WRONG  the bridge died",
        f"{'':26}do:    start it",
        "counter-1    nothing else is wrong",
        "counter-2    clock        WRONG  60 s behind",
        f"{'':26}do:    mend it",
        "counter-3    not examined: the reader is gone. Is it plugged in?",
        "0 of 3 are well",
    ]
    assert status(found) == 2
    assert status(found[:2]) == 1


def test_one_that_could_be_examined_is_not_all_of_them() -> None:
    found = [
        Examined("counter-1", "counter-1", [AWAY]),
        Examined("counter-2", "counter-2", [], "no"),
    ]
    assert table(found)[0] == "counter-1  bridge       WRONG  the bridge died"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say which: PORT or READER, or --all"),
        (("--all", "counter-1"), "--all are all that are connected"),
        (("--all",), "no board is connected"),
    ],
)
def test_who_is_meant_has_to_be_clear(
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(terminal, "ports", list)
    assert main(["fleet", "doctor", *arguments]) == 2
    assert says in capsys.readouterr().err
