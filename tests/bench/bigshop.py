"""A shop with many members and years of sales behind it, put into SQLite by plain SQL.

Half of the entries are sales of 5 to 25 euro, one line and one payment each, and half are visits
at the reader. They are spread evenly over members and over the year before now; each opened one
lot that is still there. Balances agree with postings and lots.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Final

from besnik.loyalty.guards import Velocity
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, FreeItem, Reward
from besnik.loyalty.rules import PerAmount, PerVisit, RuleSet
from besnik.loyalty.tiers import Tier, TierPlan
from support.pos import FIRST_DAY
from support.programs import BASIS, with_rules
from support.store import open_raw

MEMBERS: Final = 100_000
ENTRIES: Final = 1_000_000
_YEAR_S: Final = 360 * 24 * 3600
_NUMBERS: Final = """
    WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < {last}) """
# Names that a search has to tell apart: 100 of one kind by 1000 of the other.
_NAME: Final = "printf('Name%02d Family%03d', n % 100, n / 100)"
_WHEN: Final = "datetime({since} + n * {step}, 'unixepoch')"
_STEPS: Final = (
    """INSERT INTO store_member (program_id, ref, name, language, created_at)
       SELECT {program}, printf('b%011d', n), {name}, 'en', datetime({since}, 'unixepoch')
       FROM number""",
    """INSERT INTO store_person (member_id, program_id, folded_name, phone, phone_digest, email,
           motive, tags)
       SELECT member.id, {program}, lower(member.name), printf('+35569%07d', n),
           phone_digest(printf('+35569%07d', n)), '', '', '[]'
       FROM number CROSS JOIN store_member member ON member.ref = printf('b%011d', n)""",
    """INSERT INTO store_nameword (person_id, program_id, word)
       SELECT member_id, program_id, substr(folded_name, 1, 6) FROM store_person
       WHERE phone LIKE '+35569%' UNION ALL
       SELECT member_id, program_id, substr(folded_name, 8) FROM store_person
       WHERE phone LIKE '+35569%'""",
    """INSERT INTO store_card (program_id, member_id, kind, data, state, created_at)
       SELECT {program}, member.id, 'uid', printf('04%012X', n), 'active', member.created_at
       FROM number CROSS JOIN store_member member ON member.ref = printf('b%011d', n)""",
)
# What happened n-th; the first member's row is {first}, and members come in turn.
_HISTORY: Final = (
    """INSERT INTO store_tap (id, reader_id, tap_id, kind, data, card_id, member_id, tier, outcome,
           reason, finding, read_at, clock_quality, queued, received_at)
       SELECT {row} + n, {reader}, printf('%05d-%06d', 50000 + n / 999999, n % 999999), 'uid',
           card.data, card.id, card.member_id, 'D', 'accepted', 'ok', '', {since} + n * {step}, 2,
           0, {when}
       FROM number CROSS JOIN store_card card ON card.id = {card} + (n / 2) % {members}
       WHERE n % 2""",
    """INSERT INTO store_sale (id, program_id, shop_id, till_id, receipt, member_id, channel,
           amount_minor, counting_minor, version, standing, earned, at, created_at)
       SELECT {row} + n, {program}, {shop}, {till}, printf('big-%d', n),
           {first} + (n / 2) % {members}, 'shop', 500 + n % 2001, 500 + n % 2001, 1,
           '{{"level":0,"tier_bp":{{"point":10000}},"used":{{}},"carried_minor":{{}}}}',
           printf('{{"point":%d,"stamp":1}}', (500 + n % 2001) / 100), {when}, {when}
       FROM number WHERE n % 2 = 0""",
    """INSERT INTO store_saleline (sale_id, line, title, category, quantity, amount_minor, reward)
       SELECT {row} + n, '1', printf('Item %d', n % 50), 'food', 1, 500 + n % 2001, 0
       FROM number WHERE n % 2 = 0""",
    """INSERT INTO store_saletender (sale_id, kind, amount_minor)
       SELECT {row} + n, 'cash', 500 + n % 2001 FROM number WHERE n % 2 = 0""",
    """INSERT INTO store_entry (id, program_id, kind, tap_id, sale_id, source, occurred_at,
           created_at)
       SELECT {row} + n, {program}, 'accrue', iif(n % 2, {row} + n, NULL),
           iif(n % 2, NULL, {row} + n), iif(n % 2, 'reader', 'api'), {when}, {when} FROM number""",
    """INSERT INTO store_lot (member_id, unit, entry_id, amount, main, opened_at, available_at)
       SELECT {first} + (n / 2) % {members}, iif(n % 2, 'stamp', 'point'), {row} + n,
           iif(n % 2, 1, (500 + n % 2001) / 100), iif(n % 2, 1, (500 + n % 2001) / 100), {when},
           {when} FROM number""",
    """INSERT INTO store_account (program_id, member_id, unit, account, balance)
       SELECT {program}, member_id, unit, 'main', sum(main) FROM store_lot
       WHERE entry_id >= {row} GROUP BY member_id, unit""",
    """INSERT INTO store_account (program_id, unit, account, balance)
       SELECT {program}, unit, 'main', -sum(main) FROM store_lot
       WHERE entry_id >= {row} GROUP BY unit
       ON CONFLICT (program_id, unit, account) WHERE member_id IS NULL
       DO UPDATE SET balance = balance + excluded.balance""",
    """INSERT INTO store_posting (entry_id, account_id, amount)
       SELECT lot.entry_id, account.id, lot.amount FROM store_lot lot
       JOIN store_account account ON account.member_id = lot.member_id
           AND account.unit = lot.unit AND account.account = 'main'
       WHERE lot.entry_id >= {row}""",
    """INSERT INTO store_posting (entry_id, account_id, amount)
       SELECT lot.entry_id, account.id, -lot.amount FROM store_lot lot
       JOIN store_account account ON account.program_id = {program} AND account.member_id IS NULL
           AND account.unit = lot.unit AND account.account = 'main'
       WHERE lot.entry_id >= {row}""",
)
_TABLES: Final = "('store_tap', 'store_sale', 'store_saleline', 'store_saletender', 'store_entry', \
'store_lot', 'store_posting', 'store_nameword', 'store_person', 'store_card')"
# Two of these are looked up while rows are put in.
_INDEXES: Final = f"""
    SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    AND tbl_name IN {_TABLES}"""


def program() -> Program:
    """Return what the big shop gives: points, stamps, three tiers, two rewards, a speed limit."""
    tiers = TierPlan(
        tiers=(
            Tier(name="Red", threshold=0),
            Tier(name="Silver", threshold=50_000, times_bp=13_000, benefits=("priority",)),
            Tier(name="Gold", threshold=150_000, times_bp=16_000, benefits=("priority",)),
        )
    )
    rewards = (
        Reward(id="five-off", title="5 off", kind=AmountOff(500), cost=50),
        Reward(id="coffee", title="free coffee", kind=FreeItem(), cost=10, unit="stamp"),
    )
    return with_rules(
        PerAmount(id="spend", per_minor=100),
        PerVisit(id="visit", unit="stamp"),
        tiers=tiers,
        rewards=rewards,
        velocity=Velocity(most=20, minutes=10),
    )


def build(url: str, members: int = MEMBERS, entries: int = ENTRIES) -> None:
    """Put the members and their history into the demo shop of the database at ``url``.

    The models must work on it (`support.orm.models_on`): the program is published through them.
    """
    from besnik.store.people import phones

    _publish()
    with closing(open_raw(url)) as connection:
        connection.create_function("phone_digest", 1, phones.digest, deterministic=True)
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        where = _where(connection)
        _run(connection, _STEPS, members - 1, where)
        first, card = connection.execute(
            "SELECT min(member.id), min(card.id) FROM store_member member "
            "JOIN store_card card ON card.member_id = member.id WHERE member.ref LIKE 'b0%'"
        ).fetchone()
        more = {"first": first, "card": card, "members": members}
        _run(connection, _HISTORY, entries - 1, where | more)
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _publish() -> None:
    import datetime as dt

    import msgspec

    from besnik.store import programs
    from besnik.store.models import Shop

    shop = Shop.objects.get(slug="corner")
    made = msgspec.structs.replace(program(), id=shop.program_id, name=BASIS.name)
    # The sales of the past year were counted by the first version of the rules.
    rules = msgspec.structs.replace(made.rule_sets[0], first_day=FIRST_DAY - dt.timedelta(days=900))
    assert isinstance(rules, RuleSet)
    programs.publish(msgspec.structs.replace(made, rule_sets=(rules,)), dt.datetime.now(dt.UTC))


def _where(connection: object) -> dict[str, object]:
    row = connection.execute(  # type: ignore[attr-defined]  # sqlite3's
        "SELECT shop.program_id, shop.id, till.id, reader.id FROM store_shop shop "
        "JOIN store_till till ON till.shop_id = shop.id "
        "JOIN store_reader reader ON reader.till_id = till.id WHERE shop.slug = 'corner'"
    ).fetchone()
    return dict(zip(("program", "shop", "till", "reader"), row, strict=True))


def _run(connection: object, steps: tuple[str, ...], last: int, values: dict[str, object]) -> None:
    since = int(time.time()) - _YEAR_S
    known = {"since": since, "step": _YEAR_S / (last + 1), "row": 10_000_000, "name": _NAME}
    when = _WHEN.format(since=since, step=known["step"])
    for step in steps:
        text = step.format(**known, when=when, **values)
        # What begins with WITH may only insert what it selects.
        if "FROM number" in text:
            text = _NUMBERS.format(last=last) + text
        connection.execute(text)  # type: ignore[attr-defined]
