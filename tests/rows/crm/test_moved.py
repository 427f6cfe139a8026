"""A CRM at another address: nothing is taken for what it was until the owner has said so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.utils import timezone

from besnik import cli
from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import ANNA, BEN, balance, counts
from support.notebook_crm import KEY, NAME, Notebook
from support.pos import Pos

Terminal = tuple[int, str]


@pytest.fixture
def ben(owner: NotebookOwner) -> int:
    """Ben is a member and customer 1, with 120 points, in a CRM that is in use."""
    from besnik.store.models import Card

    owner.notebook.add("Ben", BEN, points=120)
    owner.test()
    import_all(owner)
    owner.office.post("crm/switch", on="1")
    return Card.objects.get(data=BEN).member_id


@pytest.fixture
def other(owner: NotebookOwner, tmp_path: Path) -> Notebook:
    """Another notebook, in which somebody else is customer 1."""
    made = Notebook(tmp_path / "other.sqlite3")
    made.add("Anna Arben", ANNA, points=70)
    return made


def links() -> dict[str, int]:
    from besnik.store.models import CrmLink

    return dict(CrmLink.objects.values_list("external_id", "member"))


def test_another_address_rests_until_the_owner_has_said_whose_its_customers_are(
    owner: NotebookOwner, ben: int, other: Notebook, pos: Pos
) -> None:
    from besnik.crm import service

    owner.test(file=str(other.file))
    said = owner.office.read("crm/")
    assert "Are the customers there the same?" in said
    assert f"1 member is known as a customer of {owner.notebook.file}" in said
    assert "In use" not in said
    assert service._on() == [], "no worker asks or tells it"
    run = import_all(owner)
    assert (run.state, "besnik crm same" in run.why) == ("failed", True)
    assert links() == {"1": ben}
    # Back where it was, nothing was the matter.
    owner.test(file=str(owner.notebook.file))
    assert "Are the customers there the same?" not in owner.office.read("crm/")
    assert len(service._on()) == 1


def test_the_same_customers_stay_who_they_are(
    owner: NotebookOwner, ben: int, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.sqlite3"
    shutil.copy(owner.notebook.file, moved)
    owner.test(file=str(moved))
    owner.office.post("crm/moved", same="1")
    assert "Are the customers there the same?" not in owner.office.read("crm/")
    assert counts(import_all(owner))["known"] == 1
    assert links() == {"1": ben}
    assert balance(ben) == 120


def test_of_others_the_links_are_forgotten_and_their_points_taken_over(
    owner: NotebookOwner, ben: int, other: Notebook
) -> None:
    from besnik.store.models import AuditRecord, Card, CrmRecord, Member
    from besnik.store.people import count_left_out, leave_out

    leave_out(owner.office.program, "1")
    owner.test(file=str(other.file))
    owner.office.post("crm/moved", same="0")
    assert links() == {}
    assert not CrmRecord.objects.exists()
    assert count_left_out(owner.office.program) == 0
    source = owner.source()
    assert source.is_on
    assert source.started_at is not None
    assert AuditRecord.objects.filter(action="crm.forget").exists()
    assert (Member.objects.get(pk=ben).name, balance(ben)) == ("Ben", 120)
    done = import_all(owner)
    assert (done.made, done.opened) == (1, 1), "customer 1 is another one, with points"
    anna = Card.objects.get(data=ANNA).member_id
    assert (links(), balance(anna)) == ({"1": anna}, 70)


def test_links_are_not_forgotten_of_a_crm_in_use_or_while_it_is_gone_through(
    owner: NotebookOwner, ben: int
) -> None:
    from besnik.store.models import CrmRun

    answer = owner.office.post("crm/moved", status=409, same="0")
    assert b"not possible while the CRM is in use" in answer.content
    owner.office.post("crm/switch")
    now = timezone.now()
    run = CrmRun.objects.create(program_id=owner.office.program, started_at=now, beat_at=now)
    owner.office.post("crm/moved", status=409, same="0")
    run.delete()
    assert links() == {"1": ben}
    assert "Other customers than before" in owner.office.read("crm/")
    owner.office.post("crm/moved", same="0")
    assert links() == {}


def test_the_same_at_the_terminal(
    owner: NotebookOwner,
    ben: int,
    other: Notebook,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from besnik.store.models import Program

    Program.objects.filter(pk=owner.office.program).update(name="The notebook's")
    monkeypatch.setenv("BESNIK_CRM_KEY", KEY)

    def say(*arguments: str) -> Terminal:
        status = cli.main(["crm", *arguments, "--program", "The notebook's"])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    status, said = say("add", NAME, "--set", f"file={other.file}")
    assert (status, "besnik crm same or besnik crm forget" in said) == (0, True)
    status, said = say("status")
    assert (status, "rests: it has another address" in said) == (1, True)
    assert say("same")[0] == 0
    assert "rests" not in say("status")[1]
    status, said = say("forget")
    assert (status, "switch it off first" in said) == (2, True)
    say("off")
    assert say("forget")[0] == 0
    assert links() == {}


@pytest.mark.parametrize(
    ("before", "after", "has_moved"),
    [
        ("https://crm.example/Shop", "HTTPS://CRM.example/Shop/", False),
        ("https://crm.example/Shop", "https://crm.example/shop", True),
        ("Shop", " Shop", False),
        ("Shop", "shop", True),
    ],
)
def test_capitals_are_the_same_in_a_host_alone(before: str, after: str, has_moved: bool) -> None:
    from besnik.crm import moving
    from besnik.store.models import CrmSource

    source = CrmSource(adapter="other", settings={"at": after}, place={"at": before})
    assert moving.has_moved(source) == has_moved
