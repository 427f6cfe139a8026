"""A till's page in tests: somebody logged in, and cards held to the reader as the bridge has it."""

from __future__ import annotations

import datetime as dt
import html
import itertools
import re
from typing import Any

from django.test import Client

from besnik import demo
from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential, Tier, assess
from besnik.store.hot import CardKey, DecidedTap, happened_at, open_hot
from support.store import settings_for

UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}
PAGE = f"/cashier/{demo.SHOP}/{demo.TILL}/"
SCRIPT = {"X-Requested-With": "fetch"}


class TillPage:
    """The demo's till on the database ``url``, with somebody of ``role`` at it."""

    def __init__(self, url: str, role: str = "cashier", till: str = demo.TILL) -> None:
        from besnik.store.models import Staff

        self.client = Client(HTTP_HOST="localhost")
        self.client.force_login(Staff.objects.get(username=f"demo-{role}"))
        self.page = f"/cashier/{demo.SHOP}/{till}/"
        self.hot = open_hot(settings_for(url))
        self._numbers = itertools.count(1)
        self._boot = id(self) % 90_000

    def tap(
        self, card: str, *, ago_s: float = 0, reader: str = demo.READER, tier: Tier | None = None
    ) -> int:
        """Hold a card (a key of the demo's, or a UID) to a reader; return the tap's row."""
        at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago_s)
        place = self.hot.readers([reader])[reader]
        uid = UIDS.get(card, card)
        proved = tier or assess("uid", uid).tier
        key = CardKey(place.rules.program, CardRef("uid", uid))
        known = self.hot.cards([key]).get(key)
        read_at = int(at.timestamp())
        decision = decide(
            Credential(key.ref, proved), known, place, happened_at(read_at, 2, False, at)
        )
        number = next(self._numbers)
        tap = DecidedTap(
            reader=place.id,
            tap_id=f"{self._boot:05d}-{number:06d}",
            ref=key.ref,
            card=known,
            tier=proved,
            outcome=decision.outcome,
            reason=decision.reason,
            read_at=read_at,
            clock_quality=2,
            queued=False,
            received_at=at,
            entry=decision.entry,
            bounds=decision.bounds,
        )
        self.hot.record([tap])
        from besnik.store.models import Tap

        return Tap.objects.get(reader__slug=reader, tap_id=tap.tap_id).pk

    def see(self, path: str = "") -> str:
        """Return the text of a page of the till, without its tags."""
        return text_of(self.html(path))

    def html(self, path: str = "") -> str:
        """Return a page of the till."""
        answer = self.client.get(self.page + path)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def get(self, path: str) -> str:
        """Return what a script gets: a sheet, or the stage."""
        answer = self.client.get(self.page + path, headers=SCRIPT)
        assert answer.status_code == 200, answer.status_code
        return text_of(answer.content.decode())

    def do(self, path: str, /, **fields: Any) -> str:
        """Send a sheet as a script does; return the text of the answer."""
        answer = self.client.post(self.page + path, fields, headers=SCRIPT)
        assert answer.status_code == 200, answer.status_code
        return text_of(answer.content.decode())

    def close(self) -> None:
        """Leave."""
        self.hot.close()


def ref(name: str) -> str:
    """Return the reference of a member by name."""
    from besnik.store.models import Member

    return Member.objects.get(name=name).ref


def text_of(page: str) -> str:
    """Return what is to be read on a page, in one line."""
    plain = re.sub(r"<(style|script|svg|noscript)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", plain)).split())
