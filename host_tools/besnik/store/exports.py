"""Everything a program knows, row by row, for sheets: members, sales, entries of the ledger.

Each pass reads a few hundred rows by their keys and lets the connection go: nothing is held in
memory, and no cursor stays open while somebody's line is slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.db.models import Q, QuerySet, Sum

from besnik.loyalty.metrics import Window
from besnik.store.measures.windows import moments
from besnik.store.models import Account, Member, MemberStatus, Posting, Sale, Shop
from besnik.store.people import shown_phone

AT_ONCE: Final = 500
Cell = str | int | float | None
Row = tuple[Cell, ...]

MEMBERS: Final = (
    *("member", "name", "phone", "email", "birthday", "language", "status", "joined", "tier"),
    *("cards", "points", "stamps"),
)
SALES: Final = (
    *("receipt", "at", "shop", "till", "member", "channel", "amount_minor", "returned_minor"),
    *("tenders", "rules_version", "earned"),
)
ENTRIES: Final = (
    *("entry", "posting", "at", "written", "kind", "source", "member", "unit", "account"),
    *("amount", "receipt", "refers_to", "reason"),
)


def members(program: int, role: str) -> Iterator[list[Row]]:
    """Yield the members that were not erased; phones as ``role`` may see them."""
    rows = (
        Member.objects.filter(program=program)
        .exclude(status=MemberStatus.ERASED)
        .select_related("person", "tier")
        .prefetch_related("cards")
    )

    def written(chunk: list[Any]) -> Iterator[Row]:
        balances = {
            (account["member"], account["unit"]): account["sum"]
            for account in Account.objects.filter(
                member__in=chunk, account__in=("main", "held"), unit__in=("point", "stamp")
            )
            .values("member", "unit")
            .annotate(sum=Sum("balance"))
        }
        for member in chunk:
            person = getattr(member, "person", None)
            tier = getattr(member, "tier", None)
            yield (
                member.ref,
                member.name,
                shown_phone(person.phone, role) if person else "",
                person.email if person else "",
                person.birthday.isoformat() if person and person.birthday else "",
                member.language,
                member.status,
                member.created_at.isoformat(timespec="seconds"),
                tier.level if tier else 0,
                " ".join(card.tail for card in member.cards.all() if card.state == "active"),
                balances.get((member.pk, "point"), 0),
                balances.get((member.pk, "stamp"), 0),
            )

    return _in_chunks(rows, written)


def sales(program: int, window: Window, shops: QuerySet[Shop]) -> Iterator[list[Row]]:
    """Yield the receipts of the window in ``shops``, one row each, those that came back too."""
    first, after = moments(window)
    rows = (
        Sale.objects.filter(program=program, shop__in=shops, at__gte=first, at__lt=after)
        .select_related("shop", "till", "member")
        .prefetch_related("tenders")
    )

    def written(chunk: list[Sale]) -> Iterator[Row]:
        back = {
            row["pk"]: row["back"]
            for row in Sale.objects.filter(pk__in=[sale.pk for sale in chunk])
            .values("pk")
            .annotate(
                back=Sum("lines__amount_minor", filter=Q(lines__returned__isnull=False), default=0)
            )
        }
        for sale in chunk:
            yield (
                sale.receipt,
                sale.at.isoformat(timespec="seconds"),
                sale.shop.slug,
                sale.till.slug if sale.till else "",
                sale.member.ref if sale.member else "",
                sale.channel,
                sale.amount_minor,
                back[sale.pk],
                " ".join(f"{tender.kind}:{tender.amount_minor}" for tender in sale.tenders.all()),
                sale.version,
                " ".join(f"{unit}:{amount}" for unit, amount in sorted(sale.earned.items())),
            )

    return _in_chunks(rows, written)


def entries(program: int, window: Window) -> Iterator[list[Row]]:
    """Yield the postings of the entries written in the window; each entry's sum to zero."""
    first, after = moments(window)
    rows = Posting.objects.filter(
        entry__program=program, entry__created_at__gte=first, entry__created_at__lt=after
    ).select_related("entry__sale", "account__member")

    def written(chunk: list[Posting]) -> Iterator[Row]:
        for posting in chunk:
            entry, account = posting.entry, posting.account
            at = entry.occurred_at or entry.created_at
            yield (
                entry.pk,
                posting.pk,
                at.isoformat(timespec="seconds"),
                entry.created_at.isoformat(timespec="seconds"),
                entry.kind,
                entry.source,
                account.member.ref if account.member else "",
                account.unit,
                account.account,
                posting.amount,
                entry.sale.receipt if entry.sale else "",
                entry.refers_to_id,
                entry.reason,
            )

    return _in_chunks(rows, written)


def _in_chunks(
    rows: QuerySet[Any], written: Callable[[list[Any]], Iterator[Row]]
) -> Iterator[list[Row]]:
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield list(written(chunk))
        last = chunk[-1].pk
