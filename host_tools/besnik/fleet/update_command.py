"""``besnik fleet update`` and ``besnik fleet rollouts``: what they print and return."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from besnik.store.terminal import CannotError, run

if TYPE_CHECKING:
    from besnik.store.models import Reader, Release, Rollout, RolloutReader
    from besnik.store.rollouts import RolloutError

_SHOWN: Final = 5
_WHY_NOT: Final = {
    "gone": "its files are not in the shop's releases any more: copy them there again",
    "running": "another roll-out runs: let it end, or end it with besnik fleet rollouts --stop",
    "over": "it does not run any more",
    "back": "a reader stopped it: find out why, make a better release, and roll that out",
    "nothing": "it goes that far anyway",
}
_STOPPED: Final = {
    "person": "somebody stopped it",
    "rolled_back": "this reader went back to the release it had before: look at it with besnik "
    "fleet doctor",
    "gone": "this reader was not heard of any more after it had started the release: look at it; "
    "switch it off and on",
    "nobody": "no reader took it",
}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to get which release: ``reader``, the shop ``shop``, or all.

    ``first`` is the reader to try it on; ``release`` the number, None for the newest;
    ``pause_min`` minutes pass between two stages.
    """

    reader: str = ""
    shop: str = ""
    first: str = ""
    release: int | None = None
    pause_min: int = 10


def update(wish: Wish) -> int:
    """Begin a roll-out; return the exit status."""
    return run("besnik fleet update", lambda: _update(wish))


def rollouts(*, stop: bool, widen: str) -> int:
    """Show the newest roll-outs, or stop or widen the newest; return the exit status."""
    return run("besnik fleet rollouts", lambda: _rollouts(stop, widen))


def _update(wish: Wish) -> int:
    from besnik.store import rollouts
    from besnik.store.rollouts import RolloutError

    release, first = _release(wish.release), _first(wish)
    goal = "reader" if wish.reader else "shop" if wish.shop else "all"
    now = dt.datetime.now(dt.UTC)
    try:
        rollouts.begin(release, first, goal, now=now, pause_s=wish.pause_min * 60)
    except RolloutError as error:
        raise _cannot(release, error) from error
    _note("update.begin", f"reader:{first.slug}", first.shop.program_id, release.number, goal)
    further = {
        "reader": "",
        "shop": f", then to the others of {first.shop.slug}",
        "all": f", then to the others of {first.shop.slug}, then to all",
    }[goal]
    print(f"release {release}: first to {first.slug}{further}")
    print("besnik fleet serve tells them; besnik fleet rollouts shows how far they are")
    return 0


def _release(number: int | None) -> Release:
    from besnik.store.models import Release

    here = Release.objects.filter(is_here=True).order_by("-number")
    found = here.first() if number is None else here.filter(number=number).first()
    if found is None:
        raise CannotError(
            "there is no such release here: make one with besnik fleet release, or copy one into "
            "the shop's releases; besnik fleet serve has to run, it checks them"
        )
    return found


def _first(wish: Wish) -> Reader:
    from besnik.store.models import Program, Reader

    readers = Reader.objects.select_related("shop")
    if wish.shop:
        readers = readers.filter(shop__slug=wish.shop)
    if slug := wish.reader or wish.first:
        found = readers.filter(slug=slug).first()
        if found is None:
            raise CannotError(f"there is no reader {slug!r} there")
        return found
    if not wish.shop and Program.objects.count() > 1:
        raise CannotError(
            "there are several programs here: say with --first on which reader to begin"
        )
    found = readers.filter(state__state="online").order_by("-health__at").first()
    if found is None:
        raise CannotError("no reader is on line there: say with --first on which one to begin")
    return found


def _rollouts(stop: bool, widen: str) -> int:
    from besnik.store.models import Rollout
    from besnik.store.rollouts import RolloutError

    newest = Rollout.objects.select_related("release", "stopped_by").order_by("-pk")
    if not newest.exists():
        print("nothing was rolled out yet")
        return 0
    try:
        _change(newest[0], stop=stop, widen=widen)
    except RolloutError as error:
        raise _cannot(newest[0].release, error) from error
    for rollout in newest[:_SHOWN]:
        print("\n".join(_lines(rollout)))
    return 0


def _change(rollout: Rollout, *, stop: bool, widen: str) -> None:
    from besnik.store import rollouts

    number, target = rollout.release.number, f"rollout:{rollout.pk}"
    if stop:
        rollouts.stop(rollout, dt.datetime.now(dt.UTC))
        _note("update.stop", target, rollout.program_id, number)
    if widen:
        rollouts.widen(rollout, widen)
        _note("update.widen", target, rollout.program_id, number, widen)


def _note(action: str, target: str, program: int, release: int, goal: str = "") -> None:
    from besnik.store import audit

    audit.record(None, action, target, program=program, release=release, goal=goal)


def _lines(rollout: Rollout) -> list[str]:
    rows = list(rollout.readers.select_related("reader").order_by("reader__slug"))
    counts = Counter(row.state for row in rows)
    summed = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    course = f"at {rollout.stage} of {rollout.goal}, " if rollout.state == "running" else ""
    lines = [
        f"{rollout.started_at:%Y-%m-%d %H:%M} release {rollout.release}: {rollout.state}, "
        f"{course}{summed}"
    ]
    if rollout.why:
        who = f"{rollout.stopped_by.slug}: " if rollout.stopped_by else ""
        lines.append(f"  {who}{_STOPPED[rollout.why]}")
    return [*lines, *(_line(row) for row in rows if row.state != "kept")]


def _line(row: RolloutReader) -> str:
    loaded = f" {row.percent} %" if row.state == "loading" else ""
    return f"  {row.reader.slug}: {row.state}{loaded}{f' ({row.why})' if row.why else ''}"


def _cannot(release: Release, error: RolloutError) -> CannotError:
    return CannotError(f"release {release}: {_WHY_NOT[error.reason]}")
