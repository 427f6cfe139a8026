"""The whole reader on a flash without any room."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from besnik.sim import reader
from besnik.unix_port import interpreter
from support.bridge import ANA, BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.store import assert_ledger_adds_up, rows

# Puts the staged flash folder on the image, and then something that takes all the rest.
FILL = """
import sys
from flashchip import BLOCK, enter
enter(sys.argv[1], sys.argv[2], None)
ballast = open("ballast", "wb")
try:
    while True:
        ballast.write(bytes(BLOCK))
        ballast.flush()
except OSError:
    pass
"""


def full_image(state: Path, flash: Path) -> Path:
    script = state / "fill.py"
    script.write_text(FILL)
    image = state / "flash.img"
    subprocess.run(
        [interpreter(), script, image, flash],
        env={**os.environ, "MICROPYPATH": f"{reader.SHIMS}:.frozen"},
        check=True,
        timeout=60,
    )
    return image


async def test_on_a_full_flash_no_tap_is_called_stored_and_live_taps_count(
    broker: RunningBroker,
    bridges: BridgeRunner,
    counter: Counter,
    customer: Customer,
    database_url: str,
    state: Path,
) -> None:
    broker.stop()
    counter.start_reader(image=full_image(state, counter.flash))
    assert (await customer.taps("ana"))[1] == "rejected"

    broker.start()
    bridges.start()

    for _ in range(10):
        _, seen = await customer.taps("ana")
        assert seen in ("rejected", "accepted")
        if seen == "accepted":
            break
    taps = rows(database_url, "SELECT data, outcome, queued FROM store_tap")
    assert taps == [(ANA, "accepted", False)]
    assert_ledger_adds_up(database_url)
