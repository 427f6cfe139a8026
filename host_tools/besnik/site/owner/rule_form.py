"""What the forms of all kinds of rules have: a name, a unit, and when the rule holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.program import Program
from besnik.loyalty.rules import Rule, RuleError, When
from besnik.site import figures
from besnik.site.owner.checks import place_error, set_currency
from besnik.site.owner.fields import DayField, TupleField, WordsField
from besnik.site.owner.words import UNITS, WEEKDAYS

# A spend threshold's carry is kept under its rule's name, in a column of 40 characters.
NAME_MAX: Final = 30


class RuleForm(forms.Form):
    """What every rule has: a name, a unit, and when it holds."""

    struct: ClassVar[Any] = None
    own: ClassVar[tuple[str, ...]] = ()

    id = forms.CharField(
        max_length=NAME_MAX,
        label=_("Name of the rule"),
        help_text=_("A short name for yourself."),
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    unit = forms.ChoiceField(label=_("What it gives"), choices=UNITS, initial="point")

    def __init__(
        self,
        program: Program,
        shops: Iterable[tuple[str, str]],
        rule: Rule | None = None,
        taken: Iterable[str] = (),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        initial = {} if rule is None else {**_fields(rule.when), **_fields(rule)}
        super().__init__(data, initial=initial)
        self._rule, self._taken = rule, set(taken)
        if rule is not None:
            # The name is what caps and sums carried over are kept by.
            del self.fields["id"]
        self._add_units(program, rule)
        self._add_when(program, list(shops))
        set_currency(self, program)

    def _add_units(self, program: Program, rule: Rule | None) -> None:
        units = [*UNITS, (program.currency.code, figures.symbol(program.currency))]
        if rule is not None and rule.unit not in dict(units):
            units.append((rule.unit, rule.unit))
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = units

    def _add_when(self, program: Program, shops: list[tuple[str, str]]) -> None:
        tiers = () if program.tiers is None else program.tiers.tiers
        levels = [(place, tier.name) for place, tier in enumerate(tiers)]
        self.fields["first_day"] = DayField(required=False, label=_("First day"))
        self.fields["last_day"] = DayField(required=False, label=_("Last day"))
        self.fields["weekdays"] = TupleField(choices=WEEKDAYS, label=_("Only on"))
        if len(shops) > 1:
            self.fields["shops"] = TupleField(choices=shops, label=_("Only in"))
        if levels:
            self.fields["levels"] = TupleField(
                choices=levels, coerce=int, label=_("Only for members who are")
            )
        self.fields["channels"] = WordsField(
            required=False,
            label=_("Only by these ways to sell"),
            help_text=_("shop, online, or a partner's name; nothing is all of them."),
        )

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """The fields that say what the rule gives."""
        return [field for field in self if field.name not in When.__struct_fields__]

    @property
    def when_fields(self) -> list[forms.BoundField]:
        """The fields that say when it holds."""
        return [field for field in self if field.name in When.__struct_fields__]

    @property
    def has_conditions(self) -> bool:
        """Whether anything says when it holds, or is wrong there."""
        return any(field.value() or field.errors for field in self.when_fields)

    def clean_id(self) -> str:
        """Return the name, which no other rule has."""
        id = " ".join(str(self.cleaned_data["id"]).split())
        if id in self._taken:
            raise forms.ValidationError(_("Another rule has this name."))
        return id

    def clean(self) -> dict[str, Any]:
        """Check the days; what else a rule refuses is said at its field."""
        given = super().clean() or {}
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        if not self.errors:
            try:
                self.rule = self._build(given)
            except (RuleError, msgspec.ValidationError) as error:
                place_error(self, error)
        return given

    def _build(self, given: Mapping[str, Any]) -> Rule:
        when = {
            name: given[name]
            for name in When.__struct_fields__
            if name in given and given[name] is not None
        }
        own = {name: given[name] for name in self.own if given.get(name) is not None}
        id = given["id"] if self._rule is None else self._rule.id
        rule: Rule = self.struct(id=id, unit=given["unit"], when=When(**when), **own)
        return rule


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}
