"""``besnik fleet flash``: a virtual board, mpremote's transport, a real broker and bridge."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.fleet import signing
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.esp_image import rom_loader, write_image
from support.processes import Processes
from support.secure_broker import SecureBroker
from support.store import rows
from support.technician import ONCE, Technician
from support.usb_board import Board

READER = "counter-1"


def flashes(technician: Technician, *options: str) -> tuple[int, str]:
    return technician.runs("flash", READER, "--no-tap", *options)


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    made = SecureBroker(mosquitto, state, processes)
    made.start()
    return made


@pytest.fixture
def technician(broker: SecureBroker, processes: Processes, state: Path) -> Technician:
    board = Board(state / "board", processes)
    board.plug_in()
    return Technician(broker, processes, board)


async def test_one_command_makes_a_reader_and_sees_its_first_tap(
    technician: Technician, bridges: BridgeRunner, state: Path
) -> None:
    bridges.start()
    running = technician.starts("flash", READER, *ONCE)
    running.wait_for("hold any card", 60)
    async with await Control.connect(technician.board.parts.folder / "control.sock") as control:
        await control.present("card")
        running.wait_for("The reader works", 20)
    assert running.wait() == 0
    assert "accepted, ok" in running.log
    assert "open sesame" not in running.log
    label = (state / f"readers/{READER}/label.svg").read_text(encoding="utf-8")
    assert READER in label and "corner" in label

    # Again: what is there is not written again, and the settings are known.
    status, said = flashes(technician)
    assert status == 0, said
    assert "0 of" in said


def test_a_board_that_was_unplugged_half_way_does_nothing_and_is_finished_later(
    technician: Technician,
) -> None:
    running = technician.starts("flash", READER, "--no-tap", *ONCE)
    running.wait_for("firmware/link.mpy", 30)
    technician.board.unplug()
    assert running.wait(30) == 1
    assert "the board is gone" in running.log

    technician.board.plug_in()
    there = technician.board.mpremote("eval", "__import__('os').listdir()")
    assert "'a'" in there and "main.py" not in there
    status, said = flashes(technician)
    assert status == 0, said
    assert f"{READER}: is on line" in said


def test_a_technician_who_types_ctrl_c_stops_it_at_once_and_finishes_it_later(
    technician: Technician,
) -> None:
    running = technician.starts("flash", READER, "--no-tap", *ONCE)
    running.wait_for("firmware/link.mpy", 30)
    running.process.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert "stopped; run it again to finish" in running.log
    assert "all checked" not in running.log
    assert "main.py" not in technician.board.mpremote("eval", "__import__('os').listdir()")

    running = technician.starts("flash", "--all", "counter", "--no-tap", *ONCE)
    running.wait_for(" % a/firmware/", 30)
    running.process.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert "all checked" not in running.log
    status, said = flashes(technician)
    assert status == 0, said


def test_a_setting_the_reader_would_refuse_is_refused_before_anything_is_written(
    technician: Technician, state: Path
) -> None:
    status, said = flashes(technician, *ONCE, "--set", "pins.irq=5")
    assert status == 1
    assert "pins.irq = 5: is taken by pins.cs" in said
    for setting, told in (
        ("wifi.password=secret", "not on the command line"),
        ('wifi={"ssid":"demo","password":"secret"}', "wifi: one setting at a time"),
        ("reader=counter-9", "reader: not by --set"),
    ):
        status, said = flashes(technician, *ONCE, "--set", setting)
        assert status == 1
        assert told in said
    assert not (state / f"readers/{READER}/config.json").exists()
    assert technician.board.mpremote("eval", "__import__('os').listdir()").strip() == "[]"


def test_a_pin_that_the_chip_lacks_is_refused_before_anything_is_written(
    technician: Technician, tmp_path: Path, free_tcp_port: int
) -> None:
    image = write_image(tmp_path / "ESP32_GENERIC.bin")
    with rom_loader(free_tcp_port) as loader:
        bare = ("--image", str(image), "--loader", loader)
        for who, pin, told in (
            (("pin-1",), "rst=24", "pins.rst = 24: there is no such pin"),
            (("pin-2", *bare), "buzzer=1", "pins.buzzer = 1: is wired to the cable"),
            (("--all", "pins"), "led_red=6", "pins.led_red = 6: is wired to the flash"),
            (("--all", "pins", *bare), "buzzer=34", "pins.buzzer = 34: can only be an input"),
        ):
            status, said = technician.runs("flash", *who, "--no-tap", *ONCE, "--set", f"pins.{pin}")
            assert status == 1
            assert told in said and "on this board's ESP32:" in said
            assert "erase-flash" not in said
    assert technician.board.mpremote("eval", "__import__('os').listdir()").strip() == "[]"


def test_no_board_is_erased_for_what_cannot_be_finished(
    technician: Technician, broker: SecureBroker, tmp_path: Path, free_tcp_port: int
) -> None:
    image = write_image(tmp_path / "ESP32_GENERIC.bin")
    all_bare = ("flash", "--all", "--no-tap", "--image", str(image))
    once = ("till", *ONCE)

    def refused(*command: str) -> str:
        status, said = technician.runs(*all_bare, *command)
        assert status == 1
        assert "erase-flash" not in said
        return said

    with rom_loader(free_tcp_port) as loader:
        at = ("--loader", loader)
        assert "this board is new: give its id" in refused(*at)
        assert "pins.irq = 5: is taken by pins.cs" in refused(*once, *at, "--set", "pins.irq=5")
        # One without MicroPython is asked by its ROM who it is.
        technician.board.unplug()
        assert "shop: missing" in refused("bare", "--wifi", "demo", "--host", "127.0.0.1", *at)
        technician.board.plug_in()
        broker.stop()
        assert "start it with `besnik broker`" in refused(*once, *at)


def test_settings_are_kept_as_typed_where_only_their_owner_can_read_them(
    technician: Technician, state: Path
) -> None:
    status, said = flashes(technician, *ONCE, "--wifi", 'Café "Corner"', "--set", "pins.irq=4")
    assert status == 0, said
    file = state / f"readers/{READER}/config.json"
    assert file.stat().st_mode & 0o077 == 0
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["pins"] == {"irq": 4}
    assert kept["wifi"] == {"ssid": 'Café "Corner"', "password": "open sesame"}


def test_a_reader_of_a_shop_without_tls_goes_over_to_it(
    technician: Technician, state: Path
) -> None:
    file = state / f"readers/{READER}/config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = {"host": "127.0.0.1", "port": 1, "plain": True, "password": "old"}
    before = {"shop": "corner", "reader": READER, "wifi": {"ssid": "demo"}, "broker": plain}
    file.write_text(json.dumps(before), encoding="utf-8")

    status, said = flashes(technician)

    assert status == 0, said
    assert "is on line" in said
    assert set(json.loads(file.read_text(encoding="utf-8"))["broker"]) == {"host", "port"}


def test_taps_that_wait_go_with_no_other_reader_and_no_erased_flash(
    technician: Technician, tmp_path: Path, free_tcp_port: int
) -> None:
    """They are told as the reader that they were held to, or lost on somebody's word."""
    status, said = flashes(technician, *ONCE)
    assert status == 0, said
    board = technician.board
    board.mpremote("mkdir", ":outbox", "+", "mkdir", ":outbox/0", "+", "touch", ":outbox/0/1")
    image = write_image(tmp_path / "ESP32_GENERIC.bin")
    with rom_loader(free_tcp_port) as loader:
        for command in (
            ("flash", "counter-9", "--no-tap", *ONCE),
            ("flash", "--all", "counter", "--no-tap", "--image", str(image), "--loader", loader),
            ("provision", "counter-9", "--again", "--no-tap", *ONCE),
        ):
            status, said = technician.runs(*command)
            assert status == 1
            assert f"1 taps of corner/{READER} wait on this board" in said, command
    assert flashes(technician)[0] == 0, "as the same reader it keeps them"
    status, said = technician.runs("flash", "counter-9", "--no-tap", "--drop-taps", *ONCE)
    assert status == 0, said
    assert board.mpremote("eval", "__import__('os').listdir('outbox/0')") == "[]\n"


