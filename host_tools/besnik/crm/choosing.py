"""Which CRM a program has: chosen, tested, kept, and which of its fields are shown to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from django.db import transaction

from besnik.crm import find, forgetting, moving, secrets
from besnik.crm.foreign import Capabilities, CrmError, CrmSettingsError, Field, Setting
from besnik.crm.trial import Trial, trouble_of, try_out
from besnik.store.models import CrmRecord, CrmSource

LABEL_MOST: Final = 60
SHOWN_MOST: Final = 12
# Of the row, what the owner's choice makes; the marks and the day's requests are its worker's.
_CHOSEN: Final = (
    "adapter",
    "settings",
    "breaker",
    "why",
    "retry_at",
    "offered",
    "fields",
    "started_at",
    "answered_at",
    "place",
)
ROLES: Final = ("cashier", "lead", "manager", "owner")


class Shown(msgspec.Struct, frozen=True):
    """A field of the CRM on the cashier's page: under ``label``, for ``role`` and those above."""

    name: str
    label: str
    role: str


class TooManyError(ValueError):
    """More fields than anybody reads while a customer waits."""


class Choice(msgspec.Struct, frozen=True):
    """A CRM with everything it asks for; ``secrets`` apart, as they are kept apart."""

    adapter: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]


def of(program: int) -> CrmSource | None:
    """Return the CRM of a program (its row), None if it has none."""
    return CrmSource.objects.filter(program=program).first()


def choice(program: int, adapter: str, given: Mapping[str, str]) -> Choice:
    """Return what was filled in, with the secrets that are known where none was given.

    CrmSettingsError if the adapter is unknown, or something that it needs is missing.
    """
    asks = find.adapter(adapter).asks_for()
    source = of(program)
    is_this = source is not None and source.adapter == adapter
    kept = secrets.read(program) if is_this else secrets.outside()
    settings: dict[str, str] = {}
    hidden: dict[str, str] = {}
    for setting in asks:
        value = given.get(setting.name, "").strip()
        if setting.is_secret:
            value = value or kept.get(setting.name, "")
        else:
            value = value or setting.default
        if not value and setting.is_needed:
            raise CrmSettingsError(f"{setting.name}: fill in {setting.label}")
        if value:
            (hidden if setting.is_secret else settings)[setting.name] = value
    # A mapping of the owner's own has secrets that no form knows of.
    return Choice(adapter, settings, {**secrets.outside(), **hidden})


def known_secrets(program: int, asks: Sequence[Setting]) -> frozenset[str]:
    """Return the names of the secrets that are there already."""
    kept = secrets.read(program)
    return frozenset(one.name for one in asks if one.is_secret and kept.get(one.name))


async def able(source: CrmSource) -> Capabilities | None:
    """Return what a CRM can do, None if its settings do not even make an adapter; asks nobody."""
    try:
        crm = find.open_source(source)
    except CrmError:
        return None
    try:
        return crm.capabilities
    finally:
        await crm.aclose()


async def tried(chosen: Choice, card: str = "") -> Trial:
    """Test a CRM as it was filled in; raises nothing."""
    try:
        crm = find.adapter(chosen.adapter).open_crm(chosen.settings, chosen.secrets)
    except CrmError as error:
        return Trial(trouble_of(error), card=card)
    return await try_out(crm, card)


def keep(program: int, chosen: Choice, offered: Sequence[Field] = ()) -> CrmSource:
    """Make it the program's CRM; ``offered`` are the fields that its test found.

    Another CRM than before knows other customers: nothing of the old one is kept, and it is off.
    The same one at another address rests until its owner says whose its customers are (`moving`).
    CrmSettingsError for another one while one is on.
    """
    with transaction.atomic():
        # Locked: its worker writes to the row as well, and has moved its marks a moment ago.
        known = CrmSource.objects.select_for_update().filter(program=program).first()
        source = known or CrmSource(program_id=program)
        if source.adapter and source.adapter != chosen.adapter:
            _begin_anew(source)
        asks = find.adapter(chosen.adapter).asks_for()
        moving.remember(source, asks, chosen.settings)
        if moving.place(asks, source.settings) != moving.place(asks, chosen.settings):
            source.offered = []
        source.adapter, source.settings = chosen.adapter, dict(chosen.settings)
        # Somebody changed what was wrong: it is tried again at once.
        source.breaker, source.why, source.retry_at = "closed", "", None
        if offered:
            source.offered = [msgspec.to_builtins(field) for field in offered]
        source.save(update_fields=None if known is None else _CHOSEN)
        outside = secrets.outside()
        secrets.write(
            program,
            {name: text for name, text in chosen.secrets.items() if outside.get(name) != text},
        )
    return source


def _begin_anew(source: CrmSource) -> None:
    if source.is_on:
        raise CrmSettingsError("another CRM is in use: switch that off first")
    forgetting.drop(source)
    source.fields, source.offered = [], []
    source.started_at = source.answered_at = None


def keep_offered(source: CrmSource, fields: Sequence[Field]) -> None:
    """Keep which fields a test of the CRM found; none: it found nothing new."""
    if fields:
        source.offered = [msgspec.to_builtins(field) for field in fields]
        source.save(update_fields=["offered"])


def offered(source: CrmSource) -> list[Field]:
    """Return the fields that customers had there at the last test."""
    return msgspec.convert(source.offered, list[Field])


def shown(source: CrmSource) -> list[Shown]:
    """Return the fields that are shown, in their order."""
    return [Shown(each["name"], each["label"], each["role"]) for each in source.fields]


def show(source: CrmSource, fields: Sequence[Shown], unit: str) -> None:
    """Choose the fields that are shown, and the unit of the ledger that points there are.

    ValueError for a role that is none, TooManyError for more than fit a screen.
    """
    if len(fields) > SHOWN_MOST:
        raise TooManyError(f"at most {SHOWN_MOST} fields are shown")
    if any(field.role not in ROLES for field in fields):
        raise ValueError(f"a field is for one of {', '.join(ROLES)}")
    source.fields = [
        {"name": each.name, "label": each.label[:LABEL_MOST], "role": each.role} for each in fields
    ]
    source.unit = unit
    source.save(update_fields=["fields", "unit"])
    # What is known was read without the new ones.
    CrmRecord.objects.filter(program=source.program_id).update(is_stale=True)
