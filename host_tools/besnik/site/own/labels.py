"""The words of the member's page for what happened, what was done, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from besnik.store.own import HistoryLine


class Shown(msgspec.Struct, frozen=True):
    """A line of history and what it is called; ``gain`` if something was added by it."""

    label: str
    gain: bool
    line: HistoryLine


def lines(history: Sequence[HistoryLine], money: str) -> list[Shown]:
    """Return the lines of a history with their labels, in the active language.

    ``money`` is the unit of stored money.
    """
    return [Shown(_label(line, money), _gain(line), line) for line in history]


def _label(line: HistoryLine, money: str) -> str:
    gain = _gain(line)
    stored = [unit for unit, _amount in line.amounts] == [money]
    if line.kind == "accrue":
        if stored:
            return _("Money put on your card")
        if line.receipt:
            return _("Purchase")
        return _("Visit") if line.visit else _("A present from us")
    if line.kind in ("redeem", "commit"):
        return line.title or (_("Paid with your card") if stored else _("Used"))
    if line.kind == "transfer":
        return _("Received from another member") if gain else _("Given to another member")
    return {
        "open": _("Brought along from before"),
        "expire": pgettext("points", "Expired"),
        "reverse": _("Given back") if gain else _("Taken back"),
        "reinstate": _("Counted again"),
        "adjust": _("Corrected") if not gain else _("A present from us"),
        "hold": _("Reserved"),
        "release": _("No longer reserved"),
    }.get(line.kind, line.kind)


def _gain(line: HistoryLine) -> bool:
    return all(amount > 0 for _unit, amount in line.amounts)


def done(what: str) -> str:
    """Return what is said after something was done; "" for a word that means nothing."""
    return {
        "agreed": _("Saved. You can change this at any time."),
        "thanks": _("Thank you. We read every line."),
        "back": _("Welcome back! Your cards work again."),
    }.get(what, "")


def words_problem(code: str) -> str:
    """Return what to do about a comment that could not be kept."""
    return {
        "rating": _("Please choose one to five stars."),
        "long": _("This is too long. Please shorten it."),
    }.get(code, _("Some characters cannot be shown. Please type them again."))


def leave_problem(code: str) -> str:
    """Return what to do before somebody can leave like this."""
    if code == "money":
        return _("There is still money on your card. Please have it paid out at the till first.")
    return _("You have left already.")
