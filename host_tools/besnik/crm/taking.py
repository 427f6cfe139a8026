"""Members made of customers, many at a time, within the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from besnik.crm import cache
from besnik.crm.matching import Difference, Match
from besnik.crm.outbox import UNTOLD
from besnik.loyalty.ledger import OPENING, NewLot
from besnik.loyalty.operations import accrue
from besnik.loyalty.periods import expires_at
from besnik.store import programs
from besnik.store.books import writing
from besnik.store.models import Card, CrmDifference, CrmLink, CrmSource, Entry, Member, Person
from besnik.store.people import names
from besnik.store.people.keyed import keyed

_TEXT_MAX: Final = 200
_DIGEST_LENGTH: Final = 32


def take(source: CrmSource, matches: Sequence[Match], language: str, now: dt.datetime) -> int:
    """Make the new ones members, link all, give cards nobody has; return the balances opened."""
    new = [match for match in matches if match.what == "made"]
    members = _made(source, new, language)
    pairs = [*zip(new, members, strict=True), *_members_of(matches)]
    program = source.program_id
    CrmLink.objects.bulk_create(
        CrmLink(program_id=program, member_id=member, external_id=match.customer.id)
        for match, member in pairs
        if match.what in ("made", "linked")
    )
    Card.objects.bulk_create(
        Card(program_id=program, member_id=member, kind=card.kind, data=card.data)
        for match, member in pairs
        for card in match.cards
    )
    ours = [match.customer for match in matches if match.what not in ("skipped", "left_out")]
    cache.keep(program, ours, now)
    return _opened(source, list(zip(new, members, strict=True)), now)


def note(source: CrmSource, matches: Sequence[Match], found_at: dt.datetime) -> None:
    """Write what differs, in place of what was found of these customers before."""
    ids = [match.customer.id for match in matches]
    CrmDifference.objects.filter(program=source.program_id, external_id__in=ids).delete()
    CrmDifference.objects.bulk_create(
        _row(source, match, difference, found_at)
        for match in matches
        for difference in match.differences
    )


def _row(
    source: CrmSource, match: Match, difference: Difference, found_at: dt.datetime
) -> CrmDifference:
    return CrmDifference(
        program_id=source.program_id,
        kind=difference.kind,
        external_id=match.customer.id,
        member_id=difference.member,
        there=difference.there[:_TEXT_MAX],
        here=difference.here[:_TEXT_MAX],
        found_at=found_at,
    )


def _made(source: CrmSource, new: Sequence[Match], language: str) -> list[int]:
    program = source.program_id
    members = Member.objects.bulk_create(
        Member(program_id=program, name=match.name, language=language) for match in new
    )
    persons = Person.objects.bulk_create(
        Person(member=member, program_id=program, folded_name=names.folded(member.name))
        for member in members
    )
    names.index(persons)
    return [member.pk for member in members]


def _members_of(matches: Sequence[Match]) -> list[tuple[Match, int]]:
    return [
        (match, match.member)
        for match in matches
        if match.member is not None and match.what in ("known", "linked")
    ]


def _opened(source: CrmSource, new: Sequence[tuple[Match, int]], now: dt.datetime) -> int:
    """Open the balances of new members with their points there, once for each customer ever."""
    points = {
        member: match for match, member in new if source.unit and (match.customer.points or 0) > 0
    }
    if not points:
        return 0
    program = programs.current(source.program_id)
    keys = {member: _key(source, match) for member, match in points.items()}
    known = Entry.objects.filter(program=program.id, key__in=keys.values()).exclude(key="")
    done = set(known.values_list("key", flat=True))
    until = expires_at(program.expiry_of(source.unit), now, program.tz)
    due = {
        member: accrue(
            program.id,
            NewLot(member, source.unit, match.customer.points or 0, now, now, until),
            source=OPENING,
            kind="open",
            reason="import",
        )
        for member, match in points.items()
        if keys[member] not in done
    }
    with writing(program.id, list(due)) as books:
        books.post_all(
            list(due.values()), at=now, source="import", keys=[keys[member] for member in due]
        )
    return len(due)


def _key(source: CrmSource, match: Match) -> str:
    # The ledger keeps its keys for good: a member who is erased leaves no number of the CRM in it.
    digest = keyed("opening", str(source.program_id), source.adapter, match.customer.id).hex()
    return f"{UNTOLD}{source.unit}:{digest[:_DIGEST_LENGTH]}"