def test_a_new_reader_is_entered_in_its_shop_where_that_is_clear(
    technician: Technician, broker: SecureBroker, processes: Processes, database_url: str
) -> None:
    there = Technician(broker, processes, technician.board, database_url)
    status, said = there.runs("flash", "new-1", "--no-tap", *ONCE, "--shop", "nowhere")
    assert status == 1
    assert "there is no shop nowhere in the records, which have corner" in said
    status, said = there.runs("flash", "new-1", "--no-tap", *ONCE)
    assert status == 0, said
    assert "new-1: entered in the shop's records, at The Corner, Till 1" in said
    where = "SELECT till.slug FROM store_reader reader JOIN store_till till ON till.id = till_id"
    assert rows(database_url, f"{where} WHERE reader.slug = 'new-1'") == [("till-1",)]


def test_a_board_that_is_known_needs_no_name_and_a_new_one_has_its_shop_s(
    technician: Technician, processes: Processes, state: Path
) -> None:
    status, said = technician.runs("flash", "--no-tap")
    assert status == 1
    assert "this board is new: give its id, READER" in said
    status, said = technician.runs("flash", "--no-tap", *ONCE)
    assert status == 0, said
    assert "corner-1: is on line" in said
    status, said = technician.runs("flash", "--no-tap")
    assert status == 0, said
    assert "0 of" in said and "corner-1: is on line" in said


