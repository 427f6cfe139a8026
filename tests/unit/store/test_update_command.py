"""``besnik fleet update`` and ``rollouts``: what they say, begin, stop, and what to do if not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from besnik.cli import main
from besnik.contract import UpdateState
from besnik.store import rollouts
from besnik.store.models import (
    AuditRecord,
    Program,
    Reader,
    ReaderState,
    Rollout,
    Shop,
    Till,
)
from besnik.store.rollouts import Found

AT = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
Said = Callable[..., str]


@pytest.fixture
def said(orm: str, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs ``besnik fleet`` and returns its exit status and what it printed."""
    first = Reader.objects.get(slug="counter-1")
    Reader.objects.create(slug="counter-2", shop=first.shop, till=first.till, name="Second")

    def run(*words: str) -> str:
        status = main(["fleet", *words])
        printed = capsys.readouterr()
        return f"{status} {printed.out}{printed.err}"

    return run


@pytest.fixture
def releases(said: Said) -> None:
    made = (Found(number, f"1.{number}", "esp32", "6.3", 90_000) for number in (6, 7))
    rollouts.know(made, AT)


def says(state: str, why: str = "") -> None:
    message = UpdateState(n=7, s=state, why=why)  # type: ignore[arg-type]  # text
    rollouts.heard("corner", "counter-1", message, AT)


@pytest.mark.parametrize(
    ("words", "goal", "further"),
    [
        (["counter-1"], "reader", ""),
        (["--shop", "corner"], "shop", ", then to the others of corner"),
        (["--all"], "all", ", then to the others of corner, then to all"),
    ],
)
def test_the_newest_release_goes_as_far_as_it_is_to(
    said: Said, releases: None, words: list[str], goal: str, further: str
) -> None:
    reader = Reader.objects.get(slug="counter-1")
    ReaderState.objects.create(reader=reader, state="online", boot=1, since=AT)
    assert said("update", *words).startswith(f"0 release 7 (1.7): first to counter-1{further}\n")
    rollout = Rollout.objects.get()
    assert (rollout.goal, rollout.first, rollout.pause_s) == (goal, reader, 600)
    assert AuditRecord.objects.latest("pk").action == "update.begin"


def test_which_release_which_reader_and_how_long_a_pause_can_be_said(
    said: Said, releases: None
) -> None:
    words = ["--shop", "corner", "--first", "counter-2", "--release", "6", "--pause", "0"]
    assert "release 6 (1.6): first to counter-2" in said("update", *words)
    assert Rollout.objects.get().pause_s == 0


def test_how_far_it_is_and_why_it_stopped(said: Said, releases: None) -> None:
    assert "nothing was rolled out yet" in said("rollouts")
    said("update", "counter-1")
    assert "release 7 (1.7): running, at reader of reader, 1 waiting\n  counter-1: waiting" in (
        said("rollouts")
    )
    says("rolled_back", "rc522")
    shown = said("rollouts")
    assert "release 7 (1.7): stopped, 1 rolled_back" in shown
    assert "  counter-1: this reader went back to the release it had before" in shown
    assert "  counter-1: rolled_back (rc522)" in shown
    assert "2 besnik fleet rollouts: release 7 (1.7): a reader stopped it" in (
        said("rollouts", "--widen", "all")
    )


def test_it_is_stopped_and_goes_on(said: Said, releases: None) -> None:
    said("update", "counter-1")
    assert "another roll-out runs" in said("update", "counter-2")
    assert "stopped, 1 waiting\n  somebody stopped it" in said("rollouts", "--stop")
    assert "it does not run any more" in said("rollouts", "--stop")
    assert "running, at reader of shop" in said("rollouts", "--widen", "shop")
    assert "it goes that far anyway" in said("rollouts", "--widen", "shop")
    actions = AuditRecord.objects.order_by("pk").values_list("action", flat=True)
    assert [*actions] == ["update.begin", "update.stop", "update.widen"]


def test_what_cannot_be_says_what_to_do(said: Said) -> None:
    assert "2 besnik fleet update: there is no such release here" in said("update", "counter-1")
    rollouts.know([Found(7, "1.7", "esp32", "6.3", 90_000)], AT)
    assert "there is no such release here" in said("update", "counter-1", "--release", "8")
    assert "there is no reader 'counter-9' there" in said("update", "counter-9")
    assert "no reader is on line there" in said("update", "--shop", "corner")
    other = Shop.objects.create(
        program=Program.objects.create(name="Other"), slug="elsewhere", name="Elsewhere"
    )
    Till.objects.create(shop=other, slug="till", name="Till")
    assert "there are several programs here" in said("update", "--all")
    assert not Rollout.objects.exists()
