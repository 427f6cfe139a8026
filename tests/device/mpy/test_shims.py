# The shims have the ESP32 port's API: what real code passes is taken, what the chip refuses is
# refused with its errors.

import esp32
import machine
import machine_more  # noqa: F401  the constants of the parts
import network
import ntptime

from bench import Bench


def refused(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError("not refused")


def test_spi_reaches_the_chip_in_every_way_of_transferring():
    bench = Bench()
    spi, cs = bench.spi, bench.cs
    into = bytearray(2)
    cs(0)
    spi.write_readinto(b"\xee\x00", into)
    cs(1)
    assert into[1] == 0x92
    cs.off()
    spi.write(b"\xee")
    assert spi.read(1) == b"\x92"
    cs.on()
    cs.value(0)
    spi.write(bytearray(b"\xee"))
    one = bytearray(1)
    spi.readinto(one)
    cs.value(1)
    assert one == b"\x92"
    refused(ValueError, spi.write_readinto, b"\0\0", one)


def test_spi_is_made_as_on_the_esp32():
    Bench()
    refused(TypeError, machine.SPI)
    refused(ValueError, machine.SPI, 3)
    machine.SPI(1, 5000000)
    spi = machine.SPI(2, baudrate=1000000, polarity=0, phase=0, bits=8, firstbit=machine.SPI.MSB)
    spi.init(baudrate=2000000)
    spi.deinit()
    refused(OSError, spi.write, b"\0")
    machine.SoftSPI(
        baudrate=100000, sck=machine.Pin(18), mosi=machine.Pin(23), miso=machine.Pin(19)
    )


def test_spi_speed_costs_emulated_time():
    bench = Bench(baudrate=100000)
    began = bench.clock.ticks_us()
    bench.cs(0)
    bench.spi.write(bytes(100))
    bench.cs(1)
    assert 8000 <= bench.clock.ticks_us() - began < 8100


def test_pins_know_what_they_are():
    bench = Bench()
    led = machine.Pin(26, machine.Pin.OUT, value=0)
    led(1)
    assert led() == 1 and led.value() == 1 and bench.board.levels["led_green"] == 1
    led.toggle()
    assert led() == 0
    refused(ValueError, machine.Pin, 40)
    refused(ValueError, machine.Pin, 24)
    refused(ValueError, machine.Pin, 34, machine.Pin.OUT)
    entry = machine.Pin(26)
    entry.value(1)
    assert led() == 0, "an input drives nothing"


def test_leds_and_buzzer_are_seen_when_they_change():
    bench = Bench()
    green = machine.Pin(26, machine.Pin.OUT)
    buzzer = machine.PWM(machine.Pin(27), freq=2400, duty_u16=0)
    bench.events.clear()
    green(1)
    green(1)
    buzzer.freq(2800)
    buzzer.duty_u16(32768)
    bench.clock.sleep_us(180000)
    buzzer.duty_u16(0)
    green(0)
    assert [event[:3] for event in bench.events] == [
        ("pin", "led_green", 1),
        ("tone", "", 2800),
        ("tone", "", 0),
        ("pin", "led_green", 0),
    ]
    assert bench.events[2][3] - bench.events[1][3] == 180000


def test_pwm_has_the_ways_to_set_it_that_the_esp32_has():
    Bench()
    pwm = machine.PWM(machine.Pin(27))
    assert pwm.freq() == 5000 and pwm.duty_u16() == 32768
    pwm.init(freq=1000, duty_u16=1024)
    assert pwm.duty() == 16
    pwm.duty(512)
    assert pwm.duty_u16() == 32768 and abs(pwm.duty_ns() - 500000) < 20
    pwm.deinit()
    refused(ValueError, pwm.freq, 0)
    assert machine.PWM(27, freq=400, duty=0).freq() == 400


def test_rarely_used_names_of_machine_are_there_too():
    assert len(machine.unique_id()) == 6 and machine.freq() == 160000000
    assert machine.RTC().datetime()[0] >= 2024
    machine.WDT(timeout=30000).feed()
    refused(ValueError, machine.WDT, 1)
    assert machine.reset_cause() == machine.PWRON_RESET
    refused(AttributeError, lambda: machine.no_such_thing)


def test_station_joins_while_the_wifi_is_up():
    bench = Bench()
    wlan = network.WLAN(network.STA_IF)
    refused(OSError, wlan.connect, "shop", "12345678")
    wlan.active(True)
    wlan.config(reconnects=0)
    wlan.connect("shop", "12345678")
    assert wlan.status() == network.STAT_CONNECTING
    wlan._joined_ms -= 1000
    assert wlan.isconnected() and wlan.status("rssi") < 0 and wlan.ifconfig()[0] == "127.0.0.1"
    bench.board.wifi_up = False
    assert not wlan.isconnected() and wlan.status() == network.STAT_NO_AP_FOUND
    refused(OSError, wlan.status, "rssi")
    assert refused(OSError, ntptime.settime).args[0] == -202
    bench.board.wifi_up = True
    ntptime.settime()
    assert ntptime.time() > 0


def test_nvs_keeps_what_was_committed_and_loses_what_was_not():
    nvs = esp32.NVS("shimtest")
    assert refused(OSError, nvs.get_i32, "boots").args[0] == -0x1102
    nvs.set_i32("boots", 7)
    assert nvs.get_i32("boots") == 7
    refused(OSError, esp32.NVS("shimtest").get_i32, "boots")
    nvs.commit()
    again = esp32.NVS("shimtest")
    assert again.get_i32("boots") == 7
    again.set_blob("key", b"\x01\x02")
    again.commit()
    into = bytearray(4)
    assert again.get_blob("key", into) == 2 and into == b"\x01\x02\x00\x00"
    refused(OSError, again.get_i32, "key")
    again.erase_key("boots")
    again.commit()
    refused(OSError, esp32.NVS("shimtest").get_i32, "boots")
    refused(OSError, again.set_i32, "sixteen-letters.", 1)
    refused(OverflowError, again.set_i32, "big", 1 << 31)


def test_heap_report_has_the_shape_of_the_esp32s():
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    assert regions and all(len(region) == 4 for region in regions)
