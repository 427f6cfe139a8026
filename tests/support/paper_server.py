"""A CRM of the tests' own, as a process: it does on command what a real one does on a bad day.

``python -m support.paper_server PORT FILE``. It writes each event down as often as it is told of
it, so that one that is told twice is there twice.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "paper-key"
_TABLES = """
    CREATE TABLE IF NOT EXISTS customer (id INTEGER PRIMARY KEY, name TEXT, event TEXT);
    CREATE TABLE IF NOT EXISTS card (card TEXT, customer INTEGER);
    CREATE TABLE IF NOT EXISTS visit (event TEXT, customer INTEGER, points INTEGER, said TEXT)"""

Json = dict[str, Any]


class Paper:
    """What is written down. ``fault`` is what goes wrong with the next ``count`` requests."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)
        self._lock = threading.Lock()
        self.fault: Json = {}
        self.asked: list[str] = []

    def run(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def cards(self, said: Json) -> Json:
        found: dict[str, list[Json]] = {}
        for card in said["cards"]:
            rows = self.run("SELECT customer FROM card WHERE card = ?", card)
            found[card] = [self._customer(row[0]) for row in rows]
        return {"found": found}

    def ids(self, said: Json) -> Json:
        known = {row[0] for row in self.run("SELECT id FROM customer")}
        return {"found": [self._customer(int(id)) for id in said["ids"] if int(id) in known]}

    def page(self, said: Json) -> Json:
        rows = self.run("SELECT id FROM customer WHERE id > ? ORDER BY id LIMIT 2", said["after"])
        cards = "SELECT card FROM card WHERE customer = ?"
        return {
            "found": [
                {**self._customer(id), "cards": [row[0] for row in self.run(cards, id)]}
                for (id,) in rows
            ]
        }

    def known(self, said: Json) -> Json:
        visits = {row[0] for row in self.run("SELECT event FROM visit")}
        made = dict(self.run("SELECT event, id FROM customer WHERE event <> ''"))
        return {"visits": [e for e in said["events"] if e in visits], "made": made}

    def visits(self, said: Json) -> Json:
        for visit in said["visits"]:
            values = visit["event_id"], int(visit["customer"]), visit["points"], json.dumps(visit)
            self.run("INSERT INTO visit VALUES (?, ?, ?, ?)", *values)
        return {}

    def customers(self, said: Json) -> Json:
        made = []
        for new in said["new"]:
            ((customer,),) = self.run(
                "INSERT INTO customer (name, event) VALUES (?, ?) RETURNING id",
                new["name"],
                new["event_id"],
            )
            for card in new["cards"]:
                self.run("INSERT INTO card VALUES (?, ?)", card, customer)
            made.append(str(customer))
        return {"made": made}

    def _customer(self, id: int) -> Json:
        ((name,),) = self.run("SELECT name FROM customer WHERE id = ?", id)
        ((points,),) = self.run("SELECT coalesce(sum(points), 0) FROM visit WHERE customer = ?", id)
        return {"id": str(id), "name": name, "points": points, "note": f"note on {name}"}


class Handler(BaseHTTPRequestHandler):
    paper: Paper
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        what = self.path.strip("/")
        if what == "fault":
            self.paper.fault = said
            return self._answer(200, {"asked": self.paper.asked})
        self.paper.asked.append(what)
        fault = self._fault(what, said)
        time.sleep(fault.get("delay_s", 0))
        if self.headers.get("X-Key") != KEY:
            return self._answer(401, {})
        if "status" in fault:
            return self._answer(fault["status"], {}, fault.get("headers", {}))
        answer = getattr(self.paper, what)(said)
        if fault.get("dies"):
            os._exit(1)
        if fault.get("nonsense"):
            answer = {"nonsense": True}
        return self._answer(200, answer)

    def _fault(self, what: str, said: Json) -> Json:
        fault = self.paper.fault
        if not fault or fault.get("on", what) != what:
            return {}
        if "always_of" in fault:
            # Of one customer's events, for as long as nobody mends that customer.
            customers = {visit["customer"] for visit in said["visits"]}
            return fault if fault["always_of"] in customers else {}
        fault["count"] = fault.get("count", 1) - 1
        if fault["count"] <= 0:
            self.paper.fault = {}
        return fault

    def _answer(self, status: int, answer: Json, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    Handler.paper = Paper(file)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("paper: ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
