"""Who is served at a till, by whom, and how sure it is that they are who they are."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from django.core import signing
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program
from besnik.site.access import staff_of
from besnik.site.till import get_till
from besnik.store.models import Member, MemberStatus, Staff, Tap, Till
from besnik.store.till.asks import Who
from besnik.store.till.place import Place

# A phone number that was said holds for the purchase at hand, not for the day.
VOUCHED_FOR: Final = dt.timedelta(minutes=15)
_SALT: Final = "found by phone"
_TAP: Final = "tap:"
_PHONE: Final = "phone:"


class Serving(NamedTuple):
    """A till and who works there; ``member`` is who is served, None for nobody yet.

    ``by`` says how they were found, as the forms carry it: by a tap, by their phone, or "".
    """

    till: Till
    staff: Staff
    member: Member | None
    by: str
    now: dt.datetime

    @property
    def place(self) -> Place:
        """Return the surroundings of a request to the till's verbs."""
        return Place.of_staff(self.staff, self.till, self.now, vouched=self._is_vouched)

    @property
    def program(self) -> Program:
        """Return what the program gives."""
        return self.place.rules()

    @property
    def currency(self) -> Currency:
        """Return the program's currency."""
        return self.program.currency

    @property
    def who(self) -> Who:
        """Return the member as the verbs ask for it: by the tap where there was one."""
        assert self.member is not None
        tap = self.tap
        return Who(tap=tap.pk) if tap else Who(member=self.member.ref)

    @property
    def tap(self) -> Tap | None:
        """Return the tap that the member is known by, None if they were chosen by hand."""
        number = self.by.removeprefix(_TAP)
        if self.member is None or number == self.by or not number.isdecimal() or len(number) > 18:
            return None
        here = Tap.objects.filter(reader__till=self.till, member=self.member)
        return here.filter(pk=int(number)).first()

    @property
    def _is_vouched(self) -> bool:
        token = self.by.removeprefix(_PHONE)
        if self.member is None or token == self.by:
            return False
        try:
            said = signing.loads(token, salt=_SALT, max_age=VOUCHED_FOR)
        except signing.BadSignature:
            return False
        return bool(said == [self.staff.pk, self.member.ref])


def serving(request: HttpRequest, shop: str, till: str, ref: str = "") -> Serving:
    """Return who is served by this request; 404 for a till or member that is not theirs."""
    staff = staff_of(request)
    place = get_till(staff, shop, till)
    member = member_of(place, ref) if ref else None
    by = request.POST.get("by") or request.GET.get("by") or ""
    return Serving(place, staff, member, by, now())


def now() -> dt.datetime:
    """Return the time by which the till works."""
    return dt.datetime.now(dt.UTC)


def member_of(till: Till, ref: str) -> Member:
    """Return a member of the till's program, or answer 404."""
    known = Member.objects.filter(program_id=till.shop.program_id)
    return get_object_or_404(known.exclude(status=MemberStatus.ERASED), ref=ref)


def by_tap(tap: int) -> str:
    """Return how a form says that its member held a card to the reader."""
    return f"{_TAP}{tap}"


def by_phone(staff: Staff, ref: str) -> str:
    """Return how a form says that ``staff`` found the member by a phone number."""
    return _PHONE + signing.dumps([staff.pk, ref], salt=_SALT)
