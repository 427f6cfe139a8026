"""The pages by Django's test client, on a database of the test's own."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from besnik import demo
from besnik.contract import Reason
from besnik.site import catalogues
from support.orm import models_on

if TYPE_CHECKING:  # the models can be imported once support.orm has set Django up
    from besnik.store.models import Tap

UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}


@pytest.fixture(autouse=True, scope="session")
def _compiled() -> None:
    catalogues.compile_stale(settings.STATE / "locale")


@pytest.fixture
def orm(database_url: str) -> Iterator[str]:
    """The models work on ``database_url``, which is also the fixture's value."""
    with models_on(database_url):
        yield database_url


@pytest.fixture
def anonymous(orm: str) -> Client:
    """A browser that speaks to the pages of this database; nobody is logged in."""
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=False)


LogIn = Callable[..., Client]


@pytest.fixture
def log_in(orm: str) -> LogIn:
    """Returns a browser in which the demo's person of a role is logged in."""
    from besnik.store.models import Staff

    def browser(role: str, **options: Any) -> Client:
        made = Client(HTTP_HOST="localhost", **options)
        made.force_login(Staff.objects.get(username=f"demo-{role}"))
        return made

    return browser


@pytest.fixture
def client(log_in: LogIn) -> Client:
    """A browser in which the demo's owner is logged in."""
    return log_in("owner")


Tapped = Callable[..., "Tap"]


@pytest.fixture
def tapped(orm: str) -> Tapped:
    """Writes a tap as the bridge does, without its ledger entry."""
    from besnik.store.models import Card, Reader, Tap

    numbers = itertools.count(1)

    def write(key: str, reason: Reason, *, ago_s: float = 0, queued_s: float = 0) -> Tap:
        at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago_s)
        card = Card.objects.filter(data=UIDS[key]).first()
        return Tap.objects.create(
            reader=Reader.objects.get(slug=demo.READER),
            tap_id=f"00001-{next(numbers):06d}",
            kind="uid",
            data=UIDS[key],
            card=card,
            member=card.member if card else None,
            tier="D",
            outcome="accepted" if reason == "ok" else "rejected",
            reason=reason,
            read_at=int(at.timestamp() - queued_s),
            clock_quality=2,
            queued=bool(queued_s),
            received_at=at,
        )

    return write
