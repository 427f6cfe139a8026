"""A program's next version in a test's database, written as the pages write it."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any, Final

from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program, encode
from besnik.loyalty.rules import PerVisit, Rule, RuleSet
from besnik.store.database import is_sqlite
from support.store import open_raw

STAMP: Final = PerVisit(id="visit", unit="stamp")
_INSERT: Final = """
    INSERT INTO store_programversion (program_id, version, document, published_at)
    SELECT {mark}, coalesce(max(version), 0) + 1, {mark}, {mark}
    FROM store_programversion WHERE program_id = {mark}"""


def publish(url: str, *rules: Rule, program: int = 0, **more: Any) -> Program:
    """Publish ``rules`` and what ``more`` says as the newest version; of the demo's program by 0.

    Its days are UTC's, and its rules hold from 2020 on.
    """
    with closing(open_raw(url)) as connection:
        found = connection.execute("SELECT min(id) FROM store_program").fetchone()[0]
        made = Program(
            id=program or found,
            name="Corner Coffee",
            currency=Currency.named("EUR"),
            zone="UTC",
            rule_sets=(RuleSet(version=1, first_day=dt.date(2020, 1, 1), rules=rules),),
            **more,
        )
        at = "2026-01-01 00:00:00" + ("" if is_sqlite(url) else "+00")
        connection.execute(
            _INSERT.format(mark="?" if is_sqlite(url) else "%s"),
            (made.id, encode(made).decode(), at, made.id),
        )
    return made
