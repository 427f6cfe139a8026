"""Forms of a program's other terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.guards import Goodwill, Velocity
from besnik.loyalty.membership import JoiningGift, PaidPlan
from besnik.loyalty.program import Program
from besnik.site.owner.expiry_form import ExpiryForm
from besnik.site.owner.fields import AmountField, DayField, WholeField, WordsField
from besnik.site.owner.term_form import TermForm
from besnik.site.owner.words import UNITS


class BasicsForm(TermForm):
    """Name, and how long it takes until points can be used."""

    title = _("Name and waiting time")

    name = forms.CharField(
        max_length=80, label=_("Name of the program"), widget=forms.TextInput(attrs={"dir": "auto"})
    )
    pending_days = WholeField(
        0,
        3_650,
        label=_("Days until points can be used"),
        help_text=_("As long as goods can be brought back, for instance; 0 is at once."),
    )

    def initial_of(self, program: Program) -> dict[str, Any]:
        """See TermForm."""
        return {"name": program.name, "pending_days": program.pending_days}

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """See TermForm."""
        return {"name": given["name"], "pending_days": given["pending_days"]}


class GiftForm(TermForm):
    """The gift for joining, and paid membership."""

    title = _("Joining gift and paid membership")

    give = WholeField(
        0, label=_("Gift for joining"), help_text=_("Each person gets it once; 0 is none.")
    )
    unit = forms.ChoiceField(label=_("of"), choices=UNITS)
    fee_minor = AmountField(
        required=False,
        label=_("Fee of a paid membership"),
        help_text=_("Leave it empty if there is none."),
    )
    days = WholeField(1, 3_650, required=False, label=_("Days it lasts"), initial=365)
    benefits = WordsField(required=False, label=_("What it gives"))

    def initial_of(self, program: Program) -> dict[str, Any]:
        """See TermForm."""
        gift, paid = program.joining_gift, program.paid
        values: dict[str, Any] = {"give": 0, "days": 365}
        if gift is not None:
            values |= {"give": gift.give, "unit": gift.unit}
        if paid is not None:
            values |= {"fee_minor": paid.fee_minor, "days": paid.days, "benefits": paid.benefits}
        return values

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """See TermForm."""
        gift = JoiningGift(given["give"], given["unit"]) if given["give"] else None
        paid = None
        if given["fee_minor"] is not None:
            paid = PaidPlan(
                fee_minor=given["fee_minor"],
                days=given["days"] or 365,
                benefits=given["benefits"],
            )
        return {"joining_gift": gift, "paid": paid}


class LimitForm(TermForm):
    """What protects the shop: speed, goodwill, what is given while the line is down."""

    title = _("Limits against misuse")

    most = WholeField(
        0,
        10_000,
        label=_("Earnings of one card, at most"),
        help_text=_("0 is without a limit. What is above is refused, and you get an alert."),
    )
    minutes = WholeField(1, 100_000, label=_("in so many minutes"), initial=60)
    gap_s = WholeField(0, 86_400, label=_("Seconds between two of them"), initial=0)
    alone = WholeField(0, label=_("Points a cashier may give as goodwill"))
    a_day = WholeField(0, label=_("and in a whole day, with a PIN"))
    offline_burn_limit = WholeField(
        0,
        label=_("Points that may be used while the line is down"),
        help_text=_("What then turns out to be missing is owed by the member."),
    )

    def initial_of(self, program: Program) -> dict[str, Any]:
        """See TermForm."""
        speed = program.velocity or Velocity(0, 60)
        return {
            "most": speed.most,
            "minutes": speed.minutes,
            "gap_s": speed.gap_s,
            "alone": program.goodwill.alone,
            "a_day": program.goodwill.a_day,
            "offline_burn_limit": program.offline_burn_limit,
        }

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """See TermForm."""
        speed = Velocity(given["most"], given["minutes"], given["gap_s"])
        return {
            "velocity": speed if given["most"] else None,
            "goodwill": Goodwill(given["alone"], given["a_day"]),
            "offline_burn_limit": given["offline_burn_limit"],
        }


class RulesForm(TermForm):
    """From which day the new rules hold, and how they go together."""

    title = _("From when, and how rules go together")

    first_day = DayField(label=_("The new rules hold from"))
    base = forms.ChoiceField(
        label=_("Of several rules"),
        choices=(("sum", _("all count")), ("best", _("the best counts"))),
    )
    campaigns = forms.ChoiceField(
        label=_("Of several campaigns"),
        choices=(("best", _("the best counts")), ("product", _("they multiply each other"))),
    )

    def initial_of(self, program: Program) -> dict[str, Any]:
        """See TermForm; the last rules are those that can be changed."""
        rules = program.rule_sets[-1]
        return {name: getattr(rules, name) for name in ("first_day", "base", "campaigns")}

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """See TermForm."""
        rules = msgspec.structs.replace(
            self._program.rule_sets[-1],
            first_day=given["first_day"],
            base=given["base"],
            campaigns=given["campaigns"],
        )
        return {"rule_sets": (*self._program.rule_sets[:-1], rules)}


PARTS: Final[Mapping[str, type[TermForm]]] = {
    "basics": BasicsForm,
    "expiry": ExpiryForm,
    "gift": GiftForm,
    "limits": LimitForm,
    "start": RulesForm,
}
