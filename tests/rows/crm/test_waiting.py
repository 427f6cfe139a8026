"""Taps that wait for a CRM that was switched off: owner and cashier know, and may choose."""

from __future__ import annotations

import pytest
from django.utils import timezone

from besnik import cli
from rows.crm.conftest import NotebookOwner
from rows.crm.test_till import till
from support.pos import Pos

CARD = "04A1B2C3D4E599"


@pytest.fixture
def waiting(owner: NotebookOwner, pos: Pos) -> NotebookOwner:
    """A card was held to the reader that only the CRM can know; then the CRM was switched off."""
    from besnik.store.models import CrmPending

    owner.test()
    owner.office.post("crm/switch", on="1")
    pos.clock.now = timezone.now()
    tap = pos.tap(CARD)
    tap.outcome, tap.reason = "accepted", "pending"
    tap.save()
    CrmPending.objects.create(program_id=owner.office.program, tap=tap)
    assert "asked whose card this is" in till(pos)
    owner.office.post("crm/switch")
    return owner


def states() -> list[str]:
    from besnik.store.models import CrmPending

    return list(CrmPending.objects.values_list("state", flat=True))


def test_they_wait_on_and_everybody_is_told(waiting: NotebookOwner, pos: Pos) -> None:
    assert "CRM was switched off meanwhile. Hold the card to the reader again" in till(pos)
    assert "1 tap still waits for its answer" in waiting.office.read("crm/")
    waiting.office.post("crm/switch", on="1")
    assert states() == ["waiting"]
    assert "still wait" not in waiting.office.read("crm/")


def test_the_owner_lets_them_be_unknown_cards(waiting: NotebookOwner, pos: Pos) -> None:
    from besnik.store.models import AuditRecord

    waiting.office.post("crm/waiting/refuse")
    assert states() == ["nobody"]
    assert "This card has no member yet." in till(pos)
    assert "still waits" not in waiting.office.read("crm/")
    assert AuditRecord.objects.get(action="crm.refuse").detail == {"taps": 1}


def test_while_the_crm_is_on_nothing_is_refused(waiting: NotebookOwner) -> None:
    waiting.office.post("crm/switch", on="1")
    waiting.office.post("crm/waiting/refuse")
    assert states() == ["waiting"]


def test_the_same_at_the_terminal(
    waiting: NotebookOwner, capsys: pytest.CaptureFixture[str]
) -> None:
    from besnik.store.models import Program

    Program.objects.filter(pk=waiting.office.program).update(name="The notebook's")

    def say(*arguments: str) -> tuple[int, str]:
        status = cli.main(["crm", *arguments, "--program", "The notebook's"])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    assert say("on")[0] == 0
    status, said = say("refuse-waiting")
    assert (status, "besnik crm off comes first" in said) == (2, True)
    for command in ("off", "status"):
        assert "1 taps wait for its answer: they count when it is on again" in say(command)[1]
    assert "1 taps were of unknown cards" in say("refuse-waiting")[1]
    assert "wait for its answer" not in say("status")[1]
    assert states() == ["nobody"]
