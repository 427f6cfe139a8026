# The reader's own settings: config.json on its flash, checked key by key before anything uses them.

import json

from micropython import const

_ID_CHARS = const("abcdefghijklmnopqrstuvwxyz0123456789-")
_GAINS_DB = const((18, 23, 33, 38, 43, 48))


# A setting that cannot be used. The text names the key, its value and what is allowed.
class ConfigError(Exception):
    pass


def _is_id(value):
    return isinstance(value, str) and 0 < len(value) <= 16 and all(c in _ID_CHARS for c in value)


def _is_int(low, high):
    return lambda value: type(value) is int and low <= value <= high


def _is_text(low, high):
    return lambda value: isinstance(value, str) and low <= len(value.encode()) <= high


def _is_families(value):
    return (
        isinstance(value, list)
        and "uid" in value
        and all(name in ("sun", "uid") and value.count(name) == 1 for name in value)
    )


def _is_servers(value):
    return (
        isinstance(value, list) and 0 < len(value) <= 3 and all(_is_text(1, 253)(v) for v in value)
    )


_SWITCH = (lambda value: value in (True, False), "true or false")
_PIN = (_is_int(0, 48), "a GPIO number from 0 to 48")

# key: (test, what is allowed, default); no default means the key must be there.
_KEYS: "dict[str, tuple]" = {  # type: ignore[type-arg]  # MicroPython has no typing.Any
    "shop": (_is_id, "1 to 16 of a-z, 0-9 and hyphen"),
    "reader": (_is_id, "1 to 16 of a-z, 0-9 and hyphen"),
    "version": (_is_int(0, 0x3FFFFFFF), "a whole number, 0 or more", 0),
    "wifi.ssid": (_is_text(1, 32), "the network's name, 1 to 32 bytes"),
    "wifi.password": (_is_text(0, 63), "the network's password, 63 bytes at most", ""),
    "broker.host": (_is_text(1, 253), "a host name or address"),
    "broker.port": (
        _is_int(0, 65535),
        "a whole number from 0 to 65535; 0: 8883, or 1883 when plain",
        0,
    ),
    "broker.plain": (_SWITCH[0], "true for MQTT without TLS, or false", False),
    "broker.password": (
        _is_text(0, 64),
        "the reader's password at the broker when plain, 64 bytes at most",
        "",
    ),
    "pins.sck": _PIN + (18,),
    "pins.mosi": _PIN + (23,),
    "pins.miso": _PIN + (19,),
    "pins.cs": _PIN + (5,),
    "pins.rst": _PIN + (22,),
    "pins.irq": (_is_int(-1, 48), "a GPIO number from 0 to 48, or -1 when it is not wired", -1),
    "pins.led_green": _PIN + (26,),
    "pins.led_red": _PIN + (25,),
    "pins.buzzer": _PIN + (27,),
    "rc522.spi_hz": (_is_int(100000, 10000000), "a whole number from 100000 to 10000000", 4000000),
    "rc522.gain_db": (lambda value: value in _GAINS_DB, "one of 18, 23, 33, 38, 43, 48", 33),
    "cards.families": (
        _is_families,
        'a list, best first, of some of "sun", "uid"; "uid" among them',
        ["sun", "uid"],
    ),
    "cards.relay": _SWITCH + (False,),
    "cards.pulsed": _SWITCH + (False,),
    "cards.ecp": (
        lambda value: value in ("", "vas_or_pay", "vas_and_pay", "vas", "ignore"),
        '"" for none, or one of "vas_or_pay", "vas_and_pay", "vas", "ignore"',
        "",
    ),
    "outbox.cap": (_is_int(1, 1024), "a whole number from 1 to 1024", 256),
    "time.servers": (_is_servers, "a list of 1 to 3 host names or addresses", ["pool.ntp.org"]),
    "buzzer": _SWITCH + (True,),
    "tones.volume_percent": (_is_int(1, 100), "a whole number from 1 to 100", 100),
    "tones.pitch_percent": (_is_int(50, 150), "a whole number from 50 to 150", 100),
}
# Every key that need not be given.
DEFAULTS = {key: rule[2] for key, rule in _KEYS.items() if len(rule) > 2}
_SECRETS = const(("wifi.password", "broker.password"))
# The certificate authority, and the reader's own certificate and key, each DER: what the Unix port
# and the ESP32 both take.
_CERTIFICATES = const(("cert/ca.der", "cert/reader.der", "cert/reader.key"))


# Reads and checks the file. Returns a flat dict: "broker.port" -> 1883. Raises ConfigError.
def load(path="config.json"):
    try:
        with open(path) as file:
            raw = json.load(file)
    except OSError:
        raise ConfigError("%s: not there; provision the reader" % path)
    except ValueError:
        raise ConfigError("%s: is not JSON" % path)
    return check(raw, path)


# Checks settings already read; as load().
def check(raw, path="config.json"):
    if not isinstance(raw, dict):
        raise ConfigError("%s: must be an object" % path)
    given = _flat(raw)
    for key in given:
        if key not in _KEYS:
            raise ConfigError("%s: %s: no such key" % (path, key))
    config = {}
    for key, rule in _KEYS.items():
        if key not in given:
            if key not in DEFAULTS:
                raise ConfigError("%s: %s: missing; must be %s" % (path, key, rule[1]))
            config[key] = DEFAULTS[key]
        elif rule[0](given[key]):
            config[key] = given[key]
        else:
            shown = "***" if key in _SECRETS else json.dumps(given[key])
            raise ConfigError("%s: %s = %s: must be %s" % (path, key, shown, rule[1]))
    _check_pins(config, path)
    if config["broker.plain"] and not config["broker.password"]:
        raise ConfigError("%s: broker.password: missing; plain MQTT needs it" % path)
    config["broker.port"] = config["broker.port"] or (1883 if config["broker.plain"] else 8883)
    return config


# The TLS context of a reader that shows its certificate and checks the broker's: its authority, its
# dates and its name. Raises ConfigError when a file is missing or wrong.
def trust(folder=""):
    data = []
    for name in _CERTIFICATES:
        try:
            with open(folder + name, "rb") as file:
                data.append(file.read())
        except OSError:
            raise ConfigError(
                "%s: not there; make it with `besnik fleet cert`, or set broker.plain" % name
            )
    return trusting(data)


# As trust(), of the three files' content.
def trusting(data):
    import tls

    # tls and not ssl, whose contexts verify nothing until told to (micropython-lib, ssl.py).
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    setattr(context, "verify_mode", tls.CERT_REQUIRED)  # noqa: B010 - the stubs lack it
    try:
        context.load_verify_locations(data[0])
        context.load_cert_chain(data[1], data[2])
    except (OSError, ValueError) as error:
        raise ConfigError("cert: cannot be used: %s; make them anew" % error)
    return context


def _check_pins(config, path):
    used = {}
    for key in sorted(config):
        if key.startswith("pins."):
            other = used.get(config[key])
            if other:
                raise ConfigError(
                    "%s: %s = %d: is taken by %s; every part needs its own pin"
                    % (path, key, config[key], other)
                )
            used[config[key]] = key


def _flat(raw):
    flat = {}
    for key, value in raw.items():
        if isinstance(value, dict):
            for inner, inner_value in value.items():
                flat["%s.%s" % (key, inner)] = inner_value
        else:
            flat[key] = value
    return flat
