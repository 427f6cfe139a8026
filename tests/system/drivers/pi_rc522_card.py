"""Waits for a card with ``pi-rc522`` and its interrupt line, reads the UID, then a block.

Arguments: the driver's folder, the socket. Prints JSON.
"""

import json
import logging
import sys

from support import raspberry

driver, socket_path = sys.argv[1:3]
logging.disable(logging.CRITICAL)
raspberry.install(socket_path)
sys.path.insert(0, driver)

from pirc522 import RFID  # noqa: E402 - it imports spidev, which is there only now

reader = RFID()
reader.wait_for_tag(timeout=5)
uid = None
for _ in range(10):
    uid = reader.read_id()
    if uid:
        break
answer = {"uid": bytes(uid or b"").hex().upper()}
if uid and len(uid) == 4:
    # read_id() leaves the card in the middle of anticollision: it takes two requests to hear it.
    missed, _ = reader.request()
    if missed:
        reader.request()
    _, part = reader.anticoll()
    reader.select_tag(part)
    refused = reader.card_auth(reader.auth_a, 8, [0xFF] * 6, part)
    answer["block"] = None if refused else bytes(reader.read(8)[1]).hex().upper()
    reader.stop_crypto()
reader.cleanup()
print(json.dumps(answer))
