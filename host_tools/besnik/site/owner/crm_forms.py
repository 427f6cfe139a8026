"""The forms by which an owner connects a CRM and chooses what of it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from besnik.crm import picking
from besnik.crm.choosing import LABEL_MOST, Shown
from besnik.crm.foreign import Field, Setting
from besnik.crm.matching import card_from
from besnik.site.owner.crm_words import ROLES, UNITS

VALUE_MOST: Final = 2000
_PLAIN: Final = {"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}


class ConnectForm(forms.Form):
    """What an adapter asks for, and a card to look up; ``kept`` names secrets that are there.

    ``offered`` are the CRM's fields, where it was tested: what names one of them is picked.
    """

    def __init__(
        self,
        asks: Sequence[Setting],
        data: Mapping[str, Any] | None = None,
        *,
        known: Mapping[str, str] | None = None,
        kept: frozenset[str] = frozenset(),
        offered: Sequence[Field] = (),
    ) -> None:
        super().__init__(data)
        for setting in asks:
            start = (known or {}).get(setting.name, setting.default)
            self.fields[setting.name] = (
                _pick(setting, start, there)
                if (there := picking.choices(setting, offered))
                else _field(setting, start, is_kept=setting.name in kept)
            )
        self.fields["card"] = forms.CharField(
            max_length=40,
            required=False,
            label=_("A card to look up"),
            help_text=_("The number of a card that a customer there has: 04A1B2C3D4E580."),
            widget=forms.TextInput(attrs=_PLAIN),
        )

    def clean_card(self) -> str:
        """Return the card as it is looked up."""
        typed = self.cleaned_data["card"].strip()
        card = card_from(typed)
        if typed and card is None:
            raise forms.ValidationError(
                _("A card's number has 8, 14 or 20 of 0-9 and A-F, and does not begin with 08.")
            )
        return card.data if card else ""


class _PickField(forms.ChoiceField):
    """Picked from what a test found; by the time that it is sent, another one may have been."""

    def valid_value(self, value: object) -> bool:
        return len(str(value)) <= VALUE_MOST


def _pick(setting: Setting, start: str, there: Sequence[Field]) -> forms.ChoiceField:
    named = [(field.name, _called(field)) for field in there]
    if start and start not in dict(named):
        named.insert(0, (start, gettext("%(name)s (not found there)") % {"name": start}))
    if not (setting.is_needed or setting.default):
        named.insert(0, ("", gettext("none of them")))
    return _PickField(
        choices=named,
        required=setting.is_needed,
        initial=start,
        label=gettext(setting.label),
        help_text=gettext(setting.help) if setting.help else "",
    )


def _called(field: Field) -> str:
    return f"{field.label} ({field.name})" if field.label not in ("", field.name) else field.name


def _field(setting: Setting, start: str, *, is_kept: bool) -> forms.CharField:
    said = gettext(setting.help) if setting.help else ""
    if is_kept:
        said = " ".join(filter(None, (said, gettext("Leave it empty to keep the one there is."))))
    widget = (
        forms.PasswordInput(attrs={**_PLAIN, "autocomplete": "new-password"})
        if setting.is_secret
        else forms.TextInput(attrs=_PLAIN)
    )
    return forms.CharField(
        max_length=VALUE_MOST,
        required=setting.is_needed and not is_kept,
        initial="" if setting.is_secret else start,
        label=gettext(setting.label),
        help_text=said,
        widget=widget,
    )


class FieldForm(forms.Form):
    """One field of the CRM: whether it is shown at the till, under which name, to whom."""

    show = forms.BooleanField(required=False)
    label = forms.CharField(
        max_length=LABEL_MOST,
        required=False,
        label=_("Shown as"),
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=ROLES, label=_("For"))

    def __init__(
        self, number: int, field: Field, shown: Shown | None, data: Mapping[str, Any] | None = None
    ) -> None:
        label = field.label or field.name
        start = {
            "show": shown is not None,
            "label": shown.label if shown else label[:LABEL_MOST],
            "role": shown.role if shown else "manager",
        }
        super().__init__(data, prefix=f"field-{number}", initial=start)
        self.fields["show"].label = label
        self.field = field

    def chosen(self) -> Shown | None:
        """Return what was picked, None if the field is not shown."""
        given = self.cleaned_data
        if not given["show"]:
            return None
        label = " ".join(given["label"].split()) or self.field.label or self.field.name
        return Shown(self.field.name, label[:LABEL_MOST], given["role"])


class UnitForm(forms.Form):
    """What the CRM's points are here."""

    unit = forms.ChoiceField(
        choices=UNITS,
        required=False,
        label=_("Points there are, here,"),
        help_text=_("New members begin with what they have there."),
    )
