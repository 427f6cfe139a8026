"""A card that two customers of the CRM have is nobody's: never the first one's."""

from __future__ import annotations

import pytest
from django.utils import timezone

from rows.crm.conftest import NotebookOwner, import_all
from support.pos import Pos

CARD, ONLY = "04000000000180", "04AA00BB00CC80"


@pytest.fixture
def far_apart(owner: NotebookOwner) -> NotebookOwner:
    """Customer 1 and customer 61, pages apart, have the same card; the latter has another one."""
    owner.notebook.fill(60)
    owner.notebook.add("A double", CARD, ONLY, points=7)
    owner.test()
    return owner


def holder(card: str) -> str | None:
    """Return the customer who is the member that has a card."""
    from besnik.store.models import CrmLink

    return (
        CrmLink.objects.filter(member__cards__data=card)
        .values_list("external_id", flat=True)
        .first()
    )


def differences() -> set[tuple[str, str]]:
    from besnik.store.models import CrmDifference

    found = CrmDifference.objects.filter(kind="twice")
    return set(found.values_list("kind", "external_id"))


def test_a_card_of_two_customers_is_taken_back_from_the_first(far_apart: NotebookOwner) -> None:
    for _ in range(2):
        import_all(far_apart)
        assert (holder(CARD), holder(ONLY)) == (None, None)
        assert differences() == {("twice", "1"), ("twice", "61")}
    said = far_apart.office.read("crm/differences/")
    assert "Customer 1" in said
    assert "A double" in said


def test_it_is_given_to_the_one_who_is_left(far_apart: NotebookOwner) -> None:
    import_all(far_apart)
    far_apart.notebook.remove("61")
    import_all(far_apart)
    import_all(far_apart)
    assert holder(CARD) == "1"
    assert differences() == set()


def test_who_has_been_here_keeps_their_card(owner: NotebookOwner, pos: Pos) -> None:
    from besnik.store.models import Card, Member

    owner.notebook.fill(1)
    owner.test()
    import_all(owner)
    member = Member.objects.get(cards__data=CARD)
    pos.sell(1_000, {"member": member.ref})
    owner.notebook.add("A double", CARD)
    import_all(owner)
    assert Card.objects.get(data=CARD).member == member
    assert differences() == {("twice", "1"), ("twice", "2")}


def test_who_was_enrolled_with_it_here_keeps_their_card(owner: NotebookOwner) -> None:
    from besnik.store.models import Card, Program
    from besnik.store.people import NewCard, enrol

    program = Program.objects.get(pk=owner.office.program)
    ana = enrol(program, name="Ana", language="en", card=NewCard("uid", CARD))
    owner.notebook.add("Ana", CARD)
    owner.test()
    import_all(owner)
    assert holder(CARD) == "1"
    owner.notebook.add("A double", CARD)
    import_all(owner)
    assert Card.objects.get(data=CARD).member == ana
    assert differences() == {("twice", "1"), ("twice", "2")}


def test_who_has_been_here_and_earned_nothing_keeps_their_card(
    owner: NotebookOwner, pos: Pos
) -> None:
    from besnik.store.models import Tap

    owner.notebook.fill(1)
    owner.test()
    import_all(owner)
    tap = pos.tap(CARD)
    Tap.objects.filter(pk=tap.pk).update(received_at=timezone.now())
    owner.notebook.add("A double", CARD)
    import_all(owner)
    assert holder(CARD) == "1"


@pytest.mark.parametrize("is_last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("count", [1, 60], ids=["one page", "pages apart"])
def test_each_card_has_rivals_of_its_own(owner: NotebookOwner, count: int, is_last: bool) -> None:
    """Somebody has two cards, each of which another one has as well."""
    from besnik.store.models import CrmAnswer

    first, second = "04AA00BB01CC80", "04AA00BB02CC80"
    owner.notebook.fill(count)
    two, three = owner.notebook.add("Two", first), owner.notebook.add("Three", second)
    one = owner.notebook.add("One") if is_last else "1"
    for card in (first, second):
        owner.notebook.give(one, card)
    owner.test()
    import_all(owner)
    answers = CrmAnswer.objects.filter(state="ambiguous").values_list("card", "ids")
    assert {card: set(ids) for card, ids in answers} == {first: {one, two}, second: {one, three}}
    owner.notebook.take(one, first)
    for _ in range(2):
        import_all(owner)
    assert (holder(first), holder(second)) == (two, None)
    assert differences() == {("twice", one), ("twice", three)}


def test_a_webhook_about_it_settles_nothing(far_apart: NotebookOwner) -> None:
    from besnik.crm import heard, imports

    import_all(far_apart)
    heard.changed(far_apart.source(), {"id": "1", "card": CARD})
    run = imports.begin(far_apart.source(), None, dry=False)
    with pytest.raises(KeyboardInterrupt):
        imports.walk(run, told=lambda _run: (_ for _ in ()).throw(KeyboardInterrupt))
    assert holder(CARD) is None
