"""The languages of the pages, and sizes; figures have a library of their own."""

from __future__ import annotations

from django import template

from besnik.site.languages import LANGUAGES

register = template.Library()


@register.simple_tag
def own_languages() -> list[tuple[str, str]]:
    """Return the languages of the pages, each by its own name."""
    return LANGUAGES


@register.filter
def kilobytes(value: int) -> int:
    """Return bytes as whole kilobytes of 1,024."""
    return value // 1024
