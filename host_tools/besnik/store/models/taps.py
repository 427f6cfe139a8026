"""Taps: each presentation of a card at a reader."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.cards import Card
from besnik.store.models.people import Member
from besnik.store.models.places import Reader


class Tap(models.Model):
    """One presentation of a card at a reader, with the verdict it was given.

    ``tap_id`` is the reader's own id; with ``reader`` it makes a repeated message harmless.
    ``kind`` and ``data`` name the card that was proved or claimed; an address that proved none
    is kind ``sun`` with a digest. ``counter`` is the card's SUN counter, null for other kinds.
    ``finding`` is what else was found: why an address proved nothing, or the card's originality.
    A tap that waits for another CRM's word (``reason`` pending) is written anew, once, with that.
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
