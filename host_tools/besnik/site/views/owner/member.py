"""The file of one member: what is known, cards, points, purchases, notes, and what can be done."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from besnik.loyalty.program import Program
from besnik.loyalty.text import pace_text, progress_text
from besnik.loyalty.tiers import bounds, months_to_reach
from besnik.site.access import need, staff_of
from besnik.site.owner import say
from besnik.site.views.owner.common import in_force, note, page
from besnik.store.books.read import balances_of
from besnik.store.glance.tier import level_and_progress
from besnik.store.models import (
    Account,
    Card,
    CardState,
    Coupon,
    Entry,
    Gift,
    Member,
    MemberStatus,
    Note,
    Posting,
    Role,
    Sale,
)
from besnik.store.people import EnrolError, grouped, print_code, shown_phone

LAST: Final = 30


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a member's file."""
    return _page(request, _member(request, ref))


@need(Role.MANAGER)
@require_POST
def block(request: HttpRequest, ref: str, card: int) -> HttpResponse:
    """Block a card, or take the block away; every reader knows at its next tap."""
    member = _member(request, ref)
    found = member.cards.filter(pk=card).first()
    if found is None or found.state not in (CardState.ACTIVE, CardState.BLOCKED):
        raise Http404
    blocking = request.POST.get("state") == "blocked"
    found.state = CardState.BLOCKED if blocking else CardState.ACTIVE
    found.save(update_fields=["state"])
    action = "card.block" if blocking else "card.unblock"
    note(staff_of(request), action, f"member:{member.ref}", card=found.pk)
    return redirect("owner-member", ref)


@need(Role.MANAGER)
@require_POST
def code(request: HttpRequest, ref: str) -> HttpResponse:
    """Give the member a card with a printed code."""
    member = _member(request, ref)
    if member.status != MemberStatus.ACTIVE:
        raise Http404
    try:
        made = print_code(member)
    except EnrolError as error:
        raise Http404 from error
    note(staff_of(request), "card.code", f"member:{member.ref}", card=made.pk)
    return redirect("owner-member", ref)


@need(Role.MANAGER)
@require_POST
def write(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a note, or a gift with a title of its own; a text that is empty adds nothing."""
    member, staff, now = _member(request, ref), staff_of(request), timezone.now()
    text = " ".join(request.POST.get("note", "").split())[:1000]
    title = " ".join(request.POST.get("gift", "").split())[:80]
    if text:
        Note.objects.create(member=member, text=text, staff=staff, at=now)
    if title:
        Gift.objects.create(member=member, title=title, source=staff.name, given_at=now)
        note(staff, "member.gift", f"member:{member.ref}")
    return redirect("owner-member", ref)


@need(Role.MANAGER)
@require_POST
def drop(request: HttpRequest, ref: str) -> HttpResponse:
    """Take a note or a gift away."""
    member = _member(request, ref)
    for name, rows in (("note", member.notes), ("gift", member.gifts)):
        number = request.POST.get(name, "")
        if number.isdecimal():
            rows.filter(pk=int(number)).delete()
    return redirect("owner-member", ref)


def _member(request: HttpRequest, ref: str) -> Member:
    members = Member.objects.filter(program=staff_of(request).program_id, ref=ref)
    found = members.exclude(status=MemberStatus.ERASED).select_related("person").first()
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, member: Member) -> HttpResponse:
    program, role = in_force(request), staff_of(request).role
    person = getattr(member, "person", None)
    return page(
        request,
        "member.html",
        program=program,
        member=member,
        person=person,
        phone=shown_phone(person.phone, role) if person and person.phone else "",
        # An auditor sees what happened, not who people are.
        personal=role != Role.AUDITOR,
        tier=_tier(member, program),
        balances=sorted(
            (unit, found)
            for unit, found in balances_of(member.pk, timezone.now()).items()
            if not unit.startswith("carry")
        ),
        cards=[_card(card) for card in member.cards.exclude(state="erased").order_by("-pk")],
        entries=_entries(member),
        sales=Sale.objects.filter(member=member).select_related("shop").order_by("-at")[:LAST],
        notes=member.notes.select_related("staff").order_by("-at"),
        gifts=member.gifts.order_by("-given_at"),
        coupons=Coupon.objects.filter(member=member).order_by("-issued_at")[:LAST],
        titles={reward.id: reward.title for reward in program.rewards},
    )


def _tier(member: Member, program: Program) -> dict[str, Any] | None:
    """Return the tier held, what is missing to the next, and when it is reached at this pace."""
    plan, now = program.tiers, timezone.now()
    if plan is None:
        return None
    level, way = level_and_progress(program, member, now)
    held = getattr(member, "tier", None)
    lines = []
    if way is not None and way.missing:
        lines.append(say.sentence(progress_text(way, plan, program)))
        day, joined = program.today(now), program.today(member.created_at)
        so_far = (day - max(bounds(plan.window, day, joined)[0], joined)).days + 1
        months = months_to_reach(way.needed, way.reached, so_far)
        if months is not None:
            lines.append(say.sentence(pace_text(way, plan, months)))
    name = plan.tiers[min(level, len(plan.tiers) - 1)].name
    return {"name": name, "until": held.until if held else None, "lines": lines}


def _card(card: Card) -> dict[str, Any]:
    shown = grouped(card.data) if card.kind == "code" else f"…{card.data[-4:]}"
    return {"card": card, "shown": shown}


def _entries(member: Member) -> list[dict[str, Any]]:
    """Return the newest entries with what each did to what the member can spend."""
    main = Account.objects.filter(member=member, account="main")
    postings = Posting.objects.filter(account__in=main).select_related("account")
    newest = (
        Entry.objects.filter(pk__in=postings.order_by("-entry").values("entry")[:LAST])
        .select_related("staff", "sale")
        .prefetch_related(Prefetch("postings", queryset=postings, to_attr="own"))
        .order_by("-pk")
    )
    return [
        {
            "entry": entry,
            "at": entry.occurred_at or entry.created_at,
            "moves": [
                (posting.account.unit, posting.amount)
                for posting in entry.own
                if not posting.account.unit.startswith("carry")
            ],
        }
        for entry in newest
    ]
