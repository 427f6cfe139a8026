"""The form of when points and stamps expire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.periods import AfterDays, AfterMonths, Expiry, Idle, PeriodEnd
from besnik.loyalty.program import Program
from besnik.site.owner.fields import WholeField
from besnik.site.owner.term_form import TermForm
from besnik.site.owner.words import UNITS


class ExpiryForm(TermForm):
    """When points and stamps expire."""

    title = _("When they expire")
    intro = _("The last day counts whole. What a member has already keeps its day.")
    layout = "thirds"
    modes: ClassVar = (
        ("never", _("never")),
        ("after_days", _("so many days after they were earned")),
        ("after_months", _("so many months after they were earned")),
        ("period_end", _("at the end of a calendar period (months)")),
        ("idle", _("after so many days without a visit")),
    )

    def __init__(self, program: Program, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(program, data)
        for unit, label in UNITS[:3]:
            self.fields[f"mode_{unit}"] = forms.ChoiceField(label=label, choices=self.modes)
            self.fields[f"n_{unit}"] = WholeField(0, 36_500, required=False, label=_("How many"))
            self.fields[f"grace_{unit}"] = WholeField(
                0, 3_650, required=False, label=_("Days of grace after a period")
            )

    def initial_of(self, program: Program) -> dict[str, Any]:
        """See TermForm."""
        values: dict[str, Any] = {}
        for unit, _label in UNITS[:3]:
            expiry = program.expiry_of(unit)
            values[f"mode_{unit}"] = str(expiry.__struct_config__.tag)
            if isinstance(expiry, AfterDays | Idle):
                values[f"n_{unit}"] = expiry.days
            elif isinstance(expiry, AfterMonths | PeriodEnd):
                values[f"n_{unit}"] = expiry.months
            if isinstance(expiry, PeriodEnd):
                values[f"grace_{unit}"] = expiry.grace_days
        return values

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """See TermForm."""
        expiry = dict(self._program.expiry)
        for unit, _label in UNITS[:3]:
            expiry.pop(unit, None)
            chosen = self._expiry(unit, given)
            if chosen is not None:
                expiry[unit] = chosen
        return {"expiry": expiry}

    def _expiry(self, unit: str, given: Mapping[str, Any]) -> Expiry | None:
        mode, n = given[f"mode_{unit}"], given[f"n_{unit}"]
        if mode == "never":
            return None
        if mode == "period_end":
            if n not in (1, 3, 6, 12):
                self.add_error(f"n_{unit}", _("A period has 1, 3, 6 or 12 months."))
                return None
            return PeriodEnd(n, given[f"grace_{unit}"] or 0)
        if not n:
            self.add_error(f"n_{unit}", _("Say how many."))
            return None
        kinds: dict[str, Any] = {
            "after_days": AfterDays,
            "after_months": AfterMonths,
            "idle": Idle,
        }
        expiry: Expiry = kinds[mode](n)
        return expiry
