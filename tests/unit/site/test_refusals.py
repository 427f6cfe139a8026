"""What the till refuses is said with the figures of the page's language, and in its money."""

from __future__ import annotations

from django.test import Client
from django.utils import translation

from besnik.site import formats


def test_the_figures_of_a_refusal_are_those_of_the_language(orm: str) -> None:
    from besnik.store.till import TillError

    refused = TillError("insufficient", wanted=1250, active=60)
    with translation.override("fa"):
        assert refused.said(formats.number).startswith("۱٬۲۵۰ زیاد است: اکنون ۶۰ ")
        assert TillError("sold_out").said(formats.number).startswith("این جایزه ")


def test_too_much_money_is_refused_as_money(client: Client) -> None:
    from besnik.site.cashier.serving import by_phone
    from besnik.store.models import Member, Staff

    client.cookies["language"] = "el"
    ref = Member.objects.get(name="Ana Hoxha").ref
    found = by_phone(Staff.objects.get(username="demo-owner"), ref)
    sent = {"amount": "1.234,50", "key": "k-1", "by": found}
    page = client.post(f"/cashier/corner/till-1/members/{ref}/pay", sent).content.decode()
    assert "1.234,50\u00a0€ είναι πάρα πολλά: τώρα διατίθενται 0,00\u00a0€" in page
