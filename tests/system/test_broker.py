"""The broker as it ships: who enters by password, how fast it is, what a restart keeps."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support.broker import RunningBroker
from support.ear import Ear, round_trip_s, settled


@pytest.mark.parametrize("user", ["", "stranger", "bridge"])
async def test_nobody_enters_without_the_right_password(broker: RunningBroker, user: str) -> None:
    broker.passwords["bridge"] = "not the password"
    refused = Ear(broker, user)
    with pytest.raises(Exception, match="135"):  # MQTT 5: not authorised
        await refused.connect()


async def test_a_restart_keeps_retained_messages_and_queued_taps(broker: RunningBroker) -> None:
    bridge = Ear(broker, "bridge", client_id="bridge-1")
    await bridge.connect()
    await bridge.hear("besnik/v1/+/+/tap")
    await bridge.close()
    monitor, reader = Ear(broker, "monitor"), Ear(broker, "counter-1")
    await monitor.connect()
    await monitor.hear("#")
    await reader.connect()
    reader.say("besnik/v1/corner/counter-1/state", "online", retain=True)
    for number in range(2000):
        reader.say("besnik/v1/corner/counter-1/tap", str(number))
    await settled([monitor])
    await monitor.close()
    await reader.close()

    broker.restart()

    bridge = Ear(broker, "bridge", client_id="bridge-1")
    await bridge.connect()
    await bridge.hear("besnik/v1/+/+/state")
    await settled([bridge])
    await bridge.close()
    taps = [text for topic, text in bridge.heard if topic.endswith("/tap")]
    assert taps == [str(number) for number in range(2000)]
    assert ("besnik/v1/corner/counter-1/state", "online") in bridge.heard


async def test_small_messages_do_not_wait_for_delayed_acknowledgements(
    broker: RunningBroker,
) -> None:
    reader, bridge = Ear(broker, "counter-1"), Ear(broker, "bridge")
    await reader.connect()
    await bridge.connect()
    await reader.hear("besnik/v1/corner/counter-1/verdict")
    await bridge.hear("besnik/v1/+/+/tap")
    bridge.answers_taps = True

    fastest_s = min([await round_trip_s(reader) for _ in range(20)])

    # Without TCP_NODELAY at the broker every single one takes 40 ms and more.
    assert fastest_s < 0.02
    await reader.close()
    await bridge.close()


def test_secrets_are_for_their_owner_alone_and_survive(tmp_path: Path) -> None:
    first = besnik_broker.passwords(tmp_path, ["bridge", "counter-1"])
    again = besnik_broker.passwords(tmp_path, ["bridge", "counter-1", "counter-2"])
    assert again.items() > first.items()
    assert len(set(again.values())) == 3
    besnik_broker.configure(tmp_path, port=1883, accounts=again)
    for name in ("passwords", "passwords.json", "access"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert not any(secret in (tmp_path / "passwords").read_text() for secret in again.values())


def test_a_user_that_is_no_topic_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(besnik_broker.BrokerError, match=r"'\+' must match"):
        besnik_broker.configure(tmp_path, port=1883, accounts={"+": "x"})
