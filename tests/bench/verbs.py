"""What the tills' API costs on the server with 100,000 members and 1,000,000 entries, on SQLite.

Each request goes through all of Django (Django's test client, so without the network) to a commit
at `synchronous=FULL`, for members picked at random; half of the accruals are by card and half by
phone. Twenty tills take turns, as one would be told to wait. The 95th percentile of 200 requests
each, after 20 that are not counted.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import bigshop
from figures import Figure, at_most
from parts import environment

from support.database import prepare
from support.orm import models_on

TITLE = "The tills' API in a big shop"
REQUESTS: Final = 200
WARM: Final = 20
ACCRUE_MS: Final = 50
ANY_MS: Final = 500
TILLS: Final = 20

Ask = Callable[[], tuple[str, dict[str, Any]]]


class Tills:
    """Tills that take turns, and the members who come to them."""

    def __init__(self) -> None:
        from django.test import Client

        from besnik.store.models import Shop, Till
        from besnik.store.till import keys

        shop = Shop.objects.get(slug="corner")
        made = [
            Till.objects.create(shop=shop, slug=f"bench-{number}", name="Till")
            for number in range(TILLS)
        ]
        self._keys = itertools.cycle([keys.make(till, "bench") for till in made])
        self._client = Client(HTTP_HOST="localhost")
        self._numbers = itertools.count(1)
        self._random = random.Random(1)
        self.used_ms: list[float] = []

    def send(self, verb: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Send a request that has to succeed; return its milliseconds and its answer."""
        headers = {
            "Authorization": f"Bearer {next(self._keys)}",
            "Idempotency-Key": f"bench-{next(self._numbers)}",
        }
        text = json.dumps(body)
        began, used = time.perf_counter(), time.process_time()
        answer = self._client.post(
            f"/api/v1/{verb}", text, content_type="application/json", headers=headers
        )
        taken = (time.perf_counter() - began) * 1e3
        self.used_ms.append((time.process_time() - used) * 1e3)
        assert answer.status_code == 200, f"{verb} {body}: {answer.content.decode()}"
        found: dict[str, Any] = answer.json()
        return taken, found

    def anybody(self) -> int:
        """Return the number of a member."""
        return self._random.randrange(bigshop.MEMBERS)

    def by_phone(self) -> dict[str, Any]:
        """Return how some member is named by phone."""
        return {"phone": f"+35569{self.anybody():07d}"}

    def by_card(self) -> dict[str, Any]:
        """Return how some member is named by card."""
        return {"card": f"04{self.anybody():012X}"}

    def receipt(self) -> str:
        """Return the number of a new receipt."""
        return f"bench-{next(self._numbers)}"


def measure() -> list[Figure]:
    """Build the shop and ask each verb."""
    with TemporaryDirectory(prefix="besnik-") as folder:
        url = f"sqlite:///{folder}/besnik.sqlite3"
        prepare(url, environment())
        with models_on(url):
            began = time.perf_counter()
            bigshop.build(url)
            built_s = time.perf_counter() - began
            size = Path(folder, "besnik.sqlite3").stat().st_size
            figures = list(_figures(Tills()))
    return [*figures, Figure("the database", f"{size / 1e9:.2f} GB, built in {built_s:.0f} s")]


def _figures(tills: Tills) -> Iterator[Figure]:
    for name, goal_ms, ask in _asks(tills):
        times, used_ms = [], []
        for _ in range(WARM + REQUESTS):
            times.append(tills.send(*ask())[0])
            used_ms.append(tills.used_ms[-1])
        cuts = statistics.quantiles(times[WARM:], n=100)
        yield at_most(f"{name}, p95", cuts[94], goal_ms, "ms", 1)
        used = statistics.median(used_ms[WARM:])
        yield Figure(f"{name}, median", f"{cuts[49]:.1f} ms, {used:.1f} of them computing")


def _asks(tills: Tills) -> Iterator[tuple[str, int, Ask]]:
    def sale(**more: Any) -> dict[str, Any]:
        lines = [
            {"id": "1", "amount_minor": 1_250, "title": "Burrito"},
            {"id": "2", "amount_minor": 640, "title": "Smoothie"},
        ]
        return {"receipt": tills.receipt(), "lines": lines, **more}

    def sold(**more: Any) -> dict[str, Any]:
        return tills.send("accrue", sale(**more))[1]

    def held() -> str:
        name: str = tills.send("hold", {"who": tills.by_phone(), "amount": 5})[1]["hold"]
        return name

    def rich() -> dict[str, Any]:
        who = tills.by_phone()
        tills.send("topup", {"who": who, "amount_minor": 1_000})
        return who

    turn = itertools.count()
    yield (
        "ACCRUE",
        ACCRUE_MS,
        lambda: (
            "accrue",
            sale(who=tills.by_card() if next(turn) % 2 else tills.by_phone()),
        ),
    )
    yield "SEARCH by phone", ANY_MS, lambda: ("search", {"text": tills.by_phone()["phone"]})
    yield (
        "SEARCH by name",
        ANY_MS,
        lambda: ("search", {"text": f"family{tills.anybody() % 1000:03d} name1"}),
    )
    yield "INQUIRE", ANY_MS, lambda: ("inquire", {"who": tills.by_phone()})
    yield (
        "preview",
        ANY_MS,
        lambda: ("preview", {"amount_minor": 1_890, "who": tills.by_phone()}),
    )
    yield (
        "SIGNUP",
        ANY_MS,
        lambda: (
            "signup",
            {"name": "New Member", "phone": f"+35568{next(turn):07d}"},
        ),
    )
    yield (
        "REDEEM",
        ANY_MS,
        lambda: ("redeem", {"who": tills.by_phone(), "amount": 5}),
    )
    yield "hold", ANY_MS, lambda: ("hold", {"who": tills.by_phone(), "amount": 5})
    yield "commit", ANY_MS, lambda: ("commit", {"hold": held()})
    yield (
        "REVERSE of a sale",
        ANY_MS,
        lambda: ("reverse", {"entry": sold(who=tills.by_phone())["entry"]}),
    )
    yield (
        "refund of a line",
        ANY_MS,
        lambda: (
            "refund",
            {"receipt": sold(who=tills.by_phone())["receipt"], "lines": ["1"]},
        ),
    )
    yield (
        "attach",
        ANY_MS,
        lambda: ("attach", {"receipt": sold()["receipt"], "who": tills.by_phone()}),
    )
    yield (
        "TRANSFER",
        ANY_MS,
        lambda: (
            "transfer",
            {"who": tills.by_phone(), "to": tills.by_card(), "amount": 1},
        ),
    )
    yield "pay", ANY_MS, lambda: ("pay", {"who": rich(), "amount_minor": 640})
