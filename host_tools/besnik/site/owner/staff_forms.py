"""The forms of the staff pages, and what is wrong with them in words."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from besnik.site import access
from besnik.site.formats import localized_digits
from besnik.site.templatetags.roles import NAMES
from besnik.store.models import Role, Staff
from besnik.store.staff import StaffError, may_manage

# Numbers in a text, as the page's language writes them.
_in_digits: Final[Any] = lazy(lambda text: localized_digits(str(text)), str)

# The field that an error belongs to; what is not here belongs to the whole form.
_FIELD: Final = {
    "username": "username",
    "username_taken": "username",
    "name": "name",
    "role": "role",
    "last_owner": "role",
    "shops": "shops",
    "pin": "pin",
    "pin_weak": "pin",
}
MESSAGES: Final = {
    "username": _("Use 2 to 40 of a-z, 0-9, dot, hyphen and underscore."),
    "username_taken": _("Somebody has this user name already. Please choose another one."),
    "name": _in_digits(_("Please write the name, in 80 letters at most.")),
    "role": _("Please choose a role below your own, or ask an owner."),
    "last_owner": _("This is the last owner. Please make somebody else an owner first."),
    "shops": _("Please choose at least one of your own shops, and no other."),
    "pin": _in_digits(_("Please use 4 to 8 digits.")),
    "pin_weak": _("This PIN is guessed first. Please use other digits."),
    "self": _("You cannot change yourself. Please ask another owner or manager."),
    "rank": _("You may not change this person. Please ask an owner."),
    "inactive": _("This person does not work here any more."),
}


class PersonForm(forms.Form):
    """Name, role and shops of a person, as far as ``by`` may choose them."""

    name = forms.CharField(required=False, label=_("Name"))
    role = forms.ChoiceField(required=False, label=_("Role"))
    shops = forms.MultipleChoiceField(
        required=False,
        label=_("Shops"),
        help_text=_("None chosen: all of them."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, by: Staff, data: Any = None, *, person: Staff | None = None) -> None:
        initial = {"role": Role.CASHIER} if person is None else _now(person)
        super().__init__(data, initial=initial)
        self._shops = {str(shop.pk): shop for shop in access.shops_of(by).order_by("name")}
        roles = [(role.value, name) for role, name in NAMES.items() if may_manage(by, role)]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a choice field
        chosen = self.fields["shops"]
        shops = [(key, shop.name) for key, shop in self._shops.items()]
        chosen.choices = shops  # type: ignore[attr-defined]  # a choice field
        if by.shops.exists():
            chosen.help_text = ""

    @property
    def given(self) -> dict[str, Any]:
        """Return what was filled in, as `besnik.store.staff` wants it."""
        given: dict[str, Any] = dict(self.cleaned_data)
        given["shops"] = [self._shops[key] for key in given["shops"]]
        return given

    def refuse(self, error: StaffError) -> None:
        """Say at its field what cannot be done."""
        field = _FIELD.get(error.code)
        self.add_error(field if field in self.fields else None, said(error))


class NewPersonForm(PersonForm):
    """A person who begins to work here."""

    username = forms.CharField(
        required=False,
        label=_("User name"),
        help_text=_("To log in with: a-z, 0-9, dot, hyphen and underscore."),
        widget=forms.TextInput({"dir": "ltr", "autocapitalize": "none", "autocomplete": "off"}),
    )
    field_order = ("name", "username", "role", "shops")


class PinForm(forms.Form):
    """A PIN."""

    pin = forms.CharField(
        required=False,
        label=_("PIN"),
        help_text=_in_digits(_("4 to 8 digits; leave it empty to take the PIN away.")),
        widget=forms.TextInput({"dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def refuse(self, error: StaffError) -> None:
        """Say at its field what cannot be done."""
        self.add_error("pin" if error.code in _FIELD else None, said(error))


def said(error: StaffError) -> str:
    """Return what is wrong in the page's language."""
    return str(MESSAGES.get(error.code, error))


def _now(person: Staff) -> dict[str, Any]:
    shops = [str(key) for key in person.shops.values_list("pk", flat=True)]
    return {"name": person.name, "role": person.role, "shops": shops}
