"""Which of the CRM's fields the cashier's page shows, and to whom."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from besnik.crm import choosing
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words
from besnik.site.owner.crm_forms import FieldForm, UnitForm
from besnik.site.views.owner.common import note, page
from besnik.site.views.owner.crm import source_of
from besnik.store.models import Role


@need(Role.OWNER)
@require_http_methods(["GET", "POST"])
def fields(request: HttpRequest) -> HttpResponse:
    """Let the owner pick fields, their names here, and the least role that reads them."""
    source = source_of(request)
    data = request.POST if request.method == "POST" else None
    shown = {each.name: each for each in choosing.shown(source)}
    # Those that are shown come first, in their order.
    offered = sorted(
        choosing.offered(source),
        key=lambda each: list(shown).index(each.name) if each.name in shown else len(shown),
    )
    forms = [
        FieldForm(number, field, shown.get(field.name), data)
        for number, field in enumerate(offered)
    ]
    unit = UnitForm(data, initial={"unit": source.unit})
    too_many = False
    if data is not None and all(form.is_valid() for form in (*forms, unit)):
        chosen = [one for form in forms if (one := form.chosen()) is not None]
        try:
            choosing.show(source, chosen, unit.cleaned_data["unit"])
        except choosing.TooManyError:
            too_many = True
        else:
            names = [f"{one.name}:{one.role}" for one in chosen]
            note(staff_of(request), "crm.fields", f"crm:{source.adapter}", fields=names)
            return redirect("owner-crm")
    return page(
        request,
        "crm_fields.html",
        status=200 if data is None else 422,
        forms=forms,
        unit=unit,
        name=crm_words.name_of(source.adapter),
        source=source,
        too_many=too_many,
        most=choosing.SHOWN_MOST,
    )
