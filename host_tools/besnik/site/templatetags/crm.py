"""What a foreign CRM has in a field, for templates: ``{% load crm %}``."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils.translation import gettext as _

from besnik.crm.foreign import Value
from besnik.site import formats

register = template.Library()


@register.filter
def crm_value(value: Value, kind: str = "text") -> str:
    """Write a value as the page's language does; what is no date is written as it came."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return formats.number(value, 2)
    if kind == "date" and (day := _day(value)):
        return formats.full_day(day)
    return value


def _day(text: str) -> dt.date | None:
    """Return the day of an ISO 8601 date or time; that of a time in the zone of the shop."""
    try:
        if len(text) == len("2026-11-22"):
            return dt.date.fromisoformat(text)
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return formats.local_date(when if when.tzinfo else when.replace(tzinfo=dt.UTC))
