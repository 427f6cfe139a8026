"""Enrolment, and what the pages are told about members and taps."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from besnik.credentials.assess import CardRef, CredentialError
from besnik.store.hot import CardKey, DecidedTap, open_hot
from besnik.store.members import (
    EnrolError,
    MemberFile,
    enrol_tap,
    member_file,
    tap_file,
)
from besnik.store.models import Card, Member, Program, Tap
from besnik.store.people import NewCard, Refusal, enrol
from support.store import settings_for

ANA, BORIS, BLANK = "5B3C2A19", "0487654321AB80", "04DEADBEEF1280"
NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def program(orm: str) -> Program:
    return Program.objects.get()


def tapped(url: str, uid: str, times: int = 1, **changes: object) -> None:
    """Write taps of a card as the bridge does, one an hour, the last at noon."""
    hot = open_hot(settings_for(url))
    reader = hot.readers(["counter-1"])["counter-1"]
    key = CardKey(reader.rules.program, CardRef("uid", uid))
    known = hot.cards([key]).get(key)
    accepted = known is not None and known.state == "active"
    values: dict[str, object] = {
        "reader": reader.id,
        "ref": key.ref,
        "card": known,
        "tier": "D",
        "outcome": "accepted" if accepted else "rejected",
        "reason": "ok" if accepted else "unknown" if known is None else "blocked",
        "read_at": 1_795_300_000,
        "clock_quality": 2,
        "queued": False,
        "entry": reader.rules.accrue(known.member, "corner", NOON) if accepted and known else None,
    }
    hot.record(
        [
            DecidedTap(
                tap_id=f"00001-{number:06d}",
                received_at=NOON - dt.timedelta(hours=times - 1 - number),
                **(values | changes),  # type: ignore[arg-type]  # a test's keyword arguments
            )
            for number in range(times)
        ]
    )
    hot.close()


def test_enrolling_makes_a_member_with_an_active_card(program: Program) -> None:
    member = enrol(program, card=NewCard("uid", BLANK), name="  Αλέξης \t Μάρας ", language="el")
    assert (member.name, member.language, member.program) == ("Αλέξης Μάρας", "el", program)
    assert [(card.data, card.state) for card in member.cards.all()] == [(BLANK, "active")]
    assert len(member.ref) == 12


@pytest.mark.parametrize(
    ("finding", "originality"), [("genuine", "genuine"), ("copy", "copy"), ("", "")]
)
def test_what_was_found_about_a_card_is_kept_with_it(
    orm: str, finding: str, originality: str
) -> None:
    tapped(orm, BLANK, finding=finding)
    enrol_tap(Tap.objects.get(), name="Μαρία", language="el")
    assert Card.objects.get(data=BLANK).originality == originality
    tapped(orm, BLANK, times=2)
    shown = tap_file("counter-1", "00001-000001")
    assert shown is not None
    assert shown.card is not None
    assert (shown.card.originality, shown.may_redeem) == (originality, False)


def test_why_an_address_failed_is_no_originality(orm: str) -> None:
    tapped(orm, BLANK, finding="unsupported")
    enrol_tap(Tap.objects.get(), name="Μαρία", language="el")
    assert Card.objects.get(data=BLANK).originality == ""


def test_the_card_of_an_unknown_tap_can_be_enrolled(orm: str) -> None:
    tapped(orm, BLANK)
    member = enrol_tap(Tap.objects.get(), name="Mira", language="sq")
    assert member.program.shops.get().slug == "corner"
    assert Card.objects.get(data=BLANK).member == member


def test_the_card_of_an_address_is_enrolled_with_its_uid_and_counter(orm: str) -> None:
    tapped(orm, BLANK, ref=CardRef("ntag", BLANK), tier="A", counter=7)
    member = enrol_tap(Tap.objects.get(), name="Mira", language="sq")
    card = member.cards.get()
    assert (card.kind, card.data, card.counter) == ("ntag", BLANK, 7)


def test_the_card_of_a_challenge_is_enrolled_without_a_counter(orm: str) -> None:
    tapped(orm, BLANK, ref=CardRef("ev2", BLANK), tier="A")
    card = enrol_tap(Tap.objects.get(), name="Mira", language="sq").cards.get()
    assert (card.kind, card.data, card.counter) == ("ev2", BLANK, None)


@pytest.mark.parametrize(
    "ref", [CardRef("uid", "08A1B2C3"), CardRef("uid", BLANK), CardRef("sun", "0" * 32)]
)
def test_a_tap_that_proved_nothing_can_never_be_enrolled(orm: str, ref: CardRef) -> None:
    tapped(orm, BLANK, ref=ref, tier="X")
    with pytest.raises(EnrolError) as caught:
        enrol_tap(Tap.objects.get(), name="Mira", language="sq")
    assert caught.value.code == "random_uid"
    assert not Member.objects.filter(name="Mira").exists()


@pytest.mark.parametrize(
    ("uid", "name", "language", "code"),
    [
        (ANA, "Somebody", "en", "card_known"),
        (BORIS, "Somebody", "en", "card_known"),
        ("08A1B2C3", "Somebody", "en", "random_uid"),
        (BLANK, "", "en", "name_empty"),
        (BLANK, " \t\u00a0\n", "en", "name_empty"),
        (BLANK, "x" * 121, "en", "name_long"),
        (BLANK, "a\x00b", "en", "name_characters"),
        (BLANK, "a\ud800b", "en", "name_characters"),
        (BLANK, "Somebody", "de", "language"),
        (BLANK, "Somebody", "", "language"),
    ],
)
def test_a_refused_enrolment_says_why_and_leaves_nothing(
    program: Program, uid: str, name: str, language: str, code: Refusal
) -> None:
    before = Member.objects.count(), Card.objects.count()
    with pytest.raises(EnrolError) as caught:
        enrol(program, card=NewCard("uid", uid), name=name, language=language)
    assert caught.value.code == code
    assert (Member.objects.count(), Card.objects.count()) == before


def test_a_refusal_inside_a_transaction_keeps_the_transaction(program: Program) -> None:
    with transaction.atomic():
        with pytest.raises(EnrolError):
            enrol(program, card=NewCard("uid", ANA), name="Somebody", language="en")
        enrol(program, card=NewCard("uid", BLANK), name="Somebody", language="en")
    assert Card.objects.filter(data=BLANK).exists()


def test_data_that_is_no_credential_is_refused(program: Program) -> None:
    with pytest.raises(CredentialError):
        enrol(program, card=NewCard("uid", "not a uid"), name="Somebody", language="en")


@pytest.mark.parametrize(
    ("kind", "data"), [("sun", "0" * 32), ("ntag", "08A1B2C3"), ("ev2", "x"), ("qr", BLANK)]
)
def test_a_card_that_no_proof_can_name_is_refused(program: Program, kind: str, data: str) -> None:
    with pytest.raises(CredentialError):
        enrol(program, card=NewCard(kind, data), name="Somebody", language="en")


def test_a_tap_says_how_far_its_card_can_be_trusted(orm: str) -> None:
    tapped(orm, ANA)
    file = tap_file("counter-1", "00001-000000")
    assert file is not None
    assert file.tier == "D"


@pytest.mark.parametrize("name", ["داریوش کریمی", "نیم\u200cفاصله", "x" * 120, "O'Neill-Ødegård"])
def test_names_people_have_are_kept(program: Program, name: str) -> None:
    assert enrol(program, card=NewCard("uid", BLANK), name=name, language="fa").name == name


def test_the_same_card_can_be_enrolled_in_another_program(program: Program) -> None:
    other = Program.objects.create(name="Other")
    assert enrol(other, card=NewCard("uid", ANA), name="Ana there", language="en").program == other


def ana_file() -> MemberFile:
    file = member_file(Member.objects.get(name="Ana Hoxha").ref)
    assert file is not None
    return file


def test_a_new_member_has_nothing_yet(orm: str) -> None:
    file = ana_file()
    assert (file.name, file.language, file.balance, file.visits) == ("Ana Hoxha", "sq", 0, ())
    assert [(card.tail, card.state) for card in file.cards] == [("2A19", "active")]


def test_a_file_has_the_balance_and_the_last_visits_newest_first(orm: str) -> None:
    tapped(orm, ANA, times=7)
    file = ana_file()
    assert file.balance == 7
    assert [visit.at for visit in file.visits] == [NOON - dt.timedelta(hours=n) for n in range(5)]
    assert {(visit.shop, visit.amount) for visit in file.visits} == {("The Corner", 1)}


def test_a_member_nobody_knows_has_no_file(orm: str) -> None:
    assert member_file("nobodynobody") is None


def test_a_tap_has_its_card_and_member(orm: str) -> None:
    tapped(orm, ANA)
    file = tap_file("counter-1", "00001-000000")
    assert file is not None
    assert (file.outcome, file.reason, file.at, file.queued) == ("accepted", "ok", NOON, False)
    assert file.card is not None
    assert file.card.state == "active"
    assert file.member == ana_file()


def test_a_tap_of_a_blocked_card_shows_it(orm: str) -> None:
    tapped(orm, BORIS)
    file = tap_file("counter-1", "00001-000000")
    assert file is not None
    assert file.card is not None
    assert file.member is not None
    assert (file.reason, file.card.state) == ("blocked", "blocked")
    assert (file.member.name, file.member.balance) == ("Борис Орлов", 0)


def test_a_tap_of_an_unknown_card_has_neither(orm: str) -> None:
    tapped(orm, BLANK)
    file = tap_file("counter-1", "00001-000000")
    assert file is not None
    assert (file.reason, file.card, file.member) == ("unknown", None, None)


def test_a_tap_nobody_knows_has_no_file(orm: str) -> None:
    tapped(orm, ANA)
    assert tap_file("counter-2", "00001-000000") is None
    assert tap_file("counter-1", "00001-000009") is None


@pytest.mark.parametrize(
    ("queued", "quality", "by_reader"), [(True, 2, True), (True, 1, False), (False, 2, False)]
)
def test_a_tap_that_waited_happened_when_a_good_clock_says(
    orm: str, queued: bool, quality: int, by_reader: bool
) -> None:
    read_at = NOON - dt.timedelta(hours=30)
    tapped(orm, ANA, queued=queued, clock_quality=quality, read_at=int(read_at.timestamp()))
    assert ana_file().visits[0].at == (read_at if by_reader else NOON)


def test_the_number_of_queries_does_not_grow(orm: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert tap_file("counter-1", "00001-000000") is not None
        return len(captured)

    tapped(orm, ANA)
    few = queries()
    tapped(orm, ANA, times=40)
    ana = Member.objects.get(name="Ana Hoxha")
    for number in range(9):
        Card.objects.create(program=ana.program, member=ana, data=f"5B3C2A{number:02d}")
    assert queries() == few <= 4
