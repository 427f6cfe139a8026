"""``python -m besnik.bridge``: settings from ``besnik.toml``; prints ``bridge: ready``."""

from __future__ import annotations

import asyncio
import signal
import sys

from besnik.bridge import log
from besnik.bridge.service import Bridge
from besnik.config import Config, ConfigError, load


async def _serve(settings: Config) -> None:
    bridge = Bridge(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bridge.stop)
    await bridge.run()


def main() -> int:
    """Run the bridge until SIGTERM; return the exit status (2: the settings cannot be used)."""
    log.to_stderr()
    try:
        asyncio.run(_serve(load()))
    except ConfigError as error:
        print(f"besnik.bridge: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
