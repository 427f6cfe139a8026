"""Logging in and out, and what a page asks about its session."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from besnik.site import lockout
from besnik.site.access import public, safe_next, staff_of, staff_only
from besnik.site.demo import demo_people, is_demo
from besnik.site.views import language
from besnik.store import audit
from besnik.store.models import Staff
from besnik.store.staff import has_owner

MODEL_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask for user name and password, and lead to where the visitor came from."""
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"next": safe_next(request, given.get("next", ""))}
    context["people"] = demo_people() if is_demo(request) else ()
    if request.method != "POST":
        context["no_owner"] = not (is_demo(request) or has_owner())
        return render(request, "site/login.html", context)
    username = request.POST.get("username", "").strip().lower()
    staff = auth.authenticate(request, username=username, password=request.POST.get("password", ""))
    if isinstance(staff, Staff):
        return _enter(request, staff, context["next"])
    context["username"] = username
    if lockout.is_locked(request):
        return _wait(request, username, context)
    context["wrong"] = _("User name and password do not belong together. Please try again.")
    return render(request, "site/login.html", context, status=422)


def _enter(request: HttpRequest, staff: Staff, address: str) -> HttpResponse:
    auth.login(request, staff)
    request.session.cycle_key()  # Django keeps the key of who was logged in already
    audit.record(staff, "login", f"staff:{staff.pk}")
    SessionStore.clear_expired()
    response = redirect("password" if staff.must_change else address)
    language.remember(response, staff)
    return response


def _wait(request: HttpRequest, username: str, context: dict[str, Any]) -> HttpResponse:
    seconds = lockout.wait_s(request, username)
    person = Staff.objects.filter(username=username).first()
    if person is not None and lockout.has_begun(request):
        audit.record(None, "login.locked", f"staff:{person.pk}", program=person.program_id)
    context["wrong"] = _(
        "That was wrong too often. Please wait %(time)s, or ask a manager for a new password."
    ) % {"time": lockout.wait(seconds)}
    response = render(request, "site/login.html", context, status=429)
    response.headers["Retry-After"] = str(max(1, seconds))
    return response


@public
@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Log one of the demo's people in without a password: in the demo, from its own machine."""
    person = demo_people().filter(role=request.POST.get("role", "")).first()
    if person is None or not is_demo(request):
        raise Http404
    auth.login(request, person, MODEL_BACKEND)
    request.session.cycle_key()
    audit.record(person, "login.demo", f"staff:{person.pk}")
    return redirect(safe_next(request, request.POST.get("next", "")))


@public
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Log out."""
    auth.logout(request)
    return redirect("login")


@staff_only
@require_GET
def again(request: HttpRequest) -> HttpResponse:
    """Tell who logged in again beside an open page that they can go back to it."""
    return render(request, "site/again.html")


@staff_only
@never_cache
@require_GET
def session(request: HttpRequest) -> JsonResponse:
    """Tell an open page's script whose session it has, and the token for its forms; or 401."""
    return JsonResponse({"staff": staff_of(request).pk, "token": get_token(request)})
