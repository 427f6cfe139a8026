"""Rows on the program: found, understood, warned of, without points, and published."""

from __future__ import annotations

import datetime as dt
import time
from threading import Event
from typing import Any

import pytest

from besnik.loyalty.rewards import AmountOff
from besnik.loyalty.templates import recognition, savings
from besnik.site.owner import work
from besnik.store import history
from rows.owner.conftest import Enter, words
from support.pos import Clock, Open
from support.programs import BASIS, point_per_euro, reward

RULE = {"unit": "point", "give": "1", "per_minor": "1", "reading": "gate", "rounding": "floor"}
REWARD = {"kind": "amount_off", "unit": "point"}


def test_L22_the_rule_nobody_understands_is_refused_and_says_why(
    open_shop: Open, enter: Enter
) -> None:
    pos = open_shop(recognition(BASIS))
    office = enter(pos)
    office.post("program/rules/new/per_amount/", **RULE, id="spend")
    office.post("program/rewards/new/", **REWARD, title="a euro", amount_minor="1", cost="14")
    office.post(
        "program/terms/expiry/",
        mode_point="period_end",
        n_point="3",
        mode_stamp="never",
        mode_item="never",
    )
    page = office.read("program/")
    assert "nobody can work out in their head what 14 points are worth" in page
    assert "what is earned on the last day can be used for 0 days only" in page
    refused = words(office.post("program/publish", status=409))
    assert "what is marked red below has to change first" in refused
    assert pos.rules().rewards == (), "nothing was published"


def test_L22_a_point_for_each_euro_and_50_for_5_off_passes(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(recognition(BASIS))
    office = enter(pos)
    office.post("program/rules/new/per_amount/", **RULE, id="spend")
    office.post("program/rewards/new/", **REWARD, title="5 off", amount_minor="5", cost="50")
    page = office.read("program/")
    assert "1 point for every €1 you spend." in page and "50 points = €5 off." in page
    office.publish()
    anna = pos.join()
    anna.buy(5_000)
    assert anna.has() == 50, "the first rules of a program hold at once"


def test_L22_what_a_form_means_is_said_in_five_languages_while_it_is_filled_in(
    open_shop: Open, enter: Enter
) -> None:
    office = enter(open_shop(recognition(BASIS)))
    said = words(office.post("program/rules/new/per_amount/", 200, **RULE, id="s", **{"try": "1"}))
    for text in (
        "1 point for every €1 you spend.",
        "1 pikë për çdo 1 €",
        "1 балл за каждые 1 €",
        "1 πόντος για κάθε 1 €",
        "۱ امتیاز",
    ):
        assert text in said.replace("\u00a0", " "), said
    assert not office.read("program/versions/").count("not published"), "it was only tried"


def test_L23_the_interval_between_purchases_recommends_a_model(
    open_shop: Open, enter: Enter
) -> None:
    office = enter(open_shop(recognition(BASIS)))
    assert "We recommend: points or a stamp card" in office.read("program/templates/", interval="3")
    page = office.read("program/templates/", interval="200")
    assert "We recommend: tiers or a paid membership" in page
    assert "We recommend" not in office.read("program/templates/", interval="0")


def test_L118_the_trade_recommends_a_template(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(recognition(BASIS))
    office = enter(pos)
    assert "We recommend: tiers" in office.read("program/templates/", trade="hotel")
    page = office.read("program/templates/", trade="cafe")
    assert "We recommend: a stamp card" in page
    assert page.index("the tenth coffee is free") < page.index("Recognition: no points")
    office.post("program/templates/cafe_stamps")
    assert "10 stamps = free coffee." in office.read("program/")
    office.publish()
    assert [reward.id for reward in pos.rules().rewards] == ["free-coffee"]


def test_L28_a_first_reward_that_comes_too_late_is_warned_of(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500), cost=50),)))
    office = enter(pos)
    assert "forget about it" not in office.read("program/")
    joined = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for days in (80, 91, 100):
        clock.now = joined + dt.timedelta(days=days, hours=10)
        anna = pos.join()
        anna.buy(5_000)
        pos.ask("redeem", who=anna.who, reward="r")
    assert "Half of your members wait 91 days or longer" in office.read("program/")
    span = {"first": "2026-01-01", "last": f"{clock.now:%Y-%m-%d}"}
    line = office.figure("first_reward", **span)
    assert (line["value"], line["n"]) == ("91", "3")


