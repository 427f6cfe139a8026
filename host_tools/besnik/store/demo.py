"""Seeds the demo shop; running it again changes nothing that was changed since."""

from __future__ import annotations

from django.db import transaction

from besnik import demo
from besnik.credentials.assess import card_ref
from besnik.store.models import Card, CardState, Member, Program, Reader, Shop, Till


@transaction.atomic
def seed() -> None:
    """Add what is missing of the demo program, shop, till, reader, members and cards."""
    shop = Shop.objects.filter(slug=demo.SHOP).select_related("program").first()
    if shop is None:
        program = Program.objects.create(name=demo.PROGRAM)
        shop = Shop.objects.create(program=program, slug=demo.SHOP, name=demo.SHOP_NAME)
    till, _ = Till.objects.get_or_create(
        shop=shop, slug=demo.TILL, defaults={"name": demo.TILL_NAME}
    )
    Reader.objects.get_or_create(
        slug=demo.READER, defaults={"shop": shop, "till": till, "name": demo.READER_NAME}
    )
    _seed_cards(shop.program)


def _seed_cards(program: Program) -> None:
    people = {member.key: member for member in demo.MEMBERS}
    for card in demo.CARDS:
        if card.uid is None or card.member is None:
            continue
        ref = card_ref(card.kind, card.uid)
        if Card.objects.filter(program=program, kind=ref.kind, data=ref.data).exists():
            continue
        person = people[card.member]
        member = Member.objects.create(program=program, name=person.name, language=person.language)
        Card.objects.create(
            program=program,
            member=member,
            kind=ref.kind,
            data=ref.data,
            state=CardState.BLOCKED if card.blocked else CardState.ACTIVE,
        )
