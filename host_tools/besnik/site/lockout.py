"""How long somebody has to wait who typed too many wrong passwords (django-axes counts them)."""

from __future__ import annotations

import datetime as dt
import math

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from besnik.site import formats


def address(request: HttpRequest) -> str | None:
    """Return the address a request comes from.

    Behind a proxy on this machine the server has put the visitor's in its place already.
    """
    return request.META.get("REMOTE_ADDR")


def is_locked(request: HttpRequest) -> bool:
    """Tell whether the log-in that was just tried was one too many, or came too soon after."""
    return bool(getattr(request, "axes_locked_out", False))


def has_begun(request: HttpRequest) -> bool:
    """Tell whether it was this try that was one too many."""
    return getattr(request, "axes_failures_since_start", None) is not None


def wait_s(request: HttpRequest, username: str) -> int:
    """Return for how many seconds more this person is locked out at this address."""
    newest: dt.datetime | None = (
        AccessAttempt.objects.filter(username=username, ip_address=address(request))
        .order_by("-attempt_time")
        .values_list("attempt_time", flat=True)
        .first()
    )
    if newest is None:
        return 0
    pause: dt.timedelta = settings.AXES_COOLOFF_TIME
    return max(0, math.ceil((newest + pause - timezone.now()).total_seconds()))


def wait(seconds: int) -> str:
    """Write a waiting time, rounded up to whole minutes."""
    return formats.span(60 * max(1, math.ceil(seconds / 60)))


def forget(username: str) -> None:
    """Forget the wrong passwords of a person: they have a new one."""
    reset(username=username)
