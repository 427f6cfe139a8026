"""Seeds the demo shop; running it again changes nothing that was changed since."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone

from besnik import demo
from besnik.credentials.assess import card_ref
from besnik.loyalty import program as rules
from besnik.loyalty.money import Currency
from besnik.loyalty.rules import PerVisit, RuleSet
from besnik.store import programs
from besnik.store.models import Card, CardState, Program, Reader, Shop, Till
from besnik.store.people import NewCard, enrol

_FIRST_DAY: Final = dt.date(2020, 1, 1)


@transaction.atomic
def seed() -> None:
    """Add what is missing of the demo program, shop, till, reader, members and cards."""
    shop = Shop.objects.filter(slug=demo.SHOP).select_related("program").first()
    if shop is None:
        program = Program.objects.create(name=demo.PROGRAM)
        shop = Shop.objects.create(program=program, slug=demo.SHOP, name=demo.SHOP_NAME)
        programs.publish(_first_version(program), timezone.now())
    till, _ = Till.objects.get_or_create(
        shop=shop, slug=demo.TILL, defaults={"name": demo.TILL_NAME}
    )
    Reader.objects.get_or_create(
        slug=demo.READER, defaults={"shop": shop, "till": till, "name": demo.READER_NAME}
    )
    _seed_cards(shop.program)


def _first_version(program: Program) -> rules.Program:
    """Return a program that gives a stamp for each visit."""
    visit = PerVisit(id="visit", unit="stamp")
    return rules.Program(
        id=program.pk,
        name=program.name,
        currency=Currency.named("EUR"),
        zone=timezone.get_default_timezone_name(),
        rule_sets=(RuleSet(version=1, first_day=_FIRST_DAY, rules=(visit,)),),
    )


def _seed_cards(program: Program) -> None:
    people = {member.key: member for member in demo.MEMBERS}
    for card in demo.CARDS:
        if card.uid is None or card.member is None:
            continue
        ref = card_ref(card.kind, card.uid)
        if Card.objects.filter(program=program, kind=ref.kind, data=ref.data).exists():
            continue
        person = people[card.member]
        member = enrol(
            program,
            name=person.name,
            language=person.language,
            card=NewCard(ref.kind, ref.data),
        )
        if card.blocked:
            member.cards.update(state=CardState.BLOCKED)
