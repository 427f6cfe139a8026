"""How many pieces of each reward are left, and how many are put there."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from besnik.site.access import need, staff_of
from besnik.site.figures import TypedError, parse_typed_count
from besnik.site.views.owner.common import in_force, note, page
from besnik.store.models import Reservation, RewardStock, Role


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the rewards with what is left of them."""
    return _page(request)


@need(Role.MANAGER)
@require_POST
def count(request: HttpRequest, reward: str) -> HttpResponse:
    """Say how many pieces there are; nothing is without end."""
    program = in_force(request)
    if reward not in {known.id for known in program.rewards}:
        raise Http404
    typed = request.POST.get("left", "").strip()
    try:
        left = parse_typed_count(typed) if typed else None
    except TypedError as error:
        return _page(request, wrong={reward: str(error)}, status=422)
    with transaction.atomic():
        rows = RewardStock.objects.filter(program=program.id, reward=reward)
        if left is None:
            Reservation.objects.filter(stock__in=rows).delete()
            rows.delete()
        elif left > 1_000_000:
            return _page(
                request, wrong={reward: _("This is more than can be counted.")}, status=422
            )
        else:
            RewardStock.objects.update_or_create(
                program_id=program.id, reward=reward, defaults={"left": left}
            )
    note(staff_of(request), "stock.count", f"reward:{reward}", left=-1 if left is None else left)
    return redirect("owner-stock")


def _page(
    request: HttpRequest, wrong: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    program, now = in_force(request), timezone.now()
    left = dict(RewardStock.objects.filter(program=program.id).values_list("reward", "left"))
    held: dict[str, int] = {}
    for reward in Reservation.objects.filter(stock__program=program.id, until__gt=now).values_list(
        "stock__reward", flat=True
    ):
        held[reward] = held.get(reward, 0) + 1
    rows: list[dict[str, Any]] = [
        {
            "reward": reward,
            "left": left.get(reward.id),
            "held": held.get(reward.id, 0),
            "wrong": (wrong or {}).get(reward.id, ""),
        }
        for reward in program.rewards
    ]
    return page(request, "stock.html", status=status, rows=rows)
