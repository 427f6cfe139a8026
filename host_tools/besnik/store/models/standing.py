"""What a member has besides points: a tier, a paid membership, coupons, what is reserved."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.ledger import Entry
from besnik.store.models.people import Member
from besnik.store.models.places import Program
from besnik.store.models.sales import Sale


class TierHeld(models.Model):
    """The tier a member holds: `besnik.loyalty.tiers.Held`; no row is the first tier."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="tier")
    level = models.PositiveSmallIntegerField()
    since = models.DateField()
    until = models.DateField(null=True, db_index=True)

    def __str__(self) -> str:
        return f"tier {self.level} of {self.member_id}"


class PaidTerm(models.Model):
    """A paid membership: its fee and days, both inclusive; ``returned_minor`` went back."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="paid_terms")
    fee_minor = models.BigIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    returned_minor = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


class Hold(models.Model):
    """Points that a sale reserves, until it is paid or ``until``; the row goes with the hold.

    ``off_minor`` is what the reward took off the receipt, ``line`` the line it added to it.
    """

    entry = models.OneToOneField(Entry, models.PROTECT, primary_key=True, related_name="holding")
    member = models.ForeignKey(Member, models.PROTECT, related_name="holds")
    reward = models.CharField(max_length=40, blank=True)
    off_minor = models.BigIntegerField(default=0, db_default=0)
    line = models.CharField(max_length=48, default="", db_default="", blank=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"hold {self.entry_id}"


class RewardStock(models.Model):
    """How many pieces of a reward are left, those reserved included; no row is without end."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="stock", db_index=False)
    reward = models.CharField(max_length=40)
    left = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "reward"], name="stock_of_reward")
        ]

    def __str__(self) -> str:
        return f"{self.left} x {self.reward}"


class Reservation(models.Model):
    """One piece of a reward kept for whoever holds ``key``, until ``until``."""

    stock = models.ForeignKey(RewardStock, models.CASCADE, related_name="reservations")
    key = models.CharField(max_length=80)
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stock", "key"], name="reservation_once")
        ]

    def __str__(self) -> str:
        return self.key


class Redemption(models.Model):
    """A reward that was given: which one, for what, by which entry; null where it cost nothing.

    ``coupon`` is what was brought instead of points. ``line`` is the line of the receipt that is
    the gift, "" where the reward made other lines cheaper. ``returned_at``: it was taken back.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="redemptions")
    reward = models.CharField(max_length=40)
    title = models.CharField(max_length=80)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="redemption")
    sale = models.ForeignKey(Sale, models.PROTECT, null=True, related_name="redemptions")
    coupon = models.ForeignKey(
        "store.Coupon", models.PROTECT, null=True, related_name="redemptions", db_index=False
    )
    off_minor = models.BigIntegerField(default=0)
    line = models.CharField(max_length=48, default="", db_default="", blank=True)
    at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title


class Coupon(models.Model):
    """`besnik.loyalty.stock.Coupon`: a code that gives a reward once; ``member`` null is anybody's.

    ``digest`` is the SHA-256 of the code in hex; ``tail`` its last four characters. ``entry`` is
    what the member paid for it.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="coupons", db_index=False)
    digest = models.CharField(max_length=64)
    tail = models.CharField(max_length=4)
    reward = models.CharField(max_length=40)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="coupons")
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="coupon")
    state = models.CharField(max_length=9, default="issued")
    until = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "digest"], name="coupon_in_program")
        ]

    def __str__(self) -> str:
        return f"coupon …{self.tail}"
