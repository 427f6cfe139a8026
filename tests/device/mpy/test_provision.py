# firmware/provision.py and handover.py: what a host has to send, what is refused before anything is
# written, and the power that goes at every operation of the flash.

import json
import os
from binascii import b2a_base64, hexlify
from hashlib import sha256

from chips import PLACE, Chip, fresh, mount
from firmware import config, handover, provision

HEAP = "8M"
TIMEOUT_S = 60

PLAIN = {"host": "127.0.0.1", "port": 1883, "plain": True, "password": "open sesame"}
SETTINGS = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "demo"}, "broker": PLAIN}


def _send(request, files, ticket=None):
    answers = [request.take("begin " + (ticket or request.ticket))]
    for name, data in files.items():
        digest = hexlify(sha256(data).digest()).decode()
        answers.append(request.take("file %s %d %s" % (name, len(data), digest)))
        for at in range(0, len(data), 96):
            text = b2a_base64(data[at : at + 96]).decode().strip()
            answers.append(request.take("data " + text))
    answers.append(request.take("done"))
    return answers


def _refusal(files):
    answers = _send(provision.Request(), files)
    refused = [answer for answer in answers if answer.startswith("refused ")]
    assert refused and answers[-1] in refused, answers
    assert os.listdir() == [], "something was written"
    return refused[0]


def _changed(**changes):
    return {"config.json": json.dumps(dict(SETTINGS, **changes)).encode()}


def test_settings_are_taken_once_and_then_used():
    request = provision.Request()
    ticket = request.ticket
    answers = _send(request, _changed())
    assert answers[-1] == "done" and set(answers[:-1]) == {"ok"}, answers
    assert config.load()["reader"] == "counter-1"
    assert os.listdir() == ["cert", "config.json"] or os.listdir() == ["config.json", "cert"]
    assert request.take("begin " + ticket).startswith("refused this ticket")


def test_a_ticket_counts_once_even_if_what_came_with_it_was_refused():
    request = provision.Request()
    ticket = request.ticket
    assert _send(request, _changed(shop="Corner Shop"))[-1].startswith("refused")
    assert request.take("begin " + ticket).startswith("refused this ticket")
    assert request.take("begin " + request.ticket) == "ok"


def test_what_a_reader_could_not_be_run_with_is_refused_before_anything_is_written():
    assert 'shop = "Corner Shop": must be' in _refusal(_changed(shop="Corner Shop"))
    assert "pins.irq = 5: is taken by pins.cs" in _refusal(_changed(pins={"irq": 5}))
    assert "***" in _refusal(_changed(broker=dict(PLAIN, password=12345)))
    assert "is not JSON" in _refusal({"config.json": b"{"})
    assert "config.json: is missing" in _refusal({})
    assert "cert/ca.der: is missing" in _refusal(_changed(broker={"host": "127.0.0.1"}))
    secure = _changed(broker={"host": "127.0.0.1"})
    for name in ("ca.der", "reader.der", "reader.key"):
        secure[name] = b"no certificate"
    assert "cert: cannot be used" in _refusal(secure)
    assert "main.py: no file of a reader" in _refused("file main.py 1 00")
    assert "more than 8192 bytes" in _refusal({"config.json": b" " * 9000})


def _refused(line):
    request = provision.Request()
    request.take("begin " + request.ticket)
    return request.take(line)


def test_what_did_not_arrive_whole_is_refused():
    request = provision.Request()
    digest = hexlify(sha256(b"{}").digest()).decode()
    for lines in (
        ("file config.json 2 " + digest, "data e30x"),
        ("file config.json 3 " + digest, "data e30="),
        ("file config.json", "data e30="),
        ("file config.json 2 " + digest,),
    ):
        assert request.take("begin " + request.ticket) == "ok"
        for line in lines:
            assert request.take(line) == "ok"
        assert "did not arrive whole" in request.take("done")
    for line in ("data e30=", "done", "nonsense", "", "file"):
        assert request.take(line).startswith("refused begin with the ticket"), line
    for line in ("data e30=", "data \xff", "nonsense", "begin", "file", "file x y z z z"):
        assert _refused(line).startswith("refused "), line
    assert os.listdir() == []


def test_without_settings_no_chip_is_driven_where_it_has_its_flash_or_its_usb():
    for machine, name, pins in (
        ("Generic ESP32 module with SPIRAM with ESP32", "ESP32", (25, 26, 27)),
        ("TinyPICO with ESP32-PICO-D4", "ESP32PICOD4", (25, 26, 27)),
        ("Generic ESP32S3 module with ESP32S3", "ESP32S3", (5, 6, 7)),
        ("TinyS3 with ESP32-S3-FN8", "ESP32S3FN8", (5, 6, 7)),
        ("Arduino Nano ESP32 with ESP32S3", "ESP32S3", (5, 6, 7)),
        ("ESP32C3 module with ESP32C3", "ESP32C3", (0, 1, 3)),
        ("ESP32C6 module with ESP32C6", "ESP32C6", (20, 21, 22)),
        ("linux [GCC 14.2.0] version", "ESP32", (25, 26, 27)),
    ):
        assert provision.chip_name(machine) == name
        assert provision.light_pins(name) == pins


class _Recorder(Chip):
    def __init__(self, content):
        self.log = []
        Chip.__init__(self, content)

    def change(self, place, data, times=1):
        self.log.append((place, bytes(data) * times))
        Chip.change(self, place, data, times)


def _files(which):
    files = _changed(version=which)
    for name in ("ca.der", "reader.der", "reader.key"):
        files[name] = b"%s of %d" % (name.encode(), which) * 40
    return files


# What a reader that starts on this content has, as the application finds it.
def _found(content):
    mount(Chip(content))
    os.chdir(PLACE)
    try:
        if "config.json" not in os.listdir():
            handover.resume()
        if "config.json" not in os.listdir():
            return None
        found = {}
        for name in _files(0):
            with open(name if name == "config.json" else "cert/" + name, "rb") as file:
                found[name] = file.read()
        return found
    finally:
        os.chdir("/")


def _cut_everywhere(before):
    chip = fresh(32)
    os.chdir(PLACE)
    if before:
        handover.write(before)
    os.chdir("/")
    content = bytearray(chip.content())
    recorder = mount(_Recorder(content))
    os.chdir(PLACE)
    handover.write(_files(2))
    os.chdir("/")
    new = _files(2)
    seen = []
    for place, data in recorder.log:
        half = len(data) // 2
        content[place : place + half] = data[:half]
        seen.append(_found(content))
        content[place : place + len(data)] = data
        seen.append(_found(content))
    assert all(each in (before, new) for each in seen)
    assert seen[0] == before and seen[-1] == new
    changes = sum(one != other for one, other in zip(seen, seen[1:]))
    assert changes == 1, "it went back"
    return len(recorder.log)


def test_power_cut_at_every_operation_leaves_what_was_or_all_that_is_new():
    folder = os.getcwd()
    try:
        assert _cut_everywhere(None) > 20
        assert _cut_everywhere(_files(1)) > 20
    finally:
        os.chdir(folder)
