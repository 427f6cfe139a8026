"""A reader that is made of a board gets its place in the records, once, where it is clear."""

from __future__ import annotations

import pytest

from besnik import demo
from besnik.store.entering import NoPlaceError, enter
from besnik.store.models import AuditRecord, Reader, Shop, Till

pytestmark = pytest.mark.usefixtures("orm")


def test_one_that_is_there_stays_where_it_is() -> None:
    before = Reader.objects.count()
    assert enter(demo.SHOP, demo.READER) == ""
    assert Reader.objects.count() == before


def test_a_new_one_stands_at_the_only_till_or_at_the_one_that_is_named() -> None:
    assert enter(demo.SHOP, "new-1") == "The Corner, Till 1"
    made = Reader.objects.get(slug="new-1")
    assert (made.shop.slug, made.till.slug, made.name) == (demo.SHOP, "till-1", "new-1")
    assert AuditRecord.objects.filter(action="reader.add", target="reader:new-1").exists()
    Till.objects.create(shop=made.shop, slug="bar", name="Bar")
    with pytest.raises(NoPlaceError, match=r"--till: bar, till-1$"):
        enter(demo.SHOP, "new-2")
    with pytest.raises(NoPlaceError, match=r"--till: bar, till-1$"):
        enter(demo.SHOP, "new-2", "cellar")
    assert enter(demo.SHOP, "new-2", "bar") == "The Corner, Bar"


def test_where_it_cannot_stand_is_told() -> None:
    program = Shop.objects.get(slug=demo.SHOP).program
    Shop.objects.create(program=program, slug="empty", name="Empty")
    for shop, reader, told in (
        ("nowhere", "new-1", "there is no shop nowhere in the records, which have corner, empty"),
        ("empty", "new-1", "it has none yet"),
        ("empty", demo.READER, f"{demo.READER} is a reader of the shop {demo.SHOP}"),
        (demo.SHOP, "site", "the host has that name"),
    ):
        with pytest.raises(NoPlaceError, match=told):
            enter(shop, reader)
