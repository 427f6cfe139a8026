"""The words of names, kept beside each person so that any of them finds the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from besnik.store.models import Member, NameWord, Person
from besnik.store.people.folding import fold, words

_LAST_CHARACTER: Final = "\U0010ffff"
_FOLDED_MAX: Final = 240
_WORD_MAX: Final = 120


def folded(name: str) -> str:
    """Return ``name`` as ``Person.folded_name`` holds it."""
    return fold(name)[:_FOLDED_MAX].rstrip()


@transaction.atomic
def rename(member: Member, name: str) -> None:
    """Give ``member`` a name (from `enrolment.clean_name`), and be found by it at once."""
    Member.objects.filter(pk=member.pk).update(name=name)
    member.name = name
    person, _ = Person.objects.update_or_create(
        member=member,
        defaults={"folded_name": folded(name)},
        create_defaults={"program_id": member.program_id, "folded_name": folded(name)},
    )
    NameWord.objects.filter(person=person).delete()
    index([person])


def index(persons: Iterable[Person]) -> None:
    """Remember the words of new ``persons``; for those who were written by ``bulk_create`` too."""
    NameWord.objects.bulk_create(word_rows(persons))


def word_rows(persons: Iterable[Person]) -> list[NameWord]:
    """Return the words of new ``persons`` as rows that are not written yet."""
    return [
        NameWord(person_id=person.pk, program_id=person.program_id, word=word[:_WORD_MAX])
        for person in persons
        for word in words(person.folded_name)
    ]


def beginning(field: str, text: str) -> Q:
    """Return the condition that ``field`` begins with ``text``, by its index on both databases.

    SQLite's LIKE makes no use of one (sqlite.org/optoverview.html#the_like_optimization), and
    PostgreSQL's order of a language is not that of the characters.
    """
    if connection.vendor == "sqlite":
        return Q(**{f"{field}__gte": text, f"{field}__lt": text + _LAST_CHARACTER})
    return Q(**{f"{field}__startswith": text})
