"""A member's private link: who has it sees the member's own page, without logging in.

It proves itself: an HMAC over the member's reference and the version of the link. Raising
``Member.link_version`` ends every link given before. Whoever held the member's card to a phone is
let in for a while: then the moment at which that ends is part of the proof, and follows it.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

from django.conf import settings
from django.db.models import F

from besnik.store.models import Member, MemberStatus
from besnik.store.people.keyed import keyed

_TOKEN_BYTES: Final = 15  # 120 bits, 20 characters
_TOKEN_LENGTH: Final = 20
_ENDS: Final = re.compile(r"[0-9a-f]{8,9}")  # Unix seconds
# How long one look at a card lets in: long enough to read everything, of no use to a thief.
VISIT: Final = dt.timedelta(minutes=30)
_LINK: Final = re.compile(r"/m/([0-9a-z]{12})/([A-Za-z0-9_-]{20})(?:[/?#]|\Z)")


def token(member: Member) -> str:
    """Return what proves the link of ``member``: 20 characters."""
    return _proof("link", member)


def link(member: Member) -> str:
    """Return the address of the member's page, for a QR code or a card's NDEF record.

    It is absolute if ``[site] public_url`` is set, otherwise a path of this site.
    """
    public_url: str = settings.BESNIK.site.public_url
    return f"{public_url.rstrip('/')}/m/{member.ref}/{token(member)}"


def visit_token(member: Member, now: dt.datetime) -> str:
    """Return what opens the member's page as ``token`` does, for `VISIT` from ``now`` on."""
    ends = f"{int((now + VISIT).timestamp()):08x}"
    return _proof("visit", member, ends) + ends


def open_link(ref: str, given: str, now: dt.datetime | None = None) -> Member | None:
    """Return the member whose link has these two parts; None if it proves nothing, or no more.

    An unknown reference takes as long as a wrong token.
    """
    member = Member.objects.filter(ref=ref).select_related("program").first()
    proof = _wanted(member or Member(ref=ref), given, now or dt.datetime.now(dt.UTC))
    proved = hmac.compare_digest(proof.encode(), given.encode(errors="replace"))
    if member is None or not proved or member.status == MemberStatus.ERASED:
        return None
    return member


def _wanted(member: Member, given: str, now: dt.datetime) -> str:
    """Return what ``given`` has to be."""
    ends = given[_TOKEN_LENGTH:]
    if not _ENDS.fullmatch(ends) or int(ends, 16) < now.timestamp():
        return token(member)
    return _proof("visit", member, ends) + ends


def _proof(purpose: str, member: Member, *more: str) -> str:
    proof = keyed(purpose, member.ref, str(member.link_version), *more)
    return urlsafe_b64encode(proof[:_TOKEN_BYTES]).decode()


def read_link(text: str) -> Member | None:
    """Return the member whose link ``text`` is: what a scanner reads from a member's phone."""
    found = _LINK.search(text)
    return open_link(found[1], found[2]) if found else None


def renew(member: Member) -> None:
    """End every link of ``member`` that was given before."""
    Member.objects.filter(pk=member.pk).update(link_version=F("link_version") + 1)
    member.refresh_from_db(fields=["link_version"])
