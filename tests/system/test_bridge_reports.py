"""What readers say about themselves: through the broker and the bridge into the database."""

from __future__ import annotations

from besnik.contract import ROOT, Health, Info, State, encode
from support.bridge import ANA, BridgeRunner, ReaderStation
from support.processes import wait_until
from support.store import locked_taps, rows

TOPIC = f"{ROOT}/corner/counter-1/"
WRITTEN = """SELECT state, firmware, up_s FROM store_readerstate
    JOIN store_readerinfo USING (reader_id) JOIN store_readerhealth USING (reader_id)"""


def health(up_s: int) -> bytes:
    return encode(Health(up_s, -61, 30_000, 0, 0, 0, 0, None))


async def test_what_a_reader_says_is_kept_and_what_is_none_is_counted(
    bridges: BridgeRunner, reader: ReaderStation, database_url: str
) -> None:
    reader.say(TOPIC + "state", encode(State("online", 7)), retain=True)
    info = Info("0.1.0", "1.3.4", "1.27.0", 1, 7, 0)
    reader.say(TOPIC + "info", encode(info), retain=True)
    bridge = bridges.start()  # after them: what is retained is enough
    reader.say(TOPIC + "health", health(60), qos=0)
    reader.say(TOPIC + "health", b"{}", qos=0)
    reader.say(f"{ROOT}/elsewhere/counter-1/state", encode(State("lost", 1)))
    wait_until(lambda: rows(database_url, WRITTEN) == [("online", "0.1.0", 60)], "it is written")
    wait_until(lambda: "unknown_reader" in bridge.log, "the stranger is counted")
    assert bridge.stop() == 0
    assert "bad_input_fields=1" in bridge.log
    assert "report_dropped_unknown_reader=1" in bridge.log


async def test_a_flood_of_reports_does_not_hold_up_a_tap(
    bridges: BridgeRunner, reader: ReaderStation, database_url: str
) -> None:
    bridges.start()
    for up_s in range(2000):
        reader.say(TOPIC + "health", health(up_s), qos=0)
    tap = reader.tap(ANA)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    with locked_taps(database_url):
        reader.say(TOPIC + "health", health(5000), qos=0)
    up_s = "SELECT up_s FROM store_readerhealth"
    wait_until(lambda: rows(database_url, up_s) == [(5000,)], "the last one is written")
