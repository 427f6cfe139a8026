"""Who asks the till, from where and when."""

from __future__ import annotations

import datetime as dt

import msgspec

from besnik.loyalty.program import Program
from besnik.store import programs
from besnik.store.models import Role, Staff, Till, TillKey


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One request's surroundings; all rows by number.

    ``client`` is whose idempotency keys are meant. ``staff`` and ``role`` are who is logged in,
    None and "" for a till's software. ``vouched``: that person found the member by phone, so the
    member's reference is as good as the phone.
    """

    program: int
    shop: int
    shop_slug: str
    client: str
    source: str
    now: dt.datetime
    till: int | None = None
    staff: int | None = None
    role: str = ""
    vouched: bool = False

    @classmethod
    def of_key(cls, key: TillKey, now: dt.datetime | None = None) -> Place:
        """Return the place of a till whose software asks with ``key`` (its till and shop read)."""
        return _at(key.till, now, client=f"key:{key.pk}", source="api")

    @classmethod
    def of_staff(
        cls, staff: Staff, till: Till, now: dt.datetime | None = None, *, vouched: bool = False
    ) -> Place:
        """Return the place of somebody who is logged in, at ``till`` (its shop read)."""
        place = _at(till, now, client=f"staff:{staff.pk}", source="page")
        return msgspec.structs.replace(place, staff=staff.pk, role=str(staff.role), vouched=vouched)

    def rules(self) -> Program:
        """Return what the program gives."""
        return programs.current(self.program)

    @property
    def is_lead(self) -> bool:
        """Tell whether who is logged in may do alone what a cashier may not."""
        return self.role in LEADS


LEADS = (Role.LEAD, Role.MANAGER, Role.OWNER)


def _at(till: Till, now: dt.datetime | None, *, client: str, source: str) -> Place:
    return Place(
        program=till.shop.program_id,
        shop=till.shop_id,
        shop_slug=till.shop.slug,
        till=till.pk,
        client=client,
        source=source,
        now=now or dt.datetime.now(dt.UTC),
    )
