"""Fields as a shop owner fills them: money, percents, days of either calendar, lists of words."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from persiantools.jdatetime import JalaliDate

from besnik.loyalty.money import Currency
from besnik.loyalty.rules import MOST, WHOLE_BP
from besnik.site import figures
from besnik.site.formats import localized_digits

_Jalali: Any = JalaliDate  # persiantools has no types
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\Z")
_JALALI_UNTIL: Final = 1700


def _input(width: str, **attributes: object) -> forms.TextInput:
    return forms.TextInput(
        attrs={"dir": "ltr", "autocomplete": "off", "class": width, **attributes}
    )


class WholeField(forms.IntegerField):
    """A whole number in the digits of any of the languages."""

    def __init__(self, least: int = 0, most: int = MOST, **options: Any) -> None:
        options.setdefault("widget", _input("short", inputmode="numeric"))
        super().__init__(min_value=least, max_value=most, **options)

    def prepare_value(self, value: Any) -> Any:
        """See Field: a number is shown in the digits of the language."""
        return localized_digits(str(value)) if isinstance(value, int) else value


class AmountField(forms.CharField):
    """Money as it is typed, kept in minor units; ``currency`` is set by the form."""

    currency: Currency = Currency("EUR", 2)

    def __init__(self, least: int = 0, **options: Any) -> None:
        options.setdefault("widget", _input("short", inputmode="decimal"))
        super().__init__(**options)
        self._least = least

    def prepare_value(self, value: Any) -> Any:
        """See Field: minor units are shown as an amount."""
        return figures.as_typed(value, self.currency) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Return minor units, None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = figures.parse_typed_amount(text, self.currency)
        except figures.TypedError as error:
            raise forms.ValidationError(str(error)) from error
        if not self._least <= amount <= MOST:
            raise forms.ValidationError(
                _("This has to be more than nothing.")
                if amount < self._least
                else _("This is more than can be counted.")
            )
        return amount


class PercentField(forms.CharField):
    """A percentage, kept in basis points; ``above_bp`` is added: 30 % more is 13 000."""

    def __init__(
        self, least_bp: int = 1, most_bp: int = WHOLE_BP, above_bp: int = 0, **options: Any
    ) -> None:
        options.setdefault("widget", _input("short", inputmode="decimal"))
        super().__init__(**options)
        self._range = range(least_bp, most_bp + 1)
        self._above_bp = above_bp

    def prepare_value(self, value: Any) -> Any:
        """See Field: basis points are shown as a percentage."""
        if not isinstance(value, int):
            return value
        return localized_digits(f"{Decimal(value - self._above_bp) / 100:f}")

    def clean(self, value: Any) -> Any:
        """Return basis points, None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        share = _decimal(text) * 100
        if share != int(share) or int(share) not in self._range:
            least, most = (
                localized_digits(f"{Decimal(bound) / 100:f}")
                for bound in (self._range.start, self._range.stop - 1)
            )
            raise forms.ValidationError(
                _("Give %(least)s to %(most)s percent."), params={"least": least, "most": most}
            )
        return int(share) + self._above_bp


class TimesField(forms.CharField):
    """A factor such as 1.5, kept in basis points."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", _input("short", inputmode="decimal"))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """See Field: basis points are shown as a factor."""
        if not isinstance(value, int):
            return value
        return localized_digits(f"{Decimal(value) / WHOLE_BP:f}")

    def clean(self, value: Any) -> Any:
        """Return basis points."""
        factor = _decimal(super().clean(value)) * WHOLE_BP
        if factor != int(factor) or not WHOLE_BP < factor <= 100 * WHOLE_BP:
            raise forms.ValidationError(_("Give a factor above 1, like 1.5 or 2, at most 100."))
        return int(factor)


class DayField(forms.CharField):
    """A day, Jalali or Gregorian: a year before 1700 is a Jalali one."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", _input("short", placeholder=_("YYYY-MM-DD")))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """See Field: a day is shown on the calendar of the language."""
        if not isinstance(value, dt.date):
            return value
        if get_language() != "fa":
            return value.isoformat()
        return localized_digits(_Jalali(value).strftime("%Y-%m-%d"))

    def clean(self, value: Any) -> Any:
        """Return a date, None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        found = _DAY.match(text.strip())
        try:
            if found is None:
                raise ValueError(text)
            year, month, day = (int(part) for part in found.groups())
            if year < _JALALI_UNTIL:
                return _Jalali(year, month, day).to_gregorian()
            return dt.date(year, month, day)
        except ValueError as error:
            raise forms.ValidationError(
                _("Write the day as year-month-day, like %(example)s."),
                params={"example": self.prepare_value(dt.date(2026, 3, 21))},
            ) from error


class WordsField(forms.CharField):
    """Some words with commas between them, kept as a tuple."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}))
        super().__init__(max_length=400, **options)

    def prepare_value(self, value: Any) -> Any:
        """See Field: words are shown with commas between them."""
        return ", ".join(value) if isinstance(value, tuple | list) else value

    def clean(self, value: Any) -> Any:
        """Return the words, each once."""
        words = re.split("[,;،؛\n]", super().clean(value) or "")
        return tuple(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))


class TupleField(forms.TypedMultipleChoiceField):
    """Some of several choices, as a tuple; ``coerce`` makes each its type."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **options)

    def prepare_value(self, value: Any) -> Any:
        """See Field: the boxes compare texts."""
        return [str(one) for one in value] if isinstance(value, tuple | list) else value

    def clean(self, value: Any) -> Any:
        """Return a tuple."""
        return tuple(super().clean(value))


def _decimal(text: str) -> Decimal:
    plain = "".join(
        str(int(sign)) if sign.isdecimal() else {"٫": ".", ",": "."}.get(sign, sign)
        for sign in text.strip().rstrip("%٪ ")
    )
    try:
        number = Decimal(plain)
    except InvalidOperation as error:
        raise forms.ValidationError(_("Write a number, like 5 or 2.5.")) from error
    if not number.is_finite():
        raise forms.ValidationError(_("Write a number, like 5 or 2.5."))
    return number
