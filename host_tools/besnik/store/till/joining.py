"""New members with their gift, and memberships that are paid for."""

from __future__ import annotations

import datetime as dt

from besnik.credentials.assess import CredentialError
from besnik.loyalty import membership
from besnik.loyalty.accrual import accrue_gift
from besnik.loyalty.membership import PaidMembership, PaidPlan
from besnik.store import books
from besnik.store.models import Member, PaidTerm, Person
from besnik.store.models import Program as ProgramRow
from besnik.store.people import enrolment, links, phones
from besnik.store.people.consents import Agreed, ConsentError
from besnik.store.people.enrolment import Details, NewCard
from besnik.store.till.asks import BuyMembership, EndMembership, Signup
from besnik.store.till.counting import changes
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import Bought, Ended, Joined, Membership
from besnik.store.till.who import card_number, known, tap_here


def signup(place: Place, ask: Signup, *, key: str = "") -> Joined:
    """Make a member, with the joining gift if this person never had it; TillError.

    Who a person is follows from the phone number: without one there is no gift.
    """
    return do(place, key, ask, lambda: _signup(place, ask), Joined)


def buy_membership(place: Place, ask: BuyMembership, *, key: str = "") -> Bought:
    """Sell the program's paid membership; what it costs is taken at the till. TillError."""
    return do(place, key, ask, lambda: _buy(place, ask), Bought)


def end_membership(place: Place, ask: EndMembership, *, key: str = "") -> Ended:
    """End a paid membership today and say what is paid back, by the day; TillError."""
    return do(place, key, ask, lambda: _end(place, ask), Ended)


def running_term(program_day: dt.date, member: Member) -> PaidTerm | None:
    """Return the paid membership that ends last, if it has not ended."""
    return member.paid_terms.filter(last_day__gte=program_day).order_by("-last_day", "-pk").first()


def _signup(place: Place, ask: Signup) -> Joined:
    program = place.rules()
    if program.sunset is not None and not program.sunset.may_earn(program.today(place.now)):
        raise TillError("ended")
    try:
        member = enrolment.enrol(
            ProgramRow.objects.get(pk=place.program),
            name=ask.name,
            language=ask.language,
            card=_card(place, ask),
            details=Details(phone=ask.phone, email=ask.email, birthday=ask.birthday),
            consents=[Agreed(each.purpose, each.given, each.text) for each in ask.consents],
            source=place.source,
            at=place.now,
        )
    except ConsentError as error:
        raise TillError("consent") from error
    except CredentialError as error:
        raise TillError("card_wrong") from error
    return Joined(
        member=member.ref,
        name=member.name,
        gift=_gift(place, member),
        balances=books.balances_of(member.pk, place.now),
        link=links.link(member),
    )


def _card(place: Place, ask: Signup) -> NewCard | None:
    if ask.tap is not None:
        return enrolment.card_of(tap_here(place, ask.tap))
    return NewCard(*card_number(ask.card)) if ask.card else None


def _gift(place: Place, member: Member) -> dict[str, int]:
    program = place.rules()
    person = Person.objects.filter(member=member).first()
    if program.joining_gift is None or person is None or not person.phone:
        return {}
    key = program.joining_gift.key(program.id, phones.digest(person.phone))
    with books.writing(place.program, [member.pk]) as ledger:
        entry = accrue_gift(program, member.pk, program.joining_gift, place.now)
        made = ledger.post(
            entry, at=place.now, source=place.source, staff=place.staff, key=key[:96]
        )
    return {} if made.repeat else changes(made, member.pk)


def _buy(place: Place, ask: BuyMembership) -> Bought:
    program = place.rules()
    plan = program.paid
    if plan is None:
        raise TillError("plan_unknown")
    found = known(place, ask.who)
    day = program.today(place.now)
    with books.writing(place.program, [found.member.pk]):
        term = running_term(day, found.member)
        bought = membership.buy(plan, day, _paid(term) if term else None)
        PaidTerm.objects.create(
            member=found.member,
            fee_minor=bought.fee_minor,
            first_day=bought.first_day,
            last_day=bought.last_day,
        )
    return Bought(
        member=found.member.ref, fee_minor=bought.fee_minor, membership=_shown(plan, bought)
    )


def _end(place: Place, ask: EndMembership) -> Ended:
    program = place.rules()
    found = known(place, ask.who, even_closed=True)
    day = program.today(place.now)
    with books.writing(place.program, [found.member.pk]):
        terms = found.member.paid_terms.filter(last_day__gt=day)
        if not terms:
            raise TillError("no_membership")
        back, last_day = 0, day
        for term in terms:
            # One that has not begun was never used: its last used day is the one before it.
            used = max(day, term.first_day - dt.timedelta(days=1))
            part = membership.fee_back(_paid(term), used) - term.returned_minor
            PaidTerm.objects.filter(pk=term.pk).update(
                last_day=used, returned_minor=term.returned_minor + part
            )
            back += part
    return Ended(member=found.member.ref, back_minor=back, last_day=last_day)


def _paid(term: PaidTerm) -> PaidMembership:
    return PaidMembership(term.fee_minor, term.first_day, term.last_day)


def _shown(plan: PaidPlan, bought: PaidMembership) -> Membership:
    return Membership(bought.first_day, bought.last_day, plan.benefits)
