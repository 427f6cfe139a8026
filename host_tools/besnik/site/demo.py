"""Whether this is the demo, where one click logs a visitor in."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest

from besnik import demo
from besnik.store.models import Staff


def is_demo(request: HttpRequest) -> bool:
    """Tell whether the site is the demo's and the request comes from the demo's own machine."""
    if not settings.BESNIK.site.demo_login:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def demo_people() -> QuerySet[Staff]:
    """Return the demo's people, as `besnik.demo` has them; none who has a password."""
    names = [person.username for person in demo.STAFF]
    order = [When(username=name, then=Value(place)) for place, name in enumerate(names)]
    return Staff.objects.filter(
        username__in=names, is_active=True, password__startswith=UNUSABLE_PASSWORD_PREFIX
    ).order_by(Case(*order, output_field=IntegerField()))
