# Which card is it: from the cards in the field to the one credential that is sent to the host.

import binascii

from micropython import const

_CARDS_MAX = const(4)
_BUDGET_MS = const(250)
_SAK_ISO_DEP = const(0x20)
_ATTEMPTS = const(3)


# Reads what the cards of one field offer: each is an iso14443.Card that also has kind and data, as
# in the contract, its rank in the order of families, and is_payment. families: names of what
# counts, best first: "sun", "uid". What a family needs is loaded here: a reader without it has the
# memory.
class Identifier:
    def __init__(self, pcd, cards, clock, families):
        self._cards = cards
        self._clock = clock
        self._families = families
        self._isodep = None
        # Attempts in a row that ended in an error; the owner sets it to 0 when the field is empty.
        self.failures = 0
        if "sun" in families:
            from firmware.sun import proof
            from isodep import IsoDep

            self._isodep = IsoDep(pcd, clock)
            self._proof = proof

    # The offers of all cards that answered a request, at most 4, within 250 ms. Raises CardError
    # when a card leaves in the middle; nothing is known then.
    async def offers(self):
        began_ms = self._clock.ticks_ms()
        offers = []
        while len(offers) < _CARDS_MAX:
            spent_ms = self._clock.ticks_diff(self._clock.ticks_ms(), began_ms)
            offers.append(await self._offer(self._cards.select(), max(_BUDGET_MS - spent_ms, 1)))
            if not self._cards.request():
                break
        return offers

    async def _offer(self, card, limit_ms):
        card.is_payment = False
        # A card that stays but fails again and again offers its UID at last.
        if self._isodep and card.sak & _SAK_ISO_DEP and self.failures < _ATTEMPTS:
            self.failures += 1
            card.data, card.is_payment = await self._proof(self._isodep, limit_ms)
            self.failures = 0
        else:
            card.data = None
            self._cards.halt()
        card.kind = "sun" if card.data else "uid"
        card.rank = self._families.index(card.kind)
        if not card.data:
            card.data = binascii.hexlify(card.uid).decode().upper()
        return card


# The offer that counts, or None when more than one customer could be meant: the only one of the
# best rank; of several that offer no more than a UID, the only one that is no payment card.
def choose(offers):
    if len(offers) == 1:
        return offers[0]
    best = min(offer.rank for offer in offers)
    rivals = [offer for offer in offers if offer.rank == best]
    if len(rivals) > 1:
        rivals = [offer for offer in rivals if not offer.is_payment]
    return rivals[0] if len(rivals) == 1 else None
