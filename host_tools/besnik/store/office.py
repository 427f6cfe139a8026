"""What the owner of the machine does about staff and the audit log, at its terminal."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from besnik.store.terminal import CannotError, run

if TYPE_CHECKING:
    from besnik.store.models import Program


def add_staff(
    username: str, *, role: str, name: str = "", program: str = "", one_time: bool = False
) -> int:
    """Add a person, with a password that is typed twice; return the exit status.

    ``one_time`` makes a password instead, to be changed at the first log-in. ``program`` names
    the program; it is made if there is none yet.
    """
    return run("besnik", lambda: _add(username, role, name or username, program, one_time))


def list_staff() -> int:
    """Print who works here; return the exit status."""
    return run("besnik", _list)


def verify_audit(holds: str = "") -> int:
    """Read the audit log and say whether it is whole; return the exit status."""
    return run("besnik", lambda: _verify(holds))


def _add(username: str, role: str, name: str, program: str, one_time: bool) -> int:
    from besnik.store import staff

    try:
        given = None if one_time else _asked_password()
        person, password = staff.add(
            _program(program), username=username, name=name, role=role, password=given
        )
    except staff.StaffError as error:
        raise CannotError(str(error)) from error
    print(f"staff: {person.username} is {person.get_role_display()} of {person.program}")
    if one_time:
        print(f"staff: the first password is {password} and has to be changed at the first log-in")
    return 0


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise CannotError(
            "the password is typed at a terminal, where nobody can read it afterwards: "
            "run this in one, or add --one-time to get a password"
        )
    password = getpass.getpass("password: ")
    if getpass.getpass("password, once more: ") != password:
        raise CannotError("these are two passwords: try again")
    return password


def _program(name: str) -> Program:
    from besnik.store.models import Program

    known = list(Program.objects.order_by("pk"))
    named = [program for program in known if program.name == name]
    if named:
        return named[0]
    if not known:
        if not name:
            raise CannotError("there is no program yet: name it, as in --program 'Corner Coffee'")
        return Program.objects.create(name=name)
    if len(known) == 1 and not name:
        return known[0]
    names = ", ".join(repr(program.name) for program in known)
    raise CannotError(f"say whose, by --program and one of {names}")


def _list() -> int:
    from besnik.store.models import Staff

    for person in Staff.objects.select_related("program").order_by("program", "username"):
        left = "" if person.is_active else "  (left)"
        print(f"{person.username:24} {person.role:8} {person.program}{left}")
    return 0


def _verify(holds: str) -> int:
    from besnik.store import audit

    chain = audit.verify(holds=holds.strip().lower())
    if chain.broken is None:
        print(f"audit: {chain.length} records, and nothing was changed; the newest is {chain.head}")
        return 0
    where = f"record {chain.broken.row}: " if chain.broken.row else ""
    print(f"audit: the log was changed: {where}{chain.broken.why}", file=sys.stderr)
    return 1
