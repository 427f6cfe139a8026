"""The ledger in the database: a card found, a long history's balance, a year's lots expired.

SQLite. A card among 100,000 by the bridge's own look-up. The balance of a member with 10,000
entries, first with all of their lots open, then with all but one spent, by the function that every
page and the API ask. One run of the nightly job over 1,000,000 lots of 100,000 members that have
all run out: pages of 500 in transactions of their own; that nothing is done twice and the ledger
adds up is checked afterwards. Its memory is the growth of the process after the first pages, its
steadiness what the last tenth of the pages took over the first: a run that reads again what it has
done would take longer and longer.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import population
from figures import Figure, at_most
from parts import prepared_database

from besnik.credentials.assess import CardRef
from besnik.loyalty import operations
from besnik.store.hot import CardKey, open_hot
from support.orm import models_on
from support.store import open_raw, settings_for

TITLE = "The ledger"
CARDS: Final = 100_000
LOOK_UPS: Final = 20_000
ENTRIES: Final = 10_000
BALANCES: Final = 200
MEMBERS: Final = 100_000
LOTS: Final = 10  # of each
NOW: Final = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
_MOMENT: Final = "'2026-01-01 00:00:00'"
_NUMBERS: Final = """
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {last}) """
# One member's history: an entry, two postings and a lot of 1 for each number.
_HISTORY: Final = (
    f"""INSERT INTO store_entry (id, program_id, kind, created_at, occurred_at)
        SELECT n, 1, 'accrue', {_MOMENT}, {_MOMENT} FROM number""",
    """INSERT INTO store_posting (entry_id, account_id, amount)
       SELECT n, account.id, CASE WHEN member_id IS NULL THEN -1 ELSE 1 END
       FROM number CROSS JOIN store_account account WHERE account.unit = 'point'""",
    f"""INSERT INTO store_lot (member_id, unit, entry_id, amount, main, opened_at, available_at)
        SELECT {{member}}, 'point', n, 1, 1, {_MOMENT}, {_MOMENT} FROM number""",
)
_ACCOUNTS: Final = """
    INSERT INTO store_account (program_id, member_id, unit, balance)
    VALUES (1, {member}, 'point', {entries}), (1, NULL, 'point', -{entries})"""
# Many members: one entry each, which opened ten lots of 1 that ended one month after the other.
_CROWD: Final = (
    """INSERT INTO store_account (program_id, member_id, unit, balance)
       SELECT 1, id, 'point', {lots} FROM store_member WHERE ref LIKE 'b0%' UNION ALL
       SELECT 1, NULL, 'point', -{lots} * count(*) FROM store_member WHERE ref LIKE 'b0%'""",
    f"""INSERT INTO store_entry (program_id, kind, created_at, occurred_at, reason)
        SELECT 1, 'open', {_MOMENT}, {_MOMENT}, id FROM store_member WHERE ref LIKE 'b0%'""",
    """INSERT INTO store_posting (entry_id, account_id, amount)
       SELECT entry.id, account.id, CASE WHEN account.member_id IS NULL THEN -{lots} ELSE {lots} END
       FROM store_entry entry JOIN store_account account
         ON account.member_id IS NULL OR account.member_id = CAST(entry.reason AS INTEGER)""",
    f"""INSERT INTO store_lot (member_id, unit, entry_id, amount, main, opened_at, available_at,
            expires_at)
        SELECT CAST(entry.reason AS INTEGER), 'point', entry.id, 1, 1, {_MOMENT}, {_MOMENT},
            printf('2026-%02d-01 00:00:00', 1 + number.n)
        FROM store_entry entry CROSS JOIN number""",
)


def measure() -> list[Figure]:
    """Look up, add up, expire."""
    with prepared_database() as url:
        population.add_cards(url, 0, CARDS - 1)
        looked_ms = _look_up(url)
    with prepared_database() as url, models_on(url):
        open_ms, spent_ms = _balances(url)
    with prepared_database() as url, models_on(url):
        return [
            _p99("a card found among 100,000: p99", looked_ms, 5),
            _p99(f"balance of {ENTRIES:,} entries, all lots open: p99", open_ms, 10),
            _p99(f"balance of {ENTRIES:,} entries, all but one spent: p99", spent_ms, 10),
            *_expiry(url),
        ]


def _p99(what: str, took_ms: list[float], limit_ms: float) -> Figure:
    return at_most(what, statistics.quantiles(took_ms, n=100)[-1], limit_ms, "ms", 2)


def _timed_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1_000 * (time.perf_counter() - began)


def _look_up(url: str) -> list[float]:
    with closing(open_hot(settings_for(url))) as hot:
        keys = (CardKey(1, CardRef("uid", f"04{n * 7919 % CARDS:012X}")) for n in range(LOOK_UPS))
        return [_timed_ms(lambda key=key: hot.cards([key])) for key in keys]


def _balances(url: str) -> tuple[list[float], list[float]]:
    from besnik.store import books
    from besnik.store.models import Member

    member = Member.objects.earliest("pk").pk
    with closing(open_raw(url)) as connection:
        connection.execute(_ACCOUNTS.format(member=member, entries=ENTRIES))
        for statement in _HISTORY:
            connection.execute((_NUMBERS + statement).format(last=ENTRIES, member=member))
    took = []
    for active in (ENTRIES, 1):
        if active == 1:
            with books.writing(1, [member]) as ledger:
                lots = ledger.lots(member, "point")
                entry = operations.redeem(1, lots, ENTRIES - 1, NOW)
                ledger.post(entry, at=NOW, source="till")
        assert books.balances_of(member, NOW)["point"].active == active
        took.append([_timed_ms(lambda: books.balances_of(member, NOW)) for _ in range(BALANCES)])
    return took[0], took[1]


def _expiry(url: str) -> list[Figure]:
    from besnik.store.books.check import check, said
    from besnik.store.jobs import expiry

    population.add_cards(url, 0, MEMBERS - 1)
    with closing(open_raw(url)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for statement in _CROWD:
            connection.execute((_NUMBERS + statement).format(last=LOTS, lots=LOTS))
    pages_s: list[float] = []
    peaks_kb: list[int] = []
    whole = expiry._expire

    def timed(books: object, now: dt.datetime) -> int:
        began = time.perf_counter()
        done = whole(books, now)
        pages_s.append(time.perf_counter() - began)
        peaks_kb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return done

    expiry._expire = timed
    try:
        began = time.perf_counter()
        done = expiry.expire_run_out(NOW)
        took_s = time.perf_counter() - began
    finally:
        expiry._expire = whole
    report = check()
    assert done == MEMBERS and report.is_clean, said(report)
    assert expiry.expire_run_out(NOW) == 0
    tenth = len(pages_s) // 10
    steadiness = statistics.median(pages_s[-tenth:]) / statistics.median(pages_s[:tenth])
    grown_mb = (peaks_kb[-1] - peaks_kb[2]) / 1024
    lots = MEMBERS * LOTS
    return [
        Figure(f"{lots:,} lots expired in one run", f"{took_s:.0f} s, {lots / took_s:,.0f} lots/s"),
        at_most("memory that the run grew by after its first pages", grown_mb, 32, "MB", 1),
        at_most("its last pages over its first", steadiness, 2, "times", 2),
    ]
