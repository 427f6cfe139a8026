"""The words that the owner's pages have for a CRM that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# As their makers write them; an adapter of somebody else is called as it calls itself.
NAMES: Final[Mapping[str, str]] = {
    "tryton": "Tryton",
    "directus": "Directus",
    "bottlecrm": "BottleCRM",
    "hubspot": "HubSpot",
    "salesforce": "Salesforce",
    "odoo": "Odoo",
    "espocrm": "EspoCRM",
    "suitecrm": "SuiteCRM",
    "zoho": "Zoho CRM",
}
# Those that Besnik's own tests run against the real program.
PROVED: Final = frozenset({"tryton", "directus", "bottlecrm"})

# What adapters ask for: it reaches the page from them, so gettext must be told.
ASKED: Final = (
    gettext_noop("Address"),
    gettext_noop("Key"),
    gettext_noop("Password"),
    gettext_noop("User name"),
    gettext_noop("Database"),
)

TROUBLES: Final[Mapping[str, tuple[Any, Any]]] = {
    "away": (
        _("It does not answer"),
        _(
            "Check the address, and whether the CRM runs and can be reached from this machine. "
            "Then test again."
        ),
    ),
    "refused": (
        _("It does not let us in"),
        _(
            "The key or password is wrong, has run out, or may not read customers. "
            "Make a new one in the CRM and paste it here."
        ),
    ),
    "answer": (
        _("It answers what makes no sense"),
        _(
            "The address may be that of another page, or the CRM is of a version that is not "
            "known here. Check the address first."
        ),
    ),
    "settings": (
        _("Something is missing or wrong"),
        _("Correct what is named here, then test again."),
    ),
    "unwell": (
        _("It cannot be used just now"),
        _("The CRM says so itself. Look there what is wrong, then test again."),
    ),
}
LACKS: Final[Mapping[str, Any]] = {
    "card": _(
        "No card was given, so nobody was looked up. Give the number of a card that a customer "
        "there has, and test again."
    ),
    "nobody": _(
        "Nobody there has this card. Write its number into a customer’s record there, or give "
        "the number of another card."
    ),
    "several": _(
        "More than one customer there has this card. Leave it with one of them: until then "
        "nobody can tell whose its visits are."
    ),
    "name": _("This customer has no name there. Write one: the cashier greets by it."),
    "points": _("It keeps no points of this customer. That is fine: Besnik counts them."),
    "fields": _("It tells no fields of customers, so none can be shown to the cashier."),
    "create": _("New members cannot be written there: enter them there yourself."),
    "list": _(
        "Its customers cannot be listed, so there is no import: each becomes a member by the "
        "first tap."
    ),
}
# What is only good to know, beside what has to be put right.
HARMLESS: Final = frozenset({"points", "fields", "create", "list"})
ROLES: Final = (
    ("cashier", _("cashiers and all above")),
    ("lead", _("shift leads and all above")),
    ("manager", _("managers and owners")),
    ("owner", _("owners only")),
)

UNITS: Final = (
    ("point", _("points")),
    ("stamp", _("stamps")),
    ("", _("another matter: leave them alone")),
)


class Kind(NamedTuple):
    """A kind of difference: what is the matter, and what each button about it is called."""

    text: Any
    deeds: Mapping[str, Any]


_AGAIN: Final = {"again": _("Look again")}
DIFFERENCES: Final[Mapping[str, Kind]] = {
    "name": Kind(_("The names are not the same."), {"theirs": _("Take the CRM’s name"), **_AGAIN}),
    "points": Kind(
        _("The points are not the same."),
        {"ours": _("Write ours there"), "theirs": _("Take the CRM’s points"), **_AGAIN},
    ),
    "card_of_other": Kind(
        _("One of the customer’s cards belongs to another member here. Correct it on one side."),
        _AGAIN,
    ),
    "two_members": Kind(
        _("The customer’s cards belong to two members here. Correct it on one side."), _AGAIN
    ),
    "twice": Kind(
        _("Another customer there has the same card. Leave it with one of them there."), _AGAIN
    ),
    "left": Kind(
        _("This person has left your program here. Take the card out of their record there."),
        _AGAIN,
    ),
    "unnamed": Kind(
        _("The customer has no name there, so a number stands for it here. Write a name there."),
        _AGAIN,
    ),
    "bad_card": Kind(
        _("What is written there as a card is no card’s number. Correct it there."), _AGAIN
    ),
    "gone": Kind(
        _("This customer is not there any more."),
        {"anew": _("Write them there anew"), "unlink": _("Keep them only here"), **_AGAIN},
    ),
}


def name_of(adapter: str) -> str:
    """Return what a CRM is called."""
    return NAMES.get(adapter, adapter)
