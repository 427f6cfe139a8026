"""What the templates of a till say of a member, in the page's language."""

from __future__ import annotations

from typing import cast

from django import template
from django.utils.translation import gettext as _

from besnik.loyalty.ledger import Unit
from besnik.loyalty.money import Currency
from besnik.loyalty.texts.catalogue import Language, word
from besnik.site import figures, formats

register = template.Library()


@register.filter
def currency_symbol(currency: Currency) -> str:
    """Write the sign or word of a currency."""
    return figures.symbol(currency)


@register.filter
def named(name: str) -> str:
    """Write what the language calls a benefit or a reward; the owner's own words as they are."""
    return word(name, cast(Language, formats.language()))


@register.filter
def is_collected(unit: Unit) -> bool:
    """Tell whether members know a unit as something they collect."""
    return unit != "status" and not unit.startswith("carry:")


@register.filter
def motive(key: str) -> str:
    """Write what drives a member."""
    known = {
        "price": _("Looks at the price"),
        "quality": _("Looks for quality"),
        "status": _("Likes to be somebody here"),
        "convenience": _("Wants it quick and easy"),
    }
    return known.get(key, key)
