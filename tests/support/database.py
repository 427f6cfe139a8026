"""A migrated database with the demo shop for each test, on SQLite or PostgreSQL.

``BESNIK_DATABASE_URL`` names a PostgreSQL server (and a database on it to connect to); without
it every test gets an SQLite file. Migrations run once, each test gets a copy of the result: on
SQLite once until a line of Besnik changes, whatever runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

import besnik

SERVER_URL = os.environ.get("BESNIK_DATABASE_URL", "")
_STALE_S = 86_400


class Databases(Protocol):
    """Gives out copies of one prepared database."""

    def copy(self, folder: Path, /) -> Iterator[str]:
        """Yield the URL of a fresh copy and remove it afterwards."""

    def empty(self, folder: Path, /) -> Iterator[str]:
        """Yield the URL of a database without tables and remove it afterwards."""


class SqliteDatabases:
    """Copies of one SQLite file."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._template = _prepared_once(environment)

    def copy(self, folder: Path, /) -> Iterator[str]:
        """Yield the URL of a file in ``folder``."""
        file = folder / "besnik.sqlite3"
        shutil.copyfile(self._template, file)
        yield f"sqlite:///{file}"

    def empty(self, folder: Path, /) -> Iterator[str]:
        """Yield the URL of a file in ``folder`` that is not there yet."""
        yield f"sqlite:///{folder}/empty.sqlite3"


class PostgresDatabases:
    """Copies of one database on a server."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template

    def copy(self, _folder: Path, /) -> Iterator[str]:
        """Yield the URL of a new database on the server."""
        with _database(self._server_url, self._template) as (_, url):
            yield url

    def empty(self, _folder: Path, /) -> Iterator[str]:
        """Yield the URL of a new database on the server."""
        with _database(self._server_url) as (_, url):
            yield url

    @contextmanager
    def closed(self, url: str) -> Iterator[None]:
        """Within this context the server hangs up on whoever uses a database and lets nobody in."""
        name = urlsplit(url).path.strip("/")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        end = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
        _execute(self._server_url, allow.format(sql.Identifier(name), sql.SQL("FALSE")))
        _execute(self._server_url, end.format(sql.Literal(name)))
        yield
        _execute(self._server_url, allow.format(sql.Identifier(name), sql.SQL("TRUE")))


@contextmanager
def databases(environment: dict[str, str]) -> Iterator[Databases]:
    """Prepare the database that tests of this session get copies of."""
    if not SERVER_URL.startswith("postgres"):
        yield SqliteDatabases(environment)
        return
    with postgres_databases(SERVER_URL, environment) as prepared:
        yield prepared


@contextmanager
def postgres_databases(server_url: str, environment: dict[str, str]) -> Iterator[PostgresDatabases]:
    """Prepare a database on a PostgreSQL server; tests get copies of it."""
    with _database(server_url) as (name, url):
        prepare(url, environment)
        yield PostgresDatabases(server_url, name)


def _prepared_once(environment: dict[str, str]) -> Path:
    """Return the prepared file, made by whoever of several processes comes first.

    It serves until a line of Besnik changes, in a folder that is this user's alone.
    """
    folder = Path(tempfile.gettempdir()) / f"besnik-prepared-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} is somebody else's"
    sources = hashlib.sha256()
    for source in sorted(Path(besnik.__file__).parent.rglob("*.py")):
        sources.update(source.read_bytes())
    template = folder / f"{sources.hexdigest()[:16]}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            for other in folder.glob("*.sqlite3"):
                if time.time() - other.stat().st_mtime > _STALE_S:
                    other.unlink()
            draft = folder / "draft.sqlite3"
            prepare(f"sqlite:///{draft}", environment)
            draft.rename(template)
    return template


def prepare(url: str, environment: dict[str, str]) -> None:
    """Migrate the database and put the demo shop into it."""
    for step in ("migrate", "demo"):
        done = subprocess.run(
            [sys.executable, "-m", "besnik.store", step],
            env={**environment, "BESNIK_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"store {step} failed:\n{done.stdout}{done.stderr}"


@contextmanager
def _database(server_url: str, template: str = "template0") -> Iterator[tuple[str, str]]:
    """Create a database on the server, yield its name and URL, drop it."""
    name = f"besnik_test_{secrets.token_hex(6)}"
    _execute(
        server_url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    try:
        yield name, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _execute(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server_url: str, statement: sql.Composed) -> None:
    with closing(psycopg.connect(server_url, autocommit=True)) as connection:
        connection.execute(statement)
