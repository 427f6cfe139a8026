"""A CRM that was given another address: the same customers, or others with the same numbers?

Links between members and customers, and all that is told, go by the CRM's numbers. In another
database they are other people's. So nothing is asked or told until the owner has said which it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from besnik.crm import find
from besnik.crm.foreign import CrmSettingsError, Setting
from besnik.store.models import CrmLink, CrmSource

SAY_FIRST: Final = (
    "it has another address now: say first whether its customers are the same, on the owner's page "
    "or by besnik crm same or besnik crm forget"
)


def place(asks: Sequence[Setting], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that say where a CRM is: of an adapter that names none, all."""
    named = [each for each in asks if each.is_place] or [
        each for each in asks if not each.is_secret
    ]
    return {each.name: settings.get(each.name, "") for each in named}


def has_moved(source: CrmSource) -> bool:
    """Tell whether a CRM is elsewhere now than where its links were made."""
    return any(
        _plain(source.settings.get(name, "")) != _plain(text) for name, text in source.place.items()
    )


def remember(source: CrmSource, asks: Sequence[Setting], settings: Mapping[str, str]) -> None:
    """Keep (in ``source``, not saved) where the CRM is, before it gets these ``settings``."""
    if not CrmLink.objects.filter(program=source.program_id).exists():
        source.place = place(asks, settings)
    elif not source.place:
        source.place = place(asks, source.settings)


def is_the_same(source: CrmSource) -> None:
    """Go on with the links: the customers are the same; CrmSettingsError."""
    source.place = place(find.adapter(source.adapter).asks_for(), source.settings)
    source.save(update_fields=["place"])


def locked(asked: CrmSource) -> CrmSource:
    """Lock the row of the CRM that was ``asked``, as the row was then, and return it as it is now.

    For the transaction that writes what it said. CrmSettingsError if it has other settings since,
    or its owner said that its customers are others: what it said is of somebody else.
    """
    row = CrmSource.objects.select_for_update().get(pk=asked.pk)
    if _whose(row) != _whose(asked):
        raise CrmSettingsError("it was changed while it was asked: what it said is left out")
    return row


def _whose(source: CrmSource) -> object:
    return source.adapter, source.settings, source.numbering


def _plain(text: str) -> str:
    """Return a place in one spelling: of an address only scheme and host are the same in capitals.

    Names of databases and paths are others then.
    """
    text = text.strip().rstrip("/")
    if "://" not in text:
        return text
    scheme, rest = text.split("://", 1)
    host, slash, path = rest.partition("/")
    return f"{scheme.casefold()}://{host.casefold()}{slash}{path}"
