"""Bridge and CRM: what is behind the broker, asked from this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal

import gmqtt
import msgspec

from besnik import contract
from besnik.broker import SITE
from besnik.config import Broker
from besnik.fleet.doctor.finding import Finding, ok, skipped, wrong

_WAIT_S: Final = 5
_KEPT_S: Final = 1
_START: Final = "start it with `besnik bridge` (or `besnik run`) and look at its log"


class Records(msgspec.Struct, frozen=True):
    """What the shop's records say of a reader: where it belongs, and of the shop's other CRM.

    ``shop`` is None if nobody entered the reader. ``crm`` is the adapter's name, empty without
    one; ``breaker`` and ``why`` are how it is doing.
    """

    shop: str | None
    crm: str = ""
    breaker: Literal["closed", "half_open", "open"] = "closed"
    why: str = ""


class RecordsError(RuntimeError):
    """The shop's records cannot be read; the text says what to do."""


Look = Callable[[str], Records]
"""Looks a reader up in the records; RecordsError."""


async def bridge_says(address: Broker) -> contract.State | None:
    """Return the last word of the bridge, kept by the broker; None if there never was one.

    OSError or gmqtt's MQTTConnectError when the broker does not let this machine in.
    """
    heard: asyncio.Queue[contract.State] = asyncio.Queue()

    def hear(_client: Any, _topic: str, payload: bytes, _qos: int, _more: dict[str, Any]) -> int:
        heard.put_nowait(contract.decode(payload, contract.State))
        return 0

    client = gmqtt.Client(None, clean_session=True)
    client.set_auth_credentials(SITE, address.site_password)
    client.on_message = hear
    client.on_connect = lambda *_: client.subscribe(
        [gmqtt.Subscription(contract.BRIDGE_STATE, qos=1)]
    )
    subscribed = asyncio.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    async with asyncio.timeout(_WAIT_S):
        await client.connect(address.host, address.port)
    try:
        async with asyncio.timeout(_WAIT_S):
            await subscribed.wait()
        # What is kept comes with the subscription.
        async with asyncio.timeout(_KEPT_S):
            return await heard.get()
    except TimeoutError:
        return None
    finally:
        await client.disconnect()


def judge_bridge(said: contract.State | None) -> Finding:
    """Return whether taps are answered."""
    if said is None:
        return wrong("bridge", "no bridge was ever there", _START)
    if said.s == "lost":
        return wrong("bridge", "the bridge died, or its line to the broker", _START)
    if said.s == "offline":
        return wrong(
            "bridge",
            "the bridge was stopped, or its database is away",
            f"{_START}; if it runs, look at the database: is its disk full, is it locked?",
        )
    return ok("bridge", "it answers taps")


def judge_records(reader: str, shop: str, look: Look) -> tuple[Finding | None, Finding]:
    """Return what the records say against the reader, None if nothing, and of the shop's CRM."""
    try:
        known = look(reader)
    except RecordsError as error:
        return (
            wrong("bridge", f"the shop's records cannot be read: {error}", "mend that first"),
            skipped("CRM", "it is known from the shop's records"),
        )
    return _place(reader, shop, known), _crm(known)


def _place(reader: str, shop: str, known: Records) -> Finding | None:
    if known.shop == shop:
        return None
    if not known.shop:
        return wrong(
            "bridge",
            f"{reader} is unknown to this shop's records: its taps are not answered",
            f"add it on the owner's page Readers, in {shop!r}, with the id {reader!r}",
        )
    return wrong(
        "bridge",
        f"{reader} is in shop {known.shop!r}, and says that it is in {shop!r}: its taps are not"
        " answered",
        f"if it stands in {known.shop!r}: `besnik fleet flash {reader} --shop {known.shop}`; if it"
        " is another reader: add that on the owner's page Readers, and flash it with its own id",
    )


def _crm(known: Records) -> Finding:
    if not known.crm:
        return ok("CRM", "the shop's own records answer; no other CRM is switched on")
    if known.breaker == "closed":
        return ok("CRM", f"{known.crm} answers")
    return wrong(
        "CRM",
        f"{known.crm} is left alone, because it failed: {known.why}",
        "readers go on without it and tell it later; see the owner's page CRM, and"
        " `besnik crm test`",
    )
