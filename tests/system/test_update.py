"""A reader takes a release over the air, tries it, and keeps it or goes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from besnik.fleet import release, signing
from support.broker import RunningBroker
from support.counter import Counter
from support.processes import Running
from support.updates import Host


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """What signs releases here."""
    return rsa.generate_private_key(signing.EXPONENT, signing.BYTES * 8)


@pytest.fixture(scope="session")
def application(root: Path) -> dict[str, bytes]:
    """The files of the firmware as it is."""
    return release.application(root)


@pytest.fixture
async def host(
    broker: RunningBroker, counter: Counter, key: rsa.RSAPrivateKey, state: Path
) -> AsyncIterator[Host]:
    """A host whose key the reader knows."""
    (counter.flash / "cert").mkdir(exist_ok=True)
    (counter.flash / "cert/release.pub").write_bytes(signing.public_half(key))
    made = Host(broker, key, state)
    yield made
    await made.end()


def nvs(state: Path) -> dict[str, int]:
    """What the reader keeps in its NVS."""
    kept = json.loads((state / "nvs.json").read_text())["besnik"]
    return {name.removeprefix("i:"): value for name, value in kept.items()}


async def restarts(reader: Running, counter: Counter) -> Running:
    """Wait until the reader starts anew by itself, and do what the chip does then."""
    assert await asyncio.to_thread(reader.wait, 30) == -9, reader.log
    return counter.start_reader()


async def test_a_signed_release_is_loaded_tried_and_kept(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path
) -> None:
    host.released(7, application)
    reader = counter.start_reader()
    await host.born(1)
    host.order(7)
    await host.hears("ready", 7)
    reader = await restarts(reader, counter)
    await host.hears("kept", 7)
    assert nvs(state)["slot"] == 7 << 4 | 1 and not nvs(state)["trial"]
