"""One's own account: the password and the PIN."""

from __future__ import annotations

from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from besnik.site.access import staff_of, staff_only
from besnik.site.owner.staff_forms import PinForm
from besnik.site.views.login import MODEL_BACKEND
from besnik.store import staff
from besnik.store.models import Staff
from besnik.store.staff import StaffError


@staff_only
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session of this person ends."""
    person = staff_of(request)
    if request.method != "POST":
        return render(request, "site/password.html", {"must": person.must_change})
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    wrong: dict[str, list[str]] = {}
    if new != request.POST.get("repeated", ""):
        wrong["repeated"] = [_("This is not the same password. Please type it twice.")]
    else:
        wrong = _change(person, old, new)
    if wrong:
        context = {"must": person.must_change, "wrong": wrong}
        return render(request, "site/password.html", context, status=422)
    login(request, person, MODEL_BACKEND)  # a new session: the old one has ended with all others
    return redirect("index")


def _change(person: Staff, old: str, new: str) -> dict[str, list[str]]:
    try:
        staff.set_password(person, old, new)
    except ValidationError as error:
        return {"new": error.messages}
    except StaffError as error:
        if error.code == "old":
            return {"old": [_("This is not your present password.")]}
        return {"new": [_("Please choose another password than the present one.")]}
    return {}


@staff_only
@never_cache
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: HttpRequest) -> HttpResponse:
    """Change one's own PIN."""
    person = staff_of(request)
    form = PinForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            staff.set_pin(person, form.cleaned_data["pin"], by=person)
        except StaffError as error:
            form.refuse(error)
        else:
            return redirect("index")
    status = 422 if form.errors else 200
    return render(request, "site/pin.html", {"form": form}, status=status)
