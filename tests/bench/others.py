"""What other RC522 drivers cost: their own figures, and what they do when they are run or read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """One driver at one commit, with SPI frames as text; ``seen`` is how late it sees a card."""

    name: str
    empty: str
    uid4: str
    uid7: str
    seen: str
    compiled: str
    source: str


_RUN = "run in MicroPython against a counting chip model"
_READ = "counted in its code"

# k: reads of ComIrqReg while an exchange lasts, one for each where a number is given. Commits and
# intervals are those that were read; the latencies follow from the defaults for polling.
DRIVERS = (
    Driver(
        "leonow32/micropython, `rfid/` (49f049e)",
        "28",
        "49",
        "81",
        "30 ms and more, its own wait",
        "4,455 B",
        _RUN,
    ),
    Driver(
        "danjperron/micropython-mfrc522 (3d52d16)",
        "2,013",
        "84",
        "149",
        "50 ms and one poll",
        "4,587 B",
        _RUN,
    ),
    Driver(
        "wendlers/micropython-mfrc522 (85dbcea)",
        "2,013",
        "84",
        "wrong UID",
        "the caller's loop",
        "2,190 B",
        _RUN,
    ),
    Driver(
        "cefn/micropython-mfrc522 (9b57971)",
        "2,013",
        "84",
        "wrong UID",
        "the caller's loop",
        "2,741 B",
        _RUN,
    ),
    Driver("miguelbalboa/rfid (3a386a6)", "13 + k", "66", "112", "25 ms", "C++", _READ),
    Driver(
        "abobija/esp-idf-rc522 v4.0.0 (0f3f8d4)", "10 + k", "≈ 63", "≈ 109", "75–80 ms", "C", _READ
    ),
    Driver("esphome, `rc522` (c7f30ec)", "14 + k", "≈ 54", "≈ 89", "1 s", "C++", _READ),
)


def table(ours: Driver) -> str:
    """Return them all as a Markdown table, ours first."""
    rows = [
        "| driver | empty poll | 4-byte UID | 7-byte UID | a card is seen after, at worst "
        "| chip and ISO 14443-3, compiled | figures |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {each.name} | {each.empty} | {each.uid4} | {each.uid7} | {each.seen} "
        f"| {each.compiled} | {each.source} |"
        for each in (ours, *DRIVERS)
    ]
    return "\n".join(rows)
