"""Logging in and out."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from besnik.site.access import public, safe_next
from besnik.site.views import language


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask for user name and password, and lead to where the visitor came from."""
    given = request.POST if request.method == "POST" else request.GET
    context = {"next": safe_next(request, given.get("next", "")), "username": "", "wrong": ""}
    if request.method != "POST":
        return render(request, "site/login.html", context)
    username = request.POST.get("username", "").strip()
    staff = auth.authenticate(request, username=username, password=request.POST.get("password", ""))
    if staff is None:
        wrong = _("User name and password do not belong together. Please try again.")
        return render(
            request, "site/login.html", context | {"username": username, "wrong": wrong}, status=422
        )
    auth.login(request, staff)
    response = redirect(context["next"])
    language.remember(response, staff)
    return response


@public
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Log out."""
    auth.logout(request)
    return redirect("login")
