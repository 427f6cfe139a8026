"""How long a cashier waits for a member to be found among 100,000, on SQLite.

Members with two names of 300 and 3,000, a phone and a card each. 200 searches of each kind, by
`besnik.store.people.find` in this process: what the page or the API adds is not counted. The
commonest name of all is what 330 members are called; one letter is the beginning of thousands.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final

from figures import Figure, at_most
from parts import prepared_database

from support.orm import models_on

TITLE = "Finding a member"
MEMBERS: Final = 100_000
SEARCHES: Final = 200
P95_MS: Final = 50.0
_SYLLABLES: Final = ("an", "be", "dri", "el", "fa", "go", "hi", "ka", "lo", "mi", "ne", "ru", "sa")
_AT_ONCE: Final = 5_000


def measure() -> list[Figure]:
    """Fill a shop and search it."""
    rng = random.Random(5)
    with prepared_database() as url, models_on(url):
        from besnik.store import people
        from besnik.store.models import Program

        program = Program.objects.get()
        _fill(program.pk)
        first, last = _words(2, 300), _words(4, 3_000)
        kinds: dict[str, Callable[[], str]] = {
            "by phone": lambda: _phone(rng.randrange(MEMBERS)),
            "by first and last name": lambda: f"{rng.choice(first)} {rng.choice(last)}",
            "by the beginnings of both": lambda: f"{rng.choice(last)[:5]} {rng.choice(first)[:2]}",
            "by a last name": lambda: rng.choice(last),
            "by a first name that hundreds have": lambda: rng.choice(first),
            "by one letter": lambda: rng.choice(first)[0],
            "by the end of a card's number": lambda: _uid(rng.randrange(MEMBERS))[-4:],
            "by a whole card's number": lambda: _uid(rng.randrange(MEMBERS)),
        }
        figures = []
        for kind, text in kinds.items():
            taken_ms = []
            for _ in range(SEARCHES):
                wanted = text()
                began = time.perf_counter()
                people.find(program, wanted, "cashier")
                taken_ms.append((time.perf_counter() - began) * 1e3)
            p95 = statistics.quantiles(taken_ms, n=20)[-1]
            figures.append(at_most(f"{kind}, p95", p95, P95_MS, "ms", 1))
    return figures


def _fill(program: int) -> None:
    from besnik.store.models import Card, Member, Person
    from besnik.store.people import names, phones

    first, last = _words(2, 300), _words(4, 3_000)
    for start in range(0, MEMBERS, _AT_ONCE):
        numbers = range(start, start + _AT_ONCE)
        members = Member.objects.bulk_create(
            Member(
                program_id=program,
                ref=f"z{number:011d}",
                name=f"{first[number % 300]} {last[number // 300 * 7 % 3_000]}",
            )
            for number in numbers
        )
        persons = Person.objects.bulk_create(
            Person(
                member=member,
                program_id=program,
                folded_name=names.folded(member.name),
                phone=_phone(number),
                phone_digest=phones.digest(_phone(number)),
            )
            for number, member in zip(numbers, members, strict=True)
        )
        names.index(persons)
        Card.objects.bulk_create(
            Card(program_id=program, member=member, kind="uid", data=_uid(number))
            for number, member in zip(numbers, members, strict=True)
        )


def _words(syllables: int, most: int) -> list[str]:
    made = ("".join(parts) for parts in itertools.product(_SYLLABLES, repeat=syllables))
    words = [word.capitalize() for word in itertools.islice(_spread(made, syllables), most)]
    return list(itertools.islice(itertools.cycle(words), most))


def _spread(words: Iterator[str], syllables: int) -> Iterator[str]:
    """Yield words from all over the alphabet."""
    step = max(1, len(_SYLLABLES) ** syllables // 3_000)
    return itertools.islice(words, 0, None, step)


def _phone(number: int) -> str:
    return f"+35569{number:07d}"


def _uid(number: int) -> str:
    return f"04{number:012X}"
