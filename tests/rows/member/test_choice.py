"""Rows on what a member decides: consents, words, language, export, and to leave."""

from __future__ import annotations

import csv
import io
import json
import re

from rows.member.conftest import Own
from support.pos import Open
from support.programs import point_per_euro

PHONE = "+355691234567"


def test_L90_who_says_no_to_marketing_keeps_earning(open_shop: Open, own: Own) -> None:
    from besnik.store import people
    from besnik.store.models import Consent, Member

    pos = open_shop(point_per_euro())
    anna = pos.join()
    member = Member.objects.get(ref=anna.ref)
    page = own(anna.ref)
    page.post("consents", marketing="on")
    assert people.consents.may(member, "marketing")
    assert anna.buy(2_000)["earned"] == {"point": 20}
    page.post("consents")
    assert not people.consents.may(member, "marketing")
    assert anna.buy(2_000)["earned"] == {"point": 20}
    assert anna.has() == 40
    rows = Consent.objects.filter(member=member, purpose="marketing").order_by("pk")
    assert [(row.given, row.source) for row in rows] == [(True, "page"), (False, "page")]
    assert {row.text for row in rows} == {"Write to me about offers and news."}


def test_L90_each_purpose_is_asked_for_by_itself_and_none_is_set_beforehand(
    open_shop: Open, own: Own
) -> None:
    from besnik.store import people
    from besnik.store.models import Consent, Member

    pos = open_shop(point_per_euro())
    anna = pos.join()
    page = own(anna.ref)
    boxes = re.findall(r'<input type="checkbox" name="(\w+)"[^>]*?( checked)?>', page.html())
    assert boxes == [(purpose, "") for purpose in people.PURPOSES]
    page.post("consents", profiling="on")
    member = Member.objects.get(ref=anna.ref)
    assert {row.purpose for row in Consent.objects.filter(member=member)} == {"profiling"}
    assert not people.consents.may(member, "marketing")


def test_L90_the_sentence_is_kept_in_the_language_it_was_read_in(open_shop: Open, own: Own) -> None:
    from besnik.store.models import Consent

    pos = open_shop(point_per_euro())
    page = own(pos.join().ref)
    page.post("language", language="ru")
    assert 'lang="ru"' in page.html()
    page.post("consents", marketing="on")
    kept = Consent.objects.get(member__ref=page.ref).text
    assert re.search("[а-я]", kept)
    assert kept in page.text()


def test_L116_a_phone_number_in_a_comment_is_shown_to_nobody(open_shop: Open, own: Own) -> None:
    from besnik.store import people
    from besnik.store.models import Member

    pos = open_shop(point_per_euro())
    anna = pos.join(phone=PHONE)
    page = own(anna.ref)
    page.post("comment", rating="4", text="Lovely! Call me on 069 123 4567.")
    (line,) = people.comments(Member.objects.get(ref=anna.ref))
    assert (line.rating, line.text) == (4, "Lovely! Call me on •••4567.")


def test_L116_no_api_for_tills_returns_a_whole_phone_number(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join(phone=PHONE)
    for verb, body in (
        ("search", {"text": PHONE}),
        ("inquire", {"who": {"phone": PHONE}}),
        ("accrue", {"who": {"phone": PHONE}, "amount_minor": 500, "receipt": "one"}),
    ):
        answer = pos.send(verb, body)
        assert answer.status_code == 200, answer.content
        assert anna.ref in answer.content.decode()
        assert "691234567" not in answer.content.decode(), verb
    (match,) = pos.ask("search", text=PHONE)["matches"]
    assert match["phone"] == "•••4567"


def test_L116_a_rating_needs_one_to_five_stars_and_what_was_typed_stays(
    open_shop: Open, own: Own
) -> None:
    from besnik.store.models import Comment

    pos = open_shop(point_per_euro())
    page = own(pos.join().ref)
    for rating in ("", "0", "6", "x"):
        answer = page.post("comment", 422, rating=rating, text="<b>so good</b>")
        shown = answer.content.decode()
        assert "Please choose one to five stars." in shown
        assert "&lt;b&gt;so good&lt;/b&gt;" in shown
    assert not Comment.objects.exists()
    page.post("comment", rating="5", text="")
    assert Comment.objects.get().rating == 5


def test_L122_leaving_takes_three_taps_at_most(open_shop: Open, own: Own) -> None:
    from besnik.store.models import Member

    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(2_000)
    page = own(anna.ref)
    # 1: the link on the page.
    assert f'href="{page.address}/leave"' in page.html()
    form = page.html("/leave")
    # 2: a choice, each with what happens; one is made already. Nobody is asked why.
    choices = re.findall(r'name="how" value="(\w+)"', form)
    assert choices == ["keep", "lapse", "erase"]
    assert form.count(" checked") == 1
    assert "<textarea" not in form and "required" not in form
    assert "What you have stays until it runs out" in form
    # The data can be taken along, from here too.
    assert f'href="{page.address}/export.csv"' in form
    # 3: the button.
    page.post("leave", how="keep")
    assert Member.objects.get(ref=anna.ref).status == "closed"
    assert "You have left" in page.text()
    assert " 20 points " in page.text()
    assert pos.refused("accrue", who=anna.who, amount_minor=500, receipt="later").status >= 400
    # And back with one.
    page.post("return")
    assert anna.buy(500)["earned"] == {"point": 5}


def test_L122_who_gives_up_what_they_have_keeps_their_money(open_shop: Open, own: Own) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(2_000)
    pos.ask("topup", who=anna.who, amount_minor=1_000)
    page = own(anna.ref)
    answer = page.post("leave", 422, how="erase")
    assert "There is still money on your card" in answer.content.decode()
    page.post("leave", how="lapse")
    text = page.text()
    assert " 0 points " in text
    assert "Money on your card €10.00" in text


def test_L122_who_is_erased_is_told_so_and_the_link_is_dead(open_shop: Open, own: Own) -> None:
    from besnik.store.models import Member, Person

    pos = open_shop(point_per_euro())
    anna = pos.join("Zefirina", PHONE)
    anna.buy(2_000)
    page = own(anna.ref)
    answer = page.post("leave", 200, how="erase")
    assert "Everything about you is erased" in answer.content.decode()
    page.get(status=404)
    assert Member.objects.get(ref=anna.ref).name == ""
    assert not Person.objects.filter(member__ref=anna.ref).exists()
    assert pos.ask("search", text=PHONE)["matches"] == []


def test_L122_the_export_is_everything_as_json_and_as_a_table(open_shop: Open, own: Own) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join("Zefirina", PHONE)
    anna.buy(2_000, receipt="R-77")
    page = own(anna.ref)
    assert f'href="{page.address}/export.json"' in page.html()
    told = json.loads(page.get("/export.json").content)
    assert told["person"]["phone"] == PHONE
    assert told["balances"]["point"]["active"] == 20
    assert [bought["receipt"] for bought in told["purchases"]] == ["R-77"]
    answer = page.get("/export.csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{anna.ref}.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["section", "number", "field", "value"]
    assert ["purchases", "1", "receipt", "R-77"] in rows
    assert ["person", "1", "phone", PHONE] in rows
