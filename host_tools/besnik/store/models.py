"""The tables. Times are UTC; amounts are integers of their account's unit.

The bridge writes taps, entries, postings and balances by raw SQL (``hot.py``); a test holds
those statements to these models.
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models

from besnik.store.report_models import ReaderHealth as ReaderHealth
from besnik.store.report_models import ReaderInfo as ReaderInfo
from besnik.store.report_models import ReaderState as ReaderState

_REF_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_topic_id = RegexValidator(r"^[a-z0-9-]{1,16}\Z", "Use 1 to 16 of a-z, 0-9 and hyphen.")


def new_member_ref() -> str:
    """Return a random public reference of 12 characters (59 bits) that names no person."""
    return "".join(secrets.choice(_REF_ALPHABET) for _ in range(12))


class Unit(models.TextChoices):
    """What an account counts."""

    STAMP = "stamp", "stamp"


class Program(models.Model):
    """The rules a brand runs; ``stamps_per_visit`` is the rule of the first program."""

    name = models.CharField(max_length=80)
    stamps_per_visit = models.PositiveSmallIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    """A location of a program; ``slug`` is its id in topics."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="shops")
    slug = models.CharField(max_length=16, unique=True, validators=[_topic_id])
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Till(models.Model):
    """A place in a shop where a cashier works."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="tills")
    slug = models.CharField(max_length=16, validators=[_topic_id])
    name = models.CharField(max_length=80)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["shop", "slug"], name="till_slug_in_shop")
        ]

    def __str__(self) -> str:
        return f"{self.shop}: {self.name}"


class Reader(models.Model):
    """A card reader on a till; ``slug`` is its id in topics and its user name at the broker.

    It is unique over the whole installation, so the broker can hold a reader to its own topics.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="readers")
    till = models.ForeignKey(Till, models.PROTECT, related_name="readers")
    slug = models.CharField(max_length=16, unique=True, validators=[_topic_id])
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return f"{self.till}: {self.name}"


class Member(models.Model):
    """A customer in a program; ``ref`` is the only name used outside the database."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="members")
    ref = models.CharField(max_length=12, unique=True, default=new_member_ref)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class CardState(models.TextChoices):
    """Whether a card may be used."""

    ACTIVE = "active", "active"
    BLOCKED = "blocked", "blocked"


class CardKind(models.TextChoices):
    """How a card proves itself; the data of each kind is the card's UID in upper-case hex."""

    UID = "uid", "uid"
    NTAG = "ntag", "NTAG 424 DNA, by its address"
    EV2 = "ev2", "NTAG 424 DNA or DESFire, by challenge"


class Originality(models.TextChoices):
    """Whether NXP signed the card's UID, as far as anybody asked; a copy can carry a signature."""

    UNCHECKED = "", "not checked"
    GENUINE = "genuine", "genuine"
    COPY = "copy", "copy"


class Card(models.Model):
    """A credential of a member: kind and canonical data.

    ``counter`` is the highest SUN counter that was accepted, null before the first. A card that
    is personalised anew counts from the beginning again; only then may it be set back to null.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="cards")
    member = models.ForeignKey(Member, models.PROTECT, related_name="cards")
    kind = models.CharField(max_length=8, choices=CardKind.choices, default=CardKind.UID)
    data = models.CharField(max_length=64)
    counter = models.PositiveIntegerField(null=True, default=None)
    originality = models.CharField(
        max_length=8, choices=Originality.choices, default="", db_default="", blank=True
    )
    state = models.CharField(max_length=8, choices=CardState.choices, default=CardState.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "kind", "data"], name="card_in_program")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.data}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Save; the counter only if ``update_fields`` names it.

        The bridge raises it meanwhile, and a copy read before would set it back: whoever had
        heard the card in between could play that again.
        """
        if not self._state.adding and options.get("update_fields") is None:
            fields = self._meta.concrete_fields
            names = [field.name for field in fields if not field.primary_key]
            options["update_fields"] = [name for name in names if name != "counter"]
        super().save(*arguments, **options)


class Tap(models.Model):
    """One presentation of a card at a reader, with the verdict it was given.

    ``tap_id`` is the reader's own id; with ``reader`` it makes a repeated message harmless.
    ``kind`` and ``data`` name the card that was proved or claimed; an address that proved none
    is kind ``sun`` with a digest. ``counter`` is the card's SUN counter, null for other kinds.
    ``finding`` is what else was found: why an address proved nothing, or the card's originality.
    ``read_at`` is the reader's clock (Unix seconds) and ``clock_quality`` says how far to
    trust it; ``received_at`` is the host's.
    """

    # An index more is a page more that a tap's commit writes, a tenth of its time: no key has one
    # that another begins with, nobody asks for the taps of a card but by their counters, and those
    # of a member are found by way of the postings.
    reader = models.ForeignKey(Reader, models.PROTECT, related_name="taps", db_index=False)
    tap_id = models.CharField(max_length=12)
    kind = models.CharField(max_length=8)
    data = models.CharField(max_length=64)
    card = models.ForeignKey(Card, models.PROTECT, null=True, related_name="taps", db_index=False)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="taps", db_index=False
    )
    counter = models.PositiveIntegerField(null=True)
    tier = models.CharField(max_length=1)
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=10)
    finding = models.CharField(max_length=12, default="", db_default="", blank=True)
    read_at = models.BigIntegerField()
    clock_quality = models.PositiveSmallIntegerField()
    queued = models.BooleanField()
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reader", "tap_id"], name="tap_once_per_reader")
        ]
        indexes: ClassVar = [
            models.Index(fields=["reader", "-received_at"], name="tap_by_reader"),
            models.Index(
                fields=["card", "counter"],
                condition=models.Q(counter__isnull=False),
                name="tap_by_counter",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.tap_id}"


class Account(models.Model):
    """One side of the ledger: a member's, or the program's own where ``member`` is null.

    ``balance`` is the sum of the account's postings, moved in the same transaction.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="accounts")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="accounts")
    unit = models.CharField(max_length=8, choices=Unit.choices)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "unit"],
                condition=models.Q(member__isnull=False),
                name="account_of_member",
            ),
            models.UniqueConstraint(
                fields=["program", "unit"],
                condition=models.Q(member__isnull=True),
                name="account_of_program",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member or self.program} {self.unit}"


class Entry(models.Model):
    """One thing that happened in the ledger; its postings sum to zero for each unit."""

    # Nobody looks for the entries of a whole program but a report, which reads them all.
    program = models.ForeignKey(Program, models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=10)
    tap = models.OneToOneField(Tap, models.PROTECT, null=True, related_name="entry")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Posting(models.Model):
    """An amount moved on one account by one entry; never changed once written."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings")
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.amount:+d}"
