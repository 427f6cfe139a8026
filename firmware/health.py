# What the reader tells about itself: info once per connection, health every minute.

import gc
import json
import sys

from firmware import packets, version


# The info message (contract): versions, reset cause, boot count, configuration version.
def info(boot, reset_cause, config_version):
    return json.dumps(
        {
            "fw": version.VERSION,
            "umqtt": packets.VERSION,
            "mpy": ".".join(str(part) for part in sys.implementation.version[:3]),
            "reset": reset_cause,
            "bd": boot,
            "cfg": config_version,
        },
    ).encode()


# The health message (contract).
def health(up_s, rssi_dbm, outbox, reconnects, recoveries, verdict_ms):
    return json.dumps(
        {
            "up_s": up_s,
            "rssi_dbm": rssi_dbm,
            "heap_free": gc.mem_free(),
            "outbox": len(outbox),
            "outbox_dropped": outbox.dropped,
            "reconnects": reconnects,
            "rc522_recoveries": recoveries,
            "verdict_ms": verdict_ms,
        },
    ).encode()
