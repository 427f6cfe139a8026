"""Settles a batch of taps: reader, credential, customer records, verdict, commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from besnik.bridge.decide import decide
from besnik.bridge.intake import Arrival, BadInputError
from besnik.credentials.assess import Credential, assess
from besnik.crm.protocol import Crm
from besnik.store.hot import CardKey, DecidedTap, KnownCard, KnownReader, Recorded
from besnik.store.thread import StoreThread

Settled = Recorded | BadInputError


class Desk:
    """Everything that happens to a tap between its message and its answer."""

    def __init__(self, store: StoreThread, crm: Crm) -> None:
        self._store = store
        self._crm = crm

    async def settle(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        """Return, in order, the verdict of each tap after the commit, or why it has none.

        Raises StoreUnavailableError or CrmUnavailableError if nothing was written and the
        batch can be tried again; other errors if a tap of the batch cannot be written at all.
        """
        slugs = {arrival.reader for arrival in arrivals}
        readers = await self._store.call(lambda hot: hot.readers(list(slugs)))
        settled: dict[int, Settled] = {}
        credentials: dict[int, tuple[KnownReader, Credential]] = {}
        for index, arrival in enumerate(arrivals):
            reader = readers.get(arrival.reader)
            if reader is None:
                settled[index] = BadInputError("unknown_reader")
            elif reader.shop != arrival.shop:
                settled[index] = BadInputError("wrong_shop")
            else:
                credentials[index] = reader, assess(arrival.tap.k, arrival.tap.d)
        cards = await self._crm.lookup_many(_keys(credentials.values()))
        taps = [
            _decided(arrivals[index], reader, credential, cards)
            for index, (reader, credential) in credentials.items()
        ]
        recorded = await self._crm.record_visits(taps)
        settled.update(zip(credentials, recorded, strict=True))
        return [settled[index] for index in range(len(arrivals))]


def _key(reader: KnownReader, credential: Credential) -> CardKey:
    return CardKey(reader.rules.program, credential.ref)


def _keys(presented: Iterable[tuple[KnownReader, Credential]]) -> list[CardKey]:
    # A random UID names nobody: it is never looked up.
    return list({_key(*pair) for pair in presented if pair[1].tier != "X"})


def _decided(
    arrival: Arrival,
    reader: KnownReader,
    credential: Credential,
    cards: Mapping[CardKey, KnownCard],
) -> DecidedTap:
    card = cards.get(_key(reader, credential))
    decision = decide(credential.tier, card, reader.rules)
    tap = arrival.tap
    return DecidedTap(
        reader=reader.id,
        tap_id=tap.id,
        ref=credential.ref,
        card=card,
        tier=credential.tier,
        outcome=decision.outcome,
        reason=decision.reason,
        read_at=tap.t,
        clock_quality=tap.tq,
        queued=bool(tap.q),
        received_at=arrival.received_at,
        entry=decision.entry,
    )
