# MFRC522 register addresses, bits, commands and reset values (datasheet chapter 9, tables 20-143).

COMMAND = 0x01
COM_IEN = 0x02
DIV_IEN = 0x03
COM_IRQ = 0x04
DIV_IRQ = 0x05
ERROR = 0x06
STATUS1 = 0x07
STATUS2 = 0x08
FIFO_DATA = 0x09
FIFO_LEVEL = 0x0A
WATER_LEVEL = 0x0B
CONTROL = 0x0C
BIT_FRAMING = 0x0D
COLL = 0x0E
MODE = 0x11
TX_MODE = 0x12
RX_MODE = 0x13
TX_CONTROL = 0x14
CRC_HIGH = 0x21
CRC_LOW = 0x22
RF_CFG = 0x26
T_MODE = 0x2A
T_PRESCALER = 0x2B
T_RELOAD_HIGH = 0x2C
T_RELOAD_LOW = 0x2D
T_COUNTER_HIGH = 0x2E
T_COUNTER_LOW = 0x2F
AUTO_TEST = 0x36
VERSION = 0x37

# CommandReg bits and commands (9.3.1.2, table 149).
RCV_OFF = 0x20
POWER_DOWN = 0x10
IDLE = 0x00
MEM = 0x01
RANDOM_ID = 0x02
CALC_CRC = 0x03
TRANSMIT = 0x04
NO_CHANGE = 0x07
RECEIVE = 0x08
TRANSCEIVE = 0x0C
MF_AUTHENT = 0x0E
SOFT_RESET = 0x0F

# ComIrqReg (9.3.1.5) and DivIrqReg (9.3.1.6).
TX_IRQ = 0x40
RX_IRQ = 0x20
IDLE_IRQ = 0x10
HI_ALERT_IRQ = 0x08
LO_ALERT_IRQ = 0x04
ERR_IRQ = 0x02
TIMER_IRQ = 0x01
CRC_IRQ = 0x04

# ErrorReg (9.3.1.7).
WR_ERR = 0x80
TEMP_ERR = 0x40
BUFFER_OVFL = 0x10
COLL_ERR = 0x08
CRC_ERR = 0x04
PARITY_ERR = 0x02
PROTOCOL_ERR = 0x01

# RFCfgReg bits 6..4 (9.3.3.6, table 98).
GAIN_DB = (18, 23, 18, 23, 33, 38, 43, 48)

# CRC presets by ModeReg bits 1..0 (9.3.2.2).
CRC_PRESETS = (0x0000, 0x6363, 0xA671, 0xFFFF)

# Reset values other than 0x00; VersionReg and Status1Reg are computed.
RESET = {
    COMMAND: 0x20,
    COM_IEN: 0x80,
    COM_IRQ: 0x14,
    WATER_LEVEL: 0x08,
    CONTROL: 0x10,
    COLL: 0xA0,
    MODE: 0x3F,
    TX_CONTROL: 0x80,
    0x16: 0x10,
    0x17: 0x84,
    0x18: 0x84,
    0x19: 0x4D,
    0x1C: 0x62,
    0x1F: 0xEB,
    CRC_HIGH: 0xFF,
    CRC_LOW: 0xFF,
    0x24: 0x26,
    RF_CFG: 0x48,
    0x27: 0x88,
    0x28: 0x20,
    0x29: 0x20,
    0x33: 0x80,
    AUTO_TEST: 0x40,
}

# Registers the host cannot change by writing (9.3: read-only).
READ_ONLY = (
    ERROR,
    STATUS1,
    CRC_HIGH,
    CRC_LOW,
    T_COUNTER_HIGH,
    T_COUNTER_LOW,
    VERSION,
    0x35,
    0x3B,
)
