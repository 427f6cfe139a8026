"""Who may open a page: every view says it by `need` or `public`, and a test holds them to it.

Not logged in: the log-in page, or 401 for a script and an event stream. Wrong role: 403 and whom
to ask. Another program's or shop's thing: 404, as if it were not there; `shops`, `tills` and their
like are what a request may see.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import AsyncIterator, Callable
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseAway
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from besnik.site import sessions, streams
from besnik.store.models import Reader, Role, Shop, Staff, Till

# An open stream is looked at so often: who has been thrown out sees no more after that.
CHECK_S: Final = 5.0

_ORDER: Final = (Role.CASHIER, Role.LEAD, Role.MANAGER, Role.OWNER)
_READS: Final = ("GET", "HEAD", "OPTIONS")
_View = TypeVar("_View", bound=Callable[..., Any])


class Access(NamedTuple):
    """What a view asks: at least ``role``, None for nothing; ``auditor``: one may read it.

    ``everyone``: whoever is logged in, even with a password that is to be changed first.
    """

    role: Role | None
    auditor: bool = False
    everyone: bool = False

    def admits(self, staff: Staff, method: str = "GET") -> bool:
        """Tell whether a member of staff may use the view by this HTTP method."""
        if self.role is None or self.everyone:
            return True
        if staff.role == Role.AUDITOR:
            return self.auditor and method in _READS
        return at_least(staff, self.role)


PUBLIC: Final = Access(None)


def at_least(staff: Staff, role: Role) -> bool:
    """Tell whether somebody's role is ``role`` or above; an auditor's is above none."""
    return staff.role in _ORDER[_ORDER.index(role) :]


def public(view: _View) -> _View:
    """Let anybody open the view."""
    view.access = PUBLIC  # type: ignore[attr-defined]  # a note on a function
    return view


def need(role: Role, *, auditor: bool = False) -> Callable[[_View], _View]:
    """Let only ``role`` and those above open the view; with ``auditor`` an auditor may read it.

    The view finds who it is by `staff_of`. An event stream ends when its session does.
    """
    return lambda view: _guarded(view, Access(role, auditor))


def staff_only(view: _View) -> _View:
    """Let everybody who is logged in open the view, and send it what they like."""
    return _guarded(view, Access(Role.CASHIER, auditor=True, everyone=True))


def staff_of(request: HttpRequest) -> Staff:
    """Return who asks; only for views that `need` a role."""
    user = request.user
    assert isinstance(user, Staff)
    return user


def shops(request: HttpRequest) -> QuerySet[Shop]:
    """Return the shops the asking person works in: the program's, or those that are theirs."""
    return shops_of(staff_of(request))


def shops_of(staff: Staff) -> QuerySet[Shop]:
    """Return the shops a person works in."""
    of_program = Shop.objects.filter(program_id=staff.program_id)
    own = staff.shops.values("pk")
    return of_program.filter(pk__in=own) if own.exists() else of_program


def tills(request: HttpRequest) -> QuerySet[Till]:
    """Return the tills of `shops`."""
    return tills_of(staff_of(request))


def tills_of(staff: Staff) -> QuerySet[Till]:
    """Return the tills of the shops a person works in."""
    return Till.objects.filter(shop__in=shops_of(staff))


def readers_of(staff: Staff) -> QuerySet[Reader]:
    """Return the readers of the shops a person works in."""
    return Reader.objects.filter(shop__in=shops_of(staff))


def safe_next(request: HttpRequest, address: str) -> str:
    """Return ``address`` if it is a page of this site, else the start page."""
    fine = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if fine else reverse("index")


def _guarded(view: _View, access: Access) -> _View:
    guarded = _guard_async(view, access) if iscoroutinefunction(view) else _guard(view, access)
    guarded.access = access  # type: ignore[attr-defined]  # as above
    return cast(_View, guarded)


