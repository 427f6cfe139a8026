"""One form for each kind of rule; what it cleans is the struct that the engine computes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    PerItem,
    PerVisit,
    Rule,
    SpendThreshold,
    TenderBonus,
)
from besnik.site.owner.fields import AmountField, TimesField, WholeField, WordsField
from besnik.site.owner.rule_form import RuleForm
from besnik.site.owner.words import PERIODS, TENDERS


class PerAmountForm(RuleForm):
    """See PerAmount."""

    struct = PerAmount
    own = ("give", "per_minor", "above_minor", "reading", "rounding", "categories")

    give = WholeField(1, label=_("So many"), initial=1)
    per_minor = AmountField(1, label=_("for every"))
    above_minor = AmountField(
        required=False,
        label=_("Only above"),
        help_text=_("Leave it empty if all of a sale counts."),
    )
    reading = forms.ChoiceField(
        label=_("What counts then"),
        choices=(
            ("gate", _("all of the sale, once it is that large")),
            ("excess", _("only what is above")),
        ),
        widget=forms.RadioSelect,
        initial="gate",
    )
    rounding = forms.ChoiceField(
        label=_("A part of a step"),
        choices=(
            ("floor", _("does not count")),
            ("half_up", _("counts from the half on")),
            ("ceil", _("counts as a whole")),
            ("half_even", _("half to even (bookkeepers)")),
        ),
        initial="floor",
    )
    categories = WordsField(
        required=False,
        label=_("Only for these goods"),
        help_text=_("Categories as your till calls them, with commas between; nothing is all."),
    )


class PerVisitForm(RuleForm):
    """See PerVisit."""

    struct = PerVisit
    own = ("give", "from_minor")

    give = WholeField(1, label=_("So many"), initial=1)
    from_minor = AmountField(required=False, label=_("for a visit with a sale of at least"))


class PerItemForm(RuleForm):
    """See PerItem."""

    struct = PerItem
    own = ("give", "categories")

    give = WholeField(1, label=_("So many"), initial=1)
    categories = WordsField(
        required=False,
        label=_("for each item of"),
        help_text=_("Categories as your till calls them, with commas between; nothing is all."),
    )


class SpendThresholdForm(RuleForm):
    """See SpendThreshold."""

    struct = SpendThreshold
    own = ("give", "each_minor", "carry_over")

    give = WholeField(1, label=_("So many"), initial=1)
    each_minor = AmountField(1, label=_("each time this was spent"))
    carry_over = forms.BooleanField(
        required=False, initial=True, label=_("What is left over counts for the next time")
    )


class TenderBonusForm(RuleForm):
    """See TenderBonus."""

    struct = TenderBonus
    own = ("tender", "give", "per_earned")

    tender = forms.ChoiceField(label=_("When all is paid with"), choices=TENDERS)
    give = WholeField(1, label=_("So many more"), initial=1)
    per_earned = WholeField(1, label=_("for every so many earned"), initial=2)


class MultiplierForm(RuleForm):
    """See Multiplier."""

    struct = Multiplier
    own = ("times_bp",)

    times_bp = TimesField(label=_("Times"), initial=20_000)


class CapForm(RuleForm):
    """See Cap."""

    struct = Cap
    own = ("most", "per")

    most = WholeField(0, label=_("At most"))
    per = forms.ChoiceField(label=_("a member and"), choices=PERIODS, initial="day")


FORMS: Final[Mapping[str, type[RuleForm]]] = {
    "per_amount": PerAmountForm,
    "per_visit": PerVisitForm,
    "per_item": PerItemForm,
    "spend_threshold": SpendThresholdForm,
    "tender_bonus": TenderBonusForm,
    "multiplier": MultiplierForm,
    "cap": CapForm,
}


def kind_of(rule: Rule) -> str:
    """Return the kind of a rule, its tag in the document."""
    return str(rule.__struct_config__.tag)
