"""The CRMs that Besnik ships a mapping for, as entry points name them."""

from __future__ import annotations

from besnik.crm.http.adapter import HttpCrm


class Directus(HttpCrm):
    """Directus, any version with REST: collections for customers and visits."""

    mapping_name = "directus"
