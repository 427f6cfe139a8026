"""A batch on PostgreSQL in few statements, against four statements a tap.

The bridge's desk settles batches of 128 taps with its whole ledger: one statement looks the cards
up, one writes taps, entries, postings, lots and balances. Against it: one transaction a tap that
selects the card, inserts tap and entry and updates the balance, with psycopg and prepared
statements, and leaves out the program's side of the ledger. A server of its own on this machine,
`synchronous_commit=on`. They take turns; medians.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from figures import Figure, at_least
from parts import environment
from settling import READER, Settling

from support.database import prepare
from support.postgres import PostgresServer, programs
from support.processes import Processes
from support.store import execute, open_raw

TITLE = "Batches on PostgreSQL"
ROUNDS: Final = 7
BATCH: Final = 128
BATCHES: Final = 8
SINGLES: Final = 64
CARDS: Final = 10_000
_GOAL: Final = 20
_MEMBERS: Final = f"""
    INSERT INTO store_member (program_id, ref, name, language, created_at)
    SELECT 1, 'b' || lpad(n::text, 11, '0'), 'Member ' || n, 'en', now()
    FROM generate_series(0, {CARDS - 1}) n"""
_CARDS: Final = """
    INSERT INTO store_card (program_id, member_id, kind, data, originality, state, created_at)
    SELECT 1, id, 'uid', '04' || lpad(upper(to_hex(substr(ref, 2)::bigint)), 12, '0'), '', 'active',
           now()
    FROM store_member WHERE ref LIKE 'b%' AND length(ref) = 12 AND name LIKE 'Member %'"""
_ACCOUNTS: Final = """
    INSERT INTO store_account (program_id, member_id, unit, balance)
    SELECT 1, id, 'stamp', 0 FROM store_member ON CONFLICT DO NOTHING"""


def measure() -> list[Figure]:
    """Take turns."""
    folder = programs()
    if folder is None:
        return [Figure("batches on PostgreSQL", "not measured: no PostgreSQL server here")]
    with TemporaryDirectory(prefix="besnik-") as scratch:
        (Path(scratch) / "logs").mkdir()
        processes = Processes(Path(scratch) / "logs", environment())
        try:
            with PostgresServer(processes, folder) as server:
                prepare(server.url, environment())
                for statement in (_MEMBERS, _CARDS, _ACCOUNTS):
                    execute(server.url, statement)
                batches, singles = asyncio.run(_rounds(server.url))
        finally:
            processes.end()
    ratio = statistics.median(batches) / statistics.median(singles)
    return [
        at_least(f"taps/s in batches of {BATCH}: times four statements a tap", ratio, _GOAL, "", 1)
    ]


async def _rounds(url: str) -> tuple[list[float], list[float]]:
    batches, singles = [], []
    async with Settling(url) as settling:
        with closing(open_raw(url)) as connection:
            for number in range(ROUNDS):
                taken = [await settling.seconds(BATCH, CARDS) for _ in range(BATCHES)]
                batches.append(BATCHES * BATCH / sum(taken))
                singles.append(_singles(connection, number))
    return batches, singles


def _singles(connection: Any, number: int) -> float:
    reader = connection.execute(
        "SELECT id FROM store_reader WHERE slug = %s", (READER,)
    ).fetchone()[0]
    began = time.perf_counter()
    for index in range(SINGLES):
        _single(connection, reader, f"99999-{number * SINGLES + index:06d}", index * 37 % CARDS)
    return SINGLES / (time.perf_counter() - began)


def _single(connection: Any, reader: int, tap_id: str, card: int) -> None:
    uid = f"04{card:012X}"
    with connection.transaction():
        card_row, member = connection.execute(
            "SELECT id, member_id FROM store_card WHERE program_id = 1 AND kind = 'uid' "
            "AND data = %s",
            (uid,),
        ).fetchone()
        tap = connection.execute(
            "INSERT INTO store_tap (reader_id, tap_id, kind, data, card_id, member_id, tier, "
            "outcome, reason, read_at, clock_quality, queued, received_at) VALUES "
            "(%s, %s, 'uid', %s, %s, %s, 'D', 'accepted', 'ok', 0, 2, false, now()) RETURNING id",
            (reader, tap_id, uid, card_row, member),
        ).fetchone()[0]
        connection.execute(
            "INSERT INTO store_entry (program_id, kind, tap_id, created_at) "
            "VALUES (1, 'accrue', %s, now())",
            (tap,),
        )
        connection.execute(
            "UPDATE store_account SET balance = balance + 1 WHERE member_id = %s "
            "AND unit = 'stamp'",
            (member,),
        )
