"""Reads and writes a card with SimpleMFRC522 of ``mfrc522`` or ``mfrc522-python``.

Arguments: the driver's folder, the socket, and a text to write or nothing to read. Prints JSON.
"""

import json
import logging
import sys

from support import raspberry

driver, socket_path, text = sys.argv[1:4]
logging.disable(logging.CRITICAL)
raspberry.install(socket_path)
sys.path.insert(0, driver)

from mfrc522 import SimpleMFRC522  # noqa: E402 - it imports spidev, which is there only now

reader = SimpleMFRC522()
uid, found = reader.write(text) if text else reader.read()
print(json.dumps({"uid": f"{uid:010X}", "text": found.strip()}))
