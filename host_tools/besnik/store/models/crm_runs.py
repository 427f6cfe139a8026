"""Going through all customers of a CRM that is not ours: what differs, and who is left out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.places import Program


class CrmRun(models.Model):
    """One walk over all customers there: ``dry`` only counts, else members are made and linked.

    ``state``: running, done, failed. ``after`` is where its page begins, empty for the first, and
    ``within`` how many of that page are done; they move with what was counted in one transaction,
    so a walk that broke off goes on. Of ``seen`` customers ``made`` became members (would, if it is
    dry), ``linked`` were members here by one of their cards, ``known`` were linked before,
    ``opened`` had points taken over, ``skipped`` could not be taken, ``left_out`` were erased
    here and are not taken again, ``differing`` have a difference to settle; ``examples`` are the
    first of a dry one: kind, id, name, what differs.
    ``beat_at`` is when it last got on: a running one whose time is long past has broken off.
    ``why`` says what went wrong, or what is waited for while it runs.
    """

    program = models.ForeignKey(Program, models.CASCADE, related_name="crm_runs")
    dry = models.BooleanField(default=False)
    state = models.CharField(max_length=7, default="running")
    after = models.CharField(max_length=500, default="", blank=True)
    seen = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    linked = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, db_default=0)
    differing = models.PositiveIntegerField(default=0)
    within = models.PositiveIntegerField(default=0)
    examples = models.JSONField(default=list)
    why = models.CharField(max_length=300, default="", blank=True)
    staff = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["program", "-started_at"], name="crm_run_by_program")
        ]

    def __str__(self) -> str:
        return f"{self.seen} seen, {self.state}"


class CrmDifference(models.Model):
    """A customer about whom CRM and ledger do not agree, until somebody settles it.

    ``kind``: name, points, card_of_other (a card there is another member's here), two_members
    (cards there are of two members here), twice (``cards`` are in other customers too), left (the
    member left here), unnamed, bad_card, gone (the customer is no more). ``there`` and ``here`` are
    what each says, as text. ``found_at`` is the walk's start.
    """

    program = models.ForeignKey(Program, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=13)
    external_id = models.CharField(max_length=100)
    member = models.ForeignKey("store.Member", models.CASCADE, null=True, related_name="+")
    there = models.CharField(max_length=200, default="", blank=True)
    here = models.CharField(max_length=200, default="", blank=True)
    cards = models.JSONField(default=list)
    found_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "kind", "external_id"], name="crm_difference_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class CrmLeftOut(models.Model):
    """A customer there who was erased here, and does not become a member by an import or a tap.

    ``digest`` is a keyed one of the CRM's number for them (`besnik.store.people.left_out`), in hex.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    adapter = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "digest"], name="crm_left_out_once")
        ]

    def __str__(self) -> str:
        return f"one of {self.adapter}"
