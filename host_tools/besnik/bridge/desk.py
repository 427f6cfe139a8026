"""Settles a batch of taps: reader, credential, customer records, verdict, commit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec

from besnik.bridge.case import Case, Presented
from besnik.bridge.intake import BadInputError
from besnik.bridge.log import pairs
from besnik.bridge.tally import Tally
from besnik.credentials.assess import Assessor, Credential
from besnik.credentials.exchange import Exchange
from besnik.crm.protocol import Crm
from besnik.store.counters import GAP_MAX
from besnik.store.hot import CardKey, DecidedTap, KnownCard, KnownReader, Recorded

_log = logging.getLogger(__name__)


class Challenge(msgspec.Struct, frozen=True):
    """The card of a tap has to be asked first; nothing was written."""

    exchange: Exchange[Credential]


Settled = Recorded | BadInputError | Challenge


class Desk:
    """Everything that happens to a tap between its message and its answer."""

    def __init__(self, crm: Crm, assessor: Assessor, tally: Tally) -> None:
        self._crm = crm
        self._assessor = assessor
        self._tally = tally

    async def settle(self, batch: Sequence[Presented]) -> list[Settled]:
        """Return, in order, the verdict of each tap after the commit, or why it has none.

        Raises CrmAwayError if nothing was written and the batch can be tried again; other
        errors if a tap of the batch cannot be written at all.
        """
        sorting = _Sorting(batch, self._assessor)
        recorded = await self._crm.visit_many(sorting)
        settled: dict[int, Settled] = dict(sorting.refused)
        for index, tap, done in zip(sorting.written, sorting.taps, recorded, strict=True):
            self._look_at(sorting.cases[index], tap.card, done)
            settled[index] = done
        for index in sorting.without_key:
            reader = batch[index].arrival.reader
            self._tally.count("relay_failed", "no_key", reader=reader)
        if sorting.challenges:
            settled.update(await self._told_before(sorting.cases, sorting.challenges))
        return [settled[index] for index in range(len(batch))]

    async def _told_before(
        self, cases: Mapping[int, Case], challenges: Mapping[int, Challenge]
    ) -> dict[int, Settled]:
        """Return the challenges, and the verdict in place of one if its tap has it already."""
        keys = {index: _tap_key(cases[index]) for index in challenges}
        earlier = await self._crm.recorded(list(keys.values()))
        return {index: earlier.get(keys[index], each) for index, each in challenges.items()}

    def _look_at(self, case: Case, card: KnownCard | None, done: Recorded) -> None:
        if done.repeat:
            return
        reader = case.presented.arrival.reader
        if case.shown.reason is not None:
            self._tally.count("sun_failed", case.shown.reason, reader=reader)
        if done.counter_gap > GAP_MAX and card is not None:
            _log.warning(pairs("counter_gap", reader=reader, card=card.card, gap=done.counter_gap))


class _Sorting:
    """See Batch. Sorts the taps of a batch, by their index.

    ``cases`` are those of known readers, the others are ``refused``. Of the cases some are
    ``written``, as ``taps``, the others are ``challenges``. ``without_key``: the card has to prove
    itself, and no key is for it.
    """

    def __init__(self, batch: Sequence[Presented], assessor: Assessor) -> None:
        self.slugs = list({presented.arrival.reader for presented in batch})
        self.refused: dict[int, BadInputError] = {}
        self.cases: dict[int, Case] = {}
        self.written: list[int] = []
        self.taps: list[DecidedTap] = []
        self.challenges: dict[int, Challenge] = {}
        self.without_key: list[int] = []
        self._batch = batch
        self._assessor = assessor

    def open(self, readers: Mapping[str, KnownReader]) -> list[CardKey]:
        """See Batch."""
        self.refused, self.cases = {}, {}
        assess = self._assessor.assess
        for index, presented in enumerate(self._batch):
            arrival = presented.arrival
            reader = readers.get(arrival.reader)
            if reader is None:
                self.refused[index] = BadInputError("unknown_reader")
            elif reader.shop != arrival.shop:
                self.refused[index] = BadInputError("wrong_shop")
            else:
                shown = assess(arrival.tap.k, arrival.tap.d)
                self.cases[index] = Case(presented, reader, shown)
        return [key for case in self.cases.values() for key in case.keys]

    def decide(self, cards: Mapping[CardKey, KnownCard]) -> list[DecidedTap]:
        """See Batch."""
        self.written, self.taps, self.challenges, self.without_key = [], [], {}, []
        for index, case in self.cases.items():
            exchange = None
            if case.is_worth_asking(cards):
                exchange = self._question(case, cards)
                if exchange is None and case.claimed(cards):
                    self.without_key.append(index)
            if exchange is None:
                self.written.append(index)
                self.taps.append(case.decided(cards))
            else:
                self.challenges[index] = Challenge(exchange)
        return self.taps

    def _question(
        self, case: Case, cards: Mapping[CardKey, KnownCard]
    ) -> Exchange[Credential] | None:
        uid, is_type2 = case.shown.ref.data, case.presented.arrival.tap.is_type2
        if case.claimed(cards):
            return self._assessor.challenge(uid)
        return self._assessor.examine(uid, is_type2=is_type2)


def _tap_key(case: Case) -> tuple[int, str]:
    return case.reader.id, case.presented.arrival.tap.id
