"""Files in and out: every sale of three years (L60), members and their opening balances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from rows.owner.conftest import Enter, Past, words
from support.pos import Open, Pos
from support.programs import point_per_euro

HEAD = "name,phone,card,email,birthday,language,points,stamps\n"
GOOD = (
    HEAD
    + "Ana Hoxha,+355 69 123 4567,04A1B2C3D4E580,ana@example.com,1980-12-31,sq,120,3\n"
    + "Ελένη Παππά,+30 691 234 5678,,,,el,0,\n"
    + '"Karimi, Dariush",,04112233445566,,,fa,۵۰,\n'
)


def test_L60_the_export_holds_every_sale_of_three_years(
    open_shop: Open, enter: Enter, past: Past, people: Callable[[Pos, int], list[int]]
) -> None:
    from besnik.store.models import Sale

    pos = open_shop(point_per_euro())
    (member,) = people(pos, 1)
    first = dt.date(2023, 6, 2)
    for day in range(0, 1_095, 2):
        past(pos, first + dt.timedelta(days=day), 100 + day, member=member)
    past(pos, dt.date(2023, 5, 31), 1)
    past(pos, dt.date(2026, 6, 1), 2, buyer="=SUM(A1)")
    office = enter(pos)
    rows = office.sheet("exports/sales.csv", first="2023-06-01", last="2026-06-01")
    inside = Sale.objects.filter(program=pos.program).count() - 1
    assert len(rows) == inside == 549, "more than one reading of 500"
    assert sum(int(row["amount_minor"]) for row in rows) == sum(range(100, 1_195, 2)) + 2
    assert len({row["receipt"] for row in rows}) == len(rows)
    assert len(office.sheet("exports/sales.csv")) == inside, "three years are the usual span"


def test_entries_and_members_leave_whole_and_harmless(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join("=HYPERLINK(1)", phone="+355691234567")
    anna.buy(5_000)
    office = enter(pos)
    (row,) = office.sheet("exports/members.csv")
    assert (row["name"], row["phone"]) == ("'=HYPERLINK(1)", "'+355691234567")
    assert (row["points"], row["status"]) == ("50", "active")
    entries = office.sheet("exports/entries.csv")
    assert sum(int(entry["amount"]) for entry in entries) == 0
    assert {entry["member"] for entry in entries} == {anna.ref, ""}
    enter(pos, "manager").get("exports/members.csv", status=403)
    enter(pos, "auditor").get("exports/members.csv", status=403)
    assert enter(pos, "auditor").sheet("exports/sales.csv")[0]["member"] == anna.ref


def test_a_file_is_checked_first_and_taken_over_once(open_shop: Open, enter: Enter) -> None:
    from besnik.store.models import Entry, Member

    pos = open_shop(point_per_euro())
    office = enter(pos)
    for _ in range(2):
        found = office.send("\ufeff" + GOOD)
        page = office.read(found)
        assert "Checked. Nothing is taken over yet." in page and "3 of them are fine" in page
        office.post(f"{found}take")
        assert "Taken over." in office.read(found)
    assert "0 new members · 0 balances" in office.read(found), "the second time changes nothing"
    assert Member.objects.filter(program=pos.program).count() == 3
    opened = Entry.objects.filter(program=pos.program, kind="open", source="import")
    assert opened.count() == 3
    file = pos.ask("inquire", who={"phone": "+355691234567"})
    assert {unit: line["active"] for unit, line in file["balances"].items()} == {
        "point": 120,
        "stamp": 3,
    }
    assert pos.ask("inquire", who={"card": "04112233445566"})["balances"]["point"]["active"] == 50
    assert sum(int(row["amount"]) for row in office.sheet("exports/entries.csv")) == 0


def test_what_is_wrong_is_said_row_by_row_and_the_rest_is_taken(
    open_shop: Open, enter: Enter
) -> None:
    from besnik.store.models import Member

    pos = open_shop(point_per_euro())
    other = pos.join("Boris", phone="+355691111111", card="04AAAAAAAAAA80")
    office = enter(pos)
    found = office.send(
        HEAD.replace(",", ";")
        + ";+355692222222;;;;;;\n"
        + '"Two\nlines";+355692222223;;;;;1;\n'
        + "No Body;;;;;;;\n"
        + "Digits;12;;;;;;\n"
        + "Twice;+355692222223;;;;;;\n"
        + "Random;;08A1B2C3;;;;;\n"
        + "Thief;+355692222225;04AAAAAAAAAA80;;;;;\n"
        + "Minus;+355692222226;;x;31.12.1980;de;-5;1.234.5\n"
        + "Fine;0692222227;;;;;7;\n"
    )
    page = office.read(found)
    for text in (
        "2 name Write a name",
        "5 phone Give a phone number or a card",
        "6 phone 12 This is no phone number",
        "7 phone +355692222223 This number is in the file twice",
        "8 card 08A1B2C3 A card's number",
        "9 card 04AAAAAAAAAA80 This card belongs to another member",
        "10 email x This is no e-mail address",
        "10 birthday 31.12.1980 Write the day",
        "10 language de Write en",
        "10 point -5 Write a whole number",
        "10 stamp 1.234.5 Write a whole number",
        "2 of them are fine",
    ):
        assert text in page, f"{text}: {page}"
    office.post(f"{found}take")
    assert "2 new members · 2 balances" in office.read(found)
    names = Member.objects.filter(program=pos.program).exclude(ref=other.ref)
    assert set(names.values_list("name", flat=True)) == {"Two lines", "Fine"}


def test_files_of_any_spreadsheet_are_read_and_others_are_refused(
    open_shop: Open, enter: Enter
) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    for data in (
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode("utf-8-sig"),
        b"Emri\tTelefoni\nAna\t+355691234567\n",
        "نام;تلفن;امتیاز\nداریوش;+98 912 345 6789;۱۲\n".encode(),
    ):
        assert "Checked" in office.read(office.send(data))
    for bad, why in (
        (b"", "empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        ("name;phone\nЕлена;+7 912\n".encode("cp1251"), "cannot be read"),
        (b"a,b\n1,2\n", "has to name the columns"),
        (b"name,phone,phone\n", "Each column once"),
    ):
        page = words(office.post("imports/send", 422)) if not bad else office.send(bad, status=422)
        assert why in page, page


def test_an_import_that_broke_off_goes_on(open_shop: Open, enter: Enter) -> None:
    from besnik.store.models import ImportRun, Member

    pos = open_shop(point_per_euro())
    office = enter(pos)
    found = office.send(GOOD)
    ImportRun.objects.update(state="running", done=1)
    assert "This import broke off" in office.read(found)
    office.post(f"{found}take")
    assert Member.objects.filter(program=pos.program).count() == 3
    assert ImportRun.objects.get().content == "", "the file is forgotten"


def test_imports_are_the_owner_s(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    found = enter(pos).send(GOOD)
    enter(pos, "manager").get("imports/", status=403)
    stranger = enter(open_shop(point_per_euro()))
    stranger.get(found, status=404)
    stranger.post(f"{found}take", status=404)
