# The chip's registers, bus, FIFO, CRC unit and timer. Runs on MicroPython and, from
# tests/unit/sim, on CPython.

from oldreader import OldReader

from besnik.sim.model.board import Board
from besnik.sim.model.picc import Picc

VERSION = 0x37


def fresh(version=0x92):
    board = Board(version=version)
    return board, OldReader(board)


def wait(board, us):
    board.clock.advance_us(us)


def test_reset_values_are_those_of_the_data_sheet():
    _, chip = fresh()
    wanted = {
        0x01: 0x20, 0x02: 0x80, 0x04: 0x14, 0x05: 0x00, 0x06: 0x00, 0x07: 0x21, 0x0A: 0x00,
        0x0B: 0x08, 0x0C: 0x10, 0x0D: 0x00, 0x0E: 0xA0, 0x11: 0x3F, 0x12: 0x00, 0x13: 0x00,
        0x14: 0x80, 0x15: 0x00, 0x24: 0x26, 0x26: 0x48, 0x2A: 0x00, 0x2B: 0x00, 0x37: 0x92,
    }  # fmt: skip
    for register in wanted:
        assert chip.read(register) == wanted[register], hex(register)


def test_soft_reset_restores_registers_and_switches_the_field_off():
    board, chip = fresh()
    chip.init()
    chip.write(0x26, 0x70)
    assert board.field.on
    chip.write(0x01, 0x0F)
    assert not board.field.on
    assert (chip.read(0x26), chip.read(0x14), chip.read(0x11)) == (0x48, 0x80, 0x3F)


def test_reset_pin_holds_the_chip_and_it_needs_time_to_start():
    board, chip = fresh()
    chip.write(0x26, 0x70)
    board.pin_write(board.pins["rst"], 0)
    assert chip.read(VERSION) == 0
    board.pin_write(board.pins["rst"], 1)
    assert chip.read(0x01) & 0x10, "PowerDown reads 1 until the oscillator runs"
    chip.write(0x26, 0x70)
    wait(board, 500)
    assert not chip.read(0x01) & 0x10
    assert chip.read(0x26) == 0x48, "what was written before the start is lost"


def test_soft_power_down_keeps_registers_and_loses_the_field():
    board, chip = fresh()
    chip.init()
    chip.write(0x01, 0x10)
    assert not board.field.on and chip.read(0x2B) == 0x3E
    chip.write(0x01, 0x00)
    assert chip.read(0x01) & 0x10
    wait(board, 500)
    assert not chip.read(0x01) & 0x10
    assert board.field.on, "TxControlReg was kept, so the field is back"


def test_chained_reading_gives_data_one_byte_late():
    _, chip = fresh()
    chip.write(0x0A, 0x80)
    for byte in b"\x11\x22\x33":
        chip.write(0x09, byte)
    assert chip.chain([0x37, 0x0A, 0x09, 0x09, 0x24]) == b"\x92\x03\x11\x22\x26"


def test_writing_keeps_one_address_for_all_bytes():
    board, chip = fresh()
    board.pin_write(board.pins["cs"], 0)
    board.spi_exchange(b"\x12\xaa\xbb\xcc")
    board.pin_write(board.pins["cs"], 1)
    assert chip.read(0x0A) == 3 and chip.chain([9, 9, 9]) == b"\xaa\xbb\xcc"


def test_frames_and_bytes_are_counted_and_cost_what_the_bus_takes():
    board, chip = fresh()
    board.spi_setup(100000)
    frames, octets, began = board.spi.frames, board.spi.octets, board.clock.ns
    chip.read(VERSION)
    assert board.spi.frames - frames == 1 and board.spi.octets - octets == 2
    assert board.clock.ns - began == 2 * 80000 + board.spi.frame_ns


def test_without_chip_select_or_above_10_mhz_nothing_is_heard():
    board, chip = fresh()
    into = bytearray(2)
    board.spi_exchange(b"\xee\x00", into)
    assert into == b"\xff\xff"
    board.spi_setup(12000000)
    assert chip.read(VERSION) == 0xFF
    board.spi_setup(1000000, 1, 0)
    assert chip.read(VERSION) == 0xFF
    board.spi_setup(10000000)
    assert chip.read(VERSION) == 0x92


