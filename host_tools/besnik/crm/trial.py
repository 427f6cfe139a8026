"""The test of a CRM before it is used: is it there, does it let us in, whom does it find."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from besnik.crm.foreign import (
    Ambiguous,
    Capabilities,
    CrmAnswerError,
    CrmAwayError,
    CrmError,
    CrmRefusedError,
    Customer,
    Field,
    ForeignCrm,
)
from besnik.crm.said import place
from besnik.crm.tidy import tidied

_log = logging.getLogger(__name__)

# Somebody waits for it: three calls that take their full time would be half a minute.
TOTAL_S: Final = 20.0
FIELDS_MOST: Final = 200
# Of one customer, for the owner to see what is in them.
_READ_MOST: Final = 60

Kind = Literal["away", "refused", "answer", "settings", "unwell"]
Lack = Literal["card", "nobody", "several", "name", "points", "fields", "create", "list"]


class Trouble(msgspec.Struct, frozen=True):
    """Why it cannot be used; ``text`` is the adapter's own, in English."""

    kind: Kind
    text: str


class Trial(msgspec.Struct, frozen=True):
    """What a test found; without ``trouble`` it can be used.

    ``lacks`` says what is missing: no card was given, nobody or several have it, no name, no
    points, no fields to show; members cannot be made there, or not be listed. ``several`` are the
    ids of those who have the card. ``took_ms`` is the time of the look-up. ``fields`` are known
    although it cannot be used, where it was the look-up that failed.
    """

    trouble: Trouble | None = None
    fields: tuple[Field, ...] = ()
    card: str = ""
    customer: Customer | None = None
    several: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()
    took_ms: int = 0

    @property
    def offered(self) -> tuple[Field, ...]:
        """The fields that can be shown: none of a CRM that cannot be used."""
        return self.fields if self.trouble is None else ()

    @property
    def values(self) -> list[tuple[Field, object]]:
        """The fields that the customer found has something in."""
        found: Mapping[str, object] = self.customer.fields if self.customer else {}
        return [
            (field, found[field.name]) for field in self.fields if found.get(field.name) is not None
        ]


def trouble_of(error: CrmError) -> Trouble:
    """Return an adapter's error by its kind."""
    kinds: tuple[tuple[type[CrmError], Kind], ...] = (
        (CrmAwayError, "away"),
        (CrmRefusedError, "refused"),
        (CrmAnswerError, "answer"),
    )
    for of, kind in kinds:
        if isinstance(error, of):
            return Trouble(kind, str(error))
    return Trouble("settings", str(error))


async def try_out(crm: ForeignCrm, card: str = "") -> Trial:
    """Test a CRM and let go of it; ``card`` is looked up. Takes at most 20 s, raises nothing."""
    try:
        async with asyncio.timeout(TOTAL_S):
            return await _tried(crm, card)
    except CrmError as error:
        return Trial(trouble_of(error), card=card)
    except TimeoutError:
        return Trial(Trouble("away", f"it took longer than {TOTAL_S:g} s in all"), card=card)
    except Exception as error:
        # A fault of an adapter, ours or a stranger's; its text could quote a key.
        _log.warning("the adapter failed at %s", place(error))
        return Trial(Trouble("answer", f"its adapter failed: {type(error).__name__}"), card=card)
    finally:
        await crm.aclose()


async def _tried(crm: ForeignCrm, card: str) -> Trial:
    health = await crm.health()
    if not health.ok:
        # Health has no kinds: the first real call says of which kind it is. What fields there are
        # helps: most ask for the card's and the points' to see whether they are well.
        fields = tuple(await crm.describe())[:FIELDS_MOST]
        return Trial(Trouble("unwell", health.why), fields, card)
    fields = tuple(await crm.describe())[:FIELDS_MOST]
    lacks = _cannot(crm.capabilities)
    if not fields:
        lacks += ("fields",)
    if not card:
        return Trial(fields=fields, lacks=("card", *lacks))
    began = time.monotonic()
    try:
        names = [field.name for field in fields[:_READ_MOST]]
        found = (await crm.lookup_many([card], names)).get(card)
    except CrmError as error:
        # What fields there are is known all the same: the card's may be another one.
        return Trial(trouble_of(error), fields, card)
    took_ms = round((time.monotonic() - began) * 1000)
    several: tuple[str, ...] = ()
    customer = None
    if found is None:
        lacks = ("nobody", *lacks)
    elif isinstance(found, Ambiguous):
        several, lacks = found.ids, ("several", *lacks)
    else:
        customer = tidied(found)
        lacks = _missing_of(customer) + lacks
    return Trial(None, fields, card, customer, several, lacks, took_ms)


def _missing_of(customer: Customer) -> tuple[Lack, ...]:
    missing: list[Lack] = []
    if not customer.name.strip():
        missing.append("name")
    if customer.points is None:
        missing.append("points")
    return tuple(missing)


def _cannot(can: Capabilities) -> tuple[Lack, ...]:
    cannot: list[Lack] = []
    if not can.can_create:
        cannot.append("create")
    if not can.can_list:
        cannot.append("list")
    return tuple(cannot)
