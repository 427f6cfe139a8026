"""The program as it is edited: its words, what is wrong with it, and its publication."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from besnik.loyalty.metrics import reward_too_far
from besnik.loyalty.program import Program
from besnik.loyalty.rule_text import rule_text
from besnik.loyalty.rules import RuleError
from besnik.loyalty.text import program_text, reward_text
from besnik.site.access import need, staff_of
from besnik.site.owner import say
from besnik.site.owner.rule_forms import kind_of
from besnik.site.owner.term_forms import PARTS
from besnik.site.owner.words import KINDS
from besnik.site.views.owner.common import draft_of, in_force, note, page
from besnik.store import drafts
from besnik.store.measures.points import days_to_first_reward
from besnik.store.measures.windows import last_days
from besnik.store.models import ProgramVersion, Role
from besnik.store.programs import PublishError


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the program in words, with everything that can be changed."""
    return page(request, "program.html", **_context(request))


@need(Role.OWNER)
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish the draft; what stands in the way is said on the page."""
    staff = staff_of(request)
    try:
        made = drafts.publish(staff.program_id, timezone.now(), staff)
    except (RuleError, PublishError):
        context = _context(request)
        context["refused"] = _refusal(request, context)
        return page(request, "program.html", status=409, **context)
    note(staff, "program.publish", f"program:{staff.program_id}", version=made.version)
    return redirect("owner-program")


@need(Role.MANAGER)
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Throw the draft away."""
    drafts.discard(staff_of(request).program_id)
    return redirect("owner-program")


def _context(request: HttpRequest) -> dict[str, Any]:
    draft = draft_of(request)
    program, rules = draft.program, draft.program.rule_sets[-1:]
    return {
        "draft": draft,
        "program": program,
        "version": ProgramVersion.objects.filter(
            program=program.id, version=drafts.newest(program.id)
        ).first(),
        "findings": say.findings(program),
        "far_days": _far_reward(program),
        "rules": [
            {"id": rule.id, "kind": KINDS[kind_of(rule)][0], "lines": _words(rule, program)}
            for one in rules
            for rule in one.rules
        ],
        "first_day": rules[0].first_day if rules else None,
        "today": program.today(timezone.now()),
        "rewards": [
            {"reward": reward, "text": say.sentence(reward_text(reward, program))}
            for reward in program.rewards
        ],
        "words": say.in_all(program_text(program)),
        "kinds": KINDS,
        "parts": {
            key: form.title for key, form in PARTS.items() if key != "start" or program.rule_sets
        },
    }


def _words(rule: Any, program: Program) -> list[str]:
    return [say.sentence(message) for message in rule_text(rule, program)]


def _far_reward(program: Program) -> int | None:
    """Return the days to the first reward if they are so many that members forget about it."""
    window = last_days(365, program.today(timezone.now()), program.zone)
    found = days_to_first_reward(program.id, window)
    return round(found.days) if found and reward_too_far(found.days) else None


def _refusal(request: HttpRequest, context: dict[str, Any]) -> str:
    """Return why the draft was not published, in the page's language."""
    draft: drafts.Draft = context["draft"]
    if any(finding.error for finding in context["findings"]):
        return _("It cannot be published yet: what is marked red below has to change first.")
    if drafts.late_days(draft.program, in_force(request), timezone.now()):
        return _("The new rules begin before today. Choose today or a later day.")
    return _("Somebody published another version meanwhile. Discard your changes and begin again.")
