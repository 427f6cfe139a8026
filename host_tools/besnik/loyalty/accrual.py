"""From what a sale earns to the entry that says so: lots with availability and expiry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from besnik.loyalty.engine import Earned, Standing, compute
from besnik.loyalty.ledger import MAIN, Entry, Move, NewLot, Posting, Unit
from besnik.loyalty.lots import Lot, spendable, take
from besnik.loyalty.membership import JoiningGift
from besnik.loyalty.periods import expires_at
from besnik.loyalty.program import Program
from besnik.loyalty.rules import SpendThreshold
from besnik.loyalty.sale import Sale
from besnik.loyalty.threshold import settle, spend

Wallet = Mapping[Unit, Sequence[Lot]]


class NotEarningError(ValueError):
    """The program gives nothing for sales at that moment: it has ended, or has no rules then."""


class Accrual(msgspec.Struct, frozen=True):
    """What a sale earned, and the entry for the ledger; None if it earned nothing.

    ``version`` (of the rules) and ``standing`` are what a refund has to be computed with.
    """

    earned: Earned
    version: int
    standing: Standing
    entry: Entry | None


def carry_unit(rule: SpendThreshold) -> Unit:
    """Return the unit that counts what is carried for ``rule``, in minor units of money."""
    return f"carry:{rule.id}"


def accrue_sale(
    program: Program, member: int, sale: Sale, standing: Standing, wallet: Wallet
) -> Accrual:
    """Return what ``sale`` earns and its one entry, in all units.

    ``standing`` needs no ``carried_minor``: it is read from ``wallet``, the member's lots by
    unit. NotEarningError if the program's rules give nothing at that moment.
    """
    rules = program.rules_at(sale.at)
    if rules is None:
        raise NotEarningError("this program gives no points at that moment")
    thresholds = {rule.id: rule for rule in rules.rules if isinstance(rule, SpendThreshold)}
    carried = {id: _carried(wallet, rule) for id, rule in thresholds.items()}
    standing = msgspec.structs.replace(standing, carried_minor=carried)
    earned = compute(rules, sale, standing, program.tz)
    draft = _Draft(program, member, sale.at)
    for unit, amount in earned.totals.items():
        draft.open(unit, amount)
    for id, amount in earned.counted_minor.items():
        after = spend(thresholds[id], carried[id], amount).carried_minor
        draft.change(carry_unit(thresholds[id]), after - carried[id], wallet)
    return Accrual(earned, rules.version, standing, draft.entry("accrue"))


def refund_threshold(
    program: Program,
    member: int,
    rule: SpendThreshold,
    amount_minor: int,
    wallet: Wallet,
    at: dt.datetime,
    sale_entry: int,
) -> Entry | None:
    """Return the entry of a refund of ``amount_minor`` under a rule that carries over.

    ``sale_entry`` is the entry of the sale. What is unused is taken back, what was used is not.
    """
    entry = _settled(program, member, rule, -amount_minor, wallet, at, "reverse")
    return None if entry is None else msgspec.structs.replace(entry, refers_to=sale_entry)


def settle_threshold(
    program: Program, member: int, rule: SpendThreshold, wallet: Wallet, at: dt.datetime
) -> Entry | None:
    """Return the entry that is due after a whole sale was reversed, None if none is.

    What other sales carried may now reach the threshold, or no longer pay for what was given.
    """
    return _settled(program, member, rule, 0, wallet, at, "adjust")


def accrue_gift(program: Program, member: int, gift: JoiningGift, at: dt.datetime) -> Entry:
    """Return the entry of a joining gift; post it with ``gift.key`` so that it is given once.

    NotEarningError if the program has ended: nobody joins it any more.
    """
    if program.sunset is not None and not program.sunset.may_earn(program.today(at)):
        raise NotEarningError("this program has ended: nobody can join it")
    draft = _Draft(program, member, at)
    draft.open(gift.unit, gift.give)
    entry = draft.entry("accrue", "joining gift")
    assert entry is not None
    return entry


def _settled(
    program: Program,
    member: int,
    rule: SpendThreshold,
    change_minor: int,
    wallet: Wallet,
    at: dt.datetime,
    kind: Literal["reverse", "adjust"],
) -> Entry | None:
    carried = _carried(wallet, rule)
    unused = sum(amount for _, amount in spendable(wallet.get(rule.unit, ()), at))
    due = settle(rule, carried + change_minor, unused)
    draft = _Draft(program, member, at)
    draft.change(rule.unit, due.given, wallet)
    draft.change(carry_unit(rule), due.carried_minor - carried, wallet)
    return draft.entry(kind, f"threshold {rule.id}")


def _carried(wallet: Wallet, rule: SpendThreshold) -> int:
    return sum(lot.main for lot in wallet.get(carry_unit(rule), ()))


class _Draft:
    """An entry in the making: every change is given by the program's main account."""

    def __init__(self, program: Program, member: int, at: dt.datetime) -> None:
        self._program, self._member, self._at = program, member, at
        self._postings: list[Posting] = []
        self._opens: list[NewLot] = []
        self._moves: list[Move] = []

    def open(self, unit: Unit, amount: int) -> None:
        """Give ``amount`` in a lot of its own, with the program's waiting time and expiry."""
        available = self._at + dt.timedelta(days=self._program.pending_days)
        until = expires_at(self._program.expiry_of(unit), self._at, self._program.tz)
        self._opens.append(NewLot(self._member, unit, amount, self._at, available, until))
        self._post(unit, amount)

    def change(self, unit: Unit, amount: int, wallet: Wallet) -> None:
        """Give or take ``amount`` at once; what is not there is owed."""
        if amount < 0:
            lots = wallet.get(unit, ())
            there = min(-amount, sum(part for _, part in spendable(lots, self._at)))
            for lot, part in take(lots, there, self._at):
                self._moves.append(Move(lot.id, "main", -part))
            self._lot(unit, amount + there)
        else:
            self._lot(unit, amount)
        if amount:
            self._post(unit, amount)

    def entry(self, kind: Literal["accrue", "reverse", "adjust"], reason: str = "") -> Entry | None:
        """Return the entry, None if nothing changes."""
        if not self._postings:
            return None
        return Entry(
            self._program.id,
            kind,
            tuple(self._postings),
            opens=tuple(self._opens),
            moves=tuple(self._moves),
            reason=reason,
        )

    def _lot(self, unit: Unit, amount: int) -> None:
        if amount:
            self._opens.append(NewLot(self._member, unit, amount, self._at, self._at))

    def _post(self, unit: Unit, amount: int) -> None:
        self._postings.append(Posting(self._member, unit, amount))
        self._postings.append(Posting(None, unit, -amount, MAIN))
