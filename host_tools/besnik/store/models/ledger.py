"""The ledger: accounts, entries, postings, lots. Entries, postings and moves never change.

The database itself refuses to change or delete them (``besnik.store.append_only``).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.people import Member
from besnik.store.models.places import Program
from besnik.store.models.sales import Sale
from besnik.store.models.taps import Tap


class Account(models.Model):
    """One side of the ledger: a member's, or the program's own where ``member`` is null.

    ``account`` is one of `besnik.loyalty.ledger`: main and held of members, main (what was
    issued), burned, expired, adjusted, opening of programs. ``balance`` is the sum of the
    account's postings, moved in the same transaction. ``spent`` and ``expired`` of a member's main
    account are what those parts of all its lots come to: nobody has to add up a long history.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="accounts")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="accounts")
    unit = models.CharField(max_length=40)
    account = models.CharField(max_length=24, default="main", db_default="main")
    balance = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0, db_default=0)
    expired = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "unit", "account"],
                condition=models.Q(member__isnull=False),
                name="account_of_member",
            ),
            models.UniqueConstraint(
                fields=["program", "unit", "account"],
                condition=models.Q(member__isnull=True),
                name="account_of_program",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member or self.program} {self.unit} {self.account}"


class Entry(models.Model):
    """One thing that happened in the ledger; its postings sum to zero for each unit.

    ``occurred_at`` is when it happened where it happened, ``created_at`` when it was written.
    ``source`` is who asked: reader, till, api, page, job or import. ``refers_to`` is the entry
    this one undoes or settles. ``key`` is the idempotency key of what must be done once ever.
    """

    # Nobody looks for the entries of a whole program but a report, which reads them all.
    program = models.ForeignKey(Program, models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=10)
    tap = models.OneToOneField(Tap, models.PROTECT, null=True, related_name="entry")
    sale = models.ForeignKey(
        Sale, models.PROTECT, null=True, related_name="entries", db_index=False
    )
    refers_to = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="later", db_index=False
    )
    source = models.CharField(max_length=8, default="reader", db_default="reader")
    staff = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=120, default="", db_default="", blank=True)
    key = models.CharField(max_length=96, default="", db_default="", blank=True)
    occurred_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "key"],
                condition=~models.Q(key=""),
                name="entry_by_key",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["refers_to"],
                condition=models.Q(refers_to__isnull=False),
                name="entry_by_refers_to",
            ),
            models.Index(
                fields=["sale"], condition=models.Q(sale__isnull=False), name="entry_by_sale"
            ),
            # What a cashier gave away today; the bridge's entries have no staff.
            models.Index(
                fields=["staff", "kind", "occurred_at"],
                condition=models.Q(staff__isnull=False),
                name="entry_by_staff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Posting(models.Model):
    """An amount moved on one account by one entry; never changed once written."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings")
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class Lot(models.Model):
    """What an entry gave a member, with one expiry: main + held + spent + expired + what was
    taken back = amount.

    Only main, held, spent and expired change. ``main`` may be below zero: it is owed. Decisions
    read the lots with main or held that is not zero; the others are history.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False)
    unit = models.CharField(max_length=40)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="lots")
    amount = models.BigIntegerField()
    main = models.BigIntegerField()
    held = models.BigIntegerField(default=0, db_default=0)
    spent = models.BigIntegerField(default=0, db_default=0)
    expired = models.BigIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField()
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(held__gte=0, spent__gte=0, expired__gte=0),
                name="lot_parts_not_negative",
            )
        ]
        indexes: ClassVar = [
            # All that a balance is summed from is in the index: no row is looked up.
            models.Index(
                fields=["member", "unit", "main", "held", "available_at", "expires_at"],
                condition=~models.Q(main=0) | ~models.Q(held=0),
                name="lot_open",
            ),
            models.Index(
                fields=["expires_at", "member"],
                condition=models.Q(main__gt=0, expires_at__isnull=False),
                name="lot_expiring",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.main} of {self.amount} {self.unit}"


class LotMove(models.Model):
    """A change of one part (main, held, spent, expired) of a lot that existed, by one entry.

    What fills a lot when its entry opens it is ``Lot.amount`` and has no row here.
    """

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="moves")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="moves")
    part = models.CharField(max_length=7)
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.part} {self.amount:+d}"


class Request(models.Model):
    """A request with an idempotency key and the answer it got, so that a repeat gets the same.

    ``client`` is who asked (a till's key, a member of staff); ``digest`` is the payload's SHA-256
    in hex. Kept for 30 days; what must never happen twice has ``Entry.key`` as well.
    """

    client = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "key"], name="request_once")
        ]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"
