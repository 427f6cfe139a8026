"""A card held to its member's own phone opens the member's page, once for each look at the card."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from besnik.config import Config
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.keyring import NTAG_AID
from support.secure_cards import sun_address

ANA = "Ana Hoxha"
UID = bytes.fromhex("04DEBEBCFF4C80")
META, MASTER = bytes(range(16)), bytes(range(16, 32))
KEYS = f"""
[[sun]]
version = 1
template = "e={{picc}}&m={{mac}}"
meta_key = "{META.hex()}"
file_key = "{MASTER.hex()}"
"""


class Phone:
    """A phone that opens what a card shows it."""

    def __init__(self) -> None:
        self.client = Client(HTTP_HOST="localhost")

    def hold(self, counter: int, uid: bytes = UID, master: bytes = MASTER) -> tuple[int, str]:
        """Return the status and text of what the card's address leads to."""
        key = diversify(master, card_message(uid, NTAG_AID, "besnik"))
        address = sun_address(
            "e={picc}&m={mac}", uid=uid, counter=counter, file_key=key, meta_key=META
        )
        answer = self.client.get(f"/t?{address}", follow=True)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert not self.client.cookies
        return answer.status_code, answer.content.decode()


@pytest.fixture
def phone(orm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """A phone, in a shop whose card 04DEBEBCFF4C80 is Ana's."""
    from besnik.site.rate import Limiter
    from besnik.site.views import landing
    from besnik.store.models import Card, Member

    file = tmp_path / "keys.toml"
    file.write_text(KEYS)
    file.chmod(0o600)
    monkeypatch.setattr(settings, "BESNIK", Config(state=str(tmp_path)))
    landing._assessor.cache_clear()
    monkeypatch.setattr(landing, "_LOOKS", Limiter(10_000, 60))
    ana = Member.objects.get(name=ANA)
    Card.objects.create(program=ana.program, member=ana, kind="ntag", data=UID.hex().upper())
    return Phone()


def test_a_card_opens_its_members_page(phone: Phone) -> None:
    status, page = phone.hold(1)

    assert status == 200
    assert "Ana" in page


def test_an_address_opens_nothing_twice_and_nothing_once_the_card_was_read_again(
    phone: Phone,
) -> None:
    assert phone.hold(5)[0] == 200

    for counter in (5, 4):
        status, page = phone.hold(counter)
        assert status == 404
        assert "Hold your card to the phone once more" in page
    assert phone.hold(6)[0] == 200


def test_what_the_phone_read_counts_no_visit_at_a_reader(phone: Phone) -> None:
    from besnik.store.models import Card, Tap

    phone.hold(7)

    assert Card.objects.get(kind="ntag", data=UID.hex().upper()).counter == 7
    assert not Tap.objects.exists()


def test_a_card_lets_in_for_half_an_hour(phone: Phone) -> None:
    from besnik.store.models import Member
    from besnik.store.people import links

    ana = Member.objects.get(name=ANA)
    now = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
    token = links.visit_token(ana, now)

    assert links.open_link(ana.ref, token, now + dt.timedelta(minutes=29)) == ana
    assert links.open_link(ana.ref, token, now + dt.timedelta(minutes=31)) is None
    later = f"{token[:20]}{int(token[20:], 16) + 3600:08x}"
    assert links.open_link(ana.ref, later, now) is None, "its end is part of what is proved"
    people_link = links.token(ana)
    assert links.open_link(ana.ref, people_link) == ana


def test_cards_that_open_nothing_say_why(phone: Phone) -> None:
    from besnik.store.models import Card

    assert "This card is new" in phone.hold(1, uid=bytes.fromhex("04111111111180"))[1]
    assert "could not be read" in phone.hold(1, master=bytes(16))[1]
    answer = phone.client.get("/t")
    assert answer.status_code == 404
    assert "could not be read" in answer.content.decode()
    Card.objects.filter(kind="ntag").update(state="blocked")
    assert "This card is blocked" in phone.hold(2)[1]


def test_who_tries_on_and_on_is_asked_to_wait(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from besnik.site.rate import Limiter
    from besnik.site.views import landing

    monkeypatch.setattr(landing, "_LOOKS", Limiter(2, 60))

    assert [phone.client.get("/t?e=1").status_code for _ in range(3)] == [404, 404, 429]
