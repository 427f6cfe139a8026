"""Members, and what is known of them. What identifies a person is in few columns, to be erased."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models

from besnik.store.models.places import Program

_REF_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_member_ref() -> str:
    """Return a random public reference of 12 characters (59 bits) that names no person."""
    return "".join(secrets.choice(_REF_ALPHABET) for _ in range(12))


class MemberStatus(models.TextChoices):
    """``closed``: left, earns no more. ``erased``: nothing is left that names the person."""

    ACTIVE = "active", "active"
    CLOSED = "closed", "closed"
    ERASED = "erased", "erased"


class Member(models.Model):
    """A customer in a program; ``ref`` is the only name used outside the database.

    ``name`` is empty once the member was erased. ``link_version`` rises when the member's private
    link is to stop working.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="members")
    ref = models.CharField(max_length=12, unique=True, default=new_member_ref)
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=5, default="en")
    status = models.CharField(
        max_length=8,
        choices=MemberStatus.choices,
        default=MemberStatus.ACTIVE,
        db_default=MemberStatus.ACTIVE,
    )
    link_version = models.PositiveSmallIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Motive(models.TextChoices):
    """What drives a member; offers go by it."""

    UNKNOWN = "", "not known"
    PRICE = "price", "price"
    QUALITY = "quality", "quality"
    STATUS = "status", "status"
    CONVENIENCE = "convenience", "convenience"


class Person(models.Model):
    """Who a member is; deleted when the member is erased.

    ``folded_name`` is what a search by name compares. ``phone`` is in E.164 form with its plus;
    ``phone_digest`` a keyed digest of it that outlives the person, so that a joining gift is
    given once. ``tags`` are interests, free words.
    """

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="person")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    folded_name = models.CharField(max_length=240, db_index=True)
    phone = models.CharField(max_length=16, blank=True)
    phone_digest = models.CharField(max_length=64, blank=True)
    email = models.EmailField(blank=True)
    birthday = models.DateField(null=True)
    motive = models.CharField(max_length=11, choices=Motive.choices, default="", blank=True)
    tags = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "phone_digest"],
                condition=~models.Q(phone_digest=""),
                name="phone_in_program",
            )
        ]

    def __str__(self) -> str:
        return f"person of {self.member_id}"


class NameWord(models.Model):
    """A word of a person's folded name: a search by any word of a name begins here."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="words")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    word = models.CharField(max_length=120)

    class Meta:
        indexes: ClassVar = [
            # PostgreSQL finds the beginning of a word only in an index that compares bytes.
            models.Index(
                fields=["program", "word"],
                name="word_in_program",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
        ]

    def __str__(self) -> str:
        return self.word


class Consent(models.Model):
    """A yes or no of a member to one ``purpose``; the newest of a purpose holds, all are kept.

    ``text`` is the sentence that was agreed to, in the language it was read in; ``source`` where.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=16)
    given = models.BooleanField()
    text = models.CharField(max_length=500)
    source = models.CharField(max_length=16)
    staff = models.ForeignKey(
        "store.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} {'yes' if self.given else 'no'}"


class Note(models.Model):
    """What staff wrote about a member; who may read it goes by role."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="notes")
    text = models.CharField(max_length=1000)
    staff = models.ForeignKey("store.Staff", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note on {self.member_id}"


class Gift(models.Model):
    """A benefit with a title of its own that was added to a member's card; ``source`` gave it."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="gifts")
    title = models.CharField(max_length=80)
    source = models.CharField(max_length=80)
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title


class Comment(models.Model):
    """What a member thinks: 1 to 5, and words; a mobile number in it is shown to nobody."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="comments")
    rating = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5), name="rating_1_to_5"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rating} of 5"
