"""The people who work here: who is added, changed and let go, by whom, and their PINs.

Whoever changes a person ends that person's sessions, and leaves a record in the audit log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Final

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from besnik.store import audit, pins
from besnik.store.models import Program, Role, Shop, Staff
from besnik.store.pins import PinError as PinError
from besnik.store.pins import StaffError as StaffError
from besnik.store.pins import check_pin as check_pin

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}\Z")
_ONE_TIME: Final = "23456789abcdefghjkmnpqrstuvwxyz"
# Whom each role may add, change and let go.
_RULES: Final = {
    Role.OWNER: frozenset(Role),
    Role.MANAGER: frozenset({Role.CASHIER, Role.LEAD}),
}


def may_manage(by: Staff, role: str) -> bool:
    """Tell whether somebody may add, change and let go people of a role."""
    return role in _RULES.get(Role(by.role), frozenset())


def managed_by(by: Staff, person: Staff) -> bool:
    """Tell whether ``by`` may change ``person``: not oneself, and nobody of one's own rank.

    A manager of some shops changes those who work in none but these.
    """
    if by.pk == person.pk or by.program_id != person.program_id:
        return False
    return may_manage(by, person.role) and _within(by, person.shops.all())


def add(
    program: Program,
    *,
    username: str,
    name: str,
    role: str,
    shops: Iterable[Shop] = (),
    by: Staff | None = None,
    password: str | None = None,
) -> tuple[Staff, str]:
    """Add a person; return them and their password. StaffError.

    Without ``password`` it is a new one, to be changed at the first log-in. ``by`` None is
    somebody at the machine itself, who may add anybody.
    """
    username, name, shops = username.strip().lower(), name.strip(), list(shops)
    _check_person(program, username, name, role, shops, by)
    given = password or one_time_password()
    person = Staff(program=program, username=username, name=name, role=role)
    if password:
        check_password_rules(password, person)
    person.set_password(given)
    person.must_change = password is None
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            person.shops.set(shops)
            _record(by, "staff.add", person, role=role, shops=[shop.pk for shop in shops])
    except IntegrityError as error:
        raise _taken() from error
    return person, given


def change(person: Staff, *, by: Staff, name: str, role: str, shops: Iterable[Shop]) -> None:
    """Change name, role and shops of a person. StaffError."""
    shops = list(shops)
    _check_may(by, person)
    if role != person.role and not may_manage(by, role):
        raise StaffError("role", "choose a role below your own, or ask an owner")
    if not name.strip() or len(name.strip()) > 80:
        raise StaffError("name", "write the name, in 80 characters at most")
    _check_shops(by, person.program, shops)
    with transaction.atomic():
        _lock_owners(person.program_id)
        if role != Role.OWNER:
            _keep_an_owner(person)
        before = person.role
        person.name, person.role = name.strip(), role
        person.session_version += 1
        person.save(update_fields=["name", "role", "session_version"])
        person.shops.set(shops)
        own = [shop.pk for shop in shops]
        _record(by, "staff.change", person, role=role, before=before, shops=own)


def deactivate(person: Staff, *, by: Staff) -> None:
    """Let a person in no more; open pages of theirs end too. StaffError."""
    _check_may(by, person)
    with transaction.atomic():
        _lock_owners(person.program_id)
        _keep_an_owner(person)
        person.is_active = False
        person.pin = ""
        person.session_version += 1
        person.save(update_fields=["is_active", "pin", "session_version"])
        _record(by, "staff.deactivate", person)


def activate(person: Staff, *, by: Staff) -> str:
    """Let a person in again; return a new password, to be changed at the first log-in."""
    _check_may(by, person)
    return _new_password(person, by, "staff.activate")


def reset_password(person: Staff, *, by: Staff) -> str:
    """Return a new password, to be changed at the first log-in; the old one ends. StaffError."""
    _check_may(by, person)
    if not person.is_active:
        raise StaffError("inactive", "this person does not work here any more")
    return _new_password(person, by, "staff.reset_password")


def set_password(person: Staff, old: str, new: str) -> None:
    """Change one's own password; every session ends. StaffError, and Django's ValidationError."""
    if not person.check_password(old):
        raise StaffError("old", "this is not your present password")
    if old == new:
        raise StaffError("same", "choose another password than the present one")
    validate_password(new, person)
    with transaction.atomic():
        person.set_password(new)
        person.must_change = False
        person.session_version += 1
        person.save(update_fields=["password", "must_change", "session_version"])
        _record(person, "staff.password", person)


def set_pin(person: Staff, pin: str, *, by: Staff) -> None:
    """Set a PIN of 4 to 8 digits, "" takes it away; one's own, or of whom one may change."""
    if by.pk != person.pk:
        _check_may(by, person)
    typed = pins.digits(pin)
    if typed:
        pins.check_rules(typed)
    with transaction.atomic():
        person.pin = pins.hashed(typed)
        person.pin_failures, person.pin_locked_until = 0, None
        person.save(update_fields=["pin", "pin_failures", "pin_locked_until"])
        _record(by, "staff.pin", person, is_set=bool(typed))


