"""A real BottleCRM (django-crm) on a PostgreSQL of its own.

It needs Python 3.12 or later, which Besnik does not: it lives in an environment of its own in the
cache, together with a dump of its migrated database (migrating takes 150 s and more, a dump 3 s).
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest

from besnik.crm.http import listing
from besnik.crm.http.adapter import HttpCrm
from besnik.crm.http.named import BottleCrm
from support import postgres
from support.broker import free_port
from support.node import CACHE
from support.postgres import PostgresServer
from support.processes import Processes, Running

# 0.9, which an older Python would get, is another program.
PACKAGES: Final = ("django-crm==1.35.0", "uvicorn==0.54.0")
_FOLDER: Final = CACHE / "bottlecrm-1.35.0"
_INSTALL_S: Final = 900
_MIGRATE_S: Final = 900
_START_S: Final = 60
_TAIL_CHARACTERS: Final = 1500
_OWNER: Final = """
from django.contrib.auth import get_user_model
from django.db import connection
from common.models import Org, PersonalAccessToken, Profile
user = get_user_model().objects.create_superuser(email="owner@example.com", password="x")
org = Org.objects.create(name="Shop")
with connection.cursor() as cursor:
    cursor.execute("select set_config('app.current_org', %s, false)", [str(org.id)])
profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_active=True)
print("KEY", PersonalAccessToken.generate(profile, "besnik")[0])
"""


def python() -> str:
    """Return a Python of 3.12 or later; skips the test, saying so, if there is none."""
    names = [f"python3.{minor}" for minor in range(15, 11, -1)]
    on_path = [found for name in names if (found := shutil.which(name))]
    by_pyenv = sorted(map(str, Path.home().glob(".pyenv/versions/*/bin/python3")), reverse=True)
    for candidate in (*on_path, *by_pyenv):
        asked = [candidate, "-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"]
        # A shim of pyenv is there for versions that are not chosen, and fails.
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip("BottleCRM needs Python 3.12 or later, and there is none here")


def installed() -> Path:
    """Return the programs of an environment with BottleCRM in it; skips the test if it fails."""
    programs = _FOLDER / "venv/bin"
    marker = _FOLDER / "installed.txt"
    if marker.is_file() and marker.read_text() == " ".join(PACKAGES):
        return programs
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _must([python(), "-m", "venv", "--clear", _FOLDER / "venv"], 120, "make its environment")
    _must([programs / "pip", "install", "--quiet", *PACKAGES], _INSTALL_S, "be installed")
    marker.write_text(" ".join(PACKAGES))
    return programs


def _must(command: Sequence[str | Path], timeout_s: float, what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode:
        pytest.skip(f"BottleCRM could not {what}: {done.stderr[-_TAIL_CHARACTERS:]}")


class BottleCrmServer:
    """The server and what people do in it; a `support.crm_contract.CrmServer`."""

    adapter = "bottlecrm"
    field = "custom_fields.notes"

    def __init__(self, processes: Processes, folder: Path, database: PostgresServer) -> None:
        self._processes = processes
        self._folder = folder
        self._programs = installed()
        self._database = database
        self._port = free_port()
        self._running: Running | None = None
        self._numbers = itertools.count()
        self.url = f"http://127.0.0.1:{self._port}"
        self.key = ""

    def prepare(self) -> None:
        """Make the database (from the dump if there is one), start, make an owner and fields."""
        with psycopg.connect(self._database.url, autocommit=True) as connection:
            # Tenants are told apart by row-level security, which a superuser is above.
            connection.execute("create role crm_app login nosuperuser")
            connection.execute("create database crm_db owner crm_app")
        dump = _FOLDER / "migrated.dump"
        if dump.is_file():
            self._database_tool("pg_restore", "-d", "crm_db", str(dump))
        else:
            self._manage("migrate")
            fresh = dump.with_suffix(".new")
            self._database_tool("pg_dump", "-Fc", "-f", str(fresh), "crm_db")
            fresh.rename(dump)
        said = self._manage("shell", "-v", "0", typed=_OWNER)
        found = re.search(r"^KEY (\S+)", said, re.MULTILINE)
        assert found, said
        self.key = found[1]
        self.start()
        for name, kind in (("nfc_card_id", "text"), ("points", "number"), ("notes", "text")):
            field = {"target_model": "Contact", "key": name, "label": name, "field_type": kind}
            self._people("POST", "/api/custom-fields/", {**field, "is_filterable": True})

    def open(self, *, url: str = "", key: str = "") -> HttpCrm:
        """Return the adapter as a shop has it."""
        return BottleCrm.open_crm({"url": url or self.url}, {"key": key or self.key})

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the adapter list customers by twos."""
        monkeypatch.setattr(listing, "PAGE_MAX", 2)

    def add(self, name: str, *cards: str, shown: str = "", points: int = 0) -> str:
        """Make a contact; one card fits into its field."""
        first, _, last = name.partition(" ")
        fields = {"nfc_card_id": cards[0], "points": points, **({"notes": shown} if shown else {})}
        names = {"first_name": first, "last_name": last or f"No. {next(self._numbers)}"}
        made = self._people("POST", "/api/contacts/", {**names, "custom_fields": fields})
        return str(made["id"])

    def remove(self, customer: str) -> None:
        """Delete a contact."""
        self._people("DELETE", f"/api/contacts/{customer}/")

    def points(self, customer: str) -> float:
        """Return the balance on a contact's record."""
        contact = self._people("GET", f"/api/contacts/{customer}/")["contact_obj"]
        return float(contact["custom_fields"]["points"])

    def events(self, customer: str) -> list[str]:
        """Return the ids of the events on a contact's record."""
        comments = self._people("GET", f"/api/contacts/{customer}/")["comments"]
        return [found for each in comments for found in re.findall(r"\[(.+?)\]", each["comment"])]

    def stop(self) -> None:
        """End the server."""
        assert self._running is not None
        self._running.stop(15)

    def start(self) -> None:
        """Start the server at its address, with its data."""
        self._running = self._processes.start(
            "bottlecrm",
            [self._programs / "uvicorn", "crm.asgi:application", "--port", str(self._port)],
            environment=self._environment(),
            folder=self._folder,
            ready="Uvicorn running",
            timeout_s=_START_S,
        )
        # It loads most of itself at the first request.
        self._people("GET", "/api/contacts/?limit=1")

    def _people(self, method: str, path: str, body: object = None) -> Any:
        answer = httpx2.request(
            method,
            self.url + path,
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=_START_S,
        )
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json() if answer.content else None

    def _manage(self, *arguments: str, typed: str = "") -> str:
        done = subprocess.run(
            [self._programs / "django-admin", *arguments],
            cwd=self._folder,
            env={**os.environ, **self._environment()},
            input=typed,
            capture_output=True,
            text=True,
            timeout=_MIGRATE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-_TAIL_CHARACTERS:]
        return done.stdout

    def _database_tool(self, program: str, *arguments: str) -> None:
        programs = postgres.programs()
        assert programs is not None
        where = ["-h", self._host(), "-U", "besnik"]
        subprocess.run([programs / program, *where, *arguments], check=True, capture_output=True)

    def _host(self) -> str:
        return parse_qs(urlsplit(self._database.url).query)["host"][0]

    def _environment(self) -> dict[str, str]:
        return {
            "DBNAME": "crm_db",
            "DBUSER": "crm_app",
            "DBPASSWORD": "",
            "DBHOST": self._host(),
            "DBPORT": "5432",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "CELERY_BROKER_URL": "memory://",
            "CELERY_RESULT_BACKEND": "cache+memory://",
            "SECRET_KEY": "for-tests-only-for-tests-only-for-tests-only",
        }
