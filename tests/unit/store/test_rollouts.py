"""Roll-outs: one reader, its shop, all; nobody is told more once a reader goes back."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable

import pytest

from besnik.contract import UpdateState
from besnik.store import rollouts
from besnik.store.models import Alert, Program, Reader, Release, Rollout, Shop, Till
from besnik.store.rollouts import Found, RolloutError

AT = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
PAUSE_S = 600


class Fleet:
    """A clock, who is on line, and what readers were told; every reader here does as it is told."""

    def __init__(self) -> None:
        self.now = self.since = AT
        self.online = {
            (reader.shop.slug, reader.slug) for reader in Reader.objects.select_related("shop")
        }

    def round(self, after_s: float = 1) -> list[str]:
        """Let a second pass, and return who was told."""
        self.now += dt.timedelta(seconds=after_s)
        orders = rollouts.due(self.online, self.now, self.since)
        rollouts.told(orders, self.now)
        return sorted(order.reader for order in orders)

    def say(self, reader: str, state: str, why: str = "", percent: int = 0) -> None:
        shop = Reader.objects.get(slug=reader).shop.slug
        said = UpdateState(n=7, s=state, why=why, p=percent)  # type: ignore[arg-type]  # text
        rollouts.heard(shop, reader, said, self.now)

    def keep(self, readers: Iterable[str]) -> None:
        for reader in readers:
            for state in ("loading", "ready", "trying", "kept"):
                self.say(reader, state)

    def take(self, rounds: int = 20) -> list[list[str]]:
        """Let everybody who is told keep the release; return who was told round by round."""
        told = []
        for _ in range(rounds):
            if readers := self.round():
                told.append(readers)
                self.keep(readers)
        return told


@pytest.fixture
def fleet(orm: str) -> Fleet:
    """counter-1 to counter-4 in one shop, kiosk-1 and -2 in another, elsewhere-1 of a stranger."""
    corner = Shop.objects.get(slug="corner")
    add(corner, "counter-2", "counter-3", "counter-4")
    kiosk = Shop.objects.create(program=corner.program, slug="kiosk", name="Kiosk")
    add(kiosk, "kiosk-1", "kiosk-2")
    other = Program.objects.create(name="Other")
    add(Shop.objects.create(program=other, slug="elsewhere", name="Elsewhere"), "elsewhere-1")
    rollouts.know([Found(7, "1.2.0", "esp32", "6.3", 90_000)], AT)
    return Fleet()


def add(shop: Shop, *slugs: str) -> None:
    till, _ = Till.objects.get_or_create(shop=shop, slug="till", defaults={"name": "Till"})
    for slug in slugs:
        Reader.objects.get_or_create(slug=slug, defaults={"shop": shop, "till": till, "name": slug})


def begun(goal: str = "all", pause_s: int = 0, first: str = "counter-1") -> Rollout:
    release, reader = Release.objects.get(number=7), Reader.objects.get(slug=first)
    return rollouts.begin(release, reader, goal, now=AT, pause_s=pause_s)


def state_of(rollout: Rollout) -> tuple[str, str]:
    rollout.refresh_from_db()
    return rollout.state, rollout.why


def test_one_reader_then_its_shop_then_all_of_the_program(fleet: Fleet) -> None:
    rollout = begun()
    # Of a shop never more than half at a time: customers can go to another till.
    assert fleet.take() == [
        ["counter-1"], ["counter-2", "counter-3"], ["counter-4"], ["kiosk-1"], ["kiosk-2"],
    ]  # fmt: skip
    assert state_of(rollout) == ("done", "")
    assert rollout.ended_at is not None


@pytest.mark.parametrize(
    ("goal", "told"), [("reader", {"counter-1"}), ("shop", {f"counter-{n}" for n in range(1, 5)})]
)
def test_it_ends_where_it_is_to_and_can_be_let_go_further(
    fleet: Fleet, goal: str, told: set[str]
) -> None:
    rollout = begun(goal)
    assert set(itertools.chain(*fleet.take())) == told
    assert state_of(rollout) == ("done", "")
    with pytest.raises(RolloutError, match="nothing"):
        rollouts.widen(rollout, goal)
    rollouts.widen(rollout, "all")
    rest = {"counter-2", "counter-3", "counter-4", "kiosk-1", "kiosk-2"} - told
    assert set(itertools.chain(*fleet.take())) == rest
    assert state_of(rollout) == ("done", "")


def test_between_two_stages_it_waits(fleet: Fleet) -> None:
    begun(pause_s=PAUSE_S)
    assert fleet.take() == [["counter-1"]]
    assert fleet.round(PAUSE_S - 60) == []
    fleet.round(120)
    assert fleet.round() == ["counter-2", "counter-3"]


def test_it_stops_by_itself_when_a_reader_goes_back(fleet: Fleet) -> None:
    rollout = begun()
    fleet.keep(fleet.round())
    fleet.round()
    assert fleet.round() == ["counter-2", "counter-3"]
    fleet.say("counter-3", "loading")
    fleet.say("counter-2", "rolled_back", "rc522")
    assert state_of(rollout) == ("stopped", "rolled_back")
    assert rollout.stopped_by == Reader.objects.get(slug="counter-2")
    alert = Alert.objects.get(program=rollout.program, kind="update_stopped")
    assert (alert.detail["reader"], alert.detail["why"]) == ("counter-2", "rolled_back")
    assert fleet.take() == []
    # Who is still loading is to get no more of it.
    assert rollouts.withdrawn() == {("corner", "counter-3", 7)}
    with pytest.raises(RolloutError, match="back"):
        rollouts.widen(rollout, "all")


def test_a_reader_that_goes_back_later_stops_what_was_over(fleet: Fleet) -> None:
    rollout = begun("reader")
    fleet.take()
    assert state_of(rollout) == ("done", "")
    fleet.say("counter-1", "rolled_back")
    assert state_of(rollout) == ("stopped", "rolled_back")


def test_a_reader_that_is_gone_after_its_restart_stops_it(fleet: Fleet) -> None:
    rollout = begun()
    for reader in fleet.round():
        fleet.say(reader, "trying")
    fleet.online.discard(("corner", "counter-1"))
    assert fleet.round(14 * 60) == []
    assert state_of(rollout) == ("running", "")
    fleet.round(120)
    assert state_of(rollout) == ("stopped", "gone")


def test_while_nobody_could_be_heard_nobody_was_silent(fleet: Fleet) -> None:
    rollout = begun()
    for reader in fleet.round():
        fleet.say(reader, "trying")
    fleet.online.discard(("corner", "counter-1"))
    fleet.since = fleet.now + dt.timedelta(hours=2)
    fleet.round(2 * 3600 + 60)
    assert state_of(rollout) == ("running", "")
    fleet.keep(["counter-1"])
    assert fleet.take() != []


def test_a_refusal_of_one_reader_stops_nothing_and_is_told(fleet: Fleet) -> None:
    rollout = begun()
    fleet.keep(fleet.round())
    fleet.round()
    for reader in fleet.round():
        fleet.say(reader, "refused", "board")
    assert fleet.take() == [["counter-4"], ["kiosk-1"], ["kiosk-2"]]
    assert state_of(rollout) == ("done", "")
    assert list(rollout.readers.filter(state="refused").values_list("why", flat=True)) == (
        ["board", "board"]
    )


def test_a_stage_that_nobody_took_is_the_last(fleet: Fleet) -> None:
    rollout = begun()
    fleet.round()
    fleet.say("counter-1", "refused", "space")
    assert fleet.take() == []
    assert state_of(rollout) == ("stopped", "nobody")


def test_a_reader_that_has_it_already_is_no_obstacle(fleet: Fleet) -> None:
    rollout = begun("reader")
    fleet.round()
    fleet.say("counter-1", "refused", "number")
    fleet.round()
    assert state_of(rollout) == ("done", "")


def test_who_is_off_line_is_told_when_it_comes_and_holds_only_the_last_stage(
    fleet: Fleet,
) -> None:
    fleet.online -= {("corner", "counter-4"), ("kiosk", "kiosk-2")}
    rollout = begun()
    assert fleet.take() == [["counter-1"], ["counter-2", "counter-3"], ["kiosk-1"]]
    assert state_of(rollout) == ("running", "")
    fleet.online |= {("corner", "counter-4"), ("kiosk", "kiosk-2")}
    assert fleet.take() == [["counter-4", "kiosk-2"]]
    assert state_of(rollout) == ("done", "")


def test_a_first_reader_that_is_off_line_is_waited_for(fleet: Fleet) -> None:
    fleet.online.discard(("corner", "counter-1"))
    rollout = begun()
    assert fleet.take() == []
    assert fleet.round(86_400) == []
    assert state_of(rollout) == ("running", "")
    fleet.online.add(("corner", "counter-1"))
    assert fleet.round() == ["counter-1"]


def test_an_order_that_is_not_answered_is_repeated_and_then_given_up(fleet: Fleet) -> None:
    rollout = begun()
    told = [fleet.round(31) for _ in range(20)]
    assert [readers for readers in told if readers] == [["counter-1"]] * 8
    assert state_of(rollout) == ("stopped", "nobody")
    assert rollout.readers.get().state == "silent"


@pytest.mark.parametrize("why", ["busy", "expired", "truncated"])
def test_a_reader_that_cannot_now_is_asked_again_after_a_while(fleet: Fleet, why: str) -> None:
    rollout = begun()
    fleet.round()
    for _ in range(7):
        fleet.say("counter-1", "refused", why)
        assert fleet.round(10) == []
        assert fleet.round(60) == ["counter-1"]
    fleet.say("counter-1", "refused", why)
    assert fleet.round(600) == []
    assert state_of(rollout) == ("stopped", "nobody")


def test_a_reader_that_starts_anew_while_it_loads_is_told_again(fleet: Fleet) -> None:
    rollout = begun()
    fleet.round()
    fleet.say("counter-1", "loading", percent=40)
    assert fleet.round() == []
    assert rollout.readers.get().percent == 40
    rollouts.reborn("corner", "counter-1", fleet.now)
    assert fleet.round() == ["counter-1"]
    # What it tries it goes on trying: no word of it is lost by a restart.
    fleet.say("counter-1", "trying")
    rollouts.reborn("corner", "counter-1", fleet.now)
    assert fleet.round() == []


def test_a_reader_that_lost_its_power_before_it_tried_a_release_is_told_again(fleet: Fleet) -> None:
    rollout = begun()
    fleet.round()
    fleet.say("counter-1", "ready", percent=100)
    rollouts.reborn("corner", "counter-1", fleet.now)
    assert fleet.round(50) == [], "it says in a moment that it tries it"
    assert fleet.round(20) == ["counter-1"]
    fleet.say("counter-1", "ready", percent=100)
    fleet.online.remove(("corner", "counter-1"))
    assert fleet.round(600) == []
    assert rollout.readers.get().state == "ready", "it may be far from its network"


def test_what_a_reader_says_before_it_is_noted_that_it_was_told_stays(fleet: Fleet) -> None:
    rollout = begun()
    orders = rollouts.due(fleet.online, AT, AT)
    fleet.say("counter-1", "loading")
    rollouts.told(orders, AT)
    assert rollout.readers.get().state == "loading"


def test_no_more_than_eight_at_a_time(fleet: Fleet) -> None:
    add(Shop.objects.get(slug="corner"), *(f"till-{n:02d}" for n in range(40)))
    fleet = Fleet()
    begun("shop")
    fleet.keep(fleet.round())
    fleet.round()
    assert len(fleet.round()) == 8
    assert fleet.round() == []


def test_a_person_stops_it_and_lets_it_go_on(fleet: Fleet) -> None:
    rollout = begun()
    fleet.keep(fleet.round())
    rollouts.stop(rollout, fleet.now)
    assert state_of(rollout) == ("stopped", "person")
    assert fleet.take() == []
    with pytest.raises(RolloutError, match="over"):
        rollouts.stop(rollout, fleet.now)
    rollouts.widen(rollout, "all")
    assert len(fleet.take()) == 4
    assert state_of(rollout) == ("done", "")


def test_only_one_rollout_of_a_program_runs(fleet: Fleet) -> None:
    rollout = begun("reader")
    with pytest.raises(RolloutError, match="running"):
        begun("all")
    other = begun("reader", first="elsewhere-1")
    fleet.take()
    assert state_of(rollout) == state_of(other) == ("done", "")
    begun("all", first="kiosk-1")
    with pytest.raises(RolloutError, match="running"):
        rollouts.widen(rollout, "all")


def test_a_release_that_is_not_here_any_more_is_not_rolled_out(fleet: Fleet) -> None:
    rollout = begun()
    rollouts.know([Found(8, "1.3.0", "esp32", "6.3", 90_000)], AT)
    assert fleet.take() == []
    assert state_of(rollout) == ("running", "")
    with pytest.raises(RolloutError, match="gone"):
        begun("all", first="elsewhere-1")
    rollouts.know([Found(7, "1.2.0", "esp32", "6.3", 90_000)], AT)
    assert fleet.round() == ["counter-1"]


def test_what_a_reader_says_of_a_release_that_nobody_gave_it_is_passed_over(fleet: Fleet) -> None:
    rollout = begun()
    rollouts.heard("corner", "counter-9", UpdateState(n=7, s="rolled_back"), AT)
    rollouts.heard("kiosk", "counter-1", UpdateState(n=7, s="rolled_back"), AT)
    rollouts.heard("corner", "counter-1", UpdateState(n=6, s="rolled_back"), AT)
    assert state_of(rollout) == ("running", "")
