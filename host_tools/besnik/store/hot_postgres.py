"""The bridge's statements for PostgreSQL: one statement, so one round trip, a batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg

from besnik.credentials.assess import CardRef
from besnik.loyalty.visits import Limit
from besnik.store.counters import CardCounter, raised
from besnik.store.hot import (
    TABLES,
    Batch,
    CardKey,
    DecidedTap,
    KnownCard,
    KnownReader,
    Recorded,
    TapKey,
    first_of_each,
    verdicts,
)
from besnik.store.judge import judge
from besnik.store.pace import alert
from besnik.store.pending import UNOWNED_FOR, WAITING, AnswerKey
from besnik.store.rulebook import Rulebook


def _columns(table: str, prefix: str = "") -> str:
    return ", ".join(prefix + column for column in TABLES[table])


_READERS: Final = """
    SELECT reader.slug, reader.id, shop.slug, shop.program_id, (
        SELECT version.id FROM store_programversion version
        WHERE version.program_id = shop.program_id ORDER BY version.version DESC LIMIT 1),
        EXISTS (
            SELECT FROM store_crmsource crm WHERE crm.program_id = shop.program_id AND crm.is_on)
    FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id
    WHERE reader.slug = ANY(%s)"""
_DOCUMENTS: Final = "SELECT id, document FROM store_programversion WHERE id = ANY(%s)"
_CARDS: Final = """
    SELECT card.program_id, card.kind, card.data, card.id, member.id, member.ref,
           CASE member.status WHEN 'active' THEN card.state ELSE 'closed' END,
           coalesce(tier.level, 0)
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS sought (program_id, kind, data)
    JOIN store_card card USING (program_id, kind, data)
    JOIN store_member member ON member.id = card.member_id
    LEFT JOIN store_tierheld tier ON tier.member_id = card.member_id"""
_FIRSTS: Final = """
    SELECT tap.reader_id, tap.tap_id, tap.outcome, tap.reason, member.ref
    FROM unnest(%s::bigint[], %s::text[]) AS sought (reader_id, tap_id)
    JOIN store_tap tap USING (reader_id, tap_id)
    LEFT JOIN store_member member ON member.id = tap.member_id"""
# ORDER BY: bridges lock cards in the same order. It leaves foreign keys to the cards alone.
_LOCK_COUNTERS: Final = """
    SELECT id, counter FROM store_card WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"""
_USED: Final = """
    SELECT DISTINCT sought.card_id, sought.counter
    FROM unnest(%s::bigint[], %s::integer[]) AS sought (card_id, counter)
    JOIN store_tap tap USING (card_id, counter)"""
_EARNINGS: Final = """
    SELECT entry.occurred_at
    FROM store_account account
    JOIN store_posting posting ON posting.account_id = account.id AND posting.amount > 0
    JOIN store_entry entry ON entry.id = posting.entry_id AND entry.kind = 'accrue'
    JOIN store_tap tap ON tap.id = entry.tap_id AND tap.card_id = %s
    WHERE account.member_id = %s AND account.unit = %s AND account.account = 'main'
    AND entry.occurred_at > %s"""
_GIVEN: Final = """
    SELECT coalesce(sum(posting.amount), 0)
    FROM store_account account
    JOIN store_posting posting ON posting.account_id = account.id
    JOIN store_entry entry ON entry.id = posting.entry_id AND entry.kind = 'accrue'
    WHERE account.member_id = %s AND account.unit = %s AND account.account = 'main'
    AND entry.occurred_at >= %s AND entry.occurred_at < %s"""
_ALERT: Final = f"""
    INSERT INTO store_alert ({", ".join(TABLES["store_alert"])})
    SELECT shop.program_id, %s, %s, %s::jsonb, %s
    FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id
    WHERE reader.id = %s"""
_UNOWNED: Final = """
    SELECT sought.reader_id, sought.card
    FROM unnest(%s::bigint[], %s::text[]) AS sought (reader_id, card)
    JOIN store_reader reader ON reader.id = sought.reader_id
    JOIN store_shop shop ON shop.id = reader.shop_id
    JOIN store_crmanswer answer
      ON answer.program_id = shop.program_id AND answer.card = sought.card
    WHERE answer.fetched_at > %s"""
_PENDING: Final = f"""
    INSERT INTO store_crmpending ({", ".join(TABLES["store_crmpending"])})
    SELECT shop.program_id, tap.id, %s
    FROM unnest(%s::bigint[], %s::text[]) AS sought (reader_id, tap_id)
    JOIN store_tap tap USING (reader_id, tap_id)
    JOIN store_reader reader ON reader.id = tap.reader_id
    JOIN store_shop shop ON shop.id = reader.shop_id"""
_RAISE: Final = """
    UPDATE store_card card SET counter = raised.counter
    FROM unnest(%s::bigint[], %s::integer[]) AS raised (id, counter)
    WHERE card.id = raised.id AND (card.counter IS NULL OR card.counter < raised.counter)"""

# ORDER BY before each upsert: two bridges then lock accounts in the same order and never
# wait for each other in a circle. The conditions repeat those of the partial unique indexes.
_RECORD: Final = f"""
    WITH tap_in AS (
        SELECT * FROM unnest(
            %(reader_id)s::bigint[], %(tap_id)s::text[], %(kind)s::text[], %(data)s::text[],
            %(card_id)s::bigint[], %(member_id)s::bigint[], %(counter)s::integer[],
            %(tier)s::text[], %(outcome)s::text[], %(reason)s::text[], %(finding)s::text[],
            %(read_at)s::bigint[], %(clock_quality)s::smallint[], %(queued)s::boolean[],
            %(received_at)s::timestamptz[]
        ) AS tap ({_columns("store_tap")})
    ), tap_new AS (
        INSERT INTO store_tap ({_columns("store_tap")})
        SELECT {_columns("store_tap")} FROM tap_in ORDER BY reader_id, tap_id
        ON CONFLICT (reader_id, tap_id) DO NOTHING
        RETURNING id, reader_id, tap_id, received_at
    ), entry_new AS (
        INSERT INTO store_entry ({_columns("store_entry")})
        SELECT entry.program_id, entry.kind, tap_new.id, entry.occurred_at, tap_new.received_at
        FROM unnest(
            %(entry_reader)s::bigint[], %(entry_tap)s::text[], %(entry_program)s::bigint[],
            %(entry_kind)s::text[], %(entry_occurred)s::timestamptz[]
        ) AS entry (reader_id, tap_id, program_id, kind, occurred_at)
        JOIN tap_new USING (reader_id, tap_id)
        RETURNING id, tap_id, program_id
    ), moved AS (
        SELECT entry_new.id AS entry_id, entry_new.program_id, posting.member_id, posting.unit,
               posting.amount
        FROM unnest(
            %(posting_reader)s::bigint[], %(posting_tap)s::text[], %(posting_member)s::bigint[],
            %(posting_unit)s::text[], %(posting_amount)s::bigint[]
        ) AS posting (reader_id, tap_id, member_id, unit, amount)
        JOIN tap_new USING (reader_id, tap_id)
        JOIN entry_new ON entry_new.tap_id = tap_new.id
    ), member_account AS (
        INSERT INTO store_account AS account ({_columns("store_account")})
        SELECT program_id, member_id, unit, sum(amount) FROM moved WHERE member_id IS NOT NULL
        GROUP BY program_id, member_id, unit ORDER BY member_id, unit
        ON CONFLICT (member_id, unit, account) WHERE member_id IS NOT NULL
        DO UPDATE SET balance = account.balance + excluded.balance
        RETURNING id, program_id, member_id, unit
    ), program_account AS (
        INSERT INTO store_account AS account ({_columns("store_account")})
        SELECT program_id, NULL, unit, sum(amount) FROM moved WHERE member_id IS NULL
        GROUP BY program_id, unit ORDER BY program_id, unit
        ON CONFLICT (program_id, unit, account) WHERE member_id IS NULL
        DO UPDATE SET balance = account.balance + excluded.balance
        RETURNING id, program_id, member_id, unit
    ), account AS (
        SELECT * FROM member_account UNION ALL SELECT * FROM program_account
    ), posting_new AS (
        INSERT INTO store_posting ({_columns("store_posting")})
        SELECT moved.entry_id, account.id, moved.amount
        FROM moved JOIN account
          ON account.program_id = moved.program_id AND account.unit = moved.unit
         AND coalesce(account.member_id, 0) = coalesce(moved.member_id, 0)
    ), lot_new AS (
        INSERT INTO store_lot ({_columns("store_lot")})
        SELECT lot.member_id, lot.unit, entry_new.id, lot.amount, lot.amount, lot.opened_at,
               lot.available_at, lot.expires_at
        FROM unnest(
            %(lot_reader)s::bigint[], %(lot_tap)s::text[], %(lot_member)s::bigint[],
            %(lot_unit)s::text[], %(lot_amount)s::bigint[], %(lot_opened)s::timestamptz[],
            %(lot_available)s::timestamptz[], %(lot_expires)s::timestamptz[]
        ) AS lot (reader_id, tap_id, member_id, unit, amount, opened_at, available_at, expires_at)
        JOIN tap_new USING (reader_id, tap_id)
        JOIN entry_new ON entry_new.tap_id = tap_new.id
    )
    SELECT reader_id, tap_id FROM tap_new"""

# PostgreSQL takes what comes out of an INSERT for one row and so joins by comparing every posting
# with every account: more than half of the time of a batch of 128. To the end of the transaction.
_BY_HASH: Final = "SET LOCAL enable_nestloop = off"


class PostgresStore:
    """The hot statements on one psycopg connection in autocommit mode."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._rulebook = Rulebook()
        self.waits = True

    def readers(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        """See HotStore."""
        rows = self._connection.execute(_READERS, (list(set(slugs)),)).fetchall()
        self._rulebook.learn([row[4] for row in rows], self._documents)
        rules = self._rulebook.rules
        return {row[0]: KnownReader(row[1], row[2], rules(row[3], row[4]), row[5]) for row in rows}

    def _documents(self, versions: Collection[int]) -> Iterable[tuple[int, str]]:
        return self._connection.execute(_DOCUMENTS, (list(versions),)).fetchall()

    def cards(self, keys: Sequence[CardKey]) -> dict[CardKey, KnownCard]:
        """See HotStore."""
        sought = list(set(keys))
        if not sought:
            return {}
        programs = [key.program for key in sought]
        kinds, data = [key.ref.kind for key in sought], [key.ref.data for key in sought]
        rows = self._connection.execute(_CARDS, (programs, kinds, data))
        return {CardKey(row[0], CardRef(row[1], row[2])): KnownCard(*row[3:]) for row in rows}

    def settle(self, batch: Batch) -> Sequence[Recorded]:
        """See HotStore."""
        keys = batch.open(self.readers(batch.slugs))
        taps = batch.decide(self.cards(keys) if keys else {})
        return self.record(taps) if taps else []

    def record(self, taps: Sequence[DecidedTap]) -> list[Recorded]:
        """See HotStore."""
        firsts = first_of_each(taps)
        with self._connection.transaction():
            judge(firsts, self)
            written = self._write(firsts)
            self._raise_counters(raised(firsts, written))
            self._alert([firsts[key] for key in written if firsts[key].reason == "too_soon"])
            self._wait([key for key in written if firsts[key].reason == "pending"])
        missing = firsts.keys() - written
        return verdicts(taps, firsts, self.recorded(missing) if missing else {})

    def recorded(self, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
        """See HotStore."""
        rows = self._connection.execute(_FIRSTS, _unzipped(keys))
        return {(row[0], row[1]): Recorded(row[2], row[3], row[4], repeat=True) for row in rows}

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """See CardRows: another bridge waits here until this one has written its taps."""
        return dict(self._connection.execute(_LOCK_COUNTERS, (list(cards),)).fetchall())

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """See CardRows."""
        return set(self.recorded(keys))

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """See CardRows."""
        return set(self._connection.execute(_USED, _unzipped(counters)) if counters else ())

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """See CardRows."""
        rows = self._connection.execute(_EARNINGS, (card, member, unit, since))
        return [row[0] for row in rows]

    def given(self, member: int, limit: Limit) -> int:
        """See CardRows."""
        span = member, limit.unit, limit.since, limit.until
        return int(self._connection.execute(_GIVEN, span).fetchall()[0][0])

    def unowned(self, keys: Collection[AnswerKey], now: dt.datetime) -> set[AnswerKey]:
        """See AnswerRows."""
        since = now - UNOWNED_FOR
        return set(self._connection.execute(_UNOWNED, (*_unzipped(keys), since)))

    def _wait(self, pending: Collection[TapKey]) -> None:
        if pending:
            self._connection.execute(_PENDING, (WAITING, *_unzipped(pending)))

    def _alert(self, refused: Collection[DecidedTap]) -> None:
        for tap in refused:
            self._connection.execute(_ALERT, (*alert(tap), tap.happened_at, tap.reader))

    def _write(self, firsts: Mapping[TapKey, DecidedTap]) -> set[TapKey]:
        self._connection.execute(_BY_HASH)
        return set(self._connection.execute(_RECORD, _arrays(list(firsts.values()))))

    def _raise_counters(self, highest: Mapping[int, int]) -> None:
        if highest:
            self._connection.execute(_RAISE, _unzipped(highest.items()))

    def close(self) -> None:
        """See HotStore."""
        self._connection.close()


def _unzipped(pairs: Collection[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _arrays(taps: list[DecidedTap]) -> dict[str, list[Any]]:
    entries = [(tap, tap.entry) for tap in taps if tap.entry is not None]
    lots = [(tap, lot) for tap, entry in entries for lot in entry.opens]
    postings = [(tap, posting) for tap, entry in entries for posting in entry.postings]
    return {
        "reader_id": [tap.reader for tap in taps],
        "tap_id": [tap.tap_id for tap in taps],
        "kind": [tap.ref.kind for tap in taps],
        "data": [tap.ref.data for tap in taps],
        "card_id": [None if tap.card is None else tap.card.card for tap in taps],
        "member_id": [None if tap.card is None else tap.card.member for tap in taps],
        "counter": [tap.counter for tap in taps],
        "tier": [tap.tier for tap in taps],
        "outcome": [tap.outcome for tap in taps],
        "reason": [tap.reason for tap in taps],
        "finding": [tap.finding for tap in taps],
        "read_at": [tap.read_at for tap in taps],
        "clock_quality": [tap.clock_quality for tap in taps],
        "queued": [tap.queued for tap in taps],
        "received_at": [tap.received_at for tap in taps],
        "entry_reader": [tap.reader for tap, _ in entries],
        "entry_tap": [tap.tap_id for tap, _ in entries],
        "entry_program": [entry.program for _, entry in entries],
        "entry_kind": [entry.kind for _, entry in entries],
        "entry_occurred": [tap.happened_at for tap, _ in entries],
        "lot_reader": [tap.reader for tap, _ in lots],
        "lot_tap": [tap.tap_id for tap, _ in lots],
        "lot_member": [lot.member for _, lot in lots],
        "lot_unit": [lot.unit for _, lot in lots],
        "lot_amount": [lot.amount for _, lot in lots],
        "lot_opened": [lot.opened_at for _, lot in lots],
        "lot_available": [lot.available_at for _, lot in lots],
        "lot_expires": [lot.expires_at for _, lot in lots],
        "posting_reader": [tap.reader for tap, _ in postings],
        "posting_tap": [tap.tap_id for tap, _ in postings],
        "posting_member": [posting.member for _, posting in postings],
        "posting_unit": [posting.unit for _, posting in postings],
        "posting_amount": [posting.amount for _, posting in postings],
    }
