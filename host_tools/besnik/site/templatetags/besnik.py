"""`besnik.site.formats` for templates, and the languages of the pages."""

from __future__ import annotations

from datetime import datetime

from django import template

from besnik.site import formats
from besnik.site.languages import LANGUAGES

register = template.Library()


@register.simple_tag
def own_languages() -> list[tuple[str, str]]:
    """Return the languages of the pages, each by its own name."""
    return LANGUAGES


@register.filter
def number(value: int) -> str:
    """Write a whole number in the page's language."""
    return formats.number(value)


@register.filter
def digits(value: object) -> str:
    """Write the digits of any text in the page's language."""
    return formats.localized_digits(str(value))


@register.filter
def moment(value: datetime) -> str:
    """Write a time as "today 14:05" in the page's language."""
    return formats.moment(value)


@register.filter
def ago(value: datetime) -> str:
    """Write how long ago a time was in the page's language."""
    return formats.ago(value)


@register.filter
def span(seconds: int) -> str:
    """Write a length of time in the page's language."""
    return formats.span(seconds)


@register.filter
def kilobytes(value: int) -> int:
    """Return bytes as whole kilobytes of 1,024."""
    return value // 1024
