"""The demo shop: what the plan promises, and seeding it twice changes nothing."""

from __future__ import annotations

from besnik import demo
from besnik.store.demo import seed
from besnik.store.models import Card, Member, Reader
from support.store import rows


def counts() -> list[int]:
    return [Member.objects.count(), Card.objects.count(), Reader.objects.count()]


def test_the_seed_is_there(orm: str) -> None:
    reader = Reader.objects.get()
    assert (reader.shop.slug, reader.till.slug, reader.slug) == ("corner", "till-1", "counter-1")
    assert {member.language for member in Member.objects.all()} == {"en", "sq", "ru", "el", "fa"}
    states = {card.data: (card.member.name, card.state) for card in Card.objects.all()}
    assert states["5B3C2A19"] == ("Ana Hoxha", "active")
    assert states["0487654321AB80"] == ("Борис Орлов", "blocked")
    assert "04DEADBEEF1280" not in states


def test_seeding_again_keeps_what_was_changed(orm: str) -> None:
    Card.objects.filter(data="0487654321AB80").update(state="active")
    Member.objects.filter(name="Ana Hoxha").update(name="Ana Hoxha-Orlov")
    before = counts()
    seed()
    assert counts() == before
    assert Card.objects.get(data="0487654321AB80").state == "active"
    assert not rows(orm, "SELECT 1 FROM store_member WHERE name = 'Ana Hoxha'")


def test_every_card_has_a_key_of_its_own_and_an_owner_that_exists() -> None:
    keys = [card.key for card in demo.CARDS]
    assert len(set(keys)) == len(keys)
    people = {member.key for member in demo.MEMBERS}
    assert {card.member for card in demo.CARDS} - {None} == people
    assert [card.key for card in demo.CARDS if card.uid is None] == ["phone"]
