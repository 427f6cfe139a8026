"""What a cashier can choose at a till: more to do for a member, and ways to be paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from besnik.loyalty.program import Program
from besnik.loyalty.rules import TenderBonus
from besnik.loyalty.texts.catalogue import Language, word
from besnik.site import formats

if TYPE_CHECKING:  # only in the type stubs
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise


class Act(NamedTuple):
    """One thing to do for the member who is shown: its page's name, what it is called, its key.

    ``rare``: what is seldom needed is shown when it is asked for.
    """

    url: str
    title: Text
    shortcut: str = ""
    rare: bool = False


ACTS: Final = (
    Act("cashier-redeem", gettext_lazy("Redeem"), "F4"),
    Act("cashier-goodwill", gettext_lazy("Goodwill")),
    Act("cashier-pay", gettext_lazy("Pay from the card")),
    Act("cashier-topup", gettext_lazy("Top up"), rare=True),
    Act("cashier-refund", gettext_lazy("Goods came back"), rare=True),
    Act("cashier-move", gettext_lazy("Wrong person"), rare=True),
    Act("cashier-reverse", gettext_lazy("Take back"), rare=True),
    Act("cashier-replace", gettext_lazy("Lost card"), rare=True),
)
# A card that must not be used still has an owner.
OF_REFUSED: Final = ("cashier-replace",)

CASH: Final = "cash"
CARD: Final = "card"


def tenders_of(program: Program) -> list[tuple[str, str]]:
    """Return the ways to be paid: cash, bank card, and those the program rewards."""
    rules = program.rule_sets[-1].rules if program.rule_sets else ()
    rewarded = [rule.tender for rule in rules if isinstance(rule, TenderBonus)]
    tenders = dict.fromkeys((CASH, CARD, *rewarded))
    return [(tender, capfirst(tender_text(tender))) for tender in tenders]


def tender_text(tender: str) -> str:
    """Return what a way of paying is called."""
    if tender == CASH:
        return _("Cash")
    if tender == CARD:
        return _("Bank card")
    return word(tender, cast(Language, formats.language()))
