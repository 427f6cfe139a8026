"""Filters of the member's page: ``{% load own %}``."""

from __future__ import annotations

import datetime as dt
from typing import Final, cast

from django import template

from besnik.loyalty.texts.catalogue import Language, word
from besnik.site import formats

register = template.Library()

_INSTANT: Final = dt.timedelta(microseconds=1)


@register.filter
def known_name(name: str) -> str:
    """Write the name of a service or a reward, in the page's language if that has a word for it."""
    return word(name, cast(Language, formats.language()))


@register.filter
def last_day(until: dt.datetime) -> str:
    """Write the last whole day on which something can be used that ends at ``until``."""
    return formats.full_day(formats.local_date(until - _INSTANT))
