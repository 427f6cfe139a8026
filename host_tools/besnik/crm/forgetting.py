"""Forgetting which member is which customer of a CRM: they are others now."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from besnik.crm import find, imports, moving, sources
from besnik.crm.foreign import CrmSettingsError
from besnik.store.models import (
    CrmAnswer,
    CrmDelivery,
    CrmDifference,
    CrmLeftOut,
    CrmLink,
    CrmRecord,
    CrmRun,
    CrmSource,
)


@transaction.atomic
def forget(source: CrmSource, now: dt.datetime) -> None:
    """Forget who is which customer there, and who was erased here; members and points stay.

    What had been taken over of points may be taken over anew. CrmSettingsError while the CRM is in
    use where it has always been, or its customers are being gone through.
    """
    # Who writes what the CRM said, or begins to go through it, is waited for, or comes after.
    CrmSource.objects.select_for_update().get(pk=source.pk)
    source.refresh_from_db()
    if source.is_on and not moving.has_moved(source):
        raise CrmSettingsError("it is in use: switch it off first")
    drop(source)
    CrmLeftOut.objects.filter(program=source.program_id, adapter=source.adapter).delete()
    times = source.numbering.get(source.adapter, 0) + 1
    source.numbering = {**source.numbering, source.adapter: times}
    source.place = moving.place(find.adapter(source.adapter).asks_for(), source.settings)
    source.started_at = source.answered_at = None
    source.save(update_fields=["numbering", "place", "started_at", "answered_at"])
    if source.is_on:
        sources.switch_on(source, now)


def drop(source: CrmSource) -> None:
    """Delete what is kept under the CRM's numbers, but for who was erased here; it is locked.

    CrmSettingsError while its customers are being gone through.
    """
    running = CrmRun.objects.filter(program=source.program_id, state="running")
    if any(not imports.is_lost(run, timezone.now()) for run in running):
        raise CrmSettingsError("its customers are being gone through: wait until that is done")
    for table in (CrmLink, CrmRecord, CrmAnswer, CrmDelivery, CrmDifference, CrmRun):
        table._default_manager.filter(program=source.program_id).delete()
