"""One request: done once, in one transaction; refusals are explained, alarms outlive them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from django.db import transaction

from besnik.store import books
from besnik.store.models import Alert
from besnik.store.till.errors import TillError, explained
from besnik.store.till.place import Place
from besnik.store.till.results import Result

Done = TypeVar("Done", bound=Result)


def do(
    place: Place, key: str, ask: msgspec.Struct, work: Callable[[], Done], kind: type[Done]
) -> Done:
    """Return what ``work`` answers to ``ask``, once per ``key`` of the place's client.

    Without a key it is done each time. TillError if it is refused; then nothing was changed.
    """
    try:
        with explained():
            if not key:
                with transaction.atomic():
                    return work()
            asked = [type(ask).__name__, place.shop, _without_pin(ask)]
            answer = books.once(place.client, key, asked, lambda: (200, work()))
            done = msgspec.json.decode(answer.body, type=kind)
            return msgspec.structs.replace(done, repeat=answer.repeat)
    except TillError as refused:
        _raise_alarm(place, refused)
        raise


def _without_pin(ask: msgspec.Struct) -> object:
    """Return what was asked, for a digest that is kept: a PIN would be found from it."""
    if getattr(ask, "approval", None) is None:
        return ask
    asked: dict[str, object] = msgspec.to_builtins(ask)
    del asked["approval"]
    return asked


def _raise_alarm(place: Place, refused: TillError) -> None:
    alarm = refused.alarm
    if alarm is not None:
        # The refusal undid the transaction; what it was refused for is written for itself.
        Alert.objects.create(
            program_id=place.program,
            kind=alarm.kind,
            member_id=alarm.member,
            staff_id=alarm.staff,
            detail={**alarm.detail, "till": place.till},
            at=place.now,
        )