def test_dead_bus_reads_always_the_same():
    board, chip = fresh()
    for stuck in (0x00, 0xFF):
        board.spi.stuck = stuck
        assert chip.read(VERSION) == stuck and chip.read(0x01) == stuck


def test_set1_decides_between_setting_and_clearing_interrupts():
    _, chip = fresh()
    chip.write(0x04, 0x7F)
    assert chip.read(0x04) == 0
    chip.write(0x04, 0x80 | 0x21)
    chip.write(0x04, 0x80 | 0x02)
    assert chip.read(0x04) == 0x23
    chip.write(0x04, 0x03)
    assert chip.read(0x04) == 0x20
    chip.write(0x05, 0x94)
    assert chip.read(0x05) == 0x14
    chip.write(0x05, 0x04)
    assert chip.read(0x05) == 0x10


def test_idle_by_the_host_raises_no_interrupt_and_an_unknown_command_does():
    _, chip = fresh()
    chip.write(0x04, 0x7F)
    chip.write(0x01, 0x00)
    assert not chip.read(0x04) & 0x10
    chip.write(0x01, 0x05)
    assert chip.read(0x04) & 0x10 and chip.read(0x01) & 0x0F == 0


def test_irq_pin_follows_enabled_bits_and_can_be_inverted():
    board = Board({"cs": 5, "rst": 22, "irq": 4})
    chip = OldReader(board)
    chip.write(0x04, 0x7F)
    chip.write(0x02, 0x20)
    assert board.pin_read(4) == 0
    chip.write(0x04, 0x80 | 0x20)
    assert board.pin_read(4) == 1 and chip.read(0x07) & 0x10
    chip.write(0x02, 0xA0)
    assert board.pin_read(4) == 0


def test_fifo_overflows_at_the_65th_byte_and_flush_clears_it():
    _, chip = fresh()
    for byte in range(64):
        chip.write(0x09, byte)
    assert chip.read(0x0A) == 64 and chip.read(0x06) == 0
    chip.write(0x09, 0xEE)
    assert chip.read(0x06) == 0x10 and chip.read(0x04) & 0x02
    assert chip.read(0x09) == 0
    chip.write(0x0A, 0x80)
    assert chip.read(0x0A) == 0 and chip.read(0x06) == 0 and chip.read(0x09) == 0


def test_water_level_alerts_are_stored_when_they_begin():
    _, chip = fresh()
    chip.write(0x04, 0x7F)
    for byte in range(9):
        chip.write(0x09, byte)
    assert not chip.read(0x07) & 0x03
    for byte in range(47):
        chip.write(0x09, byte)
    assert chip.read(0x07) & 0x02 and chip.read(0x04) == 0x08
    chip.write(0x0A, 0x80)
    assert chip.read(0x07) & 0x03 == 0x01 and chip.read(0x04) == 0x0C


def test_crc_unit_gives_the_vectors_of_the_standard():
    _, chip = fresh()
    chip.write(0x11, 0x3D)
    assert chip.crc(b"\x00\x00") == b"\xa0\x1e"
    assert chip.crc(b"\x12\x34") == b"\x26\xcf"
    assert chip.crc(b"\x50\x00") == b"\x57\xcd"


def test_crc_unit_goes_on_with_bytes_that_come_after_the_command():
    _, chip = fresh()
    chip.write(0x11, 0x3D)
    chip.write(0x01, 0x03)
    chip.write(0x09, 0x12)
    chip.write(0x09, 0x34)
    assert chip.chain([0x22, 0x21]) == b"\x26\xcf" and chip.read(0x05) & 0x04


def timer(prescaler, reload, even=False):
    board, chip = fresh()
    chip.write(0x2A, prescaler >> 8)
    chip.write(0x2B, prescaler & 0xFF)
    chip.write(0x2C, reload >> 8)
    chip.write(0x2D, reload & 0xFF)
    if even:
        chip.write(0x19, 0x5D)
    board.spi.configure(10000000)
    board.spi.frame_ns = 0
    chip.write(0x04, 0x7F)
    began = board.clock.ns
    chip.write(0x0C, 0x40)
    while not chip.read(0x04) & 0x01:
        wait(board, 1)
    return (board.clock.ns - began) // 1000


def test_timer_periods():
    assert 15500 <= timer(0xD3E, 30) <= 15520
    assert 25020 <= timer(0xA9, 1000) <= 25040
    assert 300500 <= timer(0xD3E, 600) <= 300560
    assert 5000 <= timer(0xA9, 199) <= 5015
    assert 5017 <= timer(0xA9, 199, even=True) <= 5030


