"""An event loop that hangs in the database is seen from outside, once each time."""

from __future__ import annotations

import time

import pytest

from besnik.bridge import lookout
from besnik.bridge.lookout import Lookout
from support.processes import wait_until


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "_LOOK_EVERY_S", 0.01)


def test_each_time_it_hangs_is_told_once() -> None:
    busy_s, told = [0.0], []
    looking = Lookout(lambda: busy_s[0], lambda: told.append(busy_s[0]))
    looking.start()
    time.sleep(0.05)
    assert not told
    for times in (1, 2):
        busy_s[0] = 2.1
        wait_until(lambda times=times: len(told) == times, "it is told")  # type: ignore[misc]
        time.sleep(0.05)
        assert len(told) == times
        busy_s[0] = 0.0
        time.sleep(0.05)
    looking.stop()
    time.sleep(0.05)
    busy_s[0] = 2.1
    time.sleep(0.05)
    assert len(told) == 2
