"""Enrolment at the till: three fields, and a card that was read twice."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, NamedTuple

from django import forms
from django.db import transaction
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from besnik.credentials.assess import may_redeem
from besnik.site.cashier.sheet import ChecksField, ChoicesField
from besnik.site.consents import sentences
from besnik.site.languages import LANGUAGES
from besnik.store.models import Card, CardKind, Member, Tap, Till
from besnik.store.people import mask, print_code
from besnik.store.till import signup
from besnik.store.till.asks import Agreement, Signup
from besnik.store.till.place import Place
from besnik.store.till.results import Joined

# Two reads of one card belong together for so long.
TWICE_WITHIN: Final = dt.timedelta(minutes=10)
_DIGIT: Final = r"\d۰-۹٠-٩"
_PHONE: Final = re.compile(rf"(?P<phone>\+?[{_DIGIT}(][{_DIGIT}\s().\-/]{{4,}}[{_DIGIT}])\s*\Z")


class Source(NamedTuple):
    """The tap whose card is to be enrolled: its row, the card's upper-case hex, what was found."""

    id: int
    uid: str
    finding: str


class Enrolled(NamedTuple):
    """A new member, and the code that was printed where there is no card."""

    joined: Joined
    code: str


class EnrolSheet(forms.Form):
    """Who joins, in which language, and what they agree to; nothing is ticked beforehand."""

    name = forms.CharField(
        label=gettext_lazy("Name or phone, or both"),
        required=False,
        strip=False,
        widget=forms.TextInput(
            {
                "dir": "auto",
                "autocomplete": "off",
                "spellcheck": "false",
                "enterkeyhint": "done",
                "maxlength": "160",
            }
        ),
    )
    language = ChoicesField(
        label=gettext_lazy("Language of the member"),
        choices=LANGUAGES,
        error_messages={
            "required": gettext_lazy("Please choose one of the languages in the list."),
            "invalid_choice": gettext_lazy("Please choose one of the languages in the list."),
        },
    )
    consents = ChecksField(
        label=gettext_lazy("Agrees (as the customer says)"),
        required=False,
        choices=lambda: list(sentences().items()),
    )

    def __init__(self, *arguments: object, **options: object) -> None:
        options.setdefault("auto_id", "enrol-%s")
        options.setdefault("initial", {"language": get_language()})
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # passed on as given

    def clean_name(self) -> str:
        """Return what was typed; there has to be something."""
        typed: str = self.cleaned_data["name"]
        if not typed.strip():
            raise forms.ValidationError(_("Please write the name."))
        return typed

    def enrol(self, place: Place, tap: Tap | None, key: str) -> Enrolled:
        """Enrol the card of ``tap``, or without one print a code; TillError."""
        name, phone = who(self.cleaned_data["name"])
        ask = Signup(
            name=name[:400],
            phone=phone,
            language=self.cleaned_data["language"][:5],
            tap=tap.pk if tap else None,
            consents=tuple(self._agreed()),
        )
        with transaction.atomic():
            joined = signup(place, ask, key=key)
            return Enrolled(joined, "" if tap else _code(joined.member))

    def mark(self) -> None:
        """Mark the fields that are wrong, for the cursor and for who hears the page."""
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["aria-invalid"] = "true"

    def _agreed(self) -> list[Agreement]:
        """Return the answer to each purpose with the sentence that was read, a no as well."""
        said = self.cleaned_data["consents"]
        return [
            Agreement(purpose=purpose, given=purpose in said, text=text)
            for purpose, text in sentences().items()
        ]


def who(typed: str) -> tuple[str, str]:
    """Return name and phone of what was typed in one field; a phone alone is a name as well."""
    found = _PHONE.search(typed)
    if found is None:
        return typed, ""
    phone = found["phone"]
    name = typed[: found.start()].strip(" ,;:-–")
    return name or mask("".join(filter(str.isdecimal, phone))), phone


def read_twice(till: Till, tap: Tap) -> bool:
    """Tell whether the card of ``tap`` is sure: it proved itself, or two reads agree.

    One read may be wrong, and a member with a card that does not exist cannot be found again.
    """
    if may_redeem(tap.tier):  # type: ignore[arg-type]  # a tier as the bridge wrote it
        return True
    since = tap.received_at - TWICE_WITHIN
    reads = Tap.objects.filter(reader__till=till, received_at__gte=since)
    return reads.filter(kind=tap.kind, data=tap.data).count() > 1


def ask_again() -> str:
    """Return what to do when a card was read once."""
    return _("Hold the same card to the reader once more: then it is sure.")


def _code(ref: str) -> str:
    member = Member.objects.get(ref=ref)
    known = Card.objects.filter(member=member, kind=CardKind.CODE).first()
    return (known or print_code(member)).data
