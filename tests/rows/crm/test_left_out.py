"""Who was erased here stays away, however often the CRM lists them, until they wish otherwise."""

from __future__ import annotations

import pytest

from besnik import cli
from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import BEN, CLEO, balance, counts
from rows.owner.conftest import words


@pytest.fixture
def ben(owner: NotebookOwner) -> str:
    """Ben came by an import and was erased; his number there, where he still is."""
    from django.utils import timezone

    from besnik.store.models import Card
    from besnik.store.people import erase

    number = owner.notebook.add("Ben", BEN, points=120)
    owner.test()
    import_all(owner)
    erase(Card.objects.get(data=BEN).member, timezone.now())
    return number


def is_member(card: str = BEN) -> bool:
    from besnik.store.models import Card

    return Card.objects.filter(data=card, member__status="active").exists()


def readmit(owner: NotebookOwner, number: str, status: int = 200) -> str:
    return words(owner.office.post("crm/left-out/take-in", status=status, number=number))


def test_an_import_leaves_them_out_and_says_how_many(owner: NotebookOwner, ben: str) -> None:
    from besnik.store.models import CrmDifference, CrmLink, CrmRecord

    owner.notebook.add("Cleo", CLEO)
    counted = import_all(owner, dry=True)
    assert counts(counted) == {"seen": 2, "made": 1, "left_out": 1}
    taken = import_all(owner)
    assert counts(taken) == {"seen": 2, "made": 1, "left_out": 1}
    assert not is_member()
    assert is_member(CLEO)
    assert CrmLink.objects.count() == CrmRecord.objects.count() == 1
    assert not CrmDifference.objects.exists(), "it would hold a name"
    for run in (counted, taken):
        said = owner.office.read(f"crm/runs/{run.pk}/")
        assert "Erased here, and left out 1" in said
        assert "Ben" not in said
    said = owner.office.read("crm/differences/")
    assert "1 customer was erased here" in said
    assert "Ben" not in said


@pytest.mark.parametrize("by", ["number", "card"])
def test_the_owner_takes_them_in_again_and_they_begin_anew(
    owner: NotebookOwner, ben: str, by: str
) -> None:
    from besnik.store.models import AuditRecord, Card, Consent

    said = readmit(owner, ben if by == "number" else BEN.lower())
    assert "They are a member again, and begin anew." in said
    assert "erased here" not in said
    member = Card.objects.get(data=BEN).member
    assert (member.name, balance(member.pk)) == ("Ben", 0), "points are taken over once ever"
    assert not Consent.objects.filter(member=member).exists()
    assert AuditRecord.objects.filter(action="crm.take_in").count() == 1
    assert counts(import_all(owner))["known"] == 1


def test_what_cannot_be_done_is_said(owner: NotebookOwner, ben: str) -> None:
    owner.notebook.add("Cleo", CLEO)
    for number in ("", "77", "somebody", CLEO):
        assert "Nobody with this number was erased here" in readmit(owner, number, 422)
    owner.notebook.add("Ben's wife", BEN)
    assert "More than one customer there has this card" in readmit(owner, BEN, 422)
    owner.notebook.file.rename(owner.notebook.file.with_name("lent"))
    assert "It does not answer" in readmit(owner, ben, 502)
    owner.notebook.file.with_name("lent").rename(owner.notebook.file)
    owner.notebook.remove(ben)
    assert "knows nobody with this number any more" in readmit(owner, ben, 422)
    assert not is_member()
    assert "1 customer was erased here" in owner.office.read("crm/differences/")


def test_what_clashes_is_a_difference(owner: NotebookOwner, ben: str) -> None:
    """Two members here have his cards by now: whose he is, somebody has to say."""
    from besnik.store.models import CrmDifference, Member
    from besnik.store.people import NewCard, add_card

    two = [
        Member.objects.create(program_id=owner.office.program, name=name, language="en")
        for name in ("Dora", "Egon")
    ]
    for member, card in zip(two, (BEN, CLEO), strict=True):
        add_card(member, NewCard("uid", card))
    owner.notebook.change(ben, notes="has two")
    owner.notebook.give(ben, CLEO)
    assert "something does not agree yet" in readmit(owner, ben, 422)
    assert CrmDifference.objects.get().kind == "two_members"


def test_the_same_at_the_terminal(
    owner: NotebookOwner, ben: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from besnik.store.models import Program

    Program.objects.filter(pk=owner.office.program).update(name="The notebook's")

    def say(*arguments: str) -> tuple[int, str]:
        status = cli.main(["crm", *arguments, "--program", "The notebook's"])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    assert "1 were erased here and are left out" in say("import")[1]
    assert "besnik crm take-in" in say("status")[1]
    assert say("take-in", "77")[0] == 1
    status, said = say("take-in", ben)
    assert (status, "They are a member again" in said) == (0, True)
    assert "besnik crm take-in" not in say("status")[1]
    assert is_member()
