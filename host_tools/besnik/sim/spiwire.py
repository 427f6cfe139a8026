"""The counter's side of ``spi.sock``: what the device's shims say, carried out on the board.

Frame: op u8, length u16 little-endian, payload. 1 SPI transfer (answered with as many bytes) ·
2 pin write (pin u8, value u8) · 3 PWM (pin u8, freq_hz u32, duty_u16 u16) · 4 pin read (pin u8;
answered with u8) · 5 network (answered with u8: `Board.wifi`) · 6 SPI settings (baudrate u32,
polarity u8, phase u8). 2, 3 and 6 are not answered.
"""

from __future__ import annotations

import logging
import socket
import struct

from besnik.sim.desk import Desk
from besnik.sim.model.board import Board

_HEADER = struct.Struct("<BH")
_PIN = struct.Struct("<BB")
_PWM = struct.Struct("<BIH")
_SPI = struct.Struct("<IBB")
# Bytes of the payload, where they are not the driver's choice.
_SIZES = {2: _PIN.size, 3: _PWM.size, 4: 1, 5: 0, 6: _SPI.size}

log = logging.getLogger("counter")


def serve(listener: socket.socket, desk: Desk) -> None:
    """Serve one device after another; a device that dies is followed by the next."""
    while True:
        connection, _ = listener.accept()
        with connection:
            desk.device_came()
            try:
                _converse(connection, desk)
            except (OSError, ValueError) as error:
                log.warning("device: %s", error)
            finally:
                desk.device_went()


def _converse(connection: socket.socket, desk: Desk) -> None:
    waiting = bytearray()
    while chunk := connection.recv(4096):
        waiting += chunk
        answers, used = bytearray(), 0
        with desk.lock:
            while len(waiting) - used >= _HEADER.size:
                operation, length = _HEADER.unpack_from(waiting, used)
                end = used + _HEADER.size + length
                if len(waiting) < end:
                    break
                answers += _carry_out(
                    desk.board, operation, bytes(waiting[used + _HEADER.size : end])
                )
                used = end
        del waiting[:used]
        if answers:
            connection.sendall(answers)


def _carry_out(board: Board, operation: int, payload: bytes) -> bytes | bytearray:
    if len(payload) != _SIZES.get(operation, len(payload)):
        raise ValueError(f"operation {operation} has {_SIZES[operation]} bytes, not {len(payload)}")
    if operation == 1:
        miso = bytearray(len(payload))
        board.spi_exchange(payload, miso)
        return miso
    if operation == 2:
        board.pin_write(*_PIN.unpack(payload))
    elif operation == 3:
        board.pwm(*_PWM.unpack(payload))
    elif operation == 4:
        return bytes((board.pin_read(payload[0]),))
    elif operation == 5:
        return bytes((board.wifi(),))
    elif operation == 6:
        baudrate, polarity, phase = _SPI.unpack(payload)
        if not baudrate:
            raise ValueError("operation 6: a baudrate of 0")
        board.spi_setup(baudrate, polarity, phase)
    else:
        raise ValueError(f"unknown operation {operation} on the SPI socket")
    return b""
