"""What outstanding points cost: redemption, breakage, and the liability in two ways.

Amounts are minor units, shares basis points. Revenue follows IFRS 15 (illustrative examples
267 to 270): what is received for points is revenue as they are redeemed.
"""

from __future__ import annotations

from besnik.loyalty.metrics import Figure, Window, share
from besnik.loyalty.rules import WHOLE_BP


def redemption(redeemed: int, issued: int, window: Window | None = None) -> Figure:
    """Return the share of the points ``issued`` in a window that was redeemed since."""
    return share(redeemed, issued, window)


def breakage_bp(ultimate_redemption_bp: int) -> int:
    """Return the share of points that will never be redeemed.

    It is an estimate of the end, made from the redemption of old cohorts; what has expired so
    far is less.
    """
    if not 0 <= ultimate_redemption_bp <= WHOLE_BP:
        raise ValueError(f"{ultimate_redemption_bp} basis points is no share")
    return WHOLE_BP - ultimate_redemption_bp


def simple_liability_minor(active_points: int, point_minor: int, redemption_bp: int) -> int:
    """Return what outstanding points will cost: points x value x expected redemption."""
    return _divided(active_points * point_minor * redemption_bp, WHOLE_BP)


def deferred_minor(price_minor: int, goods_minor: int, points_minor: int) -> int:
    """Return the part of a price that was paid for the points.

    ``goods_minor`` and ``points_minor`` are what each would sell for alone; for points that is
    their number x value x expected redemption.
    """
    return _divided(price_minor * points_minor, goods_minor + points_minor)


def revenue_to_date_minor(deferred: int, redeemed: int, expected: int) -> int:
    """Return how much of ``deferred`` is revenue once ``redeemed`` of ``expected`` points are.

    When the expectation changes, the difference to what was booked before is booked now.
    """
    return min(deferred, _divided(deferred * redeemed, expected))


def _divided(number: int, by: int) -> int:
    """Return the quotient, rounded half up."""
    if by <= 0:
        raise ValueError("nothing to divide by: there are no goods and no points")
    return (2 * number + by) // (2 * by)
