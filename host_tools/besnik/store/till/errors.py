"""Why the till cannot do what was asked: a word for programs, a sentence for people.

Every sentence says what to do, in the language that is active when it is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec
from django.utils.translation import gettext

from besnik.loyalty.accrual import NotEarningError
from besnik.loyalty.idempotency import InFlightError, KeyConflictError
from besnik.loyalty.ledger import RefusedError
from besnik.loyalty.lots import InsufficientError
from besnik.loyalty.reversal import AlreadyReversedError
from besnik.loyalty.rewards import RewardError
from besnik.store.people.enrolment import EnrolError
from besnik.store.till import said

_STATUS: Final = ((404, said.UNKNOWN), (409, said.CONFLICT), (422, said.INVALID))
# code: status (as HTTP counts them) and text.
_SAID: Final = {code: (status, text) for status, texts in _STATUS for code, text in texts.items()}


class Alarm(msgspec.Struct, frozen=True):
    """What a refusal leaves for somebody to look at: `besnik.store.models.Alert`."""

    kind: str
    member: int | None = None
    staff: int | None = None
    detail: Mapping[str, str | int] = msgspec.field(default_factory=dict)


class TillError(ValueError):
    """A verb that was refused, and nothing was changed; ``code`` is stable.

    ``text`` says what to do. ``status`` is 404 for what is not there, 409 for what cannot be now,
    422 for what was asked wrongly. ``values`` are the figures in the text.
    """

    def __init__(self, code: str, *, alarm: Alarm | None = None, **values: object) -> None:
        self.status, self._msgid = _SAID[code]
        self.code, self.alarm, self.values = code, alarm, values
        self.text = self.said(str)
        super().__init__(self.text)

    def said(self, figure: Callable[[int], str]) -> str:
        """Return the text in the active language, its figures as ``figure`` writes them."""
        text = gettext(self._msgid)
        shown = {
            name: figure(value) if isinstance(value, int) else value
            for name, value in self.values.items()
        }
        return text % shown if shown else text


@contextmanager
def explained() -> Iterator[None]:
    """Turn the refusals of engine, ledger and enrolment into TillError."""
    try:
        yield
    except InsufficientError as error:
        raise TillError("insufficient", wanted=error.wanted, active=error.active) from error
    except AlreadyReversedError as error:
        raise TillError("already_reversed") from error
    except (RewardError, EnrolError) as error:
        raise TillError(error.code if error.code in _SAID else "changed") from error
    except NotEarningError as error:
        raise TillError("ended") from error
    except KeyConflictError as error:
        raise TillError("key_conflict") from error
    except InFlightError as error:
        raise TillError("in_flight") from error
    except RefusedError as error:
        raise TillError("changed") from error