def test_L43_a_program_without_rules_works_end_to_end(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(savings(BASIS))
    office = enter(pos)
    office.post("program/templates/recognition")
    page = office.read("program/")
    assert "the till still knows your members" in page
    office.publish()
    clock.pass_(days=1)
    anna = pos.join("Anna Hoxha")
    sold = anna.buy(1_234)
    assert sold["earned"] == {} and anna.has() == 0
    assert anna.file()["name"] == "Anna Hoxha"
    file = office.read(f"members/{anna.ref}/")
    assert "€12.34" in file and "nothing collected yet" in file
    assert "€12.34" in office.read("figures/")
    assert "Corner" in office.read("")


def test_a_change_begins_tomorrow_and_sales_that_come_late_count_by_their_day(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    office.post("program/rules/edit/spend", **{**RULE, "give": "3"})
    assert "These rules hold from 2 Jun 2026 on" in office.read("program/")
    office.publish()
    anna = pos.join()
    anna.buy(1_000)
    assert anna.has() == 10
    clock.pass_(days=1)
    anna.buy(1_000)
    assert anna.has() == 40
    history = office.read("program/versions/")
    assert "New: 3 points for every €1 you spend." in history
    assert "No longer: 1 point for every €1 you spend." in history


def test_rules_that_begin_before_today_are_refused(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    office.post("program/rules/edit/spend", **{**RULE, "give": "3"})
    start = {"first_day": "2026-05-31", "base": "sum", "campaigns": "best"}
    office.post("program/terms/start/", **start)
    assert "begin before today" in words(office.post("program/publish", status=409))
    assert len(pos.rules().rule_sets) == 1


def test_two_who_publish_at_once_do_not_overwrite_each_other(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    office.post("program/rules/edit/spend", **{**RULE, "give": "3"})
    pos.publish(pending_days=3)
    refused = words(office.post("program/publish", status=409))
    assert "Somebody published another version meanwhile" in refused
    assert pos.rules().pending_days == 3
    office.post("program/discard")
    assert "not published" not in office.read("program/")


def test_what_is_wrong_is_said_at_its_field(open_shop: Open, enter: Enter) -> None:
    office = enter(open_shop(point_per_euro()))
    wrong = {**RULE, "id": "spend", "per_minor": "1.234", "give": "0", "last_day": "31.5.2026"}
    page = office.post("program/rules/new/per_amount/", 422, **wrong).content.decode()
    for text in (
        "Another rule has this name.",
        "can mean two amounts",
        "greater than or equal to 1",
        "Write the day as year-month-day",
    ):
        assert text in page, text
    assert page.count('aria-invalid="true"') >= 4


def test_last_month_is_counted_by_both_programs(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500), cost=50),)))
    clock.set("2026-05-10 10:00")
    anna = pos.join()
    anna.buy(10_000)
    anna.buy(4_000)
    clock.set("2026-06-01 10:00")
    office = enter(pos)
    ask = {"months": "1", "redeemed_bp": "50"}
    page = office.read("program/preview/", **ask)
    assert "1 May 2026 to 31 May 2026" in page
    assert "Cost €7.00" in page and "Of the turnover 5%" in page and "140 points" in page
    office.post("program/rules/edit/spend", **{**RULE, "give": "2"})
    page = office.read("program/preview/", **ask)
    assert "Cost €14.00 €7.00" in page and "280 points 140 points" in page


def test_a_long_count_says_how_far_it_is(
    open_shop: Open, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(1_000)
    office = enter(pos)
    going = Event()
    compare = history.compare

    def slowly(*arguments: Any) -> Any:
        going.wait(10)
        return compare(*arguments)

    monkeypatch.setattr(history, "compare", slowly)
    monkeypatch.setattr(work, "WAIT_S", 0.0)
    ask = {"months": "1", "redeemed_bp": "100"}
    address = office.get("program/preview/", 302, **ask).headers["Location"]
    place, _, _query = address.removeprefix("/owner/").partition("?")
    answer = office.get(place, **ask)
    assert "Counting…" in words(answer) and answer.headers["Refresh"] == "2"
    enter(pos).get(place, 404, **ask)
    going.set()
    for _ in range(100):
        page = office.read(place, **ask)
        if "Counting…" not in page:
            break
        time.sleep(0.05)
    assert "1 May 2026 to 31 May 2026" in page


def test_a_manager_edits_and_the_owner_publishes(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    manager, auditor = enter(pos, "manager"), enter(pos, "auditor")
    manager.post("program/rules/edit/spend", **{**RULE, "give": "3"})
    manager.post("program/publish", status=403)
    assert "not published" in auditor.read("program/")
    auditor.post("program/discard", status=403)
    enter(pos).publish()
    from besnik.store.models import AuditRecord

    assert AuditRecord.objects.filter(action="program.publish").count() == 1


def test_the_program_leaves_and_comes_as_json(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    text = office.get("program/document/program.json").content.decode()
    office.post(
        "program/document/upload", text=text.replace('"per_minor": 100', '"per_minor": 200')
    )
    assert "for every €2 you spend" in office.read("program/")
    page = words(office.post("program/document/upload", 422, text='{"id": 1}'))
    assert "missing required field" in page
