"""Settles a batch of taps: reader, credential, customer records, verdict, commit."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from besnik.bridge.case import Case, Presented
from besnik.bridge.intake import BadInputError
from besnik.bridge.log import pairs
from besnik.bridge.tally import Tally
from besnik.credentials.assess import Assessor, Credential
from besnik.credentials.exchange import Exchange
from besnik.crm.protocol import Crm
from besnik.store.counters import GAP_MAX
from besnik.store.hot import CardKey, KnownCard, Recorded
from besnik.store.thread import StoreThread

_log = logging.getLogger(__name__)


class Challenge(msgspec.Struct, frozen=True):
    """The card of a tap has to be asked first; nothing was written."""

    exchange: Exchange[Credential]


Settled = Recorded | BadInputError | Challenge


class Desk:
    """Everything that happens to a tap between its message and its answer."""

    def __init__(self, store: StoreThread, crm: Crm, assessor: Assessor, tally: Tally) -> None:
        self._store = store
        self._crm = crm
        self._assessor = assessor
        self._tally = tally

    async def settle(self, batch: Sequence[Presented]) -> list[Settled]:
        """Return, in order, the verdict of each tap after the commit, or why it has none.

        Raises StoreUnavailableError or CrmUnavailableError if nothing was written and the
        batch can be tried again; other errors if a tap of the batch cannot be written at all.
        """
        cases, settled = await self._opened(batch)
        cards = await self._look_up(cases.values())
        challenges = await self._challenges(cases, cards)
        settled.update(challenges)
        rest = {index: case for index, case in cases.items() if index not in challenges}
        taps = [case.decided(cards) for case in rest.values()]
        recorded = await self._crm.record_visits(taps)
        for case, tap, done in zip(rest.values(), taps, recorded, strict=True):
            self._look_at(case, tap.card, done)
        settled.update(zip(rest, recorded, strict=True))
        return [settled[index] for index in range(len(batch))]

    async def _opened(
        self, batch: Sequence[Presented]
    ) -> tuple[dict[int, Case], dict[int, Settled]]:
        slugs = {presented.arrival.reader for presented in batch}
        readers = await self._store.call(lambda hot: hot.readers(list(slugs)))
        cases: dict[int, Case] = {}
        settled: dict[int, Settled] = {}
        for index, presented in enumerate(batch):
            arrival = presented.arrival
            reader = readers.get(arrival.reader)
            if reader is None:
                settled[index] = BadInputError("unknown_reader")
            elif reader.shop != arrival.shop:
                settled[index] = BadInputError("wrong_shop")
            else:
                shown = self._assessor.assess(arrival.tap.k, arrival.tap.d)
                cases[index] = Case(presented, reader, shown)
        return cases, settled

    async def _look_up(self, cases: Iterable[Case]) -> dict[CardKey, KnownCard]:
        keys = list({key for case in cases for key in case.keys})
        size = self._crm.capabilities.batch_size
        cards: dict[CardKey, KnownCard] = {}
        for start in range(0, len(keys), size):
            cards |= await self._crm.lookup_many(keys[start : start + size])
        return cards

    async def _challenges(
        self, cases: Mapping[int, Case], cards: Mapping[CardKey, KnownCard]
    ) -> dict[int, Settled]:
        """Return what is not written now: challenges, and the verdicts of taps told again."""
        asked: dict[int, Settled] = {}
        for index, case in cases.items():
            if case.is_worth_asking(cards):
                exchange = self._question(case, cards)
                if exchange is not None:
                    asked[index] = Challenge(exchange)
                elif case.claimed(cards):
                    reader = case.presented.arrival.reader
                    self._tally.count("relay_failed", "no_key", reader=reader)
        keys = {index: _tap_key(cases[index]) for index in asked}
        earlier = await self._crm.recorded(list(keys.values()))
        return {index: earlier.get(keys[index], challenge) for index, challenge in asked.items()}

    def _question(
        self, case: Case, cards: Mapping[CardKey, KnownCard]
    ) -> Exchange[Credential] | None:
        uid, is_type2 = case.shown.ref.data, case.presented.arrival.tap.is_type2
        if case.claimed(cards):
            return self._assessor.challenge(uid)
        return self._assessor.examine(uid, is_type2=is_type2)

    def _look_at(self, case: Case, card: KnownCard | None, done: Recorded) -> None:
        if done.repeat:
            return
        reader = case.presented.arrival.reader
        if case.shown.reason is not None:
            self._tally.count("sun_failed", case.shown.reason, reader=reader)
        if done.counter_gap > GAP_MAX and card is not None:
            _log.warning(pairs("counter_gap", reader=reader, card=card.card, gap=done.counter_gap))


def _tap_key(case: Case) -> tuple[int, str]:
    return case.reader.id, case.presented.arrival.tap.id
