"""What a cashier is told that was done."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from besnik.loyalty.money import Currency
from besnik.site import figures
from besnik.site.templatetags.till import is_collected
from besnik.store.till.results import Accrued, CouponLine


def gains(earned: Mapping[str, int], currency: Currency) -> str:
    """Return "+37 points, +1 stamp" of what members collect; empty for nothing."""
    return ", ".join(
        figures.quantity(amount, unit, currency, signed=True)
        for unit, amount in earned.items()
        if amount and is_collected(unit)
    )


def bought(made: Accrued, name: str, amount: str, currency: Currency) -> str:
    """Return what a purchase gave."""
    earned = gains(made.earned, currency)
    if earned:
        return _("%(earned)s for %(name)s") % {"earned": earned, "name": name}
    return _("%(amount)s recorded for %(name)s. It earns nothing.") % {
        "amount": amount,
        "name": name,
    }


def beside(made: Accrued) -> str:
    """Return what else a purchase led to: a tier, coupons, rewards that were given with it."""
    parts = [each.title for each in made.rewards if each.title]
    if made.tier_reached:
        parts.append(_("Now %(tier)s.") % {"tier": made.tier_reached})
    parts += map(coupon_text, made.coupons)
    return " ".join(parts)


def coupon_text(coupon: CouponLine) -> str:
    """Return what a coupon is for."""
    return _("Coupon: %(title)s.") % {"title": coupon.title}
