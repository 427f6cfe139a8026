"""A lost card: the new one is held to the reader, and the old one is refused from that moment."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from besnik.site.cashier.done import Done
from besnik.site.cashier.enrolling import ask_again, read_twice
from besnik.site.cashier.sheet import ChoicesField, Sheet
from besnik.store import people
from besnik.store.models import Card, CardKind, CardState, Tap
from besnik.store.people.enrolment import NewCard
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.results import Result

# A card that was held to the reader longer ago is not the one in the cashier's hand.
FRESH: Final = dt.timedelta(minutes=3)


class _Ask(msgspec.Struct, frozen=True):
    old: int
    printed: bool


class _Replaced(Result, frozen=True):
    code: str = ""


class ReplaceSheet(Sheet):
    """Which card is lost, and the new one."""

    title = gettext_lazy("Lost card")
    hint = gettext_lazy(
        "Hold the new card to the reader, twice. From that moment every reader refuses the old one."
    )
    submit = gettext_lazy("Replace")

    old = ChoicesField(label=gettext_lazy("Which card is lost"))
    printed = forms.BooleanField(
        label=gettext_lazy("No card at hand: print a code"),
        required=False,
        widget=forms.CheckboxInput({"class": "tick"}),
    )

    awaits = "new"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["old"]
        assert isinstance(field, ChoicesField)
        field.choices = [(str(card.pk), f"…{card.data[-4:]}") for card in self._cards()]
        if field.choices:
            field.initial = field.choices[0][0]

    def work(self, key: str) -> Done:
        """Replace it; TillError."""
        member = self.serving.member
        assert member is not None
        ask = _Ask(int(self.cleaned_data["old"]), self.cleaned_data["printed"])
        made = do(self.serving.place, key, ask, lambda: self._replaced(ask), _Replaced)
        if made.code:
            text = _("The old card is refused from now on. The new code:")
            return Done(text, code=people.grouped(made.code), member=member.ref)
        text = _("The new card is %(name)s’s. The old one is refused from now on.")
        return Done(text % {"name": member.name}, member=member.ref)

    def _replaced(self, ask: _Ask) -> _Replaced:
        old = Card.objects.get(pk=ask.old)
        if ask.printed:
            made = self._replace(old, NewCard(CardKind.CODE, people.new_code()))
            return _Replaced(code=made.data)
        tap = self._new_card()
        if tap is None:
            raise forms.ValidationError(_("Hold the new card to the reader."))
        if not read_twice(self.serving.till, tap):
            raise forms.ValidationError(ask_again())
        self._replace(old, tap)
        return _Replaced()

    def _replace(self, old: Card, new: Tap | NewCard) -> Card:
        try:
            return people.replace_card(old, new)
        except people.ReplaceError as error:
            raise forms.ValidationError(
                _("This card was replaced before. Choose the newest one.")
            ) from error
        except people.EnrolError as error:
            raise TillError(error.code) from error

    def _cards(self) -> list[Card]:
        member = self.serving.member
        assert member is not None
        usable = (CardState.ACTIVE, CardState.BLOCKED)
        return list(member.cards.filter(state__in=usable).order_by("-pk"))

    def _new_card(self) -> Tap | None:
        since = self.serving.now - FRESH
        taps = Tap.objects.filter(
            reader__till=self.serving.till, received_at__gte=since, reason="unknown"
        )
        return taps.exclude(tier="X").select_related("reader").order_by("-received_at").first()
