# firmware/config.py: one message that names the key, the value and what is allowed.

import os

from firmware import config

GOOD = {
    "shop": "corner",
    "reader": "counter-1",
    "wifi": {"ssid": "shop", "password": "12345678"},
    "broker": {"host": "127.0.0.1", "port": 1883, "plain": True, "password": "secret"},
}


def _refusal(section, key, value):
    raw = {k: dict(v) if isinstance(v, dict) else v for k, v in GOOD.items()}
    if section:
        raw.setdefault(section, {})[key] = value
    else:
        raw[key] = value
    try:
        config.check(raw)
    except config.ConfigError as error:
        return str(error)
    raise AssertionError("%s.%s = %r was taken" % (section, key, value))


def test_good_settings_get_their_defaults():
    settings = config.check(GOOD)
    assert settings["broker.port"] == 1883 and settings["pins.sck"] == 18
    assert settings["outbox.cap"] == 256


def test_tls_is_the_default_and_needs_certificates():
    settings = config.check(dict(GOOD, broker={"host": "broker.shop"}))
    assert settings["broker.port"] == 8883 and not settings["broker.plain"]
    try:
        config.trust("nowhere/")
        raise AssertionError("trusts nobody")
    except config.ConfigError as error:
        assert "cert/ca.der: not there" in str(error), str(error)
    for name in ("ca.der", "reader.der", "reader.key"):
        for folder in ("wrong", "wrong/cert"):
            try:
                os.mkdir(folder)
            except OSError:
                pass
        with open("wrong/cert/" + name, "wb") as file:
            file.write(b"no certificate")
    try:
        config.trust("wrong/")
        raise AssertionError("trusts anything")
    except config.ConfigError as error:
        assert "make them anew" in str(error), str(error)


def test_each_wrong_value_is_named_with_what_is_allowed():
    assert _refusal("broker", "port", 70000) == (
        "config.json: broker.port = 70000: must be a whole number from 0 to 65535; "
        "0: 8883, or 1883 when plain"
    )
    assert "rc522.gain_db = 30: must be one of 18" in _refusal("rc522", "gain_db", 30)
    assert 'shop = "Corner Shop": must be 1 to 16' in _refusal(None, "shop", "Corner Shop")
    assert "broker.port = true" in _refusal("broker", "port", True)
    assert 'broker.plain = "no"' in _refusal("broker", "plain", "no")
    assert "broker.password: missing" in _refusal("broker", "password", "")


def test_tones_and_time_servers():
    settings = config.check(dict(GOOD, tones={"volume_percent": 20}, time={"servers": ["a", "b"]}))
    assert settings["tones.volume_percent"] == 20 and settings["time.servers"] == ["a", "b"]
    assert "must be a list of 1 to 3" in _refusal("time", "servers", "pool.ntp.org")
    assert "must be a list of 1 to 3" in _refusal("time", "servers", [])
    assert "must be a list of 1 to 3" in _refusal("time", "servers", [""])
    assert "from 50 to 150" in _refusal("tones", "pitch_percent", 200)


def test_missing_and_unknown_keys_are_named():
    raw = dict(GOOD)
    del raw["shop"]
    try:
        config.check(raw)
        raise AssertionError("taken without shop")
    except config.ConfigError as error:
        assert "shop: missing" in str(error)
    assert "broker.prot: no such key" in _refusal("broker", "prot", 1)


def test_two_parts_on_one_pin_are_refused():
    assert "is taken by" in _refusal("pins", "buzzer", 18)


def test_secrets_are_never_shown():
    message = _refusal("broker", "password", 12345)
    assert "12345" not in message and "broker.password = ***" in message


def test_file_that_is_absent_or_not_json():
    for name, content, expected in (
        ("absent.json", None, "not there; provision the reader"),
        ("broken.json", "{", "is not JSON"),
        ("list.json", "[]", "must be an object"),
    ):
        if content is not None:
            with open(name, "w") as file:
                file.write(content)
        try:
            config.load(name)
            raise AssertionError("taken: " + name)
        except config.ConfigError as error:
            assert expected in str(error), str(error)
