"""Sales: what was bought, how it was paid, what came back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.people import Member
from besnik.store.models.places import Program, Shop, Till
from besnik.store.models.taps import Tap


class Sale(models.Model):
    """A receipt; ``member`` is null until somebody says whose it is.

    ``buyer`` is what the till knows such a stranger by, a digest of a payment card's token, or "".
    ``tap`` is the visit it belongs to, set before or after. ``version`` (of the rules) and
    ``standing`` (JSON of `besnik.loyalty.engine.Standing`) are what it was counted by; a refund
    needs both, and both are null while it has earned nothing. ``earned`` is what it gave, by unit,
    and ``counting_minor`` what it cost, both without what came back: a sale that was undone
    counts for nothing.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="sales", db_index=False)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="sales", db_index=False)
    till = models.ForeignKey(Till, models.PROTECT, null=True, related_name="sales", db_index=False)
    receipt = models.CharField(max_length=40)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="sales", db_index=False
    )
    tap = models.OneToOneField(Tap, models.PROTECT, null=True, related_name="sale")
    staff = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    buyer = models.CharField(max_length=64, default="", db_default="", blank=True)
    channel = models.CharField(max_length=16, default="shop")
    amount_minor = models.BigIntegerField()
    counting_minor = models.BigIntegerField(default=0, db_default=0)
    version = models.PositiveIntegerField(null=True)
    standing = models.JSONField(null=True)
    earned = models.JSONField(default=dict)
    at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["shop", "receipt"], name="receipt_of_shop")
        ]
        indexes: ClassVar = [
            models.Index(fields=["member", "-at"], name="sale_by_member"),
            models.Index(fields=["program", "-at"], name="sale_by_program"),
        ]

    def __str__(self) -> str:
        return f"receipt {self.receipt}"


class SaleLine(models.Model):
    """A line of a receipt: ``amount_minor`` for ``quantity`` items after discounts.

    ``line`` is the till's id of it; ``reward`` a gift of the program, which earns nothing.
    """

    sale = models.ForeignKey(Sale, models.PROTECT, related_name="lines", db_index=False)
    line = models.CharField(max_length=48)
    title = models.CharField(max_length=80, blank=True)
    category = models.CharField(max_length=40, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    amount_minor = models.BigIntegerField()
    reward = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sale", "line"], name="line_of_sale")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title or self.line}"


class SaleTender(models.Model):
    """One way a sale was paid: cash, card, house_card, wallet."""

    sale = models.ForeignKey(Sale, models.PROTECT, related_name="tenders")
    kind = models.CharField(max_length=16)
    amount_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"


class SaleReturn(models.Model):
    """A line that came back; each line once."""

    line = models.OneToOneField(SaleLine, models.PROTECT, related_name="returned")
    staff = models.ForeignKey("store.Staff", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"return of {self.line}"
