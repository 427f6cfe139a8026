"""Shops, their tills and readers: seen, added, renamed. How readers do is another page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.contract import is_host_name
from besnik.site.access import need, shops, staff_of, tills
from besnik.site.views.owner.common import note, page
from besnik.store.models import Reader, Role, Shop, Till


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
    return _page(request)


@need(Role.OWNER)
@require_POST
def add_shop(request: HttpRequest) -> HttpResponse:
    """Open a shop."""
    form = NameForm(request.POST)
    if form.is_valid() and Shop.objects.filter(slug=form.cleaned_data["slug"]).exists():
        form.add_error("slug", _("This short name is taken. Choose another one."))
    if not form.is_valid():
        return _page(request, shop_form=form, status=422)
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
        return _page(request, till_form=form, at=shop, status=422)
    till = Till.objects.create(shop=found, **form.cleaned_data)
    note(staff_of(request), "till.add", f"till:{found.slug}/{till.slug}")
    return redirect("owner-places")


@need(Role.MANAGER)
@require_POST
def add_reader(request: HttpRequest, till: int) -> HttpResponse:
    """Put a reader on a till; `besnik fleet flash` makes one of a board by its short name."""
    found = get_object_or_404(tills(request), pk=till)
    form = NameForm(request.POST, prefix="reader")
    slug = form.cleaned_data.get("slug", "") if form.is_valid() else ""
    if slug and (Reader.objects.filter(slug=slug).exists() or is_host_name(slug)):
        form.add_error("slug", _("This short name is taken. Choose another one."))
    if not form.is_valid():
        return _page(request, reader_form=form, at_till=till, status=422)
    reader = Reader.objects.create(shop=found.shop, till=found, **form.cleaned_data)
    note(staff_of(request), "reader.add", f"reader:{reader.slug}")
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
    request: HttpRequest,
    *,
    shop_form: NameForm | None = None,
    till_form: NameForm | None = None,
    reader_form: NameForm | None = None,
    at: str = "",
    at_till: int = 0,
    status: int = 200,
) -> HttpResponse:
    """Return the page; the forms of the shop ``at`` and of the till ``at_till`` are open."""
    found = shops(request).prefetch_related("tills__readers").order_by("name")
    return page(
        request,
        "places.html",
        status=status,
        shops=found,
        shop_form=shop_form or NameForm(),
        till_form=till_form or NameForm(prefix="till"),
        reader_form=reader_form or NameForm(prefix="reader"),
        at=at,
        at_till=at_till,
    )
