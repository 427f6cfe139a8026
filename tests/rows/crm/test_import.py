"""The customers of a CRM are counted, then made members; what breaks off goes on."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from besnik.crm.foreign import CrmAnswerError, CrmAwayError, Customer, Page
from rows.crm.conftest import NotebookOwner, import_all
from support.notebook_crm import NotebookCrm
from support.pos import Pos

if TYPE_CHECKING:
    from besnik.store.models import CrmRun

ANNA, BEN, CLEO = "04A1B2C3D4E590", "04A1B2C3D4E591", "04A1B2C3D4E592"


def counts(run: CrmRun) -> dict[str, int]:
    names = ("seen", "made", "linked", "known", "opened", "skipped", "left_out", "differing")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


def balance(member: int, unit: str = "point") -> int:
    from besnik.store.models import Account

    rows = Account.objects.filter(member=member, unit=unit, account="main")
    return rows.values_list("balance", flat=True).first() or 0


@pytest.fixture
def people(owner: NotebookOwner, pos: Pos) -> NotebookOwner:
    """Anna is a member already; Ben and Cleo are only there, Cleo's card is Ben's too."""
    anna = pos.join("Anna Arben", card=ANNA)
    anna.buy(5_000)
    owner.notebook.add("Anna Arben", ANNA, points=50)
    owner.notebook.add("Ben", BEN, points=120, notes="Likes oat milk")
    owner.notebook.add("Cleo", BEN, CLEO)
    owner.notebook.add("", "not a card")
    owner.test()
    return owner


def test_a_trial_run_changes_nothing_and_tells_what_an_import_would_do(
    people: NotebookOwner,
) -> None:
    from besnik.store.models import CrmDifference, CrmLink, CrmRecord, Member

    members = Member.objects.count()
    run = import_all(people, dry=True)
    assert (run.state, run.why) == ("done", "")
    assert counts(run) == {
        "seen": 4,
        "made": 2,
        "linked": 1,
        "opened": 1,
        "skipped": 1,
        "differing": 3,
    }
    assert Member.objects.count() == members
    for table in (CrmLink, CrmRecord, CrmDifference):
        assert not table._default_manager.exists()
    said = people.office.read(f"crm/runs/{run.pk}/")
    assert "Nothing has been changed, neither here nor there" in said
    assert "Another customer there has the same card" in said


def test_a_trial_run_knows_of_doubles_far_apart(owner: NotebookOwner) -> None:
    owner.notebook.fill(60)
    owner.notebook.add("A double", "04000000000180")
    owner.test()
    assert counts(import_all(owner, dry=True)) == {
        "seen": 61,
        "made": 60,
        "opened": 60,
        "skipped": 1,
        "differing": 1,
    }
    assert counts(import_all(owner))["made"] == 60


def test_an_import_makes_members_once_with_their_cards_and_points(people: NotebookOwner) -> None:
    from besnik.store.models import Card, CrmLink, CrmRecord, Member
    from besnik.store.people import find

    run = import_all(people)
    assert run.state == "done"
    assert counts(run)["made"] == 2
    # Cleo has Ben's card, too: it is nobody's until somebody decides.
    assert not Card.objects.filter(data=BEN).exists()
    ben = CrmLink.objects.get(external_id="2").member
    assert (ben.name, balance(ben.pk)) == ("Ben", 120)
    assert find(people.office.program, "ben", role="owner")[0].ref == ben.ref, "a search finds them"
    assert CrmLink.objects.get(member=Card.objects.get(data=ANNA).member).external_id == "1"
    assert CrmRecord.objects.count() == 3
    unnamed = CrmLink.objects.get(external_id="4").member
    assert unnamed.name == "4"
    # Anna's 50 points are those of the purchase, and not another 50.
    assert balance(Card.objects.get(data=ANNA).member_id) == 50
    before = Member.objects.count()
    again = import_all(people)
    assert counts(again) == {"seen": 4, "known": 3, "skipped": 1, "differing": 3}
    assert Member.objects.count() == before
    assert balance(ben.pk) == 120


@pytest.mark.parametrize("pages", [1, 3])
def test_an_import_that_broke_off_goes_on_and_takes_nobody_twice(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    from besnik.crm import imports
    from besnik.store.models import CrmRun, Member

    owner.notebook.fill(170)
    owner.test()
    listed = NotebookCrm.list_customers
    calls = 0

    async def breaks(self: NotebookCrm, after: str | None, fields: list[str]) -> Page:
        nonlocal calls
        calls += 1
        if calls > pages:
            raise CrmAwayError("the line is down")
        return await listed(self, after, fields)

    monkeypatch.setattr(NotebookCrm, "list_customers", breaks)
    run = imports.walk(imports.begin(owner.source(), None, dry=False), patience_s=0)
    assert (run.state, run.why) == ("failed", "the line is down")
    assert run.made == pages * 50
    said = owner.office.read(f"crm/runs/{run.pk}/")
    assert "broke off. It can go on: nothing is taken twice." in said
    monkeypatch.setattr(NotebookCrm, "list_customers", listed)
    done = import_all(owner)
    assert (done.pk, done.state) == (run.pk, "done")
    assert (done.seen, done.made, done.known, done.opened) == (170, 170, 0, 170)
    assert Member.objects.filter(name__startswith="Customer ").count() == 170
    assert CrmRun.objects.count() == 1


def test_a_kill_within_a_page_loses_and_doubles_nothing(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.crm import imports
    from besnik.store.models import CrmRun

    owner.notebook.fill(45)
    owner.test()
    run = imports.begin(owner.source(), None, dry=False)
    with pytest.raises(KeyboardInterrupt):
        imports.walk(run, told=lambda _run: (_ for _ in ()).throw(KeyboardInterrupt))
    # As a kill leaves it: nobody wrote that it was ended.
    CrmRun.objects.filter(pk=run.pk).update(state="running", why="")
    left = CrmRun.objects.get(pk=run.pk)
    assert (left.seen, left.within) == (20, 20)
    with pytest.raises(imports.BusyError):
        imports.begin(owner.source(), None, dry=False)
    CrmRun.objects.filter(pk=run.pk).update(beat_at=left.beat_at - 2 * imports.LOST_AFTER)
    done = import_all(owner)
    assert (done.pk, done.seen, done.made, done.opened) == (run.pk, 45, 45, 45)


def test_a_refused_key_fails_at_once_with_what_to_do(owner: NotebookOwner) -> None:
    owner.notebook.fill(3)
    owner.test(key="wrong")
    run = import_all(owner, dry=True)
    assert run.state == "failed"
    assert "does not open by this key" in owner.office.read(f"crm/runs/{run.pk}/")


def test_a_card_in_two_spellings_and_a_customer_listed_twice_are_one(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.store.models import Card

    owner.notebook.add("Anna", ANNA, "04:a1:b2:c3:d4:e5:90", "12\x0034")
    owner.notebook.add("Ben", points=120)
    listed = NotebookCrm.list_customers

    async def joined(self: NotebookCrm, after: str | None, fields: list[str]) -> Page:
        page = await listed(self, after, fields)
        return Page((*page.customers, *page.customers), page.after)

    monkeypatch.setattr(NotebookCrm, "list_customers", joined)
    owner.test()
    trial = counts(import_all(owner, dry=True))
    run = import_all(owner)
    assert (run.state, run.why) == ("done", "")
    assert counts(run) == trial == {"seen": 2, "made": 2, "opened": 1, "differing": 1}
    assert Card.objects.filter(data=ANNA).count() == 1


def test_an_import_whose_place_the_crm_knows_no_more_begins_anew(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.crm import imports
    from besnik.store.models import CrmRun, Member

    owner.notebook.fill(120)
    owner.test()
    listed = NotebookCrm.list_customers

    async def forgets(self: NotebookCrm, after: str | None, fields: list[str]) -> Page:
        if after == "50":
            raise CrmAnswerError("Invalid cursor")
        return await listed(self, after, fields)

    monkeypatch.setattr(NotebookCrm, "list_customers", forgets)
    broken = import_all(owner)
    assert (broken.state, broken.why, broken.made) == ("failed", "Invalid cursor", 50)
    assert import_all(owner).pk == broken.pk, "it goes on, and breaks off there again"
    said = owner.office.read(f"crm/runs/{broken.pk}/")
    assert "Begin with the first customer" in said
    monkeypatch.setattr(NotebookCrm, "list_customers", listed)
    done = import_all(owner, anew=True)
    assert (done.state, done.seen, done.made, done.known) == ("done", 120, 70, 50)
    assert Member.objects.filter(name__startswith="Customer ").count() == 120
    assert list(CrmRun.objects.values_list("pk", flat=True)) == [done.pk]
    assert imports.begin(owner.source(), None, dry=False).pk != broken.pk


def test_a_crm_that_is_away_for_a_moment_at_the_end_is_waited_for(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.store.models import CrmDifference

    owner.notebook.fill(2)
    owner.test()
    import_all(owner)
    owner.notebook.remove("2")
    refresh, calls = NotebookCrm.refresh, 0

    async def away_once(
        self: NotebookCrm, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Customer]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise CrmAwayError("503", retry_after_s=0.01)
        return await refresh(self, ids, fields)

    monkeypatch.setattr(NotebookCrm, "refresh", away_once)
    run = import_all(owner)
    assert (run.state, run.why, calls) == ("done", "", 2)
    assert CrmDifference.objects.get().kind == "gone"


def test_a_crm_that_is_waited_for_is_told_of_meanwhile(
    owner: NotebookOwner, capsys: pytest.CaptureFixture[str]
) -> None:
    from besnik.cli import crm_said
    from besnik.crm import imports

    owner.notebook.fill(2)
    owner.test()
    owner.notebook.stop()
    seen: list[str] = []
    tell = crm_said.progress()

    def look(page: str) -> None:
        seen.append(owner.office.read(page))
        connections.close_all()

    def told(run: CrmRun) -> None:
        tell(run)
        if run.why:
            other = threading.Thread(target=look, args=[f"crm/runs/{run.pk}/"])
            other.start()
            other.join()
            owner.notebook.start()

    run = imports.walk(imports.begin(owner.source(), None, dry=False), told)
    assert (run.state, run.why, run.seen) == ("done", "", 2)
    (shown,) = seen
    assert "The CRM’s side says: the notebook is not where it should be" in shown
    assert capsys.readouterr().err.count("not where it should be; it is waited for") == 1