def one_time_password() -> str:
    """Return a password to be read out and typed once: 59 bits, no letters that look alike."""
    letters = "".join(secrets.choice(_ONE_TIME) for _ in range(12))
    return "-".join(letters[place : place + 4] for place in (0, 4, 8))


def check_password_rules(password: str, person: Staff) -> None:
    """StaffError with all that is wrong with a password."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise StaffError("password", " ".join(error.messages)) from error


def has_owner() -> bool:
    """Tell whether anybody is there who can log in and set everything else up."""
    owners = Staff.objects.filter(role=Role.OWNER, is_active=True)
    return owners.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def _check_person(
    program: Program, username: str, name: str, role: str, shops: list[Shop], by: Staff | None
) -> None:
    if not _USERNAME.match(username):
        raise StaffError("username", "use 2 to 40 of a-z, 0-9, dot, hyphen and underscore")
    if not name or len(name) > 80:
        raise StaffError("name", "write the name, in 80 characters at most")
    if role not in Role.values or (by and not may_manage(by, role)):
        raise StaffError("role", "choose a role below your own, or ask an owner")
    if by and by.program_id != program.pk:
        raise StaffError("program", "this is another program's")
    _check_shops(by, program, shops)
    if Staff.objects.filter(username=username).exists():
        raise _taken()


def _taken() -> StaffError:
    return StaffError("username_taken", "somebody has this user name already: choose another")


def _check_shops(by: Staff | None, program: Program, shops: list[Shop]) -> None:
    if any(shop.program_id != program.pk for shop in shops):
        raise StaffError("shops", "choose shops of this program")
    if by and not _within(by, shops):
        raise StaffError("shops", "choose at least one of your own shops, and no other")


def _within(by: Staff, shops: Iterable[Shop]) -> bool:
    """Tell whether ``shops`` are among those of ``by``; none at all means every shop."""
    own = set(by.shops.values_list("pk", flat=True))
    wanted = {shop.pk for shop in shops}
    return not own or (bool(wanted) and wanted <= own)


def _check_may(by: Staff, person: Staff) -> None:
    if by.pk == person.pk:
        raise StaffError("self", "you cannot change yourself: ask another owner or manager")
    if not managed_by(by, person):
        raise StaffError("rank", "you may not change this person: ask an owner")


def _lock_owners(program: int) -> None:
    """Two owners who let each other go at once must not both succeed."""
    list(Program.objects.select_for_update().filter(pk=program))


def _keep_an_owner(person: Staff) -> None:
    others = Staff.objects.filter(program=person.program_id, role=Role.OWNER, is_active=True)
    if person.role == Role.OWNER and not others.exclude(pk=person.pk).exists():
        raise StaffError("last_owner", "this is the last owner: make somebody else one first")


def _new_password(person: Staff, by: Staff, action: str) -> str:
    given = one_time_password()
    with transaction.atomic():
        person.set_password(given)
        person.must_change = person.is_active = True
        person.session_version += 1
        person.save(update_fields=["password", "must_change", "is_active", "session_version"])
        _record(by, action, person)
    return given


def _record(by: Staff | None, action: str, person: Staff, **detail: object) -> None:
    audit.record(by, action, f"staff:{person.pk}", program=person.program_id, **detail)
