"""A real Directus on SQLite, with the collections that its mapping speaks of."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from besnik.crm.http import listing
from besnik.crm.http.adapter import HttpCrm
from besnik.crm.http.named import Directus
from support import node
from support.broker import free_port
from support.processes import Processes, Running

PACKAGES: Final = {"directus": "11.3.5", "sqlite3": "5.1.7"}
KEY: Final = "besnik-static-token"
_START_S: Final = 60

_TEXT: Final = {"type": "string", "meta": {}, "schema": {}}
_NUMBER: Final = {"type": "integer", "meta": {}, "schema": {}}
_UUID: Final = {
    "field": "id",
    "type": "uuid",
    "meta": {"special": ["uuid"]},
    "schema": {"is_primary_key": True},
}
CUSTOMERS: Final = [
    _UUID,
    *({"field": name, **_TEXT} for name in ("name", "nfc_card_id", "phone", "email", "notes")),
    {"field": "points", **_NUMBER},
]
VISITS: Final = [
    _UUID,
    {"field": "event_id", "type": "string", "meta": {}, "schema": {"is_unique": True}},
    {"field": "customer", "type": "uuid", "meta": {}, "schema": {}},
    *({"field": name, **_TEXT} for name in ("kind", "shop")),
    *({"field": name, **_NUMBER} for name in ("points", "balance")),
    {"field": "at", "type": "timestamp", "meta": {}, "schema": {}},
]


class DirectusServer:
    """The server and what people do in it; a `support.crm_contract.CrmServer`."""

    adapter = "directus"
    field = "notes"

    def __init__(self, processes: Processes, folder: Path) -> None:
        self._processes = processes
        self._folder = folder
        self._program = node.installed("directus-11.3.5", PACKAGES) / "node_modules/directus/cli.js"
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._people = httpx2.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30
        )
        self._running: Running | None = None
        self.key = KEY

    def prepare(self) -> None:
        """Make the database, start, and make the collections."""
        subprocess.run(
            [node.node(), self._program, "bootstrap"],
            cwd=self._folder,
            env={**self._processes.environment, **self._environment()},
            check=True,
            capture_output=True,
        )
        self.start()
        for name, fields in (("customers", CUSTOMERS), ("visits", VISITS)):
            collection = {"collection": name, "schema": {}, "meta": {}, "fields": fields}
            self._post("/collections", collection)
        relation = {"collection": "visits", "field": "customer", "related_collection": "customers"}
        self._post("/relations", {**relation, "schema": {"on_delete": "CASCADE"}})

    def open(self, *, url: str = "", key: str = "") -> HttpCrm:
        """Return the adapter as a shop has it."""
        fields = {"phone_field": "phone", "email_field": "email"}
        return Directus.open_crm({"url": url or self.url, **fields}, {"key": key or KEY})

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the adapter list customers by twos."""
        monkeypatch.setattr(listing, "PAGE_MAX", 2)

    def add(self, name: str, *cards: str, shown: str = "", points: int = 0) -> str:
        """Make a customer; one card fits into its field."""
        row = {"name": name, "nfc_card_id": cards[0], "notes": shown, "points": points}
        return str(self._post("/items/customers", row)["id"])

    def remove(self, customer: str) -> None:
        """Delete a customer."""
        self._people.delete(f"/items/customers/{customer}").raise_for_status()

    def points(self, customer: str) -> int:
        """Return the balance on a customer's record."""
        answer = self._people.get(f"/items/customers/{customer}").raise_for_status()
        return int(answer.json()["data"]["points"])

    def events(self, customer: str) -> list[str]:
        """Return the ids of the events on a customer's record."""
        params = {"filter[customer][_eq]": customer, "limit": "-1"}
        answer = self._people.get("/items/visits", params=params).raise_for_status()
        return [row["event_id"] for row in answer.json()["data"]]

    def stop(self) -> None:
        """End the server."""
        assert self._running is not None
        self._running.stop(15)

    def start(self) -> None:
        """Start the server at its address, with its data."""
        self._running = self._processes.start(
            "directus",
            [node.node(), self._program, "start"],
            environment=self._environment(),
            folder=self._folder,
            ready="Server started",
            timeout_s=_START_S,
        )

    def close(self) -> None:
        """Close the connections of the people."""
        self._people.close()

    def _post(self, path: str, body: object) -> Any:
        answer = self._people.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()["data"]

    def _environment(self) -> dict[str, str]:
        return {
            "HOST": "127.0.0.1",
            "PORT": str(self._port),
            "DB_CLIENT": "sqlite3",
            "DB_FILENAME": str(self._folder / "data.db"),
            "SECRET": "for-tests-only",
            "ADMIN_EMAIL": "admin@example.com",
            "ADMIN_PASSWORD": "besnik-test-1",
            "ADMIN_TOKEN": KEY,
            "TELEMETRY": "false",
        }
