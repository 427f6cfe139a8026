"""What readers are told of the bridge: whether taps are answered now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from besnik import contract
from besnik.bridge.log import pairs

_log = logging.getLogger(__name__)


class BridgeState:
    """The word of this bridge on ``contract.BRIDGE_STATE``, which all bridges share.

    ``online`` there means that at least one of them answers, so whoever answers and reads anything
    else there says ``online`` again at once: after the goodbye of another bridge, and after the
    will of one that died, which the broker may publish long after the next one's birth.
    ``say`` publishes, retained.
    """

    def __init__(self, say: Callable[[bytes], None]) -> None:
        self._say = say
        self._began = int(time.time())
        self.answers = True

    @property
    def will(self) -> bytes:
        """What the broker says when the connection breaks."""
        return contract.encode(contract.State("lost", self._began))

    @property
    def silent(self) -> bytes:
        """What is said for a bridge that hangs."""
        return contract.encode(contract.State("offline", self._began))

    def arrive(self) -> None:
        """Say the birth: there is a connection."""
        self._tell()

    def change(self, answers: bool) -> None:
        """Note whether taps are answered now, and say so if that is new."""
        if answers == self.answers:
            return
        self.answers = answers
        level = logging.INFO if answers else logging.WARNING
        _log.log(level, pairs("state", says="online" if answers else "offline"))
        self._tell()

    def hear(self, payload: bytes) -> None:
        """Take what somebody said there, and correct it if it is wrong."""
        try:
            said = contract.decode(payload, contract.State).s
        except contract.ContractError:
            said = "offline"
        if self.answers and said != "online":
            self._tell()

    def leave(self) -> None:
        """Say goodbye; nothing is corrected after it."""
        self.answers = False
        self._tell()

    def _tell(self) -> None:
        said = contract.State("online" if self.answers else "offline", self._began)
        self._say(contract.encode(said))
