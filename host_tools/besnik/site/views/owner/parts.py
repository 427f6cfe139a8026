"""The parts of a program, each on a form of its own: rules, rewards, tiers, other terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from besnik.loyalty.program import Program
from besnik.loyalty.text import reward_text, tier_table
from besnik.site.access import need
from besnik.site.owner import say
from besnik.site.owner.reward_forms import RewardForm
from besnik.site.owner.rule_forms import FORMS, kind_of
from besnik.site.owner.term_forms import PARTS
from besnik.site.owner.tier_forms import TierForm
from besnik.site.owner.words import KINDS
from besnik.site.views.owner.common import (
    draft_of,
    in_force,
    keep,
    page,
    shop_choices,
    wants_part,
)
from besnik.store import drafts
from besnik.store.models import Role

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@need(Role.MANAGER)
@_form_page
def rule(request: HttpRequest, kind: str = "", id: str = "") -> HttpResponse:
    """Edit a rule, or add one of ``kind``."""
    program, rules = _coming(request)
    known = next((one for one in rules.rules if one.id == id), None)
    if known is None and (id or kind not in FORMS):
        raise Http404
    kind = kind_of(known) if known else kind
    taken = [one.id for one in rules.rules if one.id != id]
    form = FORMS[kind](program, shop_choices(request), known, taken, request.POST or None)
    if "id" in form.fields:
        form.fields["id"].initial = _free_name(str(KINDS[kind][0]), taken)

    def words() -> list[say.Words]:
        return say.rule_in_all(form.rule, program)

    def save() -> None:
        keep(request, drafts.with_rules(program, drafts.with_rule(rules, form.rule)))

    title = KINDS[kind][0]
    return _edit(request, form, "rule.html", words, save, title=title, id=id)


@need(Role.MANAGER)
@require_POST
def drop_rule(request: HttpRequest, id: str) -> HttpResponse:
    """Take a rule out of the draft."""
    program, rules = _coming(request)
    keep(request, drafts.with_rules(program, drafts.without_rule(rules, id)))
    return redirect("owner-program")


@need(Role.MANAGER)
@_form_page
def reward(request: HttpRequest, id: str = "") -> HttpResponse:
    """Edit a reward, or add one."""
    program = draft_of(request).program
    known = next((one for one in program.rewards if one.id == id), None)
    if id and known is None:
        raise Http404
    form = RewardForm(program, known, request.POST or None)

    def words() -> list[say.Words]:
        return say.in_all([reward_text(form.reward, program)])

    def save() -> None:
        if known is None:
            rewards = (*program.rewards, form.reward)
        else:
            rewards = tuple(form.reward if one.id == id else one for one in program.rewards)
        keep(request, msgspec.structs.replace(program, rewards=rewards))

    return _edit(request, form, "reward.html", words, save, title=_("Reward"), id=id)


@need(Role.MANAGER)
@require_POST
def drop_reward(request: HttpRequest, id: str) -> HttpResponse:
    """Take a reward out of the draft."""
    program = draft_of(request).program
    kept = tuple(one for one in program.rewards if one.id != id)
    keep(request, msgspec.structs.replace(program, rewards=kept))
    return redirect("owner-program")


@need(Role.MANAGER)
@_form_page
def tiers(request: HttpRequest) -> HttpResponse:
    """Edit the tiers."""
    program = draft_of(request).program
    form = TierForm(program, request.POST or None)

    def words() -> list[say.Words]:
        return say.in_all(tier_table(form.plan, program)) if form.plan else []

    def save() -> None:
        keep(request, msgspec.structs.replace(program, tiers=form.plan))

    return _edit(request, form, "tiers.html", words, save, title=_("Tiers"))


@need(Role.MANAGER)
@_form_page
def term(request: HttpRequest, part: str) -> HttpResponse:
    """Edit one of the other terms."""
    if part not in PARTS:
        raise Http404
    program = draft_of(request).program
    if part == "start":
        program = drafts.with_rules(program, _coming(request)[1])
    form = PARTS[part](program, request.POST or None)
    return _edit(
        request,
        form,
        "term.html",
        list,
        lambda: keep(request, form.changed),
        title=form.title,
        intro=form.intro,
    )


def _coming(request: HttpRequest) -> tuple[Program, Any]:
    program = draft_of(request).program
    return program, drafts.coming_rules(program, in_force(request), timezone.now())


def _edit(
    request: HttpRequest,
    form: Any,
    template: str,
    words: Callable[[], list[say.Words]],
    save: Callable[[], None],
    **context: Any,
) -> HttpResponse:
    """Show a form; say what it means while it is filled in; keep it and go back."""
    valid = request.method == "POST" and form.is_valid()
    if valid and "try" not in request.POST:
        save()
        return redirect("owner-program")
    context |= {"form": form, "words": words() if valid else []}
    if wants_part(request):
        return page(request, "_words.html", **context)
    wrong = request.method == "POST" and not valid
    return page(request, template, status=422 if wrong else 200, **context)


def _free_name(stem: str, taken: list[str]) -> str:
    names = (stem[:26], *(f"{stem[:26]} {number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
