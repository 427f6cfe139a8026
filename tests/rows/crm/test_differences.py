"""What CRM and ledger do not agree on is listed with its reason, and settled by a button each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import ANNA, BEN, CLEO, balance
from rows.owner.conftest import words
from support.pos import Pos

if TYPE_CHECKING:
    from besnik.store.models import CrmDifference, Member


def only(kind: str) -> CrmDifference:
    from besnik.store.models import CrmDifference

    (found,) = CrmDifference.objects.all()
    assert found.kind == kind
    return found


def twice() -> list[CrmDifference]:
    from besnik.store.models import CrmDifference

    return list(CrmDifference.objects.filter(kind="twice").order_by("external_id"))


def none() -> bool:
    from besnik.store.models import CrmDifference

    return not CrmDifference.objects.exists()


def member(card: str) -> Member:
    from besnik.store.models import Card

    return Card.objects.get(data=card).member


@pytest.fixture
def anna(owner: NotebookOwner) -> str:
    """Anna has 50 points on both sides; her number there."""
    customer = owner.notebook.add("Anna Arben", ANNA, points=50)
    owner.test()
    import_all(owner)
    assert none()
    return customer


def press(owner: NotebookOwner, row: CrmDifference, deed: str, status: int = 302) -> str:
    return words(owner.office.post(f"crm/differences/{row.pk}", status=status, deed=deed))


def test_a_name_is_taken_over(owner: NotebookOwner, anna: str) -> None:
    owner.notebook.change(anna, name="Anna Berisha")
    import_all(owner)
    said = owner.office.read("crm/differences/")
    assert "The names are not the same. There: Anna Berisha · Here: Anna Arben" in said
    press(owner, only("name"), "theirs")
    assert none()
    assert member(ANNA).name == "Anna Berisha"


@pytest.mark.parametrize(("there", "here"), [(80, 80), (20, 20)])
def test_points_are_taken_over_up_and_down(
    owner: NotebookOwner, anna: str, there: int, here: int
) -> None:
    from besnik.store.models import Entry

    owner.notebook.change(anna, points=there)
    import_all(owner)
    said = owner.office.read("crm/differences/")
    assert f"The points are not the same. There: {there} · Here: 50" in said
    press(owner, only("points"), "theirs")
    assert none()
    assert balance(member(ANNA).pk) == here
    assert Entry.objects.latest("pk").staff == owner.office.staff


def test_or_ours_are_written_there_once(owner: NotebookOwner, anna: str) -> None:
    owner.notebook.change(anna, points=7)
    import_all(owner)
    row = only("points")
    press(owner, row, "ours")
    assert none()
    assert owner.notebook.events(anna) == [(f"b{owner.office.program}-{row.pk}", 0, 50)]
    import_all(owner)
    assert none(), "the notebook has 50 too"


def test_points_that_are_on_their_way_are_no_difference(
    owner: NotebookOwner, anna: str, pos: Pos
) -> None:
    owner.office.post("crm/switch", on="1")
    pos.sell(1_000, {"member": member(ANNA).ref})
    import_all(owner)
    assert none()


def test_the_crm_is_not_told_what_it_said_itself(owner: NotebookOwner, anna: str, pos: Pos) -> None:
    from django.utils import timezone

    from besnik.crm import outbox
    from besnik.store.models import CrmDelivery

    owner.office.post("crm/switch", on="1")
    owner.notebook.add("Ben", BEN, points=30)
    owner.notebook.change(anna, points=80)
    import_all(owner)
    press(owner, only("points"), "theirs")
    source = owner.source()
    assert outbox.collect(source.pk, timezone.now(), can_create=True) == 0
    pos.sell(1_000, {"member": member(ANNA).ref})
    assert outbox.collect(source.pk, timezone.now(), can_create=True) == 1
    assert CrmDelivery.objects.get().member == member(ANNA)


def test_a_customer_who_is_gone_is_made_anew_or_kept_only_here(
    owner: NotebookOwner, anna: str
) -> None:
    from besnik.store.models import CrmDelivery, CrmLink

    owner.notebook.remove(anna)
    import_all(owner)
    assert "This customer is not there any more." in owner.office.read("crm/differences/")
    press(owner, only("gone"), "anew")
    assert none()
    assert not CrmLink.objects.exists()
    assert CrmDelivery.objects.get(event_id=f"m{member(ANNA).ref}").state == "waiting"


def test_what_was_to_be_told_of_a_member_who_is_kept_only_here_is_dropped(
    owner: NotebookOwner, anna: str
) -> None:
    from django.utils import timezone

    from besnik.store.models import CrmDelivery, CrmLink

    CrmDelivery.objects.create(
        program_id=owner.office.program,
        event_id="e1-9",
        entry=9,
        member=member(ANNA),
        at=timezone.now(),
    )
    owner.notebook.remove(anna)
    import_all(owner)
    press(owner, only("gone"), "unlink")
    assert none()
    assert not CrmLink.objects.exists()
    assert not CrmDelivery.objects.exists()


def test_a_card_of_two_customers_is_looked_at_again(owner: NotebookOwner) -> None:
    owner.notebook.add("Ben", BEN)
    second = owner.notebook.add("Cleo", BEN)
    owner.test()
    import_all(owner)
    press(owner, twice()[1], "again")
    press(owner, twice()[1], "theirs")
    assert len(twice()) == 2, "a button that this kind does not have does nothing"
    owner.notebook.remove(second)
    owner.notebook.add("Cleo", CLEO)
    press(owner, twice()[1], "again")
    press(owner, only("twice"), "again")
    assert none()
    assert (member(BEN).name, member(CLEO).name) == ("Ben", "Cleo")


def test_a_crm_that_is_away_changes_nothing_and_says_so(owner: NotebookOwner, anna: str) -> None:
    owner.notebook.change(anna, name="Anna Berisha")
    import_all(owner)
    owner.notebook.file.rename(owner.notebook.file.with_suffix(".away"))
    said = press(owner, only("name"), "theirs", status=502)
    assert "It does not answer. Nothing was changed. Try again later." in said
    assert member(ANNA).name == "Anna Arben"


def test_points_that_were_spent_cannot_be_taken_away(
    owner: NotebookOwner, anna: str, pos: Pos
) -> None:
    from besnik.crm import settling
    from besnik.loyalty.ledger import RefusedError

    owner.notebook.change(anna, points=-10)
    import_all(owner)
    with pytest.raises(RefusedError):
        settling.settle(owner.source(), only("points"), "theirs", owner.office.staff)
    assert "Write ours there instead" in press(owner, only("points"), "theirs", status=422)
    assert balance(member(ANNA).pk) == 50


def test_what_was_refused_is_sent_again_and_members_are_written_there(
    owner: NotebookOwner, anna: str, pos: Pos
) -> None:
    from django.utils import timezone

    from besnik.store.models import CrmDelivery

    ben = pos.join("Ben", card=BEN)
    said = owner.office.read("crm/differences/")
    assert "1 member is only here" in said
    owner.office.post("crm/differences/write")
    waits = CrmDelivery.objects.get(event_id=f"m{ben.ref}")
    assert waits.state == "waiting"
    refused = CrmDelivery.objects.create(
        program_id=owner.office.program,
        event_id="e1-1",
        member=member(ANNA),
        state="refused",
        tries=4,
        why="the field Points is read-only",
        at=timezone.now(),
    )
    assert "the field Points is read-only" in owner.office.read("crm/differences/")
    owner.office.post(f"crm/refused/{refused.pk}")
    refused.refresh_from_db()
    assert (refused.state, refused.tries, refused.why) == ("waiting", 0, "")


def test_nobody_settles_what_is_another_program_s(
    owner: NotebookOwner, anna: str, open_shop: object
) -> None:
    from rows.owner.conftest import Office
    from support.programs import point_per_euro

    owner.notebook.change(anna, name="Anna Berisha")
    import_all(owner)
    other = Office(open_shop(point_per_euro()).program)  # type: ignore[operator]
    other.post(f"crm/differences/{only('name').pk}", status=404, deed="theirs")


@pytest.mark.parametrize("left", ["one", "nobody"])
def test_a_card_of_several_that_was_tapped_is_shown_until_it_is_settled_there(
    owner: NotebookOwner, pos: Pos, left: str
) -> None:
    from django.utils import timezone

    from besnik.crm import pending
    from besnik.crm.foreign import Ambiguous
    from besnik.store.models import CrmPending

    first = owner.notebook.add("Ben", BEN)
    second = owner.notebook.add("Cleo", BEN)
    owner.test()
    pos.clock.now = timezone.now()
    tap = pos.tap(BEN)
    CrmPending.objects.create(program_id=pos.program, tap=tap)
    pending.take(pos.program, {BEN: Ambiguous((first, second))}, timezone.now())
    assert "1 card belongs to more than one customer there" in owner.office.read("crm/")
    said = owner.office.read("crm/differences/")
    assert f"{BEN} Shop" in said
    assert "Their numbers there: 1 · 2" in said
    owner.office.post("crm/cards/ask", card=BEN)
    assert "Their numbers there: 1 · 2" in owner.office.read("crm/differences/")
    owner.notebook.remove(second)
    if left == "nobody":
        owner.notebook.remove(first)
    owner.office.post("crm/cards/ask", card=BEN)
    assert "more than one customer" not in owner.office.read("crm/differences/")
    if left == "one":
        assert member(BEN).name == "Ben"
