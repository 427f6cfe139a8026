# Runs in MicroPython: SPI frames and emulated time of the empty poll and of each UID length.

import json

from iso14443 import TypeA
from mfrc522 import MFRC522

from bench import Bench

UIDS = {"4": "5B3C2A19", "7": "04A1B2C3D4E580", "10": "0411223344556677A8B9"}
SPI_HZ = 1000000


def _ready(bench):
    chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock)
    chip.reset()
    chip.field(True)
    return TypeA(chip)


def _cost(bench, work):
    bench.frames()
    octets, began_us = bench.board.spi.octets, bench.clock.ticks_us()
    work()
    return {
        "frames": bench.frames(),
        "octets": bench.board.spi.octets - octets,
        "us": bench.clock.ticks_us() - began_us,
    }


def _empty():
    bench = Bench(baudrate=SPI_HZ)
    cards = _ready(bench)
    cards.request()
    return _cost(bench, cards.request)


def _uid(uid):
    bench = Bench(baudrate=SPI_HZ, card=uid)
    cards = _ready(bench)
    cards.request()
    bench.present("card")
    bench.clock.sleep_us(6000)

    def read():
        assert cards.request()
        assert cards.select().uid == bytes.fromhex(uid)

    read_cost = _cost(bench, read)
    cards.halt()

    def check():
        assert cards.wake() and cards.is_present(bytes.fromhex(uid))
        cards.halt()

    return read_cost, _cost(bench, check)


def main():
    found = {"empty": _empty()}
    for length, uid in UIDS.items():
        found["uid" + length], found["rest" + length] = _uid(uid)
    print(json.dumps(found))


main()
