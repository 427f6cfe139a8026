"""The demo shop as plain data: what ``besnik.store demo`` seeds and the virtual counter shows."""

from __future__ import annotations

from typing import Final

import msgspec

PROGRAM: Final = "Corner Coffee"
SHOP: Final = "corner"
SHOP_NAME: Final = "The Corner"
TILL: Final = "till-1"
TILL_NAME: Final = "Till 1"
READER: Final = "counter-1"
READER_NAME: Final = "Counter 1"


class DemoStaff(msgspec.Struct, frozen=True):
    """Somebody who works in the demo shop; nobody has a password, the demo logs them in."""

    username: str
    name: str
    role: str


class DemoMember(msgspec.Struct, frozen=True):
    """A member of the demo program; ``language`` is the member's, not the cashier's."""

    key: str
    name: str
    language: str


class DemoCard(msgspec.Struct, frozen=True):
    """A thing to hold to the reader.

    ``uid`` is upper-case hex, or None for a phone that answers with a random UID, new at each
    presentation. ``member`` is a key of MEMBERS, or None for a card nobody has enrolled. ``type``
    is the kind of card for the virtual counter.
    """

    key: str
    label: str
    uid: str | None
    member: str | None = None
    blocked: bool = False
    type: str = "uid"

    @property
    def kind(self) -> str:
        """The kind of credential it is known by."""
        return "ntag" if self.type == "ntag424" else "uid"


STAFF: Final[tuple[DemoStaff, ...]] = (
    DemoStaff("demo-cashier", "Mira Leka", "cashier"),
    DemoStaff("demo-lead", "Petros Vlahos", "lead"),
    DemoStaff("demo-manager", "Sara Lind", "manager"),
    DemoStaff("demo-owner", "Olga Dema", "owner"),
    DemoStaff("demo-auditor", "Amir Sadeghi", "auditor"),
)

MEMBERS: Final[tuple[DemoMember, ...]] = (
    DemoMember("ana", "Ana Hoxha", "sq"),
    DemoMember("eleni", "Ελένη Παππά", "el"),
    DemoMember("boris", "Борис Орлов", "ru"),
    DemoMember("dariush", "داریوش کریمی", "fa"),
    DemoMember("grace", "Grace Miller", "en"),
    DemoMember("iris", "Iris Kola", "sq"),
)

CARDS: Final[tuple[DemoCard, ...]] = (
    DemoCard("ana", "Ana's card", "5B3C2A19", member="ana"),
    DemoCard("eleni", "Eleni's card", "04A1B2C3D4E580", member="eleni"),
    DemoCard("boris", "Boris's blocked card", "0487654321AB80", member="boris", blocked=True),
    DemoCard("dariush", "Dariush's card", "0411223344556677A8B9", member="dariush"),
    DemoCard("grace", "Grace's card", "04C0FFEE5A1780", member="grace"),
    DemoCard("iris", "Iris's secure card", "04D2E3F4A5B680", member="iris", type="ntag424"),
    DemoCard("blank", "A new card", "04DEADBEEF1280"),
    DemoCard("bank", "A bank card", "5A6B7C8D", type="payment"),
    DemoCard("phone", "A phone", None, type="phone"),
)
