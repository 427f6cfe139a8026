"""Forms, with messages that say what to do."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.store.members import EnrolError, enrol_tap
from besnik.store.models import Member, Tap

_MESSAGES = {
    "name_empty": _("Please write the name."),
    "name_long": _("This name is too long. Please shorten it."),
    "name_characters": _("Some characters cannot be shown. Please type the name again."),
    "language": _("Please choose one of the languages in the list."),
    "random_uid": _("This phone or card shows a new number each time, so it cannot be enrolled."),
    "card_known": _("This card already belongs to a member. Hold it to the reader again."),
}


class EnrolForm(forms.Form):
    """Name and language of a new member; the rules are the store's (`members.enrol`)."""

    name = forms.CharField(required=False, strip=False)
    language = forms.CharField(required=False)

    def enrol(self, tap: Tap) -> Member | None:
        """Enrol the card of ``tap``; None and an error on its field when it cannot be."""
        if not self.is_valid():
            return None
        given: dict[str, str] = self.cleaned_data
        try:
            return enrol_tap(tap, name=given["name"], language=given["language"])
        except EnrolError as error:
            field, _sep, _rest = error.code.partition("_")
            self.add_error(field if field in self.fields else None, _MESSAGES[error.code])
            return None
