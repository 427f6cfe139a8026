"""What can be looked at from this machine, whichever way the reader is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from gmqtt.mqtt.handler import MQTTConnectError

from besnik import config
from besnik.fleet.doctor import services
from besnik.fleet.doctor.finding import Finding, Part, skipped, wrong
from besnik.fleet.doctor.services import Look

WAY: Final[tuple[Part, ...]] = ("Wi-Fi", "clock", "certificate", "broker", "bridge", "CRM")


def behind_broker(shop: config.Config, reader: str, place: str, look: Look) -> Iterator[Finding]:
    """Yield what is found of bridge and CRM; ``place`` is the shop of the reader's settings."""
    try:
        said = asyncio.run(services.bridge_says(shop.broker))
    except (MQTTConnectError, OSError, TimeoutError):
        yield wrong(
            "bridge",
            "the broker does not take the site's password, so nobody can be asked",
            "[broker] site_password in besnik.toml is not what the broker was started with: restart"
            " it",
        )
        yield skipped("CRM", "the broker comes first")
        return
    bridge = services.judge_bridge(said)
    records, crm = services.judge_records(reader, place, look)
    yield bridge if bridge.state == "wrong" or records is None else records
    yield crm


def behind_nothing() -> Iterator[Finding]:
    """Yield that nothing is known of what is behind a broker that is not there."""
    yield skipped("bridge", "the broker comes first")
    yield skipped("CRM", "the broker comes first")
