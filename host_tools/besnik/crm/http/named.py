"""The CRMs that Besnik ships a mapping for, as the entry points of pyproject.toml name them."""

from __future__ import annotations

from besnik.crm.http.adapter import HttpCrm


class BottleCrm(HttpCrm):
    """BottleCRM (django-crm): contacts with custom fields, visits as comments."""

    mapping_name = "bottlecrm"


class Directus(HttpCrm):
    """Directus: collections of the shop's own for customers and visits."""

    mapping_name = "directus"


class EspoCrm(HttpCrm):
    """EspoCRM: contacts, visits as posts in their stream."""

    mapping_name = "espocrm"


class HubSpot(HttpCrm):
    """HubSpot: contacts by a unique property, visits as notes."""

    mapping_name = "hubspot"


class Odoo(HttpCrm):
    """Odoo 19 and later (JSON-2): partners, visits as messages."""

    mapping_name = "odoo"


class Salesforce(HttpCrm):
    """Salesforce: contacts, visits upserted by an external id."""

    mapping_name = "salesforce"


class SuiteCrm(HttpCrm):
    """SuiteCRM (V8 API): contacts, visits as notes."""

    mapping_name = "suitecrm"


class Zoho(HttpCrm):
    """Zoho CRM v8: contacts, visits as notes."""

    mapping_name = "zoho"
