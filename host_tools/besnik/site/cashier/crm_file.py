"""What the shop's own CRM has of a member, as far as somebody at the till may read it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from django.utils import timezone

from besnik.crm import choosing
from besnik.crm.cache import FRESH_FOR
from besnik.crm.foreign import Value
from besnik.site.access import at_least
from besnik.store.models import CrmLink, CrmRecord, CrmSource, Role, Staff
from besnik.store.people import mask_in

# Nobody reads more while a customer stands there.
TEXT_MOST: Final = 240


class CrmLine(msgspec.Struct, frozen=True):
    """One field under the name that the owner gave it; ``kind`` as in `besnik.crm.foreign`."""

    label: str
    value: Value
    kind: str


class CrmFile(msgspec.Struct, frozen=True):
    """The fields, and when the CRM said so; ``is_old``: they may have changed since."""

    lines: tuple[CrmLine, ...]
    at: dt.datetime
    is_old: bool


def crm_file(member: str, staff: Staff, now: dt.datetime | None = None) -> CrmFile | None:
    """Return what ``staff`` may read of the member with this reference; None: nothing is known.

    Phone numbers in it are masked, as in notes.
    """
    source = CrmSource.objects.filter(program=staff.program_id, is_on=True).first()
    if source is None or not source.fields:
        return None
    link = CrmLink.objects.filter(program=staff.program_id, member__ref=member)
    record = CrmRecord.objects.filter(
        program=staff.program_id, external_id__in=link.values("external_id")
    ).first()
    if record is None:
        return None
    kinds = {field.name: field.kind for field in choosing.offered(source)}
    lines = tuple(
        CrmLine(field.label, _shown(record.fields[field.name]), kinds.get(field.name, "text"))
        for field in choosing.shown(source)
        if record.fields.get(field.name) not in (None, "") and _may_read(staff, field.role)
    )
    if not lines:
        return None
    is_fresh = (now or timezone.now()) - record.fetched_at < FRESH_FOR
    return CrmFile(lines, record.fetched_at, record.is_stale or not is_fresh)


def _may_read(staff: Staff, role: str) -> bool:
    return role in Role.values and at_least(staff, Role(role))


def _shown(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = mask_in(" ".join(value.split()))
    return text if len(text) <= TEXT_MOST else text[: TEXT_MOST - 1] + "…"
