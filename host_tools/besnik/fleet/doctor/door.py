"""The broker: whether it runs, and how far a reader comes on its way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from besnik import broker, config
from besnik.fleet.doctor.finding import Finding, ok, wrong

# ECONNRESET and ECONNREFUSED; lwIP says the first for both (firmware.md, section 7).
_REFUSED: Final = frozenset({104, 111})
# MQTT 3.1.1, 3.2.2.3: user name or password, not authorised.
_NO_ENTRY: Final = frozenset({4, 5})


class Knocked(msgspec.Struct, frozen=True, array_like=True):
    """How far a reader came at the broker, and an error's number or words."""

    step: Literal["name", "connect", "tls", "closed", "answer"]
    said: int | str


def judge_here(address: config.Broker) -> Finding | None:
    """Return that the broker is not there for this machine either; None if it is."""
    if broker.answers(address.host, address.port):
        return None
    return wrong(
        "broker",
        f"nobody answers at {address.host}:{address.port} on this machine",
        "start it with `besnik broker` (or `besnik run`), and look at what it says",
    )


def judge(knocked: Knocked, settings: Mapping[str, Any]) -> Finding:
    """Return what keeps a reader from the broker, which runs."""
    host, port, reader = settings["broker.host"], settings["broker.port"], settings["reader"]
    elsewhere = f"`besnik fleet flash {reader} --host ADDRESS`"
    if knocked.step == "name":
        return wrong(
            "broker",
            f"the name {host!r} is not found from the reader's network",
            f"give the broker's address as a number instead: {elsewhere}",
        )
    if knocked.step == "connect":
        return _no_way(knocked.said, f"{host}:{port}", elsewhere)
    if knocked.step == "tls":
        return _no_trust(str(knocked.said), host, reader)
    if knocked.step == "closed":
        return wrong(
            "broker",
            "the broker hangs up on the reader: it does not take its certificate",
            f"if it was revoked: `besnik fleet cert {reader} --renew`, then flash it; else restart"
            " the broker, which learns of certificates when it starts",
        )
    if knocked.said in _NO_ENTRY:
        return wrong(
            "broker",
            "the broker does not take the reader's password",
            f"restart the broker, which learns of passwords when it starts; if that is not enough,"
            f" `besnik fleet flash {reader}`",
        )
    if knocked.said:
        return wrong(
            "broker",
            f"the broker refuses the reader with code {knocked.said}",
            "look at what `besnik broker` prints; is it mosquitto as Besnik configures it?",
        )
    return ok("broker", f"{host}:{port} lets the reader in")


def _no_way(number: int | str, where: str, elsewhere: str) -> Finding:
    if number in _REFUSED:
        return wrong(
            "broker",
            f"nobody listens at {where}, where the reader looks for the broker",
            f"is that the machine the broker runs on, and its readers_port? {elsewhere}",
        )
    return wrong(
        "broker",
        f"no way from the reader's network to {where} (error {number})",
        "let the firewall of the broker's machine take TCP on that port; guests' networks often"
        f" keep devices apart: use another; or the address is wrong: {elsewhere}",
    )


def _no_trust(said: str, host: str, reader: str) -> Finding:
    if "CN does not match" in said or "match" in said:
        return wrong(
            "broker",
            f"the broker that answers shows a certificate for another name than {host!r}",
            f"`besnik fleet ca --name {host}`, then restart the broker",
        )
    if "future" in said or "expired" in said:
        return wrong(
            "broker",
            f"the broker's certificate is not valid by the reader's clock: {said}",
            "mend the clock first; if it is right: `besnik fleet ca --renew`, restart the broker",
        )
    if "trusted CA" in said or "signed" in said:
        return wrong(
            "broker",
            "the broker that answers is not this shop's: another authority signed its certificate",
            "restart the broker if its certificate is new; else somebody else's broker is at"
            f" {host}, or the reader is another shop's: `besnik fleet flash {reader}`",
        )
    return wrong(
        "broker",
        f"no encrypted connection comes about: {said}",
        "look at what `besnik broker` prints at that moment; restart it",
    )
