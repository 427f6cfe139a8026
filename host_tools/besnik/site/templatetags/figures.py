"""Numbers, money, points and times for templates: ``{% load figures %}``.

Each filter writes its value as the page's language does; `besnik.site.figures` and
`besnik.site.formats` say how.
"""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from besnik.loyalty.money import Currency
from besnik.loyalty.texts.catalogue import Message
from besnik.site import figures, formats

register = template.Library()


@register.filter
def number(value: formats.Number, decimals: int = 0) -> str:
    """Write a number with at most ``decimals``: ``{{ average|number:1 }}``."""
    return formats.number(value, decimals)


@register.filter
def percent(share: formats.Number, decimals: int = 1) -> str:
    """Write a share of the whole in percent: ``{{ 0.125|percent }}`` is 12.5%."""
    return formats.percent(share, decimals)


@register.filter
def amount(amount_minor: formats.Number, currency: Currency) -> str:
    """Write money: ``{{ sale.amount_minor|amount:program.currency }}``."""
    return figures.amount(amount_minor, currency)


@register.filter
def amount_change(amount_minor: formats.Number, currency: Currency) -> str:
    """Write money with its sign, plus too."""
    return figures.amount(amount_minor, currency, signed=True)


@register.filter
def typed_amount(amount_minor: int, currency: Currency) -> str:
    """Write money as somebody types it: the value of a form's field."""
    return figures.as_typed(amount_minor, currency)


@register.filter
def points(count: int, unit: str) -> str:
    """Write points of a unit with its word: ``{{ 12|points:"stamp" }}`` is 12 stamps."""
    return figures.points(count, unit)


@register.filter
def points_change(count: int, unit: str) -> str:
    """Write points with their sign, plus too."""
    return figures.points(count, unit, signed=True)


@register.filter
def points_word(count: int, unit: str) -> str:
    """Write the word alone, as the number before it asks for it."""
    return figures.points_word(count, unit)


@register.simple_tag
def quantity(count: int, unit: str, currency: Currency) -> str:
    """Write points, or money if the unit is the currency: ``{% quantity n unit currency %}``."""
    return figures.quantity(count, unit, currency)


@register.simple_tag
def quantity_change(count: int, unit: str, currency: Currency) -> str:
    """Write points or money with its sign, plus too."""
    return figures.quantity(count, unit, currency, signed=True)


@register.filter
def say(message: Message) -> str:
    """Write a message of besnik.loyalty: a rule, an advice, a fault of the linter."""
    return figures.say(message)


@register.filter
def day(value: date | datetime) -> str:
    """Write a date, without its year when that is the current one."""
    return formats.day(formats.local_date(value))


@register.filter
def full_day(value: date | datetime) -> str:
    """Write a date with its year."""
    return formats.full_day(formats.local_date(value))


@register.filter
def until(value: date | datetime) -> str:
    """Write how far a day is: "today", "in 3 days"."""
    return formats.until(formats.local_date(value))


@register.filter
def moment(value: datetime) -> str:
    """Write a time as "today 14:05"."""
    return formats.moment(value)


@register.filter
def ago(value: datetime) -> str:
    """Write how long ago a time was."""
    return formats.ago(value)


@register.filter
def span(seconds: int) -> str:
    """Write a length of time in its largest unit."""
    return formats.span(seconds)


@register.filter
def digits(value: object) -> str:
    """Write the digits of any text in the page's language."""
    return formats.localized_digits(str(value))


@register.filter
def phone(value: str) -> SafeString:
    """Write a phone number, masked or not, from left to right in every language."""
    return format_html('<bdi dir="ltr">{}</bdi>', formats.localized_digits(formats.phone(value)))


@register.filter
def code(value: object) -> SafeString:
    """Write a card's number, a receipt's, a code: as it is, from left to right."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)
