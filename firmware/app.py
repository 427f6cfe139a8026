# Brings a reader up: reads the settings, then wires the parts. Needed once: main.py forgets this
# module before the reader runs, as it forgets what checks the settings before the parts are loaded.
# A running reader has 45 KB for everything.

import asyncio
import gc
import sys

_ROOT = "besnik/v1"
_OUTBOX_FOLDER = "outbox"


# The reader that config.json describes, to be run. A wrong setting is printed and shown as a fault
# for ever. hardware is the module firmware.board.
def start(hardware):
    settings, error = _read_settings()
    if error:
        print(error)
        asyncio.run(_show_fault(hardware.Board(settings)))
    gc.collect()
    return build(settings, hardware)


# Takes a module out of memory, as far as nobody else holds it.
def forget(name):
    package, _, attribute = name.partition(".")
    del sys.modules[name]
    delattr(sys.modules[package], attribute)


# A reader of checked settings, not running yet.
def build(settings, hardware):
    from firmware.link import Link
    from firmware.outbox import Outbox
    from firmware.reader import Reader
    from firmware.signals import Signals
    from firmware.taps import Taps

    board = hardware.Board(settings)
    boot = hardware.boot_count()
    topic = "%s/%s/%s/" % (_ROOT, settings["shop"], settings["reader"])
    lights = Signals(board.led_red, board.led_green, board.buzzer, settings["buzzer"])
    outbox = Outbox(_OUTBOX_FOLDER, boot, settings["outbox.cap"])
    link = Link(
        board.wlan,
        (settings["wifi.ssid"], settings["wifi.password"]),
        _account(settings, topic, boot, hardware.reset_cause()),
        board.clock,
    )
    taps = Taps(outbox, link, lights, board.clock, topic + "tap")
    presence, relay = _cards(settings, board, taps, lights, link, topic + "apdu/rsp")
    return Reader(board, topic, lights, outbox, link, taps, presence, relay)


# What watches the field, and the relay if the settings ask for it.
def _cards(settings, board, taps, lights, link, answers):
    from firmware.identify import Identifier
    from firmware.presence import Presence
    from iso14443 import TypeA
    from mfrc522 import MFRC522

    clock = board.clock
    spi, cs, rst = board.rc522
    chip = MFRC522(spi, cs, rst, clock, settings["rc522.gain_db"])
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
    return presence, presence.relay


def _account(settings, topic, boot, reset_cause):
    from firmware.health import info
    from firmware.link import Account

    state = topic + "state"
    return Account(
        settings["broker.host"],
        settings["broker.port"],
        settings["reader"],
        settings["broker.password"],
        (topic + "verdict",) + ((topic + "apdu/cmd",) if settings["cards.relay"] else ()),
        (state, b'{"s":"lost","bd":%d}' % boot),
        (
            (state, b'{"s":"online","bd":%d}' % boot),
            (topic + "info", info(boot, reset_cause, settings["version"])),
        ),
    )


# The checked settings and None, or the defaults and what is wrong.
def _read_settings():
    from firmware import config

    try:
        return config.load(), None
    except config.ConfigError as error:
        return config.DEFAULTS, error
    finally:
        forget("firmware.config")


async def _show_fault(board):
    from firmware.signals import Signals

    lights = Signals(board.led_red, board.led_green, board.buzzer, False)
    lights.set_fault(True)
    await lights.run()
