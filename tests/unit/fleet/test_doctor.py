"""What the doctor makes of measurements that no virtual board can be brought to, and of records."""

from __future__ import annotations

import shlex

import pytest

from besnik.fleet.doctor import antenna, door, figure, finding, network, services, wiring
from besnik.fleet.doctor.antenna import Step
from besnik.fleet.doctor.door import Knocked
from besnik.fleet.doctor.network import Joined, Time
from besnik.fleet.doctor.services import Records, RecordsError
from besnik.fleet.doctor.wiring import Wiring

SETTINGS = {
    "reader": "counter-1",
    "wifi.ssid": "Counter",
    "broker.host": "192.0.2.10",
    "broker.port": 8883,
    "rc522.gain_db": 33,
    "rc522.spi_hz": 4_000_000,
    "pins.irq": 4,
}


@pytest.mark.parametrize(
    ("knocked", "says", "to_do"),
    [
        (Knocked("name", "-202"), "'192.0.2.10' is not found", "as a number"),
        (Knocked("connect", 104), "nobody listens", "readers_port"),
        (Knocked("connect", 116), "no way from the reader's network", "firewall"),
        (Knocked("tls", "The certificate validity has expired"), "by the reader's clock", "clock"),
        (Knocked("tls", "CN does not match"), "another name", "fleet ca --name 192.0.2.10"),
        (Knocked("tls", "MBEDTLS_ERR_SSL_ALLOC"), "no encrypted connection", "besnik broker"),
        (Knocked("closed", ""), "hangs up", "--renew"),
        (Knocked("answer", 5), "does not take the reader's password", "restart the broker"),
        (Knocked("answer", 2), "code 2", "mosquitto"),
    ],
)
def test_the_way_in(knocked: Knocked, says: str, to_do: str) -> None:
    found = door.judge(knocked, SETTINGS)
    assert found.state == "wrong"
    assert says in found.says and to_do in found.do


def test_a_network_that_gives_no_address_and_a_clock_that_is_off() -> None:
    found = network.judge_wifi(Joined(False, 1001, 0, ("Counter",)), SETTINGS)
    assert "does not let the reader in" in found.says and "DHCP" in found.do
    found = network.judge_wifi(Joined(False, 201, 0, ("Other", "")), SETTINGS)
    assert found.says.endswith("in sight: 'Other'")
    assert network.judge_clock(Time(True, 1_795_300_030), 1_795_300_000).state == "ok"
    found = network.judge_clock(Time(False, 1_795_300_000), 1_795_300_000)
    typed = shlex.split(found.do)  # as a shell takes it
    change = typed[typed.index("--set") + 1].rstrip(",")
    assert change.partition("=")[::2] == ("time.servers", '["192.0.2.1"]')
    found = network.judge_clock(Time(True, 1_795_300_000), 1_795_303_600)
    assert "3600 s behind this machine" in found.says and "timedatectl" in found.do


@pytest.mark.parametrize(
    ("records", "part", "says"),
    [
        (Records(None), "bridge", "unknown to this shop's records"),
        (Records("station"), "bridge", "counter-1 is in shop 'station'"),
        (Records("corner", "odoo", "open", "no answer for 10 s"), "CRM", "no answer for 10 s"),
        (Records("corner", "odoo"), "CRM", "odoo answers"),
        (Records("corner"), "CRM", "no other CRM is switched on"),
    ],
)
def test_records(records: Records, part: str, says: str) -> None:
    place, crm = services.judge_records("counter-1", "corner", lambda _: records)
    found = crm if part == "CRM" else place
    assert found is not None and says in found.says
    assert (found.state == "wrong") == bool(found.do)


def test_records_that_cannot_be_read() -> None:
    def away(_: str) -> Records:
        raise RecordsError("no such table")

    place, crm = services.judge_records("counter-1", "corner", away)
    assert place is not None and "no such table" in place.says
    assert crm.state == "skipped"


def test_a_copy_of_the_chip_is_no_fault() -> None:
    found = wiring.judge(Wiring("12" * 16, irq=1), SETTINGS)
    assert found.state == "ok" and "a copy of the RC522 (0x12)" in found.says
    found = wiring.judge(Wiring("92" * 16, irq=1, self_test="differs"), SETTINGS)
    assert found.state == "ok" and "nothing to do" in found.do


def test_an_interrupt_that_does_not_arrive() -> None:
    found = wiring.judge(Wiring("92" * 16, irq=0), SETTINGS)
    assert "every card goes unheard" in found.says and "pins.irq=-1" in found.do


def test_a_card_that_is_hardly_heard() -> None:
    steps = [Step(gain, 3, 16, 1) for gain in (18, 23, 33, 38, 43, 48)]
    found = antenna.judge(steps, SETTINGS)
    assert "at best 3 of 20" in found.says and "10 mm" in found.do


def test_the_drawing_has_a_bar_for_each_gain_and_marks_the_one_in_use() -> None:
    steps = [Step(18, 0, 20, 0), Step(33, 20, 0, 0), Step(48, 5, 5, 10)]
    text = antenna.drawing(steps, 33)
    assert text[0] == " 18 dB  ····················    0 of 20"
    assert text[1] == " 33 dB  ████████████████████   20 of 20 ← set"
    assert text[2] == " 48 dB  █████▒▒▒▒▒▒▒▒▒▒·····    5 of 20"
    drawn = figure.svg(steps, 33, "<counter-1>")
    assert drawn.count("<rect") == 1 + 1 + 1 + 3 + 3
    assert "&lt;counter-1&gt;" in drawn and "20/20 set" in drawn


def test_the_last_line_says_where_to_begin() -> None:
    well, bad = finding.ok("wiring", "well"), finding.wrong("Wi-Fi", "away", "look")
    assert finding.summary([well]) == "nothing is wrong"
    assert finding.summary([well, bad, finding.wrong("bridge", "x", "y")]) == (
        "begin with: Wi-Fi, then bridge"
    )
    assert finding.summary([finding.skipped("lights", "nobody")]).endswith("not looked at: lights")
    assert bad.lines() == ["Wi-Fi        WRONG  away", "             do:    look"]
