"""The address that a CRM calls when a customer changed; nothing but the address lets one in."""

from __future__ import annotations

from typing import Final

from django.db.models import F
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from besnik.store.models import CrmSource

_LENGTH: Final = 32


def token(source: CrmSource) -> str:
    """Return the secret part of the address: nobody can make it without the site's own key."""
    value = f"{source.pk}:{source.hook_version}"
    return salted_hmac("besnik.crm.hook", value, algorithm="sha256").hexdigest()[:_LENGTH]


def path(source: CrmSource) -> str:
    """Return the address within this site."""
    return reverse("crm-hook", args=[source.pk, token(source)])


def find(number: int, given: str) -> CrmSource | None:
    """Return the CRM whose address this is, None if it is nobody's."""
    source = CrmSource.objects.filter(pk=number).first()
    return source if source is not None and constant_time_compare(given, token(source)) else None


def renew(source: CrmSource) -> None:
    """Let the old address work no more."""
    CrmSource.objects.filter(pk=source.pk).update(hook_version=F("hook_version") + 1)
