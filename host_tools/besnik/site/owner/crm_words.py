"""The words that the owner's pages have for a CRM that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from besnik.site import formats

# As their makers write them; an adapter of somebody else is called as it calls itself.
NAMES: Final[Mapping[str, Any]] = {
    "tryton": "Tryton",
    "directus": "Directus",
    "bottlecrm": "BottleCRM",
    "hubspot": "HubSpot",
    "salesforce": "Salesforce",
    "odoo": "Odoo",
    "espocrm": "EspoCRM",
    "suitecrm": "SuiteCRM",
    "zoho": "Zoho CRM",
    "http": _("Another one, by a mapping file"),
}
OWN: Final = "http"
# Those that Besnik's own tests run against the real program.
PROVED: Final = frozenset({"tryton", "directus", "bottlecrm"})

# What has to be made in the CRM before it is connected.
FIRST: Final[Mapping[str, Any]] = {
    "tryton": _(
        "In Tryton, make a user for Besnik alone, who may read, create and change parties and"
        " write notes. Cards are identifiers of a party without a type."
    ),
    "directus": _(
        "In Directus, make a collection of customers with a text field for the card and a "
        "whole number for points, and one of visits with event_id (unique text), customer, "
        "points, balance, kind, shop and at. The key is the static token of a user who may "
        "read, create and update both."
    ),
    "bottlecrm": _(
        "In BottleCRM, make custom fields of contacts: nfc_card_id (text) and points "
        "(number). The key is a personal access token of a user who may see all contacts."
    ),
    "hubspot": _(
        "In HubSpot, make two properties of contacts: nfc_card_id (text, with unique values) "
        "and besnik_points (number). The key is the access token of a private app that may "
        "read and write contacts and read their schema."
    ),
    "salesforce": _(
        "In Salesforce, give Contact a text field NFC_Card__c (external id, unique) and a "
        "number field Loyalty_Points__c. Make an object Visit__c with Event_Id__c (text, "
        "external id, unique), Contact__c, Kind__c, Shop__c, At__c, Points__c and Balance__c,"
        " and a connected app with the client credentials flow."
    ),
    "odoo": _(
        "In Odoo 19 or later, give contacts a text field x_nfc_card_id and a whole number "
        "x_points. The key is an API key of a user of its own; it lives for three months at "
        "most and has to be renewed."
    ),
    "espocrm": _(
        "In EspoCRM, give Contact a text field for the card and a whole number for points. "
        "The key is that of an API user who may read, create and edit contacts and their "
        "stream."
    ),
    "suitecrm": _(
        "In SuiteCRM, give Contacts a text field nfc_card_id and a whole number points. Make "
        "an OAuth2 client with the grant type client credentials."
    ),
    "zoho": _(
        "In Zoho CRM, give Contacts a field NFC_Card without duplicate values and a number "
        "Loyalty_Points. Make a self client in the API console, and from its code a refresh "
        "token. A busy shop needs more than the free plan."
    ),
    "http": _("Write a mapping file first: docs/crm-mappings.md says how."),
}
# What Besnik's own adapters ask for: it reaches the page from them, so gettext must be told.
ASKED: Final = (
    gettext_noop("Address"),
    gettext_noop("Password"),
    gettext_noop("User name"),
    gettext_noop("Database"),
    gettext_noop("Personal access token"),
    gettext_noop("In BottleCRM: your profile, personal access tokens; it begins with bcrm_pat_"),
    gettext_noop("Custom field of the card"),
    gettext_noop("Custom field of the points"),
    gettext_noop("Static token"),
    gettext_noop("In Directus: the user, Token, generate"),
    gettext_noop("Collection of customers"),
    gettext_noop("Collection of visits"),
    gettext_noop("Field of the card"),
    gettext_noop("API key of the API user"),
    gettext_noop("Field of the name"),
    gettext_noop("Field of the points"),
    gettext_noop("Field of the phone number"),
    gettext_noop("Field of the email address"),
    gettext_noop("Left empty, Besnik does not write it"),
    gettext_noop("The mapping's file"),
    gettext_noop("see docs/crm-mappings.md"),
    gettext_noop("The CRM's address"),
    gettext_noop("Your name there"),
    gettext_noop("Its key or password"),
    gettext_noop("Access token of the private app"),
    gettext_noop("Property of the card, unique"),
    gettext_noop("Property of the points"),
    gettext_noop("Requests a day"),
    gettext_noop("Of 250,000 in the free plan, 650,000 in Professional; other apps share them"),
    gettext_noop("Only where one server has several"),
    gettext_noop("API key"),
    gettext_noop("My Domain address"),
    gettext_noop("Consumer key of the connected app"),
    gettext_noop("Consumer secret of the connected app"),
    gettext_noop("Field of the card, an external id"),
    gettext_noop("API version"),
    gettext_noop("Of 100,000 and more for all of a company in Enterprise, 15,000 in a developer's"),
    gettext_noop("https://crm.example.com; for SuiteCRM 8 https://crm.example.com/legacy"),
    gettext_noop("Id of the OAuth2 client"),
    gettext_noop("Secret of the OAuth2 client"),
    gettext_noop("such as https://tryton.example.com:8000"),
    gettext_noop("a user of its own, who may read and change parties and write notes"),
    gettext_noop("Address of the API"),
    gettext_noop("Of your data centre: www.zohoapis.com, .eu, .in, .com.au, .jp, .sa"),
    gettext_noop("Address of Zoho Accounts"),
    gettext_noop("Of the same data centre"),
    gettext_noop("Client id"),
    gettext_noop("Client secret"),
    gettext_noop("Refresh token"),
    gettext_noop("API name of the card's field"),
    gettext_noop("API name of the points' field"),
    gettext_noop("Requests in 24 hours"),
    gettext_noop("Of 5,000 credits in the free plan, 50,000 and more in Standard"),
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


# What became of somebody who was erased here and wishes to be a member again.
READMITTED: Final[Mapping[str, Any]] = {
    "taken": _("They are a member again, and begin anew."),
    "never": _(
        "Nobody with this number was erased here. Give their number in the CRM, or that of a card "
        "which stands in their record there."
    ),
    "gone": _("The CRM knows nobody with this number any more. Enrol them at the till."),
    "several": _(
        "More than one customer there has this card. Leave it with one of them there, or give "
        "their number there."
    ),
    "differs": _(
        "They are left out no more, but something does not agree yet: settle it under Differences, "
        "then look again."
    ),
}


def is_unproved(adapter: str) -> bool:
    """Tell whether a connection of ours has never been run against the real program."""
    return adapter in NAMES and adapter not in (*PROVED, OWN)


def name_of(adapter: str) -> str:
    """Return what a CRM is called."""
    return str(NAMES.get(adapter, adapter))


def said(kind: str, text: str) -> str:
    """Return what one side of a difference says, numbers as the page's language writes them."""
    if kind != "points" or not text:
        return text
    return formats.number(int(text))
