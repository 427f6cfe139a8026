"""One URL gives Django and the raw driver the same database with the same settings."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from besnik.config import Config, ConfigError, Database
from besnik.store.database import connect_postgres, connect_sqlite, django_entry, is_sqlite
from support.store import rows, settings_for


def test_a_relative_file_is_in_the_state_folder(tmp_path: Path) -> None:
    settings = Config(state=str(tmp_path / "state"))
    assert django_entry(settings)["NAME"] == str(tmp_path / "state/besnik.sqlite3")


def test_an_absolute_file_stays_where_it_is(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/shop.sqlite3")
    assert django_entry(settings)["NAME"] == str(tmp_path / "shop.sqlite3")


@pytest.mark.parametrize("name", [":memory:", "file:x?mode=memory"])
def test_a_database_in_memory_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name a file"):
        connect_sqlite(settings_for(f"sqlite:///{name}"))


def test_sqlite_is_durable_and_holds_its_constraints(tmp_path: Path) -> None:
    with closing(connect_sqlite(settings_for(f"sqlite:///{tmp_path}/x.sqlite3"))) as raw:
        values = {
            name: raw.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_django_opens_sqlite_with_the_same_settings(orm: str) -> None:
    if not is_sqlite(orm):
        pytest.skip("the tests run on PostgreSQL")
    with connection.cursor() as cursor:
        for name, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert cursor.execute(f"PRAGMA {name}").fetchone() == (value,)


def test_the_parts_of_a_postgres_url_reach_django() -> None:
    url = "postgres://shop:p%40ss%2Fword@db.example:6543/besnik?sslmode=require"
    entry = django_entry(Config(database=Database(url=url)))
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    assert [entry[name] for name in names] == [
        "besnik", "shop", "p@ss/word", "db.example", "6543",
    ]  # fmt: skip
    assert entry["OPTIONS"]["sslmode"] == "require"


def test_a_unix_socket_folder_reaches_django() -> None:
    entry = django_entry(settings_for("postgresql:///besnik?host=/run/postgresql"))
    assert (entry["HOST"], entry["NAME"]) == ("/run/postgresql", "besnik")


@pytest.mark.parametrize("use", [django_entry, connect_postgres])
def test_a_bad_postgres_url_is_refused_without_its_password(use) -> None:  # type: ignore[no-untyped-def]  # two signatures
    with pytest.raises(ConfigError, match=r"database\.url") as caught:
        use(settings_for("postgres://shop:secret@host:port:1/name?nonsense=1"))
    assert "secret" not in str(caught.value)


def test_both_see_the_same_rows(orm: str) -> None:
    from besnik.store.models import Shop

    assert rows(orm, "SELECT slug FROM store_shop") == [(Shop.objects.get().slug,)]
