# Brings a reader up: reads the settings, then wires the parts. Needed once: main.py forgets this
# module before the reader runs, as it forgets what checks the settings before the parts are loaded.
# A running reader has 45 KB for everything.

import gc
import sys

from micropython import const

_ROOT = const("besnik/v1/")
_OUTBOX_FOLDER = const("outbox")
_KEEPALIVE_S = const(30)
_MADE_ONCE = const(
    (
        ("firmware.board", "Clock"),
        ("firmware.reader", "Reader"),
        ("firmware.signals", "Signals"),
        ("firmware.outbox", "Outbox"),
        ("firmware.link", "Link"),
        ("firmware.packets", "Packets"),
        ("firmware.taps", "Taps"),
        ("firmware.presence", "Presence"),
        ("firmware.identify", "Identifier"),
        ("iso14443", "TypeA"),
        ("mfrc522", "MFRC522"),
    )
)


# The reader that config.json describes, to be run. Without settings and certificates that can be
# used it waits for a host that brings them. hardware is the module firmware.board.
def start(hardware):
    settings, tls, error = _read_settings()
    if error:
        from firmware import provision

        provision.serve(hardware, error)
    parts = hardware.wire(settings)
    gc.collect()
    reader = build(settings, tls, hardware, parts)
    if hardware.stored("trial") or hardware.stored("back"):
        reader.begin("trial", None)
    _clear(hardware, settings)
    return reader


# Lets go of what nobody asks for again, 3 KB: a reader has one of each part, and it is made.
def _clear(hardware, settings):
    for name in ("wire", "lights", "_output", "boot_count", "reset_cause", "station"):
        delattr(hardware, name)
    done = [(module, name, "__init__") for module, name in _MADE_ONCE if module in sys.modules]
    if not settings["cards.relay"]:  # which makes an IsoDep for each talk
        done.append(("iso14443", "TypeA", "reselect"))
        if "isodep" in sys.modules:
            done.append(("isodep", "IsoDep", "__init__"))
    if not settings["cards.pulsed"]:
        done.append(("mfrc522", "MFRC522", "power_down"))
        done.append(("mfrc522", "MFRC522", "wake_up"))
    for module, name, method in done:
        # Not delattr: the slot of a class would keep what was in it (py/map.c).
        setattr(getattr(sys.modules[module], name), method, None)


# Takes a module out of memory, as far as nobody else holds it.
def forget(name):
    del sys.modules["firmware." + name]
    delattr(sys.modules["firmware"], name)


# A reader of checked settings, not running yet.
def build(settings, tls, hardware, parts):
    from firmware.outbox import Outbox
    from firmware.reader import Reader
    from firmware.signals import Signals
    from firmware.taps import Taps

    clock = hardware.Clock(settings["time.servers"])
    boot = hardware.boot_count()
    topic = _ROOT + "%s/%s/" % (settings["shop"], settings["reader"])
    volume = settings["tones.volume_percent"] if settings["buzzer"] else 0
    lights = Signals(parts[0], parts[1], parts[2], volume, settings["tones.pitch_percent"])
    outbox = Outbox(_OUTBOX_FOLDER, boot, settings["outbox.cap"])
    wlan = hardware.station()
    births = (
        (topic + "state", b'{"s":"online","bd":%d}' % boot),
        (topic + "info", info(boot, hardware.reset_cause(), settings["version"])),
    )
    link = _link(settings, tls, wlan, topic, births, clock)
    taps = Taps(outbox, link, lights, clock, topic + "tap")
    presence = _cards(settings, parts[3], clock, taps, lights, link, topic + "apdu/rsp")
    return Reader(topic, clock, wlan, lights, outbox, link, taps, presence, hardware)


def _link(settings, tls, wlan, topic, births, clock):
    gc.collect()  # before each group of imports, so that they lie close together
    from firmware.link import Link
    from firmware.packets import Packets

    name = settings["reader"]
    # With TLS the certificate says who the reader is.
    user, password = (None, None) if tls else (name, settings["broker.password"])
    codec = Packets(name, user, password, _KEEPALIVE_S)
    state, born = births[0]
    codec.client.set_last_will(state, born.replace(b"online", b"lost"), True, 1)
    topics = [topic + "verdict", _ROOT + "bridge/state", topic + "cmd/#", topic + "update/part"]
    if settings["cards.relay"]:
        topics.append(topic + "apdu/cmd")
    account = (
        (settings["wifi.ssid"], settings["wifi.password"]),
        (settings["broker.host"], settings["broker.port"], tls),
        topics,
        births,
    )
    return Link(wlan, account, codec, clock)


# What watches the field, with the relay if the settings ask for it.
def _cards(settings, rc522, clock, taps, lights, link, answers):
    gc.collect()
    from iso14443 import TypeA
    from mfrc522 import MFRC522

    gc.collect()
    from firmware.identify import Identifier
    from firmware.presence import Presence

    gc.collect()

    spi, cs, rst, irq = rc522
    chip = MFRC522(spi, cs, rst, clock, settings["rc522.gain_db"], irq)
    cards = TypeA(chip)
    identifier = Identifier(chip, cards, clock, settings["cards.families"])
    presence = Presence(chip, cards, identifier, clock, taps.on_offer, lights.set_fault)
    if settings["cards.relay"]:
        from firmware.relay import Relay

        relay = Relay(chip, cards, clock, lambda message: link.publish(answers, message))
        presence.relay = taps.relay = relay
    presence.is_pulsed = settings["cards.pulsed"]
    if settings["cards.ecp"]:
        from ecp import FRAMES

        presence.ecp = FRAMES[settings["cards.ecp"]]
    return presence


# The info message (contract): versions, reset cause, boot count, configuration version.
def info(boot, reset_cause, config_version):
    from firmware import packets
    from firmware.reader import VERSION

    mpy = ".".join(str(part) for part in sys.implementation.version[:3])
    return '{"fw":"%s","umqtt":"%s","mpy":"%s","reset":%d,"bd":%d,"cfg":%d}' % (
        VERSION,
        packets.VERSION,
        mpy,
        reset_cause,
        boot,
        config_version,
    )


# The checked settings, the TLS context or None for plain MQTT, and None; or what is wrong, last.
def _read_settings():
    from firmware import config

    try:
        settings = config.load()
        return settings, None if settings["broker.plain"] else config.trust(), None
    except config.ConfigError as error:
        return None, None, error
    finally:
        forget("config")
