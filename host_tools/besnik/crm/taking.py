"""Members made of customers, many at a time, within the caller's transaction.

All that can be read and worked out beforehand is: what is written is SQLite's one writer's time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db.models import Model, QuerySet

from besnik.crm import cache
from besnik.crm.foreign import Ambiguous, Customer
from besnik.crm.matching import Difference, Match
from besnik.crm.outbox import UNTOLD
from besnik.crm.rivals import take_back
from besnik.loyalty.ledger import OPENING, NewLot
from besnik.loyalty.ledger import Entry as Opening
from besnik.loyalty.operations import accrue
from besnik.loyalty.periods import expires_at
from besnik.store import programs
from besnik.store.books import writing
from besnik.store.inserting import Insert, next_keys
from besnik.store.models import (
    Card,
    CrmDifference,
    CrmLink,
    CrmRecord,
    CrmSource,
    Entry,
    Member,
    Person,
)
from besnik.store.numbers import cards_of
from besnik.store.people import names
from besnik.store.people.keyed import keyed

_TEXT_MAX: Final = 200
_DIGEST_LENGTH: Final = 32


def take(source: CrmSource, matches: Sequence[Match], language: str, now: dt.datetime) -> int:
    """Make the new ones members, link all, give cards nobody has; return the balances opened."""
    return Taking(source, matches, language, now).write()


class Taking:
    """What becomes of customers, worked out; on SQLite it holds as long as nobody else writes."""

    def __init__(
        self, source: CrmSource, matches: Sequence[Match], language: str, now: dt.datetime
    ) -> None:
        self._program = source.program_id
        self._now = now
        self._matches = matches
        new = [match for match in matches if match.what == "made"]
        keys = next_keys(Member, len(new)) if new else []
        self._pairs = [*zip(new, keys, strict=True), *_members_of(matches)]
        made = self._made([match.name for match in new], keys, language)
        self._new = [Insert(rows) for rows in made]
        self._linking = [Insert(rows) for rows in (self._links(), self._new_cards())]
        ours = [match.customer for match in matches if match.what not in ("skipped", "left_out")]
        self._keeping = cache.keeping(self._program, ours, now)
        self._keys = _keys_of_openings(source, [match for match in matches if match.opens])
        if self._keys:
            program = programs.current(self._program)
            self._until = expires_at(program.expiry_of(source.unit), now, program.tz)
        self._unit = source.unit

    def write(self) -> int:
        """Write it; return the balances opened."""
        for rows in self._new:
            rows.run()
        self._dispute()
        for rows in self._linking:
            rows.run()
        self._keeping.run()
        return self._opened(self._pairs)

    def _made(
        self, called: Sequence[str], keys: Sequence[int], language: str
    ) -> tuple[Sequence[Model], ...]:
        """Return the rows of new members, in the order in which they are written."""
        members = [
            Member(pk=key, program_id=self._program, name=name, language=language)
            for key, name in zip(keys, called, strict=True)
        ]
        persons = [
            Person(member=each, program_id=self._program, folded_name=names.folded(each.name))
            for each in members
        ]
        return members, persons, names.word_rows(persons)

    def _links(self) -> list[CrmLink]:
        return [
            CrmLink(program_id=self._program, member_id=member, external_id=match.customer.id)
            for match, member in self._pairs
            if match.what in ("made", "linked")
        ]

    def _new_cards(self) -> list[Card]:
        return [
            Card(
                program_id=self._program,
                member_id=member,
                kind=card.kind,
                data=card.data,
                by_crm=True,
            )
            for match, member in self._pairs
            for card in match.cards
        ]

    def _dispute(self) -> None:
        """Let cards be nobody's that several customers there have."""
        asked = {
            card: Ambiguous(tuple(sorted({match.customer.id, *rivals})))
            for match in self._matches
            for card, rivals in match.contested.items()
        }
        if asked:
            take_back(self._program, asked.keys())
            held = cards_of(self._program, asked)
            for card in held.values_list("data", flat=True):
                asked.pop(card, None)
            cache.keep_unowned(self._program, asked, self._now)

    def _opened(self, pairs: Sequence[tuple[Match, int]]) -> int:
        """Open balances with what there is of points there."""
        due = [
            (self._opening(member, match), key)
            for match, member in pairs
            if (key := self._keys.get(match.customer.id))
        ]
        if not due:
            return 0
        owners = [entry.opens[0].member for entry, _ in due]
        with writing(self._program, owners) as books:
            entries, keys = [entry for entry, _ in due], [key for _, key in due]
            books.post_all(entries, at=self._now, source="import", keys=keys)
        return len(due)

    def _opening(self, member: int, match: Match) -> Opening:
        points = match.customer.points or 0
        lot = NewLot(member, self._unit, points, self._now, self._now, self._until)
        return accrue(self._program, lot, source=OPENING, kind="open", reason="import")


