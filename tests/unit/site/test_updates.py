"""The owner's pages of updates and of one reader: what they show, and what their buttons do."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from besnik import demo
from besnik.contract import UpdateState
from besnik.site.views.updates import UpdatesScreen
from besnik.store import rollouts
from besnik.store.models import (
    AuditRecord,
    Reader,
    ReaderHour,
    Release,
    Rollout,
    RolloutReader,
    Shop,
    Staff,
)
from besnik.store.rollouts import Found

from .conftest import LogIn, Tapped

if TYPE_CHECKING:
    from django.http import HttpResponse

PAGE = "/readers/updates/"
BEGIN = f"{PAGE}begin"


@pytest.fixture
def second(orm: str) -> Reader:
    """Another reader of the shop, beside the demo's."""
    first = Reader.objects.get(slug=demo.READER)
    return Reader.objects.create(slug="counter-2", name="Second", shop=first.shop, till=first.till)


@pytest.fixture
def release(orm: str) -> Release:
    rollouts.know([Found(7, "1.2.0", "esp32", "6.3", 90_000)], timezone.now())
    return Release.objects.get()


@pytest.fixture
def rollout(release: Release) -> Rollout:
    first = Reader.objects.get(slug=demo.READER)
    return rollouts.begin(release, first, "all", now=timezone.now())


def text_of(page: HttpResponse) -> str:
    shown = re.sub(r"<[^>]+>", " ", page.content.decode())
    return re.sub(r"\s+", " ", shown)


def says(state: str, why: str = "", percent: int = 0) -> None:
    said = UpdateState(n=7, s=state, why=why, p=percent)  # type: ignore[arg-type]  # text
    rollouts.heard(demo.SHOP, demo.READER, said, timezone.now())


def begin(client: Client, **changes: str) -> HttpResponse:
    order = {"release": "7", "first": demo.READER, "goal": "shop", "pause_min": "10"}
    return client.post(BEGIN, order | changes)


def test_an_owner_gives_a_release_to_the_readers(client: Client, release: Release) -> None:
    shown = text_of(client.get(PAGE))
    assert "No release was given to readers yet." in shown
    assert "Release 7, version 1.2.0, for esp32" in shown
    assert begin(client).status_code == 302
    rollout = Rollout.objects.get()
    assert (rollout.release, rollout.first.slug, rollout.goal) == (release, demo.READER, "shop")
    assert (rollout.pause_s, rollout.started_by) == (600, Staff.objects.get(role="owner"))
    assert AuditRecord.objects.latest("pk").action == "update.begin"
    shown = text_of(client.get(PAGE))
    assert "On its way So far it runs on 0 of 1. It is being tried on the first" in shown
    assert "waits its turn, or is off line" in shown


@pytest.mark.parametrize(
    ("word", "why", "shown"),
    [
        ("loading", "", "loads it (40%)"),
        ("trying", "", "tries it"),
        ("kept", "", "has it"),
        ("refused", "board", "refused it: it is for another kind of board"),
        ("refused", "number", "refused it: it has it already, or a newer one"),
        ("refused", "something new", "refused it: something new"),
        ("rolled_back", "rc522", "went back to the release before it: its card chip did not"),
    ],
)
def test_each_reader_says_how_far_it_is_in_words(
    client: Client, rollout: Rollout, word: str, why: str, shown: str
) -> None:
    says(word, why, 40)
    assert shown in text_of(client.get(PAGE))
    assert f"Release 7, version 1.2.0: {shown}" in text_of(client.get("/readers/"))


def test_what_stopped_it_is_said_and_it_cannot_go_on(client: Client, rollout: Rollout) -> None:
    says("rolled_back", "broker")
    page = client.get(PAGE)
    assert "This reader went back to the release it had before. Nobody else is told." in (
        text_of(page)
    )
    assert b"update-widen" not in page.content
    assert b"/widen" not in page.content
    answer = client.post(f"{PAGE}{rollout.pk}/widen", {"goal": "all"})
    assert answer.status_code == 409
    assert "A reader stopped it." in text_of(answer)


def test_an_owner_stops_it_and_lets_it_go_on(client: Client, rollout: Rollout) -> None:
    assert client.post(f"{PAGE}{rollout.pk}/stop").status_code == 302
    rollout.refresh_from_db()
    assert (rollout.state, rollout.why) == ("stopped", "person")
    assert "Somebody stopped it." in text_of(client.get(PAGE))
    assert "It is over already." in text_of(client.post(f"{PAGE}{rollout.pk}/stop"))
    assert client.post(f"{PAGE}{rollout.pk}/widen", {"goal": "all"}).status_code == 302
    rollout.refresh_from_db()
    assert rollout.state == "running"
    assert client.post(f"{PAGE}{rollout.pk}/widen", {"goal": "moon"}).status_code == 422
    actions = AuditRecord.objects.order_by("pk").values_list("action", flat=True)
    assert [each for each in actions if each.startswith("update.")] == [
        "update.stop", "update.widen",
    ]  # fmt: skip


def test_a_second_one_waits_for_the_first(client: Client, rollout: Rollout) -> None:
    answer = begin(client)
    assert answer.status_code == 409
    assert "Another release is on its way." in text_of(answer)


