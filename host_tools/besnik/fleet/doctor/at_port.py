"""A reader that hangs on a cable, from its Wi-Fi on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from besnik import config
from besnik.fleet.doctor import door, here, network, trust
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding, skipped
from besnik.fleet.doctor.services import Look


def of_way(bench: Bench, shop: config.Config, look: Look) -> Iterator[Finding]:
    """Yield what is found on the way from the reader's Wi-Fi to the shop's CRM."""
    if bench.problem:
        for part in here.WAY:
            yield skipped(part, "the reader has to have its settings first")
        return
    bench.leave_parts()
    joined = bench.join()
    yield network.judge_wifi(joined, bench.settings)
    if joined.is_joined:
        yield network.judge_clock(bench.time(), time.time())
    else:
        yield skipped("clock", "the Wi-Fi comes first")
    if bench.settings["broker.plain"]:
        certificate = skipped("certificate", "none: this reader goes without TLS, by password")
    else:
        certificate = trust.judge(bench.certificates(), bench.settings, Path(shop.state))
    yield certificate
    there = door.judge_here(shop.broker)
    if there is None:
        yield _broker(bench, is_joined=joined.is_joined, certificate=certificate)
        yield from here.behind_broker(shop, bench.settings["reader"], bench.settings["shop"], look)
    else:
        yield there
        yield from here.behind_nothing()


def _broker(bench: Bench, *, is_joined: bool, certificate: Finding) -> Finding:
    if not is_joined:
        return skipped("broker", "it runs; whether the reader comes in is seen once it has Wi-Fi")
    if certificate.state == "wrong":
        return skipped("broker", "it runs; it lets the reader in once the certificate is right")
    return door.judge(bench.knock(), bench.settings)
