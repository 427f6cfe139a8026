"""Shops and their tills: seen, added, renamed. Readers have a page of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.site.access import need, shops, staff_of, tills
from besnik.site.views.owner.common import note, page
from besnik.store.models import Role, Shop, Till


class NameForm(forms.Form):
    """A name, and an id for topics that is made from it if none is given."""

    name = forms.CharField(
        max_length=80, label=_("Name"), widget=forms.TextInput(attrs={"dir": "auto"})
    )
    slug = forms.CharField(
        max_length=16,
        required=False,
        label=_("Short name"),
        help_text=_("a to z, 0 to 9 and hyphen; readers and addresses use it."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Make the short name where none was given."""
        given = super().clean() or {}
        slug = given.get("slug") or slugify(given.get("name", ""))[:16].strip("-")
        if not slug or slug != slugify(slug).replace("_", "-"):
            self.add_error("slug", _("Give a short name of a to z, 0 to 9 and hyphen."))
        given["slug"] = slug
        return given


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the shops with their tills and readers."""
    return _page(request, NameForm(), NameForm(prefix="till"))


@need(Role.OWNER)
@require_POST
def add_shop(request: HttpRequest) -> HttpResponse:
    """Open a shop."""
    form = NameForm(request.POST)
    if form.is_valid() and Shop.objects.filter(slug=form.cleaned_data["slug"]).exists():
        form.add_error("slug", _("This short name is taken. Choose another one."))
    if not form.is_valid():
        return _page(request, form, NameForm(prefix="till"), status=422)
    shop = Shop.objects.create(program_id=staff_of(request).program_id, **form.cleaned_data)
    note(staff_of(request), "shop.add", f"shop:{shop.slug}")
    return redirect("owner-places")


@need(Role.MANAGER)
@require_POST
def add_till(request: HttpRequest, shop: str) -> HttpResponse:
    """Put a till into a shop."""
    found = get_object_or_404(shops(request), slug=shop)
    form = NameForm(request.POST, prefix="till")
    if form.is_valid() and found.tills.filter(slug=form.cleaned_data["slug"]).exists():
        form.add_error("slug", _("This short name is taken. Choose another one."))
    if not form.is_valid():
        return _page(request, NameForm(), form, at=shop, status=422)
    till = Till.objects.create(shop=found, **form.cleaned_data)
    note(staff_of(request), "till.add", f"till:{found.slug}/{till.slug}")
    return redirect("owner-places")


@need(Role.MANAGER)
@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    """Give a shop (``shop``) or a till (``till``, its number) another name."""
    name = " ".join(request.POST.get("name", "").split())
    row: Shop | Till
    if "till" in request.POST:
        row = get_object_or_404(tills(request), pk=_number(request.POST["till"]))
    else:
        row = get_object_or_404(shops(request), slug=request.POST.get("shop", ""))
    if name:
        row.name = name[:80]
        try:
            row.full_clean()
        except ValidationError:
            return redirect("owner-places")
        row.save(update_fields=["name"])
        note(staff_of(request), "place.rename", f"place:{row.slug}")
    return redirect("owner-places")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _page(
    request: HttpRequest, shop_form: NameForm, till_form: NameForm, at: str = "", status: int = 200
) -> HttpResponse:
    found = shops(request).prefetch_related("tills__readers").order_by("name")
    return page(
        request,
        "places.html",
        status=status,
        shops=found,
        shop_form=shop_form,
        till_form=till_form,
        at=at,
    )
