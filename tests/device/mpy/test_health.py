# firmware/health.py: what it says has the keys of the recorded messages.

import json

from firmware import health, outbox


def _recorded(leaf):
    root = health.__file__[: -len("firmware/health.py")]
    with open(root + "tests/contract/messages.json") as file:
        return [json.loads(m["text"]) for m in json.load(file) if m["leaf"] == leaf and m["ok"]]


def test_health_with_and_without_what_may_be_unknown():
    for rssi_dbm, verdict_ms in ((-55, 12), (None, None)):
        said = json.loads(health.health(60, rssi_dbm, outbox.Outbox("o", 1), 0, 0, verdict_ms))
        for message in _recorded("health"):
            assert sorted(said) == sorted(message)
        assert said["rssi_dbm"] == rssi_dbm and said["verdict_ms"] == verdict_ms
        assert said["heap_free"] > 0 and said["up_s"] == 60


def test_info():
    said = json.loads(health.info(7, 1, 0))
    assert sorted(said) == sorted(_recorded("info")[0])
    assert said["bd"] == 7 and said["mpy"].count(".") == 2
