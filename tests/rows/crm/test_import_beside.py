"""An import beside others who write: it reads before, writes briefly, and rests."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, connections

from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import BEN, counts

_HELD_S = 0.03


def test_who_is_enrolled_while_an_import_reads_is_not_made_a_second_time(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.crm import intake
    from besnik.store.models import Card, CrmLink, Program
    from besnik.store.people import NewCard, enrol

    number = owner.notebook.add("Ben", BEN, points=120)
    owner.test()
    real, enrolled = intake.noted, []

    def at_the_till() -> None:
        program = Program.objects.get(pk=owner.office.program)
        enrolled.append(enrol(program, name="Ben", language="en", card=NewCard("uid", BEN)))
        connections.close_all()

    def noted(*those: Any) -> Any:
        if not enrolled:
            till = threading.Thread(target=at_the_till)
            till.start()
            till.join()
        return real(*those)

    monkeypatch.setattr(intake, "noted", noted)
    run = import_all(owner)
    assert (run.state, run.why) == ("done", "")
    assert counts(run) == {"seen": 1, "linked": 1, "opened": 1}
    assert Card.objects.get(data=BEN).member == enrolled[0]
    assert CrmLink.objects.get(external_id=number).member == enrolled[0]


def test_the_writer_is_left_to_others_for_several_times_as_long_as_it_was_held(orm: str) -> None:
    from besnik.store.writer import Writer

    writer = Writer()
    with writer.hold():
        time.sleep(_HELD_S)
    began_s = time.monotonic()
    with writer.hold():
        rested_s = time.monotonic() - began_s
    if connection.vendor == "sqlite":
        assert rested_s >= 6 * _HELD_S * 0.9
    else:
        assert rested_s < 6 * _HELD_S, "who writes other rows does not wait there"


def test_what_was_read_holds_until_somebody_else_writes(orm: str) -> None:
    from besnik.store.models import Program
    from besnik.store.writer import Writer

    def write() -> None:
        Program.objects.update(name="Corner")
        connections.close_all()

    before = Writer.version()
    if before is None:
        pytest.skip("PostgreSQL has no such number: it is read within the transaction")
    write_here = Program.objects.update(name="Here")
    assert (write_here, Writer.version()) == (1, before)
    other = threading.Thread(target=write)
    other.start()
    other.join()
    assert Writer.version() != before
