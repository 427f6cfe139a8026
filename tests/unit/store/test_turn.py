"""One process does what one alone does at a database."""

from __future__ import annotations

import pytest

from besnik.config import Config, Database
from besnik.store.database import is_sqlite, sqlite_path
from besnik.store.turn import Turn, is_taken
from support.store import settings_for


def test_the_second_waits_until_the_first_is_gone(database_url: str) -> None:
    settings = settings_for(database_url)
    first, second = Turn(settings, "crm"), Turn(settings, "crm")
    try:
        assert [first.take(), second.take(), first.take(), second.take()] == [
            True,
            False,
            True,
            False,
        ]
        first.close()
        assert second.take()
        assert not first.take()
    finally:
        first.close()
        second.close()


def test_one_kind_of_work_is_not_in_the_way_of_another(database_url: str) -> None:
    settings = settings_for(database_url)
    crm, fleet = Turn(settings, "crm"), Turn(settings, "fleet")
    try:
        assert crm.take()
        assert fleet.take()
    finally:
        crm.close()
        fleet.close()


def test_who_only_asks_leaves_nothing_behind(database_url: str) -> None:
    """The file would be theirs, and the service, another user, could not open it."""
    settings = settings_for(database_url)
    assert not is_taken(settings, "crm")
    if is_sqlite(database_url):
        database = sqlite_path(settings)
        assert not database.with_name(f"{database.name}.crm").exists()
    turn = Turn(settings, "crm")
    try:
        assert turn.take()
        assert is_taken(settings, "crm")
    finally:
        turn.close()
    assert not is_taken(settings, "crm")


def test_a_server_that_is_away_is_nobody_s_turn() -> None:
    away = Config(database=Database(url="postgresql://nobody@/none?host=/nonexistent"))
    with pytest.raises(OSError, match="OperationalError"):
        Turn(away, "crm").take()
