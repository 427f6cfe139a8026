"""Which time zone the shop lives in: that of the machine Besnik runs on."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def local_zone_name(localtime: Path = Path("/etc/localtime")) -> str:
    """Return the IANA name of this machine's zone, from ``TZ`` or the system; else ``UTC``."""
    named = os.environ.get("TZ", "").lstrip(":")
    _, _, linked = str(localtime.resolve()).partition("/zoneinfo/")
    for name in (named, linked):
        try:
            if name and ZoneInfo(name):
                return name
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return "UTC"
