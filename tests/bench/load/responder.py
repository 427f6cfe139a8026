"""The responder that does no work, in Python on gmqtt: ``responder.py HOST PORT USER PASSWORD``."""

from __future__ import annotations

import asyncio
import sys

from gmqtt import Client

from besnik.contract import Tap, Verdict, decode, encode, parse_topic, topic


def _answer(client: Client, name: str, payload: bytes, _qos: int, _more: object) -> int:
    address = parse_topic(name)
    verdict = encode(Verdict(decode(payload, Tap).id, "accepted", "ok"))
    client.publish(topic(address.shop, address.reader, "verdict"), verdict, qos=1)
    return 0


async def _serve(host: str, port: int, user: str, password: str) -> None:
    client = Client("besnik-no-op")
    client.set_auth_credentials(user, password)
    client.on_message = _answer
    client.on_subscribe = lambda *_: print("responder: ready", flush=True)
    await client.connect(host, port)
    client.subscribe("besnik/v1/+/+/tap", qos=1)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
