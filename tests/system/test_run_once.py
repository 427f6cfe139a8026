"""``besnik run --once``: an honest rehearsal."""

from __future__ import annotations

import os
import signal

from support.supervised import STOP_S, Start


def test_five_cards_do_what_they_should(start: Start) -> None:
    run = start("--once")
    assert run.process.wait(60) == 0, run.process.log
    for part in (
        "5B3C2A19 (4 bytes)",
        "04A1B2C3D4E580 (7 bytes)",
        "rejected (blocked)",
        "rejected (unknown)",
        "2800 Hz",
        "400 Hz",
        "Ana Hoxha, 1 stamp",
        "(new at each read), tier A",
        "Iris Kola, 1 stamp",
        "5 of 5 cards as they should be",
    ):
        assert part in run.process.log
    assert run.pids() == []
    assert not run.folder.exists()


def test_a_rehearsal_that_is_stopped_has_not_passed(start: Start) -> None:
    run = start("--once")
    run.process.wait_for("right", 60)
    assert run.process.stop(STOP_S) == 130
    assert run.pids() == []


def test_it_fails_and_says_why_when_the_bridge_is_silent(start: Start) -> None:
    run = start("--once")
    run.process.wait_for("right", 60)
    os.kill(run.pids("besnik.bridge")[0], signal.SIGSTOP)
    assert run.process.wait(90) == 1, run.process.log
    assert "verdict: 'no verdict' instead of 'rejected (unknown)'" in run.process.log
    assert "instead of ('read', 'unknown')" in run.process.log
    assert "5 of 5" not in run.process.log
    assert run.pids() == []
