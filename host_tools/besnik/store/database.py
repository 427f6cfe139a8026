"""One database URL, two users of it: Django's ``DATABASES`` entry and a raw driver connection.

Both open the database with the same settings, so the bridge's statements and Django's see
the same durability and the same constraints. This file imports neither Django nor, before a
PostgreSQL URL is used, psycopg: the bridge runs without Django.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from besnik.config import Config, ConfigError
from besnik.store.many import PREPARED_MAX

if TYPE_CHECKING:
    import psycopg

BUSY_TIMEOUT_S: Final = 5
CONNECT_TIMEOUT_S: Final = 5
# A server that is cut off without a word is given up after 10 s, not after TCP's quarter of an
# hour (postgresql.org/docs/current/libpq-connect.html).
_POSTGRES_TIMEOUTS: Final = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SQLITE: Final = "sqlite:///"
# WAL lets pages read while the bridge writes; FULL puts every commit on the disk before it
# is answered (sqlite.org/pragma.html#pragma_synchronous). Without recursive triggers, INSERT OR
# REPLACE would delete rows that must stay, and nobody would be asked (append_only.py).
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
)


def is_sqlite(url: str) -> bool:
    """Tell whether ``url`` names an SQLite file; every other URL is PostgreSQL's."""
    return url.startswith(_SQLITE)


def sqlite_path(config: Config) -> Path:
    """Return the file of an SQLite URL; a relative one starts at the state folder."""
    name = config.database.url.removeprefix(_SQLITE)
    if name.startswith((":", "file:")):
        raise ConfigError(
            f"database.url = {config.database.url!r}: name a file, as in sqlite:///besnik.sqlite3"
        )
    return Path(config.state) / name


def django_entry(config: Config) -> dict[str, Any]:
    """Return the ``default`` entry of Django's ``DATABASES``; ConfigError for a bad URL."""
    if is_sqlite(config.database.url):
        path = sqlite_path(config)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(path.resolve()),
            "OPTIONS": {
                "timeout": BUSY_TIMEOUT_S,
                # A read that turns into a write cannot wait for the lock; take it first.
                "transaction_mode": "IMMEDIATE",
                "init_command": ";".join(_PRAGMAS),
            },
        }
    parts = _postgres_parts(config.database.url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT_S, **parts},
    }


def connect_sqlite(config: Config) -> sqlite3.Connection:
    """Open an SQLite URL's file in autocommit mode; sqlite3's own errors pass through."""
    path = sqlite_path(config)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=PREPARED_MAX,
    )
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def connect_postgres(config: Config) -> psycopg.Connection[Any]:
    """Open a PostgreSQL URL in autocommit mode; psycopg's own errors pass through."""
    import psycopg

    parts = {**_POSTGRES_TIMEOUTS, **_postgres_parts(config.database.url)}
    return psycopg.connect(autocommit=True, **parts)


def _postgres_parts(url: str) -> dict[str, Any]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        # libpq's message can repeat the URL and with it the password.
        raise ConfigError(
            "database.url: not a PostgreSQL URL; write postgres://user:password@host:5432/name"
        ) from error
