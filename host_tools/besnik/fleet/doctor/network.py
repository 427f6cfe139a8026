"""Wi-Fi and clock: what a board that joined its network, or did not, says about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from besnik.fleet.doctor.finding import Finding, ok, wrong

# Below, packets are lost (besnik.site.faults shows the same as weak).
_WEAK_DBM: Final = -75
# Why the ESP32 left its network (wifi_err_reason_t): the handshake with the password failed.
_PASSWORD: Final = frozenset({2, 15, 202, 204})
_CLOCK_MAX_S: Final = 60


class Joined(msgspec.Struct, frozen=True, array_like=True):
    """How joining the network went; ``seen`` are those in sight, where it failed."""

    is_joined: bool
    status: int
    rssi_dbm: int
    seen: tuple[str, ...] = ()


class Time(msgspec.Struct, frozen=True, array_like=True):
    """The board's clock after it asked the network for the time; ``is_set`` if that answered."""

    is_set: bool
    unix_s: int


def judge_wifi(joined: Joined, settings: Mapping[str, Any]) -> Finding:
    """Return what is wrong with the Wi-Fi."""
    name = settings["wifi.ssid"]
    if joined.is_joined:
        return judge_signal(joined.rssi_dbm, f"joined {name!r}, ")
    change = f"`besnik fleet flash {settings['reader']} --wifi NETWORK`"
    if joined.status in _PASSWORD:
        return wrong(
            "Wi-Fi",
            f"the network {name!r} does not take the password",
            f"give it anew: {change}; WPA2 has to be allowed",
        )
    if name not in joined.seen:
        others = ", ".join(sorted({repr(seen) for seen in joined.seen if seen})) or "none"
        return wrong(
            "Wi-Fi",
            f"the network {name!r} is not in sight; in sight: {others}",
            "an ESP32 hears 2.4 GHz only, up to channel 13: switch that on at the access point; or"
            f" give the name as it is written there, capitals too: {change}",
        )
    return wrong(
        "Wi-Fi",
        f"the network {name!r} is in sight, and does not let the reader in (status"
        f" {joined.status})",
        "look whether the access point gives out addresses (DHCP), has room for one more, and lets"
        " devices in that it does not know",
    )


def judge_signal(rssi_dbm: int, says: str = "") -> Finding:
    """Return whether the access point is heard well enough."""
    says = f"{says}heard at {rssi_dbm} dBm"
    if rssi_dbm < _WEAK_DBM:
        return wrong(
            "Wi-Fi",
            f"{says}, which is weak (below {_WEAK_DBM} dBm)",
            "take the reader or the access point nearer, the board's antenna (the end without pins)"
            " away from metal and out of a metal box",
        )
    return ok("Wi-Fi", says)


def judge_clock(time: Time, here_s: float) -> Finding:
    """Return what is wrong with the clock; ``here_s`` is this machine's time, Unix seconds."""
    shown = f"{dt.datetime.fromtimestamp(time.unix_s, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if not time.is_set:
        return wrong(
            "clock",
            f"no time server answers; the reader goes on from {shown}",
            "let it reach pool.ntp.org by UDP, port 123, or name a server of your own:"
            " --set 'time.servers=[\"192.0.2.1\"]', in these quotes. Without one taps that waited"
            " for the line count by the day on which they arrive",
        )
    apart_s = round(time.unix_s - here_s)
    if abs(apart_s) > _CLOCK_MAX_S:
        return wrong(
            "clock",
            f"the time server says {shown}, which is {abs(apart_s)} s"
            f" {'ahead of' if apart_s > 0 else 'behind'} this machine",
            "set this machine's clock (timedatectl set-ntp true), then run this again",
        )
    return ok("clock", f"{shown}, from the network")
