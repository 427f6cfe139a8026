"""``python -m besnik.bridge``: settings and keys from files; prints ``bridge: ready``."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

from besnik.bridge import log
from besnik.bridge.service import Bridge
from besnik.config import Config, ConfigError, load, numbered
from besnik.credentials.keyring import Keys
from besnik.credentials.keys import KeyFileError, load_keys
from besnik.store.alone import only_bridge

_log = logging.getLogger("besnik.bridge")
_PLAIN_MQTT = (
    "[broker] plain lets readers in without TLS: anyone on their network can read and forge taps; "
    "give them certificates (besnik fleet ca, besnik fleet cert)"
)
# New objects between two looks for circles among them.
_COLLECT_EVERY = 20_000
# How long a thread beside the event loop (PostgreSQL's above all) waits for a busy loop to give it
# the interpreter. With 5 ms, Python's default, 100 readers get a tenth fewer answers.
_SWITCH_S = 0.0005


async def _serve(settings: Config, keys: Keys) -> None:
    if settings.broker.plain:
        _log.warning(log.pairs("plain_mqtt", so=_PLAIN_MQTT))
    bridge = Bridge(settings, keys)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.crash)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bridge.stop)
    # What is there now stays, and what comes goes again by itself: looked through at each 700 new
    # objects, Python's default, it costs a twentieth of a tap.
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)
    sys.setswitchinterval(_SWITCH_S)
    await bridge.run()


def main(instance: int | None = None) -> int:
    """Run the bridge until SIGTERM; return the exit status (2: settings or keys cannot be used).

    ``instance`` overrides that of the settings.
    """
    log.to_stderr()
    try:
        settings = load()
        if instance is not None:
            settings = numbered(settings, instance)
        keys = load_keys(Path(settings.state) / settings.credentials.keys)
        with only_bridge(settings):
            asyncio.run(_serve(settings, keys))
    except (ConfigError, KeyFileError) as error:
        print(f"besnik.bridge: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        _log.critical(log.pairs("crash", error=type(error).__name__, at=log.place(error)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
