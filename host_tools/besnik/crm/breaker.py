"""A circuit breaker: a CRM that fails is left alone for a while, and tried by one call then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from besnik.crm.foreign import CrmAwayError, CrmError, CrmRefusedError

State = Literal["closed", "half_open", "open"]

FAILURES_MAX: Final = 3
REST_S: Final = 5.0
REST_MAX_S: Final = 300.0


class Standing(msgspec.Struct, frozen=True):
    """How a CRM is doing. ``retry_at`` None of one that is open: when somebody changed the key.

    One that is closed and has it is well, and its day's requests are used up until then.
    """

    state: State = "closed"
    why: str = ""
    retry_at: dt.datetime | None = None


class HeldBackError(CrmAwayError):
    """The CRM was not asked at all: it is being left alone, or its day's requests are used up."""


class CutShortError(CrmAwayError):
    """The day's requests were used up in the middle of a call: some of it may be carried out."""


class Breaker:
    """Closed: calls go through. Open: none. Half open: one, whose end decides.

    It opens after three failures in a row, at once for one that says how long, and for good when
    the CRM does not let us in. The rest doubles each time, up to five minutes. ``now`` is aware.
    """

    def __init__(self, now: Callable[[], dt.datetime], standing: Standing | None = None) -> None:
        self._now = now
        self._failures = 0
        self._rest_s = REST_S
        self._is_trying = False
        self.standing = standing or Standing()

    def enter(self) -> None:
        """Let a call through, or raise HeldBackError; each that came through has to ``end``."""
        said = self.standing
        if said.state == "closed":
            return
        if said.retry_at is None:
            raise HeldBackError(said.why)
        left_s = (said.retry_at - self._now()).total_seconds()
        if self._is_trying or left_s > 0:
            raise HeldBackError(said.why, max(left_s, 0.0))
        self._is_trying = True
        self.standing = Standing("half_open", said.why, said.retry_at)

    def end(self, error: CrmError | None) -> None:
        """Say how a call went that came through."""
        if error is None:
            self.reset()
            return
        self._is_trying = False
        self._failures += 1
        why = str(error)[:300]
        if isinstance(error, CrmRefusedError):
            self.standing = Standing("open", why)
            return
        asked_s = error.retry_after_s if isinstance(error, CrmAwayError) else None
        if self.standing.state == "closed" and asked_s is None and self._failures < FAILURES_MAX:
            return
        rest_s = self._rest_s if asked_s is None else asked_s
        self._rest_s = min(self._rest_s * 2, REST_MAX_S)
        self.standing = Standing("open", why, self._now() + dt.timedelta(seconds=rest_s))

    def given_up(self) -> None:
        """Say that a call was ended from here: it tells nothing, the next one tries."""
        self._is_trying = False

    def held_back(self, error: CrmAwayError) -> None:
        """Say that the day's requests are used up: it is as well or ill as before."""
        self.given_up()
        if self.standing.state == "closed" and error.retry_after_s is not None:
            until = self._now() + dt.timedelta(seconds=round(error.retry_after_s) + 0.5)
            self.standing = Standing("closed", str(error), until.replace(microsecond=0))

    def reset(self) -> None:
        """Close it: a call went well, or somebody changed what was wrong."""
        self._failures = 0
        self._rest_s = REST_S
        self._is_trying = False
        self.standing = Standing()
