"""A till on a database: members, one unit, days instead of times; the words of `points.Points`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection, connections

from besnik.loyalty import operations
from besnik.loyalty.ledger import NewLot, Written
from besnik.loyalty.lots import Balances, balances
from besnik.store import books
from besnik.store.books.undo import expire
from besnik.store.models import Member, Program
from support.points import day

_T = TypeVar("_T")


def at_once(*works: Callable[[], _T]) -> list[_T | Exception]:
    """Return what each of ``works`` returns or raises; they start together, in threads."""
    settings = connection.settings_dict
    start = Barrier(len(works))

    def run(work: Callable[[], _T]) -> _T | Exception:
        connections.settings = {"default": settings}
        try:
            start.wait(10)
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


class Till:
    """What a till does to two members of the first program, or of a new one with new members."""

    def __init__(self, unit: str = "point", *, is_new: bool = False) -> None:
        if is_new:
            program = Program.objects.create(name="New")
            members = [Member.objects.create(program=program, name=name) for name in ("A", "B")]
        else:
            members = list(Member.objects.order_by("pk")[:2])
        self.program = members[0].program_id
        self.anna, self.ben = (member.pk for member in members)
        self.unit = unit

    def earn(
        self,
        amount: int,
        on: int = 0,
        *,
        until: int | None = None,
        available: int | None = None,
        member: int | None = None,
        key: str = "",
    ) -> books.Posted:
        """Open a lot on day ``on``, usable from day ``available`` until day ``until``."""
        owner = self.anna if member is None else member
        lot = NewLot(
            owner,
            self.unit,
            amount,
            day(on),
            day(on if available is None else available),
            None if until is None else day(until),
        )
        with books.writing(self.program, [owner]) as ledger:
            entry = operations.accrue(self.program, lot)
            return ledger.post(entry, at=day(on), source="till", key=key)

    def burn(self, amount: int, on: int = 0, *, key: str = "") -> books.Posted:
        """Spend Anna's on day ``on``."""
        with books.writing(self.program, [self.anna]) as ledger:
            lots = ledger.lots(self.anna, self.unit)
            entry = operations.redeem(self.program, lots, amount, day(on))
            return ledger.post(entry, at=day(on), source="till", key=key)

    def hold(self, amount: int, on: int = 0) -> books.Posted:
        """Reserve Anna's on day ``on``."""
        with books.writing(self.program, [self.anna]) as ledger:
            lots = ledger.lots(self.anna, self.unit)
            entry = operations.hold(self.program, lots, amount, day(on))
            return ledger.post(entry, at=day(on), source="till")

    def commit(self, held: Written, on: int = 0) -> books.Posted:
        """Spend what was reserved."""
        with books.writing(self.program, [self.anna]) as ledger:
            entry = operations.commit(held, ledger.later(held.id))
            return ledger.post(entry, at=day(on), source="till")

    def release(self, held: Written, on: int = 0) -> books.Posted:
        """Give back what was reserved."""
        with books.writing(self.program, [self.anna]) as ledger:
            entry = operations.release(held, ledger.later(held.id))
            return ledger.post(entry, at=day(on), source="till")

    def give(self, amount: int, on: int = 0) -> books.Posted:
        """Transfer Anna's points to Ben."""
        with books.writing(self.program, [self.anna, self.ben]) as ledger:
            lots = ledger.lots(self.anna, self.unit)
            entry = operations.transfer(self.program, lots, self.ben, amount, day(on))
            return ledger.post(entry, at=day(on), source="till")

    def undo(self, written: Written, amount: int | None = None, on: int = 0) -> books.Posted:
        """Reverse an entry, or ``amount`` of it."""
        amounts = None if amount is None else {self.unit: amount}
        with books.writing(self.program, books.members_of(written.id)) as ledger:
            return books.reverse(ledger, written.id, at=day(on), source="till", amounts=amounts)

    def expire(self, on: int) -> None:
        """Expire what has run out on day ``on``, of both."""
        with books.writing(self.program, [self.anna, self.ben]) as ledger:
            expire(ledger, day(on))

    def balances(self, on: int = 0, member: int | None = None) -> Balances:
        """Return Anna's balances, or those of another, on day ``on``."""
        owner = self.anna if member is None else member
        nothing = balances((), day(on))
        return books.balances_of(owner, day(on)).get(self.unit, nothing)
