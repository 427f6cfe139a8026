"""Five cards held to the reader, and whether everything happened as it should."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from besnik import demo
from besnik.contract import Outcome, Reason
from besnik.credentials.assess import Tier
from besnik.run import members, show
from besnik.run.running import Running
from besnik.run.show import say
from besnik.run.taps import READ, TapSeen

TAP_TIMEOUT_S = 10.0
# The reader has to see that the field is empty before the next card.
PAUSE_S = 0.6
STAMPS_PER_VISIT = 1
ADDRESS: Final = "an address"


class Expected(msgspec.Struct, frozen=True):
    """What must come of presenting a demo card; ``light`` is the second signal's name."""

    card: str
    outcome: Outcome
    why: Reason
    light: str
    tier: Tier = "D"


CAST: Final = (
    Expected("ana", "accepted", "ok", "accepted"),
    Expected("eleni", "accepted", "ok", "accepted"),
    Expected("iris", "accepted", "ok", "accepted", tier="A"),
    Expected("boris", "rejected", "blocked", "rejected"),
    Expected("blank", "rejected", "unknown", "unknown"),
)


class Happened(msgspec.Struct, frozen=True):
    """What did come of it, in the terms of ``Expected``; ``row`` is what the store wrote.

    ``credential`` is the card's UID; its address, new at each read, is only seen to be one.
    """

    credential: str
    tier: Tier | None
    verdict: str
    row: str
    signals: tuple[str, ...]
    member: str | None
    balance: int | None
    is_timed: bool


async def play(running: Running) -> int:
    """Present the five cards, print what happens; return 0 if all is right, else 1."""
    wrong = 0
    for expected in CAST:
        card = next(card for card in demo.CARDS if card.key == expected.card)
        say(f"\n{card.label}")
        differences = await _present(running, card, expected)
        wrong += bool(differences)
        for difference in differences or ["as it should be"]:
            say(f"  {'WRONG' if differences else 'right':11} {difference}")
    say(f"\n{len(CAST) - wrong} of {len(CAST)} cards as they should be")
    return 1 if wrong else 0


async def _present(running: Running, card: demo.DemoCard, expected: Expected) -> list[str]:
    while not running.watch.over.empty():
        running.watch.over.get_nowait()
    await running.control.present(card.key)
    try:
        tap = await asyncio.wait_for(running.watch.over.get(), TAP_TIMEOUT_S)
    except TimeoutError:
        return [f"no tap within {TAP_TIMEOUT_S:.0f} s of presenting the card"]
    finally:
        await running.control.remove(card.key)
    happened = await _happened(tap)
    _tell(tap, happened)
    await asyncio.sleep(PAUSE_S)
    return _differences(_wanted(card, expected), happened)


async def _happened(tap: TapSeen) -> Happened:
    file = await members.tap_file(demo.READER, tap.tap.id)
    member = file.member if file else None
    return Happened(
        credential=tap.tap.d if tap.tap.k == "uid" else ADDRESS,
        tier=file.tier if file else None,
        verdict=show.verdict(tap),
        row=f"{file.outcome} ({file.reason})" if file else "none",
        signals=tuple(signal.name or "?" for signal in tap.signals),
        member=member.name if member else None,
        balance=member.balance if member else None,
        is_timed=tap.verdict_ms is not None and tap.light_ms is not None,
    )


def _wanted(card: demo.DemoCard, expected: Expected) -> Happened:
    verdict = f"{expected.outcome} ({expected.why})"
    people = {person.key: person.name for person in demo.MEMBERS}
    stamps = STAMPS_PER_VISIT if expected.outcome == "accepted" else 0
    return Happened(
        credential=ADDRESS if card.kind == "ntag" else card.uid or "",
        tier=expected.tier,
        verdict=verdict,
        row=verdict,
        signals=(READ, expected.light),
        member=people[card.member] if card.member else None,
        balance=stamps if card.member else None,
        is_timed=True,
    )


def _tell(tap: TapSeen, happened: Happened) -> None:
    who = happened.member or "none"
    if happened.balance is not None:
        who += f", {happened.balance} stamp{'' if happened.balance == 1 else 's'}"
    shown = f"{len(tap.tap.d) // 2} bytes" if tap.tap.k == "uid" else "new at each read"
    say(f"  credential  {tap.tap.d} ({shown}), tier {happened.tier or 'none'}")
    say(f"  verdict     {happened.verdict}")
    say(f"  at the pins {show.pattern(tap.signals)}")
    say(f"  member      {who}")
    say(f"  time        {show.speed(tap)}")


def _differences(wanted: Happened, happened: Happened) -> list[str]:
    return [
        f"{name}: {getattr(happened, name)!r} instead of {getattr(wanted, name)!r}"
        for name in Happened.__struct_fields__
        if getattr(happened, name) != getattr(wanted, name)
    ]
