"""What one open page of a till is told: its board when that changed, and how current it is."""

from __future__ import annotations

import time
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import translation

from besnik.site import streams
from besnik.site.board import EARLIER, Gap, newest, newest_taps
from besnik.site.cashier.context import till_context
from besnik.site.hub import Watch, hub
from besnik.site.till import get_till
from besnik.store.models import Reader, Staff, Till

# A screen looks at the clock too: who stood at the till five minutes ago has left.
LOOK_S: Final = 10.0
# What happened while a page was away stays on it for so long.
CATCH_UP_S: Final = 300.0


class TillScreen:
    """One page of one till, in one language; ``look`` and ``link`` are those of `streams.live`.

    ``where`` is who looks, the shop and the till, as for `get_till`. ``after`` is the row of the
    newest tap the page knew when it lost its stream, None if it had none.
    """

    def __init__(
        self,
        watch: Watch,
        where: tuple[Staff, str, str],
        *,
        csrf_token: str = "",
        after: int | None = None,
    ) -> None:
        self._watch = watch
        self._where = where
        self._language = translation.get_language() or "en"
        self._csrf_token = csrf_token
        self._after = after
        self._gap: Gap | None = None
        self._caught_up_s = time.monotonic() + CATCH_UP_S
        self._till: Till | None = None
        self._said_key = ""

    def look(self) -> list[bytes]:
        """Return the event ``board`` with the screen as HTML, if it is not what was said last."""
        till = self._till = self._till or get_till(*self._where)
        readers = Reader.objects.filter(till=till).values_list("slug", flat=True)
        self._watch.readers = frozenset(readers)
        if self._after is not None:
            self._gap = Gap(self._after, newest(newest_taps(till, EARLIER)))
            self._after = None
        if time.monotonic() > self._caught_up_s:
            self._gap = None
        with translation.override(self._language):
            context = till_context(till, self._where[0], self._csrf_token, gap=self._gap)
            key: str = context["board"].key
            if key == self._said_key:
                return []
            html = self.draw(context)
        self._said_key = key
        return [streams.event("board", html)]

    def draw(self, context: dict[str, Any]) -> str:
        """Return the screen as HTML, in the language of the page."""
        return render_to_string("site/_stage.html", context)

    def link(self) -> str:
        """Return ``live``, ``broker``, ``bridge`` (who is away) or ``reader`` (one is off line)."""
        readers = self._watch.readers or ()
        if hub.sight == "live" and not all(map(hub.reader_online, readers)):
            return "reader"
        return hub.sight


class CustomerScreen(TillScreen):
    """The customer's side of a till: as a till's screen, in the member's own language."""

    def draw(self, context: dict[str, Any]) -> str:
        """Return what the customer sees as HTML."""
        member = context["board"].member
        with translation.override(member.language if member else translation.get_language()):
            return render_to_string("site/_customer.html", context)
