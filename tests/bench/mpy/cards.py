# Runs in MicroPython: how long a card is in the field before its credential is known, and what 1 %
# of damaged and lost frames does to cards that rest and to cards that come and go.

import asyncio
import json

from tills import Till, sun_card, uid_card

PER_MILLE = 10
PRESENTATIONS = 1000
REST_MS = 600000


async def _measure(make):
    _, _, taken_ms = await Till(make(), 0, 3).present(PRESENTATIONS)
    missed, doubled, noisy_ms = await Till(make(), PER_MILLE, 4).present(PRESENTATIONS)
    return {
        "taken_ms": taken_ms,
        "noisy_ms": noisy_ms,
        "missed": missed,
        "doubled": doubled,
        "resting_taps": await Till(make(), PER_MILLE, 5).rest(REST_MS),
    }


async def main():
    found = {"uid": await _measure(uid_card), "sun": await _measure(sun_card)}
    print(json.dumps(found))


asyncio.run(main())
