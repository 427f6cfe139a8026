# What the shims are wired to: the board in this process, or the counter process behind a socket.

import os

_SOCKET = os.getenv("BESNIK_SIM_SPI")


# The virtual counter's wire (spi.sock): op u8, length u16 little-endian, payload.
# 1 SPI transfer · 2 pin write · 3 PWM · 4 pin read · 5 network · 6 SPI settings. 1, 4 and 5 answer.
class SocketWire:
    def __init__(self, path):
        import socket
        import struct

        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(struct.pack("<H108s", socket.AF_UNIX, path.encode()))
        self._frame = bytearray(3 + 72)
        self._view = memoryview(self._frame)
        self._reply = bytearray(1)

    def spi_exchange(self, mosi, miso=None):
        count = len(mosi)
        if count > 72:
            self._long_exchange(mosi, miso)
            return
        frame = self._frame
        frame[0] = 1
        frame[1] = count
        frame[2] = 0
        view = self._view[: 3 + count]
        view[3:] = mosi
        self._socket.write(view)
        self._read(view[3:] if miso is None else miso)

    def _long_exchange(self, mosi, miso):
        self._socket.write(b"\x01" + len(mosi).to_bytes(2, "little") + bytes(mosi))
        self._read(bytearray(len(mosi)) if miso is None else miso)

    def pin_write(self, gpio, value):
        self._tell(2, 2, gpio | value << 8)

    def pwm(self, gpio, freq_hz, duty_u16):
        self._tell(3, 7, gpio | freq_hz << 8 | duty_u16 << 40)

    def pin_read(self, gpio):
        return self._ask(4, 1, gpio)

    def wifi(self):
        return self._ask(5, 0, 0)

    def spi_setup(self, baudrate, polarity=0, phase=0):
        self._tell(6, 6, baudrate | polarity << 32 | phase << 40)

    # value: the payload of that size as one little-endian number.
    def _tell(self, op, size, value):
        frame = self._frame
        frame[0] = op
        frame[1] = size
        frame[2] = 0
        for i in range(size):
            frame[3 + i] = value >> 8 * i & 0xFF
        self._socket.write(self._view[: 3 + size])

    def _ask(self, op, size, value):
        self._tell(op, size, value)
        self._read(self._reply)
        return self._reply[0]

    def _read(self, target):
        if self._socket.readinto(target) != len(target):
            raise OSError("the virtual counter has gone")


if _SOCKET:
    _socket_wire = SocketWire(_SOCKET)

    def line():
        return _socket_wire

else:
    from besnik.sim.model.here import board as line  # noqa: F401 - this module's one public name
