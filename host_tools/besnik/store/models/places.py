"""Where things happen, and by which rules: program, shop, till, reader."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

_topic_id = RegexValidator(r"^[a-z0-9-]{1,16}\Z", "Use 1 to 16 of a-z, 0-9 and hyphen.")


class Program(models.Model):
    """A brand's program. What it gives is in its versions; without one it gives nothing."""

    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class ProgramVersion(models.Model):
    """What a program gives, as ``besnik.loyalty.program.encode`` writes it; never changed.

    The newest ``version`` is in force from ``published_at`` on. Its own rule sets say from which
    day what is given: a sale that comes late is counted by the rules of its day.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    document = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "version"], name="version_of_program")
        ]

    def __str__(self) -> str:
        return f"{self.program} v{self.version}"


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