def _guard(view: Callable[..., HttpResponseBase], access: Access) -> Callable[..., Any]:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        return _refusal(request, request.user, access) or view(request, *args, **named)

    return guarded


def _guard_async(view: Callable[..., Any], access: Access) -> Callable[..., Any]:
    @functools.wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        # In the streams' threads: the thread of an open stream would keep its connection.
        user, refusal = await streams.in_thread(_admit, request, access)
        if refusal:
            return refusal
        request.user = user
        response: HttpResponseBase = await view(request, *args, **named)
        if isinstance(response, StreamingHttpResponse) and response.is_async:
            lines = cast(AsyncIterator[bytes], response.streaming_content)
            response.streaming_content = _while_there(request, user, access, lines)
        return response

    return guarded


def _admit(request: HttpRequest, access: Access) -> tuple[Any, HttpResponseBase | None]:
    user = sessions.who(request)
    refusal = _refusal(request, user, access)
    sessions.save(request.session)
    return user, refusal


async def _while_there(
    request: HttpRequest, staff: Staff, access: Access, lines: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Yield the lines until the session ends or no longer admits; then say so and end."""
    key = request.session.session_key or ""
    looked_s = time.monotonic()
    async for line in lines:
        if time.monotonic() - looked_s > CHECK_S:
            # A database that is away is the stream's to tell; it shows nothing meanwhile.
            with contextlib.suppress(DatabaseAway):
                if not await streams.in_thread(_still_admitted, key, staff.pk, access):
                    yield streams.event("login", None)
                    return
            looked_s = time.monotonic()
        yield line


def _still_admitted(session_key: str, staff: int, access: Access) -> bool:
    user = sessions.still_there(session_key)
    if not isinstance(user, Staff) or user.pk != staff:
        return False
    return access.admits(user) and (access.everyone or not user.must_change)


def _refusal(
    request: HttpRequest, user: Staff | AnonymousUser, access: Access
) -> HttpResponseBase | None:
    if not isinstance(user, Staff):
        return _log_in_first(request)
    if user.must_change and not access.everyone:
        return _change_first(request)
    if access.admits(user, request.method or ""):
        return None
    reason = whom_to_ask(access, request.method or "", user)
    if not _wants_page(request):
        return _in_words(reason, 403)
    return render(request, "site/refused.html", {"reason": reason}, status=403)


def _log_in_first(request: HttpRequest) -> HttpResponseBase:
    if not _wants_page(request):
        response = _in_words(_("You are no longer logged in. Please log in again."), 401)
        response.headers["WWW-Authenticate"] = 'Session realm="besnik"'
        return response
    # What was sent is not sent again after the log-in: back to the page it came from.
    back = request.get_full_path() if request.method in _READS else request.headers.get("Referer")
    query = urlencode({"next": safe_next(request, back or "")})
    return redirect(f"{reverse('login')}?{query}")


def _change_first(request: HttpRequest) -> HttpResponseBase:
    if _wants_page(request):
        return redirect("password")
    return _in_words(_("Please choose a password of your own first."), 403)


def _in_words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def _wants_page(request: HttpRequest) -> bool:
    """Tell whether a person waits for a page, rather than a script for an answer."""
    if request.headers.get("X-Requested-With") == "fetch" or sessions.is_stream(request):
        return False
    accepted = request.headers.get("Accept", "*/*")
    return "text/html" in accepted or "*/*" in accepted


def whom_to_ask(access: Access, method: str, staff: Staff) -> str:
    """Return why a person may not, and who may."""
    if staff.role == Role.AUDITOR and access.auditor and method not in _READS:
        return _("An auditor sees everything and changes nothing. Please ask the owner.")
    match access.role:
        case Role.OWNER:
            return _("This is for owners. Please ask the owner.")
        case Role.MANAGER:
            return _("This is for managers and owners. Please ask one of them.")
        case Role.LEAD:
            return _("This is for shift leads, managers and owners. Please ask one of them.")
    return _("This is for those who work at a till. Please ask a manager.")