@pytest.mark.parametrize(
    "changes", [{"release": "8"}, {"first": "nobody"}, {"goal": "moon"}, {"pause_min": "x"}]
)
def test_what_is_filled_in_wrong_begins_nothing(
    client: Client, release: Release, changes: dict[str, str]
) -> None:
    assert begin(client, **changes).status_code == 422
    assert not Rollout.objects.exists()


def test_only_owners_change_anything(log_in: LogIn, rollout: Rollout) -> None:
    for role in ("manager", "auditor"):
        page = log_in(role).get(PAGE)
        assert page.status_code == 200
        assert b"formaction" not in page.content
        assert b"Give readers a release" not in page.content
        assert begin(log_in(role)).status_code == 403
    assert log_in("cashier").get(PAGE).status_code == 403


def test_another_programs_readers_and_rollouts_are_not_there(
    client: Client, release: Release, rollout: Rollout
) -> None:
    from besnik.store.models import Program, Till

    other = Shop.objects.create(
        program=Program.objects.create(name="Other"), slug="elsewhere", name="Elsewhere"
    )
    till = Till.objects.create(shop=other, slug="till", name="Till")
    theirs = Reader.objects.create(shop=other, till=till, slug="elsewhere-1", name="Theirs")
    foreign = rollouts.begin(release, theirs, "all", now=timezone.now())
    assert "Theirs" not in text_of(client.get(PAGE))
    assert begin(client, first="elsewhere-1").status_code == 422
    assert client.post(f"{PAGE}{foreign.pk}/stop").status_code == 404
    assert client.get("/readers/at/elsewhere-1/").status_code == 404


def test_who_works_in_one_shop_updates_that_shop_alone(
    client: Client, release: Release, second: Reader
) -> None:
    owner = Staff.objects.get(role="owner")
    owner.shops.add(Shop.objects.get(slug=demo.SHOP))
    assert begin(client, goal="all").status_code == 422
    assert begin(client, goal="shop").status_code == 302


def test_who_works_in_one_shop_sees_the_readers_of_that_shop_alone(
    log_in: LogIn, rollout: Rollout
) -> None:
    manager = Staff.objects.get(role="manager")
    shop = Shop.objects.create(program_id=manager.program_id, slug="kiosk", name="Kiosk")
    manager.shops.set([shop])
    assert "So far it runs on 0 of 0." in text_of(log_in("manager").get(PAGE))


def test_the_stream_tells_the_list_when_it_changes(rollout: Rollout) -> None:
    screen = UpdatesScreen(Staff.objects.get(role="owner"), "en")
    (first,) = screen.look()
    assert first.startswith(b"event: list\n")
    assert screen.look() == []
    says("loading", percent=70)
    (then,) = screen.look()
    assert b"70%" in then


def test_the_map_shows_every_reader_at_its_till(client: Client, second: Reader) -> None:
    page = client.get("/readers/").content.decode()
    plan = page[page.index('class="map"') : page.index('class="readers"')]
    assert plan.index("Corner") < plan.index('href="#reader-counter-2"')
    assert plan.count('data-state="never"') == 2


def hour(reader: Reader, ago_h: int, **changes: int) -> None:
    now = timezone.now().astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    well = {"said": 60, "rssi_sum_dbm": -60 * 61, "rssi_min_dbm": -70, "verdict_max_ms": 50}
    none = {"dropped": 0, "reconnects": 0, "rc522_recoveries": 0, "restarts": 0}
    ReaderHour.objects.create(
        reader=reader, hour=now - dt.timedelta(hours=ago_h), **(well | none | changes)
    )


def test_a_readers_page_shows_signal_taps_and_what_went_wrong(
    client: Client, tapped: Tapped
) -> None:
    reader = Reader.objects.get(slug=demo.READER)
    hour(reader, 1, reconnects=2, restarts=1)
    hour(reader, 2, said=10, rssi_sum_dbm=-850, rc522_recoveries=3)
    hour(reader, 24 * 9, dropped=99)
    for ago_s in (10, 20, 3 * 3600):
        tapped("ana", "ok", ago_s=ago_s)
    page = client.get(f"/readers/at/{demo.READER}/")
    shown = text_of(page)
    assert ": \u2066-61 dBm" in shown
    assert ": \u2066-85 dBm" in shown
    assert shown.count(": not said") == 22
    drawn = [int(count) for count in re.findall(r"\d\d:\d\d: (\d+) ", shown)]
    assert sum(drawn) == 3
    assert len(drawn) == 24
    sums = re.findall(r"<td[^>]*>(\d+)</td>", page.content.decode())
    days = [sums[place : place + 4] for place in range(0, len(sums), 4)]
    # Two days if midnight was in between.
    assert [sum(int(day[place]) for day in days) for place in range(4)] == [1, 2, 3, 0]


def test_a_reader_that_never_spoke_has_a_page_too(client: Client) -> None:
    shown = text_of(client.get(f"/readers/at/{demo.READER}/"))
    assert "It did not say how well it hears the Wi-Fi." in shown
    assert client.get("/readers/at/nobody/").status_code == 404


def test_the_number_of_queries_does_not_depend_on_the_number_of_updates(
    client: Client, rollout: Rollout, second: Reader
) -> None:
    counts = []
    for more in (1, 5):
        for number in range(more * 10, more * 10 + more):
            reader = Reader.objects.create(
                slug=f"more-{number}", name="More", shop=second.shop, till=second.till
            )
            RolloutReader.objects.create(rollout=rollout, reader=reader, at=timezone.now())
        for address in (PAGE, "/readers/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
