"""Which CRMs there are adapters for: those that any installed package offers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from besnik.crm import secrets
from besnik.crm.foreign import CrmSettingsError, ForeignCrm
from besnik.store.models import CrmSource

GROUP: Final = "besnik.crm"


def adapters() -> Mapping[str, EntryPoint]:
    """Return the adapters by name, not loaded yet. Of two with one name Besnik's own counts."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name not in found or point.value.startswith("besnik."):
            found[point.name] = point
    return found


def adapter(name: str) -> type[ForeignCrm]:
    """Load the adapter ``name``; CrmSettingsError if it is not installed or cannot be loaded."""
    known = adapters()
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise CrmSettingsError(
            f"no adapter for {name!r} is installed: choose one of {there}, or install the package"
            " that brings it"
        )
    try:
        return cast("type[ForeignCrm]", known[name].load())
    except Exception as error:
        raise CrmSettingsError(
            f"the adapter for {name!r} cannot be loaded ({type(error).__name__}): install its"
            " package again"
        ) from error


def open_source(source: CrmSource) -> ForeignCrm:
    """Make the adapter of a program's CRM from its settings and secrets; CrmSettingsError.

    It talks to nobody yet. What asks it in earnest goes through `besnik.crm.front`.
    """
    return adapter(source.adapter).open_crm(source.settings, secrets.read(source.program_id))
