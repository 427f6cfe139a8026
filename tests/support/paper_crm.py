"""An adapter as a stranger would publish it, for the CRM of `support.paper_server`.

It is found by an entry point: whoever has ``tests/support/crm_plugin`` on the path has it.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import sqlite3
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec

from besnik.crm.foreign import (
    Ambiguous,
    Capabilities,
    CrmAnswerError,
    CrmError,
    Customer,
    Delivered,
    Field,
    Found,
    Health,
    NewCustomer,
    Page,
    Setting,
    Visit,
)
from besnik.crm.web import Web
from support.paper_server import KEY
from support.processes import Processes, Running

_PLUGIN = Path(__file__).resolve().parent / "crm_plugin"
_TESTS = Path(__file__).resolve().parents[1]


class PaperCrm:
    """See ForeignCrm."""

    def __init__(self, web: Web, key: str, capabilities: Capabilities) -> None:
        self._web = web
        self._key = key
        self.capabilities = capabilities

    @classmethod
    def open_crm(cls, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        # It carries out at once what it is told.
        able = {"late_s": 0.0, **json.loads(settings.get("able", "{}"))}
        return cls(Web(settings["url"]), secrets["key"], Capabilities(**able))

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        return [Setting("url", "Address"), Setting("key", "Key", is_secret=True)]

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Mapping[str, Found]:
        hits = (await self._ask("cards", cards=list(cards)))["found"]
        return {
            card: _customer(found[0], fields, (card,))
            if len(found) == 1
            else Ambiguous(tuple(each["id"] for each in found))
            for card, found in hits.items()
            if found
        }

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Customer]:
        hits = (await self._ask("ids", ids=list(ids)))["found"]
        return {each["id"]: _customer(each, fields) for each in hits}

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        known = await self._known([visit.event_id for visit in visits]) if again else {"visits": []}
        new = [visit for visit in visits if visit.event_id not in known["visits"]]
        await self._ask("visits", visits=msgspec.to_builtins(new))
        return [Delivered(v.event_id, "done" if v in new else "already") for v in visits]

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        known = (await self._known([]))["made"] if again else {}
        missing = [each for each in new if each.event_id not in known]
        made = (await self._ask("customers", new=msgspec.to_builtins(missing)))["made"]
        ids = dict(zip([each.event_id for each in missing], made, strict=True))
        return [
            Delivered(e, "done", customer=ids[e])
            if e in ids
            else Delivered(e, "already", customer=str(known[e]))
            for e in (each.event_id for each in new)
        ]

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        hits = (await self._ask("page", after=int(after or 0)))["found"]
        page = tuple(_customer(each, fields, tuple(each["cards"])) for each in hits)
        return Page(page, page[-1].id if page else None)

    async def describe(self) -> Sequence[Field]:
        return [Field("note", "Note")]

    async def health(self) -> Health:
        try:
            await self._ask("ids", ids=[])
        except CrmError as error:
            return Health(False, str(error))
        return Health(True)

    async def aclose(self) -> None:
        await self._web.aclose()

    async def _known(self, events: Sequence[str]) -> Any:
        return await self._ask("known", events=list(events))

    async def _ask(self, what: str, **said: object) -> Any:
        answer = await self._web.ask("POST", f"/{what}", headers={"X-Key": self._key}, json=said)
        told = answer.json()
        if "nonsense" in told:
            raise CrmAnswerError("its answer is not the one of this CRM")
        return told


def _customer(
    said: Mapping[str, Any], fields: Sequence[str], cards: tuple[str, ...] = ()
) -> Customer:
    chosen = {name: said[name] for name in fields if name in said}
    return Customer(said["id"], said["name"], cards, said["points"], chosen)


@dataclasses.dataclass
class PaperServer:
    """The server's process: started, killed, and told what is to go wrong."""

    processes: Processes
    file: Path
    port: int = 0
    running: Running | None = None

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    @property
    def settings(self) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{self.port}"}

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find the adapter and to be let in."""
        host = self.processes.environment["PYTHONPATH"]
        path = f"{host}:{_TESTS}:{_PLUGIN}"
        return {"PYTHONPATH": path, "BESNIK_CRM_KEY": KEY}

    def start(self) -> None:
        command = [sys.executable, "-m", "support.paper_server", str(self.port), str(self.file)]
        self.running = self.processes.start(
            "paper", command, environment=self.environment, ready="paper: ready"
        )

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()

    def stop(self) -> None:
        """End it as a power cut would."""
        self.kill()

    def events(self, customer: str) -> list[str]:
        """Return the events on a customer's sheet."""
        with closing(sqlite3.connect(self.file)) as database:
            rows = database.execute("SELECT event FROM visit WHERE customer = ?", (customer,))
            return [event for (event,) in rows]

    def open(self) -> PaperCrm:
        """Return the adapter on it."""
        return PaperCrm.open_crm(self.settings, {"key": KEY})

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.running is not None and self.running.alive

    def fault(self, **what: object) -> list[str]:
        """Let something go wrong; return what was asked so far."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/fault", json.dumps(what).encode()
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            asked: list[str] = json.load(answer)["asked"]
        return asked

    def add(self, name: str, *cards: str) -> str:
        """Write a customer down, past the adapter."""
        new = [{"name": name, "event_id": "", "cards": cards}]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/customers",
            json.dumps({"new": new}).encode(),
            {"X-Key": KEY},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            made: str = json.load(answer)["made"][0]
        return made