def test_a_port_without_a_board_is_said_in_plain_words(technician: Technician) -> None:
    technician.board.unplug()
    status, said = flashes(technician, *ONCE)
    assert status == 1
    assert "Is the cable in" in said
    assert "Traceback" not in said


def test_a_bare_board_gets_micropython_and_all_else_by_one_command(
    technician: Technician, tmp_path: Path, free_tcp_port: int
) -> None:
    file = write_image(tmp_path / "ESP32_GENERIC.bin")
    with rom_loader(free_tcp_port) as loader:
        status, said = flashes(technician, *ONCE, "--image", str(file), "--loader", loader)
    assert status == 0, said
    assert "100 % esptool write-flash" in said
    assert "is on line" in said


def test_a_bad_image_leaves_the_board_as_it_is(technician: Technician, tmp_path: Path) -> None:
    file = write_image(tmp_path / "cut.bin", content=bytes(20_000))
    file.write_bytes(file.read_bytes()[:70_000])
    for who in ((READER,), ("--all", "counter")):
        running = technician.starts("flash", *who, "--no-tap", *ONCE, "--image", str(file))
        assert running.wait(60) == 1
        assert "cut off at 70,000 bytes" in running.log
        assert "esptool" not in running.log


def test_a_reader_gets_the_key_that_signs_releases_and_a_clean_slate(
    technician: Technician, state: Path
) -> None:
    signing.make_key(state / "away/release.key")
    (state / "release.pub").write_bytes((state / "away/release.pub").read_bytes())
    # Six bad boots of release 7 in the other slot.
    remember = "n = __import__('esp32').NVS('besnik'); n.set_i32('slot', 125); n.commit()"
    technician.board.mpremote("exec", remember)

    status, said = flashes(technician, *ONCE)

    assert status == 0, said
    assert f"{READER}: is on line" in said
    kept = "__import__('esp32').NVS('besnik').get_i32('slot')"
    assert technician.board.mpremote("eval", kept).strip() == str(7 << 4 | 1 << 1)
    there = technician.board.mpremote("exec", "print(len(open('cert/release.pub', 'rb').read()))")
    assert there.strip() == "384"
