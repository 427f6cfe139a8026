"""The form of a reward: what it is, what it costs, who may have it and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.program import Program
from besnik.loyalty.rewards import (
    Access,
    AmountOff,
    FreeItem,
    PercentOff,
    Reward,
    RewardKind,
)
from besnik.loyalty.rules import RuleError
from besnik.site import figures
from besnik.site.owner.checks import place_error, set_currency
from besnik.site.owner.fields import (
    AmountField,
    DayField,
    PercentField,
    TupleField,
    WholeField,
    WordsField,
)
from besnik.site.owner.words import UNITS

KINDS: Final = (
    ("amount_off", _("an amount off")),
    ("percent_off", _("a percentage off")),
    ("free_item", _("a free item")),
    ("access", _("a service or an experience")),
)


class RewardForm(forms.Form):
    """A reward of one of four kinds; ``reward`` is what was cleaned."""

    title = forms.CharField(
        max_length=80, label=_("What it is called"), widget=forms.TextInput(attrs={"dir": "auto"})
    )
    kind = forms.ChoiceField(
        label=_("Kind"), choices=KINDS, widget=forms.RadioSelect, initial="amount_off"
    )
    amount_minor = AmountField(1, required=False, label=_("How much off"))
    share_bp = PercentField(required=False, label=_("How many percent off"))
    most_minor = AmountField(1, required=False, label=_("At most"))
    up_to_minor = AmountField(1, required=False, label=_("An item that costs at most"))
    categories = WordsField(
        required=False,
        label=_("Only for these goods"),
        help_text=_("Categories as your till calls them, with commas between; nothing is all."),
    )
    cost = WholeField(0, label=_("What it costs"))
    unit = forms.ChoiceField(label=_("of"), choices=UNITS, initial="point")
    stock = WholeField(
        0, required=False, label=_("Pieces"), help_text=_("Leave it empty if it never runs out.")
    )
    first_day = DayField(required=False, label=_("First day"))
    last_day = DayField(required=False, label=_("Last day"))

    def __init__(
        self, program: Program, reward: Reward | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={} if reward is None else _initial(reward))
        self._program, self._reward = program, reward
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*UNITS, (program.currency.code, figures.symbol(program.currency))]
        if program.tiers is not None:
            levels = [(place, tier.name) for place, tier in enumerate(program.tiers.tiers)]
            self.fields["levels"] = TupleField(
                choices=levels, coerce=int, label=_("Only for members who are")
            )
        set_currency(self, program)

    def clean(self) -> dict[str, Any]:
        """Check what the kind needs, and that the days follow each other."""
        given = super().clean() or {}
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        needed = {"amount_off": "amount_minor", "percent_off": "share_bp"}.get(
            given.get("kind", "")
        )
        if needed and needed not in self.errors and not given.get(needed):
            self.add_error(needed, _("Say how much."))
        if not self.errors:
            try:
                self.reward = self._build(given)
            except (RuleError, msgspec.ValidationError) as error:
                place_error(self, error)
        return given

    def _build(self, given: Mapping[str, Any]) -> Reward:
        old = self._reward
        return Reward(
            id=old.id if old else self._new_id(given["title"]),
            version=old.version + 1 if old else 1,
            title=given["title"],
            kind=_kind(given),
            cost=given["cost"],
            unit=given["unit"],
            stock=given["stock"],
            first_day=given["first_day"],
            last_day=given["last_day"],
            levels=given.get("levels", ()),
            member=old.member if old else None,
        )

    def _new_id(self, title: str) -> str:
        taken = {reward.id for reward in self._program.rewards}
        stem = slugify(title)[:30] or "reward"
        names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)


def _kind(given: Mapping[str, Any]) -> RewardKind:
    match given["kind"]:
        case "amount_off":
            return AmountOff(given["amount_minor"])
        case "percent_off":
            return PercentOff(given["share_bp"], given["most_minor"])
        case "free_item":
            return FreeItem(given["up_to_minor"], given["categories"])
    return Access()


def _initial(reward: Reward) -> dict[str, Any]:
    values = {name: getattr(reward, name) for name in reward.__struct_fields__}
    kind = reward.kind
    values |= {name: getattr(kind, name) for name in kind.__struct_fields__}
    values["kind"] = str(kind.__struct_config__.tag)
    return values
