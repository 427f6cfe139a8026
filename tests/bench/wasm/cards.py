# The card layer of the default families: chip, ISO/IEC 14443, Type 2 and Type 4 tags.

import machine
import type4  # noqa: F401 - to be measured
from clock import Clock
from iso14443 import TypeA
from isodep import IsoDep
from mfrc522 import MFRC522
from type2 import Type2

clock = Clock()
pcd = MFRC522(machine.SPI(2), machine.Pin(5), machine.Pin(22), clock)
cards = TypeA(pcd)
type2 = Type2(pcd)
isodep = IsoDep(pcd, clock)
