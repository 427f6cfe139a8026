"""How long a member of staff stays logged in, and who a request comes from.

Django keeps sessions in the database; the cookie holds nothing but a random key. Here is what it
does not know: a limit since the log-in, and one since the last use, each by role.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject

from besnik.store.models import Role, Staff

_HOUR_S: Final = 3600
# The last use is written down at most so often: a page is no reason to write.
_TOUCH_S: Final = 60
_BEGAN: Final = "began"
_SEEN: Final = "seen"


class Limits(NamedTuple):
    """Seconds: from the log-in on, and without any use."""

    whole_s: int
    idle_s: int


# A till stays logged in for a shift, as long as its screen is open; whoever may change the
# program or the staff is asked again sooner.
LIMITS: Final = {
    Role.CASHIER: Limits(14 * _HOUR_S, 4 * _HOUR_S),
    Role.LEAD: Limits(14 * _HOUR_S, 4 * _HOUR_S),
    Role.MANAGER: Limits(12 * _HOUR_S, _HOUR_S),
    Role.OWNER: Limits(8 * _HOUR_S, _HOUR_S // 2),
    Role.AUDITOR: Limits(8 * _HOUR_S, _HOUR_S // 2),
}
# An open screen is use of a till; a page that merely stays open is no use of anything else.
_SCREEN_IS_USE: Final = frozenset({Role.CASHIER, Role.LEAD})

User = Staff | AnonymousUser
_Sync = Callable[[HttpRequest], HttpResponseBase]
_Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def staff_middleware(get_response: _Sync | _Async) -> _Sync | _Async:
    """Return the middleware that sets ``request.user`` and ``request.auser``, both lazy."""
    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponseBase:
            _introduce(request)
            response = await get_response(request)
            assert isinstance(response, HttpResponseBase)
            return response

        return later

    def now(request: HttpRequest) -> HttpResponseBase:
        _introduce(request)
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)
        return response

    return now


def _introduce(request: HttpRequest) -> None:
    known: list[User] = []

    def user() -> User:
        if not known:
            known.append(who(request))
        return known[0]

    async def auser() -> User:
        return await sync_to_async(user)()

    request.user = SimpleLazyObject(user)  # type: ignore[assignment] # as Django's own does
    request.auser = auser


def who(request: HttpRequest) -> User:
    """Return whose session the request comes with; one that is over its limits is ended."""
    user = auth.get_user(request)
    if not isinstance(user, Staff):
        return AnonymousUser()
    session, now_s = request.session, int(time.time())
    limits = LIMITS[Role(user.role)]
    began_s, seen_s = session.get(_BEGAN, 0), session.get(_SEEN, 0)
    if now_s - began_s >= limits.whole_s or now_s - seen_s >= limits.idle_s:
        session.flush()
        return AnonymousUser()
    if now_s - seen_s >= _TOUCH_S and not is_stream(request):
        session[_SEEN] = now_s
    return user


def still_there(session_key: str) -> User:
    """Return whose session an open stream belongs to, as it is in the database now."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = who(request)
    if isinstance(user, Staff) and user.role in _SCREEN_IS_USE:
        save(request.session)
    return user


def save(session: SessionBase) -> None:
    """Write what changed of a session now, unless it was ended meanwhile."""
    if session.modified and not session.is_empty():
        with contextlib.suppress(UpdateError):
            session.save()
        session.modified = False


def is_stream(request: HttpRequest) -> bool:
    """Tell whether the request is an event source's, or its script's: nobody pressed anything."""
    by = request.headers.get("X-Requested-With")
    return by == "stream" or "text/event-stream" in request.headers.get("Accept", "")


def note_log_ins() -> None:
    """Note from now on when somebody logs in."""
    user_logged_in.connect(_begin, dispatch_uid="besnik.site.sessions")


def _begin(request: HttpRequest, user: Staff, **_: Any) -> None:
    """Note when somebody logged in; the cookie lasts no longer than the session may."""
    now_s = int(time.time())
    request.session[_BEGAN] = request.session[_SEEN] = now_s
    request.session.set_expiry(LIMITS[Role(user.role)].whole_s)