def test_timer_counts_down_and_can_be_stopped():
    board, chip = fresh()
    chip.write(0x2B, 0xA9)
    chip.write(0x2D, 200)
    chip.write(0x0C, 0x40)
    wait(board, 2500)
    assert chip.read(0x07) & 0x08
    assert 95 <= chip.read(0x2F) <= 100
    chip.write(0x04, 0x7F)
    chip.write(0x0C, 0x80)
    assert not chip.read(0x07) & 0x08
    wait(board, 10000)
    assert not chip.read(0x04) & 0x01


def test_timer_restarts_by_itself_when_told():
    board, chip = fresh()
    chip.write(0x2A, 0x10)
    chip.write(0x2B, 0xA9)
    chip.write(0x2D, 39)
    chip.write(0x0C, 0x40)
    for _ in range(3):
        chip.write(0x04, 0x7F)
        wait(board, 1100)
        assert chip.read(0x04) & 0x01
    assert chip.read(0x07) & 0x08


def test_without_tauto_an_empty_field_raises_no_timer_interrupt():
    board, chip = fresh()
    chip.init()
    chip.write(0x2A, 0x0D)
    chip.request()
    wait(board, 100000)
    assert chip.read(0x04) & 0x41 == 0x40


def test_self_test_answers_as_the_version_does():
    for version, first, last in ((0x91, "00C637D5", "2979"), (0x92, "00EB66BA", "3B2F")):
        _, chip = fresh(version)
        chip.write(0x01, 0x0F)
        for _ in range(25):
            chip.write(0x09, 0)
        chip.write(0x01, 0x01)
        chip.write(0x36, 0x09)
        chip.write(0x09, 0x00)
        chip.write(0x01, 0x03)
        assert chip.read(0x0A) == 64
        answer = "".join("%02X" % byte for byte in chip.chain([9] * 64))
        assert answer.startswith(first) and answer.endswith(last)


def test_memory_buffer_and_random_id():
    _, chip = fresh()
    for byte in range(25):
        chip.write(0x09, byte)
    chip.write(0x01, 0x01)
    assert chip.read(0x0A) == 0 and chip.read(0x04) & 0x10
    chip.write(0x01, 0x02)
    chip.write(0x01, 0x01)
    assert chip.read(0x0A) == 25
    answer = chip.chain([9] * 25)
    assert answer[:10] != bytes(range(10)) and answer[10:] == bytes(range(10, 25))


def test_authentication_with_a_card_that_knows_none_ends_by_the_timer_only():
    board, chip = fresh()
    board.add("ana", Picc(b"\x5b\x3c\x2a\x19", 0x08))
    chip.init()
    board.present("ana")
    wait(board, 6000)
    chip.request()
    assert chip.select()
    request = bytes((0x60, 0x04)) + b"\xff" * 6 + b"\x5b\x3c\x2a\x19"
    status, _, _ = chip.exchange(request, command=0x0E)
    assert status == "nothing" and chip.seen & 0x11 == 0x01
    assert not chip.read(0x08) & 0x08
    chip.write(0x09, 1)
    assert chip.read(0x06) & 0x80, "writing to the FIFO during MFAuthent is WrErr"


def test_crypto_on_can_be_cleared_but_not_set_by_the_host():
    board, chip = fresh()
    chip.write(0x08, 0x08)
    assert not chip.read(0x08) & 0x08
    board.chip.regs[0x08] |= 0x08
    chip.write(0x08, 0x00)
    assert not chip.read(0x08) & 0x08


def test_deaf_chip_answers_its_host_and_hears_no_card_until_reset():
    board, chip = fresh()
    board.add("ana", Picc(b"\x5b\x3c\x2a\x19"))
    chip.init()
    board.present("ana")
    wait(board, 6000)
    board.chip.deaf = True
    assert chip.request()[0] == "nothing" and chip.read(VERSION) == 0x92
    chip.init()
    assert chip.request()[0] == "ok"


def test_brownout_loses_the_settings_silently():
    board, chip = fresh()
    chip.init()
    board.chip.brownout()
    assert not board.field.on and chip.read(0x2B) == 0 and chip.read(VERSION) == 0x92
