"""Cards: what a member holds to a reader, or shows on paper."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Right

from besnik.store.models.people import Member
from besnik.store.models.places import Program


class CardState(models.TextChoices):
    """Whether a card may be used; an erased card's data is a digest that says nothing."""

    ACTIVE = "active", "active"
    BLOCKED = "blocked", "blocked"
    REPLACED = "replaced", "replaced"
    ERASED = "erased", "erased"


class CardKind(models.TextChoices):
    """How a card proves itself; the data of each kind but CODE is its UID in upper-case hex."""

    UID = "uid", "uid"
    NTAG = "ntag", "NTAG 424 DNA, by its address"
    EV2 = "ev2", "NTAG 424 DNA or DESFire, by challenge"
    CODE = "code", "a printed code"


class Originality(models.TextChoices):
    """Whether NXP signed the card's UID, as far as anybody asked; a copy can carry a signature."""

    UNCHECKED = "", "not checked"
    GENUINE = "genuine", "genuine"
    COPY = "copy", "copy"


class Card(models.Model):
    """A credential of a member: kind and canonical data.

    ``counter`` is the highest SUN counter that was accepted, null before the first. A card that
    is personalised anew counts from the beginning again; only then may it be set back to null.
    ``tail`` is the end of ``data``, which is printed on many cards and typed at the till.
    ``replaced_by`` is the card that took the place of a lost one. ``by_crm``: only another CRM said
    that it is the member's.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="cards")
    member = models.ForeignKey(Member, models.PROTECT, related_name="cards")
    kind = models.CharField(max_length=8, choices=CardKind.choices, default=CardKind.UID)
    data = models.CharField(max_length=64)
    tail = models.GeneratedField(
        expression=Right("data", 4),
        output_field=models.CharField(max_length=4),
        db_persist=True,
    )
    counter = models.PositiveIntegerField(null=True, default=None)
    originality = models.CharField(
        max_length=8, choices=Originality.choices, default="", db_default="", blank=True
    )
    state = models.CharField(max_length=8, choices=CardState.choices, default=CardState.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    by_crm = models.BooleanField(default=False, db_default=False)
    replaced_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "kind", "data"], name="card_in_program")
        ]
        indexes: ClassVar = [models.Index(fields=["program", "tail"], name="card_by_tail")]

    def __str__(self) -> str:
        return f"{self.kind} {self.data}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Save; the counter only if ``update_fields`` names it.

        The bridge raises it meanwhile, and a copy read before would set it back: whoever had
        heard the card in between could play that again.
        """
        if not self._state.adding and options.get("update_fields") is None:
            fields = self._meta.concrete_fields
            names = [f.name for f in fields if not (f.primary_key or f.generated)]
            options["update_fields"] = [name for name in names if name != "counter"]
        super().save(*arguments, **options)
