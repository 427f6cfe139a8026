"""The member's own page, as somebody who has nothing but its link opens it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from support.pos import Clock

_TAGS = re.compile(r"<(?:script|style|svg)\b.*?</(?:script|style|svg)>|<[^>]+>", re.DOTALL)
_SPACE = re.compile(r"\s+")
# Isolates and marks of direction are not seen.
_UNSEEN = re.compile("[\u200e\u200f\u2066-\u2069]")


class OwnPage:
    """A browser without a cookie at one member's link."""

    def __init__(self, ref: str) -> None:
        from besnik.store import people
        from besnik.store.models import Member

        self.ref = ref
        self.address = people.link(Member.objects.get(ref=ref))
        self.client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)

    def get(self, part: str = "", status: int = 200) -> HttpResponse:
        """Open the page or a part of it."""
        answer = self.client.get(f"{self.address}{part}")
        assert answer.status_code == status, answer.content.decode()
        assert not self.client.cookies
        return answer

    def post(self, part: str, status: int = 302, **fields: Any) -> HttpResponse:
        """Send a form of the page."""
        answer = self.client.post(f"{self.address}/{part}", fields)
        assert answer.status_code == status, answer.content.decode()
        assert not self.client.cookies
        return answer

    def html(self, part: str = "") -> str:
        """Return a part of the page as it is sent."""
        return self.get(part).content.decode()

    def text(self, part: str = "") -> str:
        """Return the words of a part of the page, as they are read."""
        words = html.unescape(_TAGS.sub(" ", self.html(part)))
        return _SPACE.sub(" ", _UNSEEN.sub("", words).replace("\u00a0", " "))


@pytest.fixture
def own(orm: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], OwnPage]:
    """Opens the page of a member by reference; it is as late there as at the tills."""
    from besnik.site.rate import Limiter
    from besnik.site.views import member

    monkeypatch.setattr(member, "now", lambda: clock.now)
    monkeypatch.setattr(member, "_PAGES", Limiter(10_000, 60))
    monkeypatch.setattr(member, "_WRONG", Limiter(10_000, 60))
    return OwnPage


Own = Callable[[str], OwnPage]
