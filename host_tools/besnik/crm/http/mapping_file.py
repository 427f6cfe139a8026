"""Reads a mapping file and tells every mistake in it, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from besnik.crm.foreign import CrmSettingsError
from besnik.crm.http import template
from besnik.crm.http.mapping import Ask, Mapping

_VISIT = {"event_id", "customer", "kind", "shop", "at", "points", "balance", "card"}
_VISITS = {*_VISIT, "visits", "events", "it"}
_CUSTOMER = {"event_id", "name", "first_name", "last_name", "card", "cards", "phone", "email"}
_CUSTOMERS = {*_CUSTOMER, "customers", "events"}
_READ = {"cards", "card", "columns", "limit", "ids", "id", "after"}
# What templates may use without a setting of that name, each where it makes sense.
RESERVED = {*_VISITS, *_CUSTOMERS, *_READ, "token", "it"}


def read(file: Path) -> Mapping:
    """Return the mapping in a file; CrmSettingsError says what is wrong in it, and where."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CrmSettingsError(f"mapping: {file} cannot be read: {error.strerror}") from error
    try:
        mapping = msgspec.toml.decode(raw, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CrmSettingsError(f"mapping: {file.name}: {error}") from error
    _check(mapping)
    return mapping


def _check(mapping: Mapping) -> None:
    plain = {setting.name for setting in mapping.settings if not setting.is_secret}
    for name in plain & RESERVED:
        raise CrmSettingsError(f"mapping: a setting cannot be called {name}: templates use that")
    every = {setting.name for setting in mapping.settings}
    template.check(mapping.url, plain, "url")
    template.check(mapping.headers, plain, "headers")
    if isinstance(mapping.limits.per_day, str) and mapping.limits.per_day not in plain:
        raise CrmSettingsError(f"mapping: limits.per_day: no setting {mapping.limits.per_day!r}")
    for place in ("value", "user", "password", "token_url", "form"):
        template.check(getattr(mapping.auth, place), {*every, "token"}, f"auth.{place}")
    for place in ("id", "name", "cards", "points", "fields", "columns"):
        template.check(getattr(mapping.customer, place), plain, f"customer.{place}")
    for where, ask, names in _asks(mapping):
        for place in ("path", "query", "headers", "body"):
            template.check(getattr(ask, place), plain | names, f"{where}.{place}")
    if not (mapping.visits.find or mapping.visits.write.is_idempotent):
        raise CrmSettingsError(
            "mapping: visits.find is missing: without it a repeated visit would be written twice "
            "(or say visits.write.is_idempotent, if the CRM sees to that)"
        )
    for place in ("id", "cards"):
        if not getattr(mapping.customer, place):
            raise CrmSettingsError(f"mapping: customer.{place} must say where that is in a row")


def _asks(mapping: Mapping) -> Sequence[tuple[str, Ask, set[str]]]:
    visits, create = mapping.visits, mapping.create
    found: list[tuple[str, Ask | None, set[str]]] = [
        ("lookup", mapping.lookup, {"cards", "card", "columns", "limit", "it"}),
        ("refresh", mapping.refresh, {"ids", "id", "columns", "it"}),
        ("list", mapping.listing, {"after", "columns", "limit"}),
        ("describe", mapping.describe, {"columns"}),
        ("health", mapping.health, {"columns"}),
        ("visits.write", visits.write, _VISITS),
        ("visits.find", visits.find, _VISITS),
        ("visits.balance", visits.balance, _VISITS),
        ("create.write", create.write if create else None, _CUSTOMERS),
        ("create.find", create.find if create else None, _CUSTOMERS),
    ]
    return [(where, ask, names) for where, ask, names in found if ask is not None]
