"""The demo shop with a Tryton behind it: connected, switched on, and the worker between them."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

from django.test import override_settings

from support.crm_reckoning import event_of
from support.orm import models_on
from support.processes import Processes, Running
from support.store import rows
from support.tryton import TrytonServer

# Events are told every 20 s, after an outage later; a machine may be slow.
TOLD_S = 60.0
UNIT = "stamp"
SHOWN = ("categories.rec_name", "Interests", "cashier")


def connect(database_url: str, state: Path, tryton: TrytonServer, address: str = "") -> None:
    """Make Tryton the CRM of the demo's program, as its owner does, and switch it on.

    ``address``: that of a proxy in front of it.
    """
    given = {**tryton.settings, **tryton.secrets, "address": address or tryton.url}
    connect_to(database_url, state, "tryton", given, SHOWN)


def connect_to(
    database_url: str, state: Path, adapter: str, given: dict[str, str], shown: tuple[str, str, str]
) -> None:
    """Make a CRM that of the demo's program and switch it on; ``shown``: field, label, role."""
    with models_on(database_url), override_settings(STATE=state):
        from besnik.crm import choosing, sources
        from besnik.store.models import Program

        program = Program.objects.get().pk
        source = choosing.keep(program, choosing.choice(program, adapter, given))
        choosing.show(source, [choosing.Shown(*shown)], UNIT)
        sources.switch_on(source, dt.datetime.now(dt.UTC))


class WorkerRunner:
    """Starts the process that speaks with the CRM, as often as a test likes."""

    def __init__(self, processes: Processes, settings: Path) -> None:
        self._processes = processes
        self._environment = {"BESNIK_CONFIG": str(settings)}

    def start(self) -> Running:
        """Start it; return when it serves."""
        command = [sys.executable, "-m", "besnik.crm"]
        return self._processes.start(
            "crm", command, environment=self._environment, ready="crm: ready"
        )


def told(database_url: str) -> dict[str, list[str]]:
    """Return the events that the ledger has for each customer there: what it has to be told."""
    found: dict[str, list[str]] = {}
    query = """SELECT DISTINCT link.external_id, entry.program_id, entry.id, entry.created_at
        FROM store_entry entry JOIN store_posting posting ON posting.entry_id = entry.id
        JOIN store_account account ON account.id = posting.account_id
        JOIN store_crmlink link ON link.member_id = account.member_id
        WHERE substr(entry.key, 1, 4) <> 'crm:' ORDER BY 3"""
    for customer, program, entry, at in rows(database_url, query):
        found.setdefault(customer, []).append(event_of(program, entry, at))
    return found


def all_told(database_url: str, tryton: TrytonServer) -> bool:
    """Tell whether Tryton has every event of its customers; AssertionError if it has one twice."""
    there = tryton.all_events()
    assert len(there) == len(set(there)), "an event is in Tryton twice"
    here = told(database_url).values()
    return sorted(there) == sorted(event for events in here for event in events)


def states(database_url: str) -> list[str]:
    """Return how the taps stand that waited for Tryton."""
    query = "SELECT state FROM store_crmpending ORDER BY id"
    return [state for (state,) in rows(database_url, query)]


async def until(condition: Callable[[], bool], what: str, seconds: float = TOLD_S) -> None:
    """Return when ``condition``, which may block, holds; AssertionError naming ``what`` if not."""
    for _ in range(int(seconds / 0.2)):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")
