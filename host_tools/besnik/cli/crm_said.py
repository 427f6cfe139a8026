"""What the terminal says of a foreign CRM: how it does, what a test found, how far a walk is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from besnik.store import turn
from besnik.store.terminal import CannotError

if TYPE_CHECKING:
    from besnik.crm.foreign import Setting
    from besnik.crm.trial import Trial
    from besnik.store.models import CrmRun, CrmSource

_TELL_EVERY_S: Final = 1.0


def status(program: str) -> int:
    """Say how each CRM does, or that of one program; return 1 if one cannot be used now."""
    from besnik.store.models import CrmDelivery, CrmDifference, CrmRun, CrmSource
    from besnik.store.people import count_left_out

    found = CrmSource.objects.select_related("program").order_by("pk")
    rows = [row for row in found if program in ("", row.program.name)]
    if not rows:
        raise CannotError("no CRM is connected: besnik crm add")
    for row in rows:
        mine = {"program": row.program_id}
        waiting = CrmDelivery.objects.filter(**mine, state="waiting").count()
        refused = CrmDelivery.objects.filter(**mine, state="refused").count()
        pending = waiting_taps(row)
        print(f"{row.adapter} of {row.program}: {_doing(row)}")
        unproved(row.adapter)
        print(f"  {waiting:,} wait to be written there, {refused:,} were refused")
        print(f"  asked {row.asked:,} times on its last day")
        if pending:
            print(f"  {pending}")
        print(f"  {CrmDifference.objects.filter(**mine).count():,} differences")
        if erased := count_left_out(row.program_id):
            print(
                f"  {erased:,} customers were erased here and are left out: besnik crm take-in "
                "makes one a member again who wishes it"
            )
        last = CrmRun.objects.filter(**mine).order_by("-started_at").first()
        if last is not None:
            kind = "count" if last.dry else "import"
            print(f"  last {kind}, {last.started_at:%Y-%m-%d %H:%M} UTC: {last.state}")
    return 1 if any(row.is_on and not _is_well(row) for row in rows) else 0


def unproved(adapter: str) -> None:
    """Say that a connection of ours has never been run against the real program, if so."""
    from besnik.site.owner import crm_words

    if crm_words.is_unproved(adapter):
        print(
            f"crm: {adapter} was made after its maker's documentation and has not been run against "
            "the live service yet: test it well before you switch it on"
        )


def waiting_taps(source: CrmSource) -> str:
    """Return what is to be known of taps that wait for a CRM, nothing if none does."""
    from besnik.store.models import CrmPending

    count = CrmPending.objects.filter(program=source.program_id, state="waiting").count()
    if not count:
        return ""
    if source.is_on:
        return f"{count:,} taps wait for its answer"
    return (
        f"{count:,} taps wait for its answer: they count when it is on again, or when their cards "
        "are enrolled at the till; besnik crm refuse-waiting lets them be unknown cards"
    )


def trial(found: Trial) -> bool:
    """Print what a test found; tell whether it can be used."""
    from besnik.site.owner import crm_words

    if found.trouble is not None:
        title, what_to_do = crm_words.TROUBLES[found.trouble.kind]
        print(f"crm: {title} ({found.trouble.text}). {what_to_do}", file=sys.stderr)
        return False
    print("crm: it answers and lets us in")
    if found.customer is not None:
        one = found.customer
        points = "" if one.points is None else f", {one.points:,} points"
        print(f"crm: card {found.card} belongs to {one.name} ({one.id}){points}")
        for field, value in found.values:
            print(f"  {field.label or field.name}: {value}")
    elif found.several:
        print(f"crm: card {found.card} is of {', '.join(found.several)}")
    for lack in found.lacks:
        print(f"crm: {crm_words.LACKS[lack]}")
    return True


def misnamed(asks: Sequence[Setting], settings: Mapping[str, str], found: Trial) -> None:
    """Print which settings name a field that is not there, and which there are."""
    from besnik.crm import picking

    for setting in picking.misnamed(asks, settings, found.fields):
        there = ", ".join(field.name for field in picking.choices(setting, found.fields)) or "none"
        print(
            f"crm: {setting.label}: there is no field {settings[setting.name]}; pick one of those "
            f"there are ({there}) and add it again with {setting.name}=…",
            file=sys.stderr,
        )


def progress() -> Callable[[CrmRun], None]:
    """Return what says now and then how far a walk is."""
    told_s = time.monotonic()
    why = ""

    def tell(run: CrmRun) -> None:
        nonlocal told_s, why
        if run.why and run.why != why:
            print(f"crm: {run.why}; it is waited for", file=sys.stderr, flush=True)
        why = run.why
        if time.monotonic() - told_s >= _TELL_EVERY_S:
            told_s = time.monotonic()
            print(f"crm: {run.seen:,} customers so far", file=sys.stderr, flush=True)

    return tell


def counted(done: CrmRun) -> str:
    """Return what a walk did, or would do."""
    would = "would be " if done.dry else ""
    return (
        f"crm: {done.seen:,} customers: {done.made:,} {would}new members, {done.linked:,} members "
        f"already, {done.known:,} known before, {done.skipped:,} cannot be taken, "
        f"{done.left_out:,} were erased here and are left out; "
        f"{done.opened:,} balances; {done.differing:,} with a difference"
    )


def _is_well(row: CrmSource) -> bool:
    from besnik.crm import moving

    return row.breaker == "closed" and not moving.has_moved(row) and _is_served()


def _is_served() -> bool:
    """Tell whether the process that speaks with CRMs runs."""
    from django.conf import settings

    return turn.is_taken(settings.BESNIK, "crm")


def _doing(row: CrmSource) -> str:
    from django.utils import timezone

    from besnik.crm import moving, sources

    if moving.has_moved(row):
        return f"rests: {moving.SAY_FIRST}"
    if not row.is_on:
        return "off"
    if not _is_served():
        return "on, but nobody speaks with it: start besnik crm run (besnik run does)"
    if until := sources.held_back_until(row, timezone.now()):
        return f"on, and rests until {until:%H:%M} UTC: {row.why}"
    if row.breaker == "closed":
        return "on, and answers" if row.answered_at else "on; it has not been asked yet"
    if row.retry_at is None:
        return f"does not let us in ({row.why}): give it another key by besnik crm add"
    return f"does not answer ({row.why}); tried again at {row.retry_at:%H:%M:%S} UTC"
