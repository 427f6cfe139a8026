"""Who works here, what they may do, and the record of what they did."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from besnik.store.models.people import Member
from besnik.store.models.places import Program, Shop, Till


class Role(models.TextChoices):
    """From least to most; an auditor reads everything and changes nothing."""

    CASHIER = "cashier", "cashier"
    LEAD = "lead", "shift lead"
    MANAGER = "manager", "manager"
    OWNER = "owner", "owner"
    AUDITOR = "auditor", "auditor"


class StaffManager(BaseUserManager["Staff"]):
    """Makes members of staff."""

    def create_user(self, username: str, password: str | None, **fields: Any) -> Staff:
        """Return a new member of staff; ``password`` None means that nobody can log in."""
        staff = self.model(username=username, **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff


class Staff(AbstractBaseUser):
    """A person who works in a program's shops; no ``shops`` is all of them.

    ``pin`` approves what a cashier may not do alone; it is hashed as passwords are, "" is none.
    ``session_version`` rises when all sessions of this person are to end. ``must_change`` is set
    with a password that somebody else knows.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="staff")
    username = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.CASHIER)
    shops = models.ManyToManyField(Shop, related_name="staff", blank=True)
    pin = models.CharField(max_length=128, blank=True)
    pin_failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    pin_locked_until = models.DateTimeField(null=True)
    language = models.CharField(max_length=5, blank=True)
    is_active = models.BooleanField(default=True)
    must_change = models.BooleanField(default=False, db_default=False)
    session_version = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = StaffManager()
    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """Return what a session keeps of its person; other than this it is no more."""
        known = f"{self.password}:{self.session_version}"
        return salted_hmac("besnik.staff.session", known, algorithm="sha256").hexdigest()


class TillKey(models.Model):
    """A key by which a till's software asks the API; ``digest`` is its SHA-256 in hex."""

    till = models.ForeignKey(Till, models.PROTECT, related_name="keys")
    name = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.till}: {self.name}"


class AuditRecord(models.Model):
    """Who did what, chained: ``hash`` is over this record and ``previous``. Append only.

    ``action`` is a word of ours ("member.erase"); ``detail`` holds ids and figures, nothing
    personal. There is one chain however many programs; ``program`` says whose record it is, null
    for the installation's. Nothing follows one record twice: ``previous`` is unique.
    """

    program = models.ForeignKey(
        Program, models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=32)
    target = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["program", "id"], name="audit_of_program")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class Alert(models.Model):
    """What somebody should look at: a card used too often, a cashier's own card, an odd sale."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=16)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kind
