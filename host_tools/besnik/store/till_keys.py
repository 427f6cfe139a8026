"""``besnik till``: keys by which tills' own software asks the API, at a terminal.

A key is printed once. Whoever has it may do at that till what a cashier may, so it goes to the
till's settings and nowhere else.
"""

from __future__ import annotations

import datetime as dt

from besnik.store.terminal import CannotError, run


def make_key(place: str, name: str) -> int:
    """Make a key for the till ``place`` (SHOP/TILL) and print it; return the exit status."""
    return run("besnik till", lambda: _make(place, name))


def list_keys() -> int:
    """Print the keys that there are, without the keys themselves; return the exit status."""
    return run("besnik till", _list)


def revoke_key(number: int) -> int:
    """Take a key back; return the exit status."""
    return run("besnik till", lambda: _revoke(number))


def _make(place: str, name: str) -> int:
    from besnik.store.models import Till
    from besnik.store.till import keys

    shop, _slash, slug = place.partition("/")
    till = Till.objects.filter(shop__slug=shop, slug=slug).select_related("shop").first()
    if till is None:
        known = [f"{each.shop.slug}/{each.slug}" for each in Till.objects.select_related("shop")]
        raise CannotError(f"there is no till {place!r}; there are: {', '.join(known) or 'none'}")
    key = keys.make(till, name[:40] or "till")
    print(f"till: a key for {till}, shown this once; it goes into the till's settings:")
    print(key)
    return 0


def _list() -> int:
    from besnik.store.models import TillKey

    for row in TillKey.objects.select_related("till__shop").order_by("pk"):
        place = f"{row.till.shop.slug}/{row.till.slug}"
        state = f"taken back {row.revoked_at:%Y-%m-%d}" if row.revoked_at else "good"
        print(f"{row.pk}  {place}  {row.name}  made {row.created_at:%Y-%m-%d}  {state}")
    return 0


def _revoke(number: int) -> int:
    from besnik.store.models import TillKey
    from besnik.store.till import keys

    row = TillKey.objects.filter(pk=number).select_related("till__shop").first()
    if row is None:
        raise CannotError(f"there is no key {number}; besnik till keys lists them")
    keys.revoke(row, dt.datetime.now(dt.UTC))
    print(f"till: key {row.pk} of {row.till} opens nothing any more")
    return 0
