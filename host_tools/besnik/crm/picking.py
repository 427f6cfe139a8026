"""Settings that name a field of the CRM: picked from those that a test of it has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from besnik.crm.foreign import Field, Setting
from besnik.crm.trial import FIELDS_MOST


def choices(setting: Setting, offered: Sequence[Field]) -> list[Field]:
    """Return the fields that a setting can be, named as it names them, by what people call them.

    None if there are so many that a test does not tell them all.
    """
    if len(offered) >= FIELDS_MOST:
        return []
    prefix = setting.field_prefix
    named = [
        replace(field, name=field.name.removeprefix(prefix))
        for field in offered
        if setting.is_field and field.name.startswith(prefix)
    ]
    return sorted(named, key=lambda field: (field.label or field.name).casefold())


def misnamed(
    asks: Sequence[Setting], settings: Mapping[str, str], offered: Sequence[Field]
) -> list[Setting]:
    """Return the settings that name a field that is not there; none if not all are known."""
    if not offered or len(offered) >= FIELDS_MOST:
        return []
    return [
        setting
        for setting in asks
        if setting.is_field
        and (name := settings.get(setting.name))
        and name not in {field.name for field in choices(setting, offered)}
    ]
