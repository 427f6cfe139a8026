"""What Besnik keeps beside a CRM that is not ours: its settings, a cache, what waits.

Passwords and keys are in none of these tables (``besnik.crm.secrets``).
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models

from besnik.store.models.people import Member
from besnik.store.models.places import Program
from besnik.store.models.taps import Tap


class CrmSource(models.Model):
    """The foreign CRM of a program. It is asked and told only while ``is_on``.

    ``adapter`` is its name among the entry points ``besnik.crm``, ``settings`` what the owner
    filled in. ``fields`` lists what is shown of a customer: name there, label, least role.
    ``delivered_to``: every entry up to this row is delivered, or is in CrmDelivery; likewise
    ``members_to`` of new members, ``taps_to`` of taps that moved nothing.
    ``started_at``: only what was written from then on is told. ``breaker``, ``why`` and
    ``retry_at`` are how it is doing; ``asked_on`` and ``asked`` the day's requests.
    ``unit`` is the unit of the ledger that points there are, empty: they are another matter.
    ``hook_version`` rises when the address of its webhook is to stop working. ``offered`` are the
    fields that customers have there, as they were at the last test: name, label, kind.
    ``place`` holds the settings that say where the customers are whom CrmLink means; ``numbering``
    how often, by adapter, the owner said that its customers are others than before.
    """

    program = models.OneToOneField(Program, models.PROTECT, related_name="crm")
    adapter = models.CharField(max_length=40)
    settings = models.JSONField(default=dict)
    fields = models.JSONField(default=list)
    is_on = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    delivered_to = models.BigIntegerField(default=0)
    members_to = models.BigIntegerField(default=0, db_default=0)
    taps_to = models.BigIntegerField(default=0, db_default=0)
    breaker = models.CharField(max_length=9, default="closed")  # closed, half_open, open
    why = models.CharField(max_length=300, default="", blank=True)
    retry_at = models.DateTimeField(null=True)
    asked_on = models.DateField(null=True)
    asked = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)
    unit = models.CharField(max_length=40, default="point", db_default="point", blank=True)
    hook_version = models.PositiveSmallIntegerField(default=1, db_default=1)
    offered = models.JSONField(default=list)
    place = models.JSONField(default=dict)
    numbering = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.adapter} of {self.program}"


class CrmLink(models.Model):
    """Which customer there a member is."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    member = models.OneToOneField(Member, models.CASCADE, related_name="crm_link")
    external_id = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "external_id"], name="crm_link_once")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} is {self.external_id}"


class CrmRecord(models.Model):
    """A customer as the CRM last said, for the cashier's screen; old ones say since when."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    points = models.BigIntegerField(null=True)
    fields = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()
    is_stale = models.BooleanField(default=False)  # a webhook said that it changed

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "external_id"], name="crm_record_once")
        ]

    def __str__(self) -> str:
        return self.external_id


class CrmAnswer(models.Model):
    """What the CRM said of a card that is not ours yet: nobody's, or more than one's.

    A card of one customer is enrolled here, and needs no row.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    card = models.CharField(max_length=64)
    state = models.CharField(max_length=9)  # none, ambiguous
    ids = models.JSONField(default=list)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "card"], name="crm_answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.card} {self.state}"


class CrmPending(models.Model):
    """A tap whose card only the CRM can know; its visit is counted when the CRM has said whose.

    ``state``: waiting, counted, nobody (the CRM does not know it either), ambiguous (it is of
    several customers there, or who its customer is here is in doubt). While it
    waits the tap says accepted and pending; then it gets card, member and the verdict that stands.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    tap = models.OneToOneField(Tap, models.PROTECT, related_name="pending")
    state = models.CharField(max_length=9, default="waiting")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["program", "id"],
                condition=models.Q(state="waiting"),
                name="crm_pending_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"tap {self.tap_id} {self.state}"


# Those rows of CrmDelivery that are new members.
NEWCOMER: Final = models.Q(entry__isnull=True, tap__isnull=True)


class CrmDelivery(models.Model):
    """One event on its way to the CRM: an entry of the ledger, a visit without one, a new member.

    ``event_id`` is what the CRM knows it by. ``entry`` is the entry's row, ``tap`` that of a visit
    which moved nothing; a new member has neither (`NEWCOMER`). ``state``: waiting, refused, done;
    ``maybe``: it was perhaps sent, and nobody knows whether it arrived. ``tries`` failed so far,
    ``why`` says how, and it is not sent before ``next_at``.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    event_id = models.CharField(max_length=64)
    entry = models.BigIntegerField(null=True)
    tap = models.BigIntegerField(null=True)
    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=7, default="waiting")
    maybe = models.BooleanField(default=False)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=300, default="", blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "event_id"], name="crm_delivery_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["program", "next_at"],
                condition=models.Q(state="waiting"),
                name="crm_delivery_waiting",
            ),
            models.Index(fields=["program", "entry"], name="crm_delivery_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"
