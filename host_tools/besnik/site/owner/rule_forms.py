"""One form for each kind of rule; what it cleans is the struct that the engine computes with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.program import Program
from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    PerItem,
    PerVisit,
    Rule,
    RuleError,
    SpendThreshold,
    TenderBonus,
    When,
)
from besnik.site import figures
from besnik.site.owner.fields import (
    AmountField,
    DayField,
    TimesField,
    TupleField,
    WholeField,
    WordsField,
)
from besnik.site.owner.words import PERIODS, TENDERS, UNITS, WEEKDAYS

# A spend threshold's carry is kept under its rule's name, in a column of 40 characters.
NAME_MAX: Final = 30


def set_currency(form: forms.Form, program: Program) -> None:
    """Tell the form's fields of money which currency the program has."""
    for field in form.fields.values():
        if isinstance(field, AmountField):
            field.currency = program.currency
            field.label = f"{field.label} ({figures.symbol(program.currency)})"


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


def place_error(form: forms.Form, error: Exception) -> None:
    """Put what the program's own check refuses at the field it names, else above the form."""
    text = str(error)
    named = next((name for name in form.fields if f" {name} " in text), None)
    form.add_error(named, text)


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


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
