"""The readers' door: who has no good certificate of this shop stays outside."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.broker import answers
from besnik.fleet import ca, cert
from besnik.fleet import x509 as form
from support.ear import Ear, round_trip_s, settled
from support.processes import Processes
from support.secure_broker import SecureBroker

LONG_AGO = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
# MQTT 3.1.1, 3.1: CONNECT with a clean session, no user, client id "x".
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01x"
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    """A running broker with readers by certificate alone."""
    running = SecureBroker(mosquitto, state, processes)
    running.start()
    return running


@pytest.fixture
async def bridge(broker: SecureBroker) -> AsyncIterator[Ear]:
    """The bridge, who hears every tap."""
    ear = Ear(broker, "bridge", client_id="besnik-bridge")
    await ear.connect()
    await ear.hear("besnik/v1/+/+/tap")
    yield ear
    await ear.close()


def enters(broker: SecureBroker, shown: form.Pair | None) -> bool:
    """Return whether a client that shows this certificate gets a CONNACK."""
    try:
        with (
            socket.create_connection((broker.host, broker.readers_port), timeout=5) as plain,
            broker.tls(shown).wrap_socket(plain, server_hostname=broker.host) as tls,
        ):
            tls.sendall(CONNECT)
            return tls.recv(4) == CONNACK
    except (ssl.SSLError, ConnectionError):
        return False


def nothing(broker: SecureBroker) -> None:
    return None


def of_another_shop(broker: SecureBroker) -> form.Pair:
    other = form.make_authority(ca.clock())
    return form.issue_for_reader(other, "counter-1", ca.clock())


def expired(broker: SecureBroker) -> form.Pair:
    return form.issue_for_reader(broker.authority.pair, "counter-1", LONG_AGO)


def of_the_broker(broker: SecureBroker) -> form.Pair:
    return form.issue_for_broker(broker.authority.pair, ["counter-1"], ca.clock())


def of_the_authority(broker: SecureBroker) -> form.Pair:
    return broker.authority.pair


@pytest.mark.parametrize(
    "shown", [nothing, of_another_shop, expired, of_the_broker, of_the_authority]
)
def test_a_client_without_a_good_certificate_is_refused(
    broker: SecureBroker, shown: Callable[[SecureBroker], form.Pair | None]
) -> None:
    broker.door("counter-1")
    assert enters(broker, broker.reader_pair("counter-1"))
    assert not enters(broker, shown(broker))


def test_a_revoked_reader_is_refused_from_the_next_start_on_and_the_others_are_not(
    broker: SecureBroker,
) -> None:
    for reader in ("counter-1", "counter-2"):
        broker.door(reader)
    first = broker.reader_pair("counter-1")
    cert.obtain(broker.state, "counter-1", renew=True)
    renewed = broker.reader_pair("counter-1")
    assert enters(broker, first)
    assert enters(broker, renewed)

    cert.revoke(broker.state, "counter-1")
    broker.restart()

    assert not enters(broker, first)
    assert not enters(broker, renewed)
    assert enters(broker, broker.reader_pair("counter-2"))
    broker.door("counter-1")
    assert enters(broker, broker.reader_pair("counter-1"))


def test_the_doors_are_not_exchanged(broker: SecureBroker) -> None:
    assert answers(broker.host, broker.port)
    assert not answers(broker.host, broker.readers_port)


@pytest.mark.parametrize("password", ["guessed", ""])
async def test_a_reader_does_not_enter_by_password(broker: SecureBroker, password: str) -> None:
    broker.door("counter-1")
    broker.passwords["counter-1"] = password
    with pytest.raises(Exception, match="135"):  # MQTT 5: not authorised
        await Ear(broker, "counter-1").connect()


async def test_a_reader_that_calls_itself_the_bridge_does_not_end_its_session(
    broker: SecureBroker, bridge: Ear
) -> None:
    thief = Ear(broker, "bridge", client_id="besnik-bridge", door=broker.door("counter-1"))
    await thief.connect()
    thief.say("besnik/v1/corner/counter-1/tap", "its own")
    thief.say("besnik/v1/corner/counter-2/tap", "another's")
    await settled([bridge])
    assert bridge.heard == [("besnik/v1/corner/counter-1/tap", "its own")]
    await thief.close()


async def test_small_messages_do_not_wait_there_either(broker: SecureBroker, bridge: Ear) -> None:
    reader = Ear(broker, "counter-1", door=broker.door("counter-1"))
    await reader.connect()
    await reader.hear("besnik/v1/corner/counter-1/verdict")
    bridge.answers_taps = True
    fastest_s = min([await round_trip_s(reader) for _ in range(20)])
    await reader.close()

    # Without TCP_NODELAY every single one takes 40 ms and more.
    assert fastest_s < 0.02


def test_the_broker_shows_a_certificate_for_every_name_it_was_given(broker: SecureBroker) -> None:
    ca.obtain(broker.state, ["till.shop.example", "192.0.2.7"])
    broker.restart()
    pair = (broker.door("counter-1"), broker.reader_pair("counter-1"))[1]
    for name, is_known in {
        "127.0.0.1": True,
        "till.shop.example": True,
        "192.0.2.7": True,
        "shop.example": False,
    }.items():
        with socket.create_connection((broker.host, broker.readers_port), timeout=5) as plain:
            try:
                broker.tls(pair).wrap_socket(plain, server_hostname=name).close()
            except ssl.SSLCertVerificationError:
                assert not is_known, name
            else:
                assert is_known, name
