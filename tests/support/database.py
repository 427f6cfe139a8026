"""A migrated database with the demo shop for each test, on SQLite or PostgreSQL.

``BESNIK_DATABASE_URL`` names a PostgreSQL server (and a database on it to connect to); without
it every test gets an SQLite file. Migrations run once until a line of Besnik changes, whatever
runs, and each test gets a copy of the result.
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
from typing import LiteralString, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

import besnik

SERVER_URL = os.environ.get("BESNIK_DATABASE_URL", "")
_STALE_S = 86_400
# Who holds this advisory lock prepares a server's database.
_LOCK = 0x6265736E
_DRAFT = "besnik_draft"


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


def databases(environment: dict[str, str]) -> Databases:
    """Prepare the database that tests of this session get copies of."""
    if SERVER_URL.startswith("postgres"):
        return postgres_databases(SERVER_URL, environment)
    return SqliteDatabases(environment)


def postgres_databases(server_url: str, environment: dict[str, str]) -> PostgresDatabases:
    """Prepare a database on a PostgreSQL server; tests get copies of it."""
    return PostgresDatabases(server_url, _prepared_on(server_url, environment))


def _prepared_on(server_url: str, environment: dict[str, str]) -> str:
    """Return the name of a server's prepared database, made by whoever comes first."""
    name = f"besnik_prepared_{_sources()}"
    with closing(psycopg.connect(server_url, autocommit=True)) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        made_at = dict(
            connection.execute(
                "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
                "WHERE datname LIKE 'besnik\\_prepared\\_%'"
            ).fetchall()
        )
        if name not in made_at:
            old = [each for each, at in made_at.items() if time.time() - int(at or 0) > _STALE_S]
            for each in [*old, _DRAFT]:
                connection.execute(_sql("DROP DATABASE IF EXISTS {} WITH (FORCE)", each))
            connection.execute(_sql("CREATE DATABASE {} TEMPLATE template0", _DRAFT))
            prepare(_on(server_url, _DRAFT), environment)
            connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", _DRAFT, name))
            now = sql.Literal(str(int(time.time())))
            connection.execute(_sql("COMMENT ON DATABASE {} IS ", name) + now)
    return name


def _prepared_once(environment: dict[str, str]) -> Path:
    """Return the prepared file, made by whoever of several processes comes first.

    It serves until a line of Besnik changes, in a folder that is this user's alone.
    """
    folder = Path(tempfile.gettempdir()) / f"besnik-prepared-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} is somebody else's"
    template = folder / f"{_sources()}.sqlite3"
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


def _sources() -> str:
    """Return what tells this Besnik from another."""
    sources = hashlib.sha256()
    for source in sorted(Path(besnik.__file__).parent.rglob("*.py")):
        sources.update(source.read_bytes())
    return sources.hexdigest()[:16]


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
    _execute(server_url, _sql("CREATE DATABASE {} TEMPLATE {}", name, template))
    try:
        yield name, _on(server_url, name)
    finally:
        _execute(server_url, _sql("DROP DATABASE {} WITH (FORCE)", name))


def _on(server_url: str, name: str) -> str:
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def _sql(statement: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _execute(server_url: str, statement: sql.Composed) -> None:
    with closing(psycopg.connect(server_url, autocommit=True)) as connection:
        connection.execute(statement)