def note(source: CrmSource, matches: Sequence[Match], found_at: dt.datetime) -> None:
    """Write what differs, in place of what was found of these customers before."""
    noted(source, matches).delete()
    CrmDifference.objects.bulk_create(
        _row(source, match, difference, found_at)
        for match in matches
        for difference in match.differences
    )
    contested: dict[str, set[str]] = {}
    for match in matches:
        for card, rivals in match.contested.items():
            for rival in rivals:
                contested.setdefault(rival, set()).add(card)
    if contested:
        _note_rivals(source, contested, found_at)


def _note_rivals(source: CrmSource, contested: dict[str, set[str]], found_at: dt.datetime) -> None:
    """Write of those who were met before that another customer has their card, too."""
    before = CrmDifference.objects.filter(
        program=source.program_id, kind="twice", external_id__in=contested
    )
    known = list(before)
    for row in known:
        row.cards = sorted(contested.pop(row.external_id).union(row.cards))
    CrmDifference.objects.bulk_update(known, ["cards"])
    records = CrmRecord.objects.filter(program=source.program_id, external_id__in=contested)
    names = dict(records.values_list("external_id", "name"))
    CrmDifference.objects.bulk_create(
        (
            _row(
                source,
                Match(Customer(rival, ""), "skipped", contested=dict.fromkeys(cards, ())),
                Difference("twice", names.get(rival, "")),
                found_at,
            )
            for rival, cards in sorted(contested.items())
        ),
        ignore_conflicts=True,
    )


def noted(source: CrmSource, matches: Sequence[Match]) -> QuerySet[CrmDifference]:
    """Return what was found of these customers before."""
    ids = [match.customer.id for match in matches]
    return CrmDifference.objects.filter(program=source.program_id, external_id__in=ids)


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
        cards=sorted(match.contested) if difference.kind == "twice" else [],
        found_at=found_at,
    )


def _members_of(matches: Sequence[Match]) -> list[tuple[Match, int]]:
    return [
        (match, match.member)
        for match in matches
        if match.member is not None and match.what in ("known", "linked")
    ]


def _keys_of_openings(source: CrmSource, matches: Sequence[Match]) -> dict[str, str]:
    """Return, by customer, the ledger's keys of balances to open: once for each customer ever."""
    keys = {match.customer.id: _key(source, match) for match in matches}
    if not keys:
        return {}
    known = Entry.objects.filter(program=source.program_id, key__in=keys.values()).exclude(key="")
    done = set(known.values_list("key", flat=True))
    return {customer: key for customer, key in keys.items() if key not in done}


def _key(source: CrmSource, match: Match) -> str:
    # The ledger keeps its keys for good: a member who is erased leaves no number of the CRM in it.
    times = source.numbering.get(source.adapter, 0)
    whose = (str(source.program_id), source.adapter, str(times), match.customer.id)
    digest = keyed("opening", *whose).hex()
    return f"{UNTOLD}{source.unit}:{digest[:_DIGEST_LENGTH]}"
