"""Takes checked rows over: members, cards, balances. The same file again changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.utils import timezone

from besnik.loyalty.ledger import OPENING, NewLot
from besnik.loyalty.operations import accrue
from besnik.loyalty.periods import expires_at
from besnik.loyalty.program import Program
from besnik.store import programs
from besnik.store.books import writing
from besnik.store.imports.checking import Checker, Problem, Ready
from besnik.store.imports.reading import rows_of
from besnik.store.models import Card, CardKind, Entry, ImportRun, Member, Staff
from besnik.store.models import Program as ProgramRow
from besnik.store.people import Details, NewCard, add_card, country, enrol

KEEP_PROBLEMS: Final = 500
_TELL_EVERY: Final = 50


def begin(
    program: int, staff: Staff | None, name: str, text: str, language: str, at: dt.datetime
) -> ImportRun:
    """Check a file and keep it with what was found; nothing is taken over yet.

    FileError for a file that cannot be read.
    """
    checker = Checker(program, country(program), language)
    total = made = opened = 0
    problems: list[Problem] = []
    for row in rows_of(text):
        total += 1
        found = checker.check(row)
        if isinstance(found, Ready):
            made += found.member is None
            opened += bool(found.opening)
        elif len(problems) < KEEP_PROBLEMS:
            problems += found
    return ImportRun.objects.create(
        program_id=program,
        staff=staff,
        name=name[:120],
        content=text,
        total=total,
        made=made,
        opened=opened,
        problems=problems,
        at=at,
    )


def run(work: ImportRun, language: str, told: Callable[[int], None] = lambda _done: None) -> None:
    """Take the rows over that have no problem; what is left of a run that broke off goes on.

    The file's text is forgotten at the end.
    """
    program = programs.current(work.program_id)
    row = ProgramRow.objects.get(pk=work.program_id)
    checker = Checker(work.program_id, country(work.program_id), language)
    work.made = work.opened = work.done = 0
    work.state = "running"
    problems: list[Problem] = []
    for done, given in enumerate(rows_of(work.content), start=1):
        found = checker.check(given)
        if isinstance(found, Ready):
            made, opened = _take(program, row, found, work.staff)
            work.made += made
            work.opened += opened
        elif len(problems) < KEEP_PROBLEMS:
            problems += found
        work.done = done
        if done % _TELL_EVERY == 0:
            work.save(update_fields=["state", "done", "made", "opened"])
            told(done)
    work.state, work.content, work.problems = "done", "", problems
    work.save()
    told(work.done)


def _take(
    program: Program, row: ProgramRow, ready: Ready, staff: Staff | None
) -> tuple[bool, bool]:
    """Return whether a member was made, and whether a balance was opened."""
    with transaction.atomic():
        if ready.member is None:
            member = enrol(
                row,
                name=ready.name,
                language=ready.language,
                card=NewCard(CardKind.UID, ready.card) if ready.card else None,
                details=Details(phone=ready.phone, email=ready.email, birthday=ready.birthday),
                source="import",
                staff=staff,
            )
        else:
            member = Member.objects.get(pk=ready.member)
            _add_card(member, ready.card)
        opened = _open(program, member, ready, staff)
        return ready.member is None, opened


def _add_card(member: Member, card: str) -> None:
    known = Card.objects.filter(program=member.program_id, kind=CardKind.UID, data=card)
    if card and not known.exists():
        add_card(member, NewCard(CardKind.UID, card))


def _open(program: Program, member: Member, ready: Ready, staff: Staff | None) -> bool:
    """Post the opening balances, once for each person and unit however often the file comes."""
    if not ready.opening:
        return False
    now = timezone.now()
    posted = False
    with writing(program.id, [member.pk]) as books:
        for unit, amount in ready.opening.items():
            until = expires_at(program.expiry_of(unit), now, program.tz)
            lot = NewLot(member.pk, unit, amount, now, now, until)
            entry = accrue(program.id, lot, source=OPENING, kind="open", reason="import")
            keys = [f"open:{unit}:{identity}" for identity in ready.identities]
            if not Entry.objects.filter(program=program.id, key__in=keys).exists():
                books.post(entry, at=now, source="import", staff=staff, key=keys[0])
                posted = True
    return posted
