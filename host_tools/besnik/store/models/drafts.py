"""What an owner is working on: a program that is not published, a file that is being imported."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from besnik.store.models.places import Program


class ProgramDraft(models.Model):
    """A program as it is being edited, one a program; it gives nothing until it is published.

    ``document`` is as `besnik.loyalty.program.encode` writes it; ``after`` the version that it
    began from, 0 for none.
    """

    program = models.OneToOneField(Program, models.CASCADE, primary_key=True, related_name="draft")
    document = models.TextField()
    after = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return f"draft after v{self.after}"


class ImportRun(models.Model):
    """A file of members that was sent, checked, and perhaps imported.

    ``content`` is the file's text until it was imported or given up, then empty. ``state``:
    checked, running, done, failed. ``done`` of ``total`` rows are worked off; ``made`` are new
    members, ``opened`` opening balances, ``problems`` what is wrong ([line, column, code, value]).
    """

    program = models.ForeignKey(Program, models.CASCADE, related_name="imports")
    staff = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    name = models.CharField(max_length=120)
    content = models.TextField()
    state = models.CharField(max_length=8, default="checked")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["program", "-at"], name="import_by_program")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
