"""What happens to somebody's cards at the readers: replaced, left, come back, erased."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import pytest

from support.bridge import ANA, BLANK, ReaderStation
from support.orm import models_on
from support.store import assert_ledger_adds_up, rows

pytestmark = pytest.mark.usefixtures("bridge")


def stamps(url: str) -> list[int]:
    return [
        balance
        for (balance,) in rows(
            url, "SELECT balance FROM store_account WHERE member_id IS NOT NULL ORDER BY balance"
        )
    ]


async def on(url: str, work: Callable[[], object]) -> None:
    def worked() -> None:
        with models_on(url):
            work()

    await asyncio.to_thread(worked)


async def test_a_lost_card_is_refused_from_the_moment_it_is_replaced(
    reader: ReaderStation, database_url: str
) -> None:
    from besnik.store import people
    from besnik.store.models import Card, Tap

    reader.tap(ANA)
    assert (await reader.hear())["r"] == "accepted"
    reader.tap(BLANK)
    assert (await reader.hear())["why"] == "unknown"

    await on(
        database_url,
        lambda: people.replace_card(Card.objects.get(data=ANA), Tap.objects.get(data=BLANK)),
    )
    reader.tap(ANA)
    lost = await reader.hear()
    reader.tap(BLANK)
    new = await reader.hear()
    assert (lost["r"], new["r"]) == ("rejected", "accepted")
    # The same account has both visits: nothing was copied.
    assert stamps(database_url) == [2]
    assert_ledger_adds_up(database_url)


async def test_the_card_of_somebody_who_left_earns_nothing_until_they_come_back(
    reader: ReaderStation, database_url: str
) -> None:
    from besnik.store import people
    from besnik.store.models import Member

    def ana() -> Member:
        return Member.objects.get(cards__data=ANA)

    now = dt.datetime.now(dt.UTC)
    reader.tap(ANA)
    assert (await reader.hear())["r"] == "accepted"
    await on(database_url, lambda: people.close(ana(), now))
    reader.tap(ANA)
    assert (await reader.hear())["r"] == "rejected"
    assert stamps(database_url) == [1]
    await on(database_url, lambda: people.reopen(ana()))
    reader.tap(ANA)
    assert (await reader.hear())["r"] == "accepted"
    assert stamps(database_url) == [2]


async def test_the_card_of_somebody_who_was_erased_is_nobodys(
    reader: ReaderStation, database_url: str
) -> None:
    from besnik.store import people
    from besnik.store.models import Member

    reader.tap(ANA)
    assert (await reader.hear())["r"] == "accepted"
    now = dt.datetime.now(dt.UTC)
    await on(database_url, lambda: people.erase(Member.objects.get(cards__data=ANA), now))
    assert rows(database_url, f"SELECT count(*) FROM store_tap WHERE data = '{ANA}'") == [(0,)]
    reader.tap(ANA)
    assert (await reader.hear())["why"] == "unknown"
    assert stamps(database_url) == [1]
    assert_ledger_adds_up(database_url)
