# What the reader tells about itself: info once per connection, health every minute.

import gc
import sys

from firmware import packets

# The firmware's own version, as in pyproject.toml.
VERSION = "0.1.0"


# The info message (contract): versions, reset cause, boot count, configuration version.
def info(boot, reset_cause, config_version):
    mpy = ".".join(str(part) for part in sys.implementation.version[:3])
    return '{"fw":"%s","umqtt":"%s","mpy":"%s","reset":%d,"bd":%d,"cfg":%d}' % (
        VERSION,
        packets.VERSION,
        mpy,
        reset_cause,
        boot,
        config_version,
    )


# The health message (contract).
def health(up_s, rssi_dbm, outbox, reconnects, recoveries, verdict_ms):
    return (
        '{"up_s":%d,"rssi_dbm":%s,"heap_free":%d,"outbox":%d,"outbox_dropped":%d,'
        '"reconnects":%d,"rc522_recoveries":%d,"verdict_ms":%s}'
        % (
            up_s,
            _or_null(rssi_dbm),
            gc.mem_free(),
            len(outbox),
            outbox.dropped,
            reconnects,
            recoveries,
            _or_null(verdict_ms),
        )
    )


def _or_null(number):
    return "null" if number is None else number
