"""Updates of readers: the releases a host has, their roll-outs, how far each reader is."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

from besnik.store.models.places import Program, Reader

STAGES: Final = ("reader", "shop", "all")


class Release(models.Model):
    """A signed release that this host has and that was checked.

    Readers take ``number`` only when it is above their own. ``is_here``: its files are still
    there and good.
    """

    number = models.PositiveIntegerField(unique=True)
    version = models.CharField(max_length=16)
    board = models.CharField(max_length=16)
    mpy = models.CharField(max_length=16)
    size_bytes = models.PositiveIntegerField()
    found_at = models.DateTimeField()
    is_here = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.number} ({self.version})"


class Rollout(models.Model):
    """A release on its way to the readers of a program.

    First to one reader (``first``), then to its shop, then to all; it ends after ``goal``, and
    waits ``pause_s`` between two stages. ``stage`` is where it is. ``state``: running, done, or
    stopped; ``why`` says what stopped it (a reader's word, or ``person``), and ``stopped_by``
    the reader. ``settled_at`` is when those of the stage that are on line had it, null before.
    """

    program = models.ForeignKey(Program, models.CASCADE, related_name="rollouts", db_index=False)
    release = models.ForeignKey(Release, models.PROTECT, related_name="rollouts")
    first = models.ForeignKey(Reader, models.CASCADE, related_name="+", db_index=False)
    goal = models.CharField(max_length=6)
    stage = models.CharField(max_length=6, default="reader")
    pause_s = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=7, default="running")
    why = models.CharField(max_length=64, default="", blank=True)
    stopped_by = models.ForeignKey(
        Reader, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    started_by = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program"], condition=Q(state="running"), name="one_rollout_runs"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["program", "-id"], name="rollout_by_program")]

    def __str__(self) -> str:
        return f"{self.release} to {self.program}: {self.state}"


class RolloutReader(models.Model):
    """One reader in a roll-out: how far it is, by its own word.

    ``state``: waiting (not told yet), told, then what the reader says of itself (contract,
    ``UpdateState``): loading, ready, trying, kept, refused, rolled_back; silent: told in vain;
    gone: not heard of since it tried the release. ``why`` is the reader's reason, ``percent``
    how much it has loaded. ``tries`` counts how often it was told, ``at`` is its last news.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="readers", db_index=False)
    reader = models.ForeignKey(Reader, models.CASCADE, related_name="rollouts")
    state = models.CharField(max_length=11, default="waiting")
    why = models.CharField(max_length=64, default="", blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rollout", "reader"], name="reader_once_in_rollout")
        ]

    def __str__(self) -> str:
        return f"{self.reader_id}: {self.state}"
