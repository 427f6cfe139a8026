"""The form of a program's tiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.program import Program
from besnik.loyalty.rules import MOST_BP, WHOLE_BP, RuleError
from besnik.loyalty.tiers import (
    Anniversary,
    CalendarWindow,
    Lifetime,
    RollingWindow,
    Tier,
    TierPlan,
    Window,
)
from besnik.site.owner.checks import place_error, set_currency
from besnik.site.owner.fields import AmountField, PercentField, WholeField, WordsField
from besnik.site.owner.words import UNITS

ROWS: Final = 5
_CELLS: Final = ("name", "amount", "count", "times_bp", "benefits")


class TierForm(forms.Form):
    """Up to five tiers and what keeps them; ``plan`` is what was cleaned, None for no tiers."""

    measure = forms.ChoiceField(
        label=_("What counts"),
        choices=(
            ("spend", _("money spent")),
            ("visits", _("visits")),
            ("status", _("status points")),
        ),
        widget=forms.RadioSelect,
        initial="spend",
    )
    window = forms.ChoiceField(
        label=_("Over which time"),
        choices=(
            ("calendar", _("a calendar period")),
            ("rolling", _("the last days")),
            ("anniversary", _("the year since the member joined")),
            ("lifetime", _("ever since, and kept for ever")),
        ),
        initial="calendar",
    )
    months = forms.TypedChoiceField(
        label=_("Months of the period"), choices=[(n, n) for n in (1, 3, 6, 12)], coerce=int
    )
    days = WholeField(1, 3_650, required=False, label=_("Number of days"), initial=365)
    kept = forms.ChoiceField(
        label=_("A tier is kept"),
        choices=(
            ("next_window", _("to the end of the next period")),
            ("window", _("to the end of the period")),
        ),
    )
    downgrade = forms.ChoiceField(
        label=_("After that"),
        choices=(
            ("recalculated", _("the tier that was earned")),
            ("one_down", _("one tier down at most")),
            ("none", _("never down")),
        ),
    )
    grace_days = WholeField(0, 3_650, label=_("Days of grace"), initial=0)
    unit = forms.ChoiceField(label=_("What tiers multiply"), choices=UNITS)

    def __init__(self, program: Program, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=_initial(program.tiers))
        for row in range(ROWS):
            self.fields |= _row(row)
        set_currency(self, program)

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The cells of the tiers, row by row."""
        return [[self[f"{cell}{row}"] for cell in _CELLS] for row in range(ROWS)]

    @property
    def terms(self) -> list[forms.BoundField]:
        """The fields about all tiers."""
        return [field for field in self if field.name in self.base_fields]

    def clean(self) -> dict[str, Any]:
        """Build the plan; a threshold that is not above the last one is said at its field."""
        given = super().clean() or {}
        if self.errors:
            return given
        cell = "amount" if given["measure"] == "spend" else "count"
        tiers: list[Tier] = []
        for row in range(ROWS):
            if not given[f"name{row}"]:
                continue
            threshold = given[f"{cell}{row}"] or 0
            if not tiers and threshold:
                self.add_error(f"{cell}{row}", _("The first tier is everybody's: leave it at 0."))
            if tiers and threshold <= tiers[-1].threshold:
                self.add_error(f"{cell}{row}", _("This has to be more than for the tier before."))
            tiers.append(
                Tier(
                    name=given[f"name{row}"],
                    threshold=threshold,
                    times_bp=given[f"times_bp{row}"] or WHOLE_BP,
                    benefits=given[f"benefits{row}"],
                )
            )
        if not self.errors:
            self._build(given, tuple(tiers))
        return given

    def _build(self, given: Mapping[str, Any], tiers: tuple[Tier, ...]) -> None:
        try:
            self.plan = (
                TierPlan(
                    tiers=tiers,
                    window=_window(given),
                    **{name: given[name] for name in _TERMS},
                )
                if tiers
                else None
            )
        except (RuleError, msgspec.ValidationError) as error:
            place_error(self, error)


_TERMS: Final = ("measure", "kept", "downgrade", "grace_days", "unit")


def _row(row: int) -> dict[str, forms.Field]:
    return {
        f"name{row}": forms.CharField(
            max_length=40,
            required=False,
            label=_("Name"),
            widget=forms.TextInput(attrs={"dir": "auto"}),
        ),
        f"amount{row}": AmountField(required=False, label=_("From purchases of")),
        f"count{row}": WholeField(0, required=False, label=_("From so many")),
        f"times_bp{row}": PercentField(
            0, MOST_BP - WHOLE_BP, WHOLE_BP, required=False, label=_("Earns more (%)")
        ),
        f"benefits{row}": WordsField(required=False, label=_("Also gets")),
    }


def _window(given: Mapping[str, Any]) -> Window:
    match given["window"]:
        case "calendar":
            return CalendarWindow(given["months"])
        case "rolling":
            return RollingWindow(given["days"] or 365)
        case "anniversary":
            return Anniversary()
    return Lifetime()


def _initial(plan: TierPlan | None) -> dict[str, Any]:
    if plan is None:
        return {"months": 12}
    values: dict[str, Any] = {name: getattr(plan, name) for name in _TERMS}
    values["window"] = str(plan.window.__struct_config__.tag)
    values["months"] = plan.window.months if isinstance(plan.window, CalendarWindow) else 12
    values["days"] = plan.window.days if isinstance(plan.window, RollingWindow) else 365
    cell = "amount" if plan.measure == "spend" else "count"
    for row, tier in enumerate(plan.tiers[:ROWS]):
        values |= {
            f"name{row}": tier.name,
            f"{cell}{row}": tier.threshold,
            f"times_bp{row}": tier.times_bp if tier.times_bp > WHOLE_BP else None,
            f"benefits{row}": tier.benefits,
        }
    return values
