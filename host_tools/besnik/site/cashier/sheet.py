"""A sheet: a form that does one thing for a member, or says what to write otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from besnik.loyalty.money import Currency
from besnik.site import figures, formats
from besnik.site.cashier.done import Done
from besnik.site.cashier.serving import Serving
from besnik.store.till.asks import Approval
from besnik.store.till.errors import TillError

if TYPE_CHECKING:  # only in the type stubs
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise

# What somebody with a PIN can agree to.
_WITH_PIN: Final = ("copyable", "needs_pin", "needs_lead", "wrong_pin", "pin_locked")


class Sheet(forms.Form):
    """One thing to do. ``title``, ``hint`` and ``submit`` are what the sheet says.

    ``serving`` is who is served; ``key`` makes sending it twice harmless.
    """

    title: ClassVar[Text]
    hint: ClassVar[Text] = ""
    submit: ClassVar[Text]

    def __init__(self, serving: Serving, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.serving = serving
        for field in self.fields.values():
            if isinstance(field, AmountField):
                field.currency = serving.currency
        if self.data.get("username") or self.data.get("pin"):
            self.ask_pin()

    def work(self, key: str) -> Done:
        """Do it; TillError says why it cannot be."""
        raise NotImplementedError

    def done(self, key: str) -> Done | None:
        """Do it and return what was done; None if the sheet has to be shown again."""
        if not self.is_valid():
            self._mark()
            return None
        try:
            return self.work(key)
        except TillError as refused:
            if refused.code in _WITH_PIN:
                self.ask_pin()
            self.add_error(None, refused.said(self.figure))
        except forms.ValidationError as wrong:
            self.add_error(None, wrong)
        return None

    def figure(self, value: int) -> str:
        """Write a figure of a refusal: of points, unless the sheet is about something else."""
        return formats.number(value)

    def ask_pin(self) -> None:
        """Add the fields of somebody who agrees."""
        self.fields["username"] = forms.CharField(
            label=_("User name of who agrees"),
            required=False,
            max_length=40,
            widget=forms.TextInput({"autocomplete": "off", "dir": "ltr"}),
        )
        self.fields["pin"] = forms.CharField(
            label=_("PIN"),
            required=False,
            max_length=12,
            widget=forms.PasswordInput(
                {"autocomplete": "off", "inputmode": "numeric", "dir": "ltr"}
            ),
        )

    @property
    def approval(self) -> Approval | None:
        """Return who agrees, None if nobody was named."""
        username, pin = self.cleaned_data.get("username"), self.cleaned_data.get("pin")
        return Approval(username=username, pin=pin) if username and pin else None

    def _mark(self) -> None:
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["aria-invalid"] = "true"


class AmountField(forms.CharField):
    """Money as a cashier types it; its value is minor units, 1 or more."""

    currency: Currency

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}
        super().__init__(widget=forms.TextInput(attributes), max_length=30, **options)

    def clean(self, value: Any) -> int:
        """Return minor units, in digits of any script."""
        return _positive(figures.parse_typed_amount, super().clean(value), self.currency)


class CountField(forms.CharField):
    """A number of points, 1 or more, in digits of any script."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}
        super().__init__(widget=forms.TextInput(attributes), max_length=30, **options)

    def clean(self, value: Any) -> int | None:
        """Return the number, None if nothing was typed and nothing has to be."""
        typed = super().clean(value)
        return _positive(figures.parse_typed_count, typed) if typed else None


class ChoicesField(forms.ChoiceField):
    """One of a few, as buttons."""

    kind = "choices"
    widget = forms.RadioSelect


class ChecksField(forms.MultipleChoiceField):
    """Any of a few."""

    kind = "checks"
    widget = forms.CheckboxSelectMultiple


def _positive(read: Any, *arguments: Any) -> int:
    try:
        found: int = read(*arguments)
    except figures.TypedError as error:
        raise forms.ValidationError(str(error)) from error
    if found < 1:
        raise forms.ValidationError(_("Write an amount above zero."))
    return found
