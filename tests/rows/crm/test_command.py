"""`besnik crm`: the same at the machine's terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from besnik import cli
from besnik.crm.foreign import CrmAnswerError, Page
from besnik.store.turn import Turn
from rows.crm.conftest import NotebookOwner, secrets_mode
from rows.crm.test_import import ANNA, balance
from support.mapped import rewrite, written
from support.notebook_crm import KEY, NAME, NotebookCrm

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(owner: NotebookOwner, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `besnik crm …` for the owner's program; returns the status and what it printed."""
    from besnik.store.models import Program

    program = Program.objects.get(pk=owner.office.program)
    Program.objects.filter(pk=program.pk).update(name="The notebook's")

    def command(*arguments: str) -> tuple[int, str]:
        status = cli.main(["crm", *arguments, "--program", "The notebook's"])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return command


def test_a_crm_is_added_tested_imported_and_looked_at(
    owner: NotebookOwner, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.store.models import AuditRecord, Card

    owner.notebook.add("Anna Arben", ANNA, points=50, notes="Likes oat milk")
    monkeypatch.setenv("BESNIK_CRM_KEY", KEY)
    file = f"file={owner.notebook.file}"
    status, said = say("add", NAME, "--set", file, "--card", ANNA)
    assert (status, KEY in said) == (0, False)
    assert f"card {ANNA} belongs to Anna Arben (1), 50 points" in said
    assert "Notes: Likes oat milk" in said
    assert say("test")[0] == 0
    assert "1 customers: 1 would be new members" in say("import", "--dry-run")[1]
    assert "1 customers: 1 new members" in say("import")[1]
    assert balance(Card.objects.get(data=ANNA).member_id) == 50
    assert "is on" in say("on")[1]
    status, said = say("status")
    assert (status, "nobody speaks with it: start besnik crm run" in said) == (1, True)
    assert "last import" in said
    turn = Turn(settings.BESNIK, "crm")
    turn.take()
    status, said = say("status")
    assert (status, "on, and answers" in said) == (0, True)
    turn.close()
    assert "is off" in say("off")[1]
    assert AuditRecord.objects.filter(action="crm.import").exists()
    # A key from the environment is not written down.
    monkeypatch.delenv("BESNIK_CRM_KEY")
    assert say("test")[0] == 1
    assert secrets_mode() == 0o600


def test_what_is_wrong_is_said(
    owner: NotebookOwner, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "notebook" in say("add")[1]
    assert say("add", "nothing")[0] == 2
    assert "besnik crm add" in say("status")[1]
    status, said = say("add", NAME, "--set", "key=secret")
    assert (status, "BESNIK_CRM_KEY" in said) == (2, True)
    assert say("add", NAME, "--set", "file=x")[0] == 2, "nobody typed the key"
    assert "it asks for file" in say("add", NAME, "--set", "url=x")[1]
    monkeypatch.setenv("BESNIK_CRM_KEY", KEY)
    assert "--card 08AABBCC" in say("add", NAME, "--set", "file=x", "--card", "08AABBCC")[1]


def test_a_mapping_of_ones_own_has_its_secrets_from_the_environment(
    owner: NotebookOwner, say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = written(tmp_path)
    second = '[[settings]]\nname = "second"\nlabel = "Second secret"\nis_secret = true\n[auth]'
    rewrite(file, "[auth]", second)
    monkeypatch.setenv("BESNIK_CRM_KEY", "s3cret")
    where = ("--set", f"mapping={file}", "--set", "url=http://127.0.0.1:9")
    assert "second: fill in Second secret" in say("add", "http", *where)[1]
    monkeypatch.setenv("BESNIK_CRM_SECOND", "t0p")
    assert "127.0.0.1:9 cannot be reached" in say("add", "http", *where)[1]


def test_an_import_that_broke_off_begins_anew_where_the_crm_has_lost_the_place(
    owner: NotebookOwner, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.store.models import CrmRun

    owner.notebook.fill(60)
    owner.test()
    listed = NotebookCrm.list_customers

    async def forgets(self: NotebookCrm, after: str | None, fields: list[str]) -> Page:
        if after:
            raise CrmAnswerError("Invalid cursor")
        return await listed(self, after, fields)

    monkeypatch.setattr(NotebookCrm, "list_customers", forgets)
    status, said = say("import")
    assert (status, "besnik crm import --anew" in said) == (1, True)
    monkeypatch.setattr(NotebookCrm, "list_customers", listed)
    assert "60 customers: 10 new members, 0 members already, 50 known" in say("import", "--anew")[1]
    assert CrmRun.objects.count() == 1
