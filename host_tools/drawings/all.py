"""Every drawing there is, by its file's name."""

from __future__ import annotations

from typing import Final

from besnik.fleet.build import ROOT
from drawings import mounting, wiring
from drawings.chips import CHIPS

FOLDER: Final = ROOT / "docs/hardware"


def drawings() -> dict[str, str]:
    """Return all drawings as SVG."""
    found = {f"wiring-{chip.key}.svg": wiring.drawing(chip) for chip in CHIPS}
    return {**found, "mounting.svg": mounting.drawing()}
