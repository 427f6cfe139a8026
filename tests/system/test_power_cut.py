"""The whole reader on littlefs, its power cut while it stores and deletes taps."""

from __future__ import annotations

import asyncio
from pathlib import Path

from besnik.sim.control import Control
from besnik.sim.reader import PowerCut
from support.bridge import ANA, ELENI, BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.store import assert_ledger_adds_up, rows

TAPS = "SELECT data, outcome, queued FROM store_tap ORDER BY id"


async def test_a_tap_that_was_signalled_as_stored_outlives_any_power_cut(
    broker: RunningBroker,
    bridges: BridgeRunner,
    counter: Counter,
    customer: Customer,
    database_url: str,
    state: Path,
) -> None:
    broker.stop()
    image = state / "flash.img"
    reader = counter.start_reader(image=image)
    assert (await customer.taps("ana"))[1] == "stored"
    reader.kill()
    # Storing a tap is two or three program operations: the second tap of this run is cut off.
    reader = counter.start_reader(image=image, cut=PowerCut(4, is_torn=True))
    assert (await customer.taps("eleni"))[1] == "stored"
    async with await Control.connect(counter.control_socket) as control:
        await control.present("ana")
        assert await asyncio.to_thread(reader.wait) == -9
        await control.remove("ana")
    # The host's answers are deleted taps: the first is not deleted and sent once more.
    broker.start()
    bridges.start()
    reader = counter.start_reader(image=image, cut=PowerCut(1))
    assert await asyncio.to_thread(reader.wait) == -9
    counter.start_reader(image=image)
    for _ in range(100):
        if len(rows(database_url, TAPS)) == 2:
            break
        await asyncio.sleep(0.1)
    assert (await customer.taps("eleni"))[1] == "accepted"
    assert rows(database_url, TAPS) == [
        (ANA, "accepted", True),
        (ELENI, "accepted", True),
        (ELENI, "accepted", False),
    ]
    assert_ledger_adds_up(database_url)
