"""The roles of staff, in the page's language."""

from __future__ import annotations

from typing import Final

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from besnik.store.models import Role

register = template.Library()

NAMES: Final = {
    Role.CASHIER: pgettext_lazy("role", "Cashier"),
    Role.LEAD: _("Shift lead"),
    Role.MANAGER: _("Manager"),
    Role.OWNER: pgettext_lazy("role", "Owner"),
    Role.AUDITOR: _("Auditor"),
}


@register.filter
def role_name(role: str) -> str:
    """Write a role."""
    return str(NAMES[Role(role)])
