"""The bridge stays light: it never loads Django, and psycopg only for PostgreSQL."""

from __future__ import annotations

import subprocess
import sys

_LOADED = """
import sys
import besnik.bridge.__main__, besnik.crm.embedded, besnik.store.hot_sqlite
if sys.argv[1] == "postgres":
    import besnik.store.hot_postgres
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"django", "psycopg"}))
"""


def loaded(kind: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, kind],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_with_sqlite_neither_is_loaded(environment: dict[str, str]) -> None:
    assert loaded("sqlite", environment) == ""


def test_with_postgres_django_is_not_loaded(environment: dict[str, str]) -> None:
    assert loaded("postgres", environment) == "psycopg"
