"""A till's software in tests: it speaks to the API as any other would, at a moment of its own."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from django.test import Client

from besnik.loyalty.program import Program

if TYPE_CHECKING:  # the models can be imported once support.orm has set Django up
    from besnik.store.models import Shop, Tap

_numbers = itertools.count(1)
NOON = dt.datetime(2026, 6, 1, 10, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 1, 1)


class Clock:
    """What time the API believes it is."""

    def __init__(self) -> None:
        self.now = NOON

    def pass_(self, **spans: float) -> None:
        """Let time pass: ``days``, ``hours``, ``minutes``, ``seconds``."""
        self.now += dt.timedelta(**spans)

    def set(self, text: str, zone: dt.tzinfo = dt.UTC) -> None:
        """Set the time to ISO ``text`` of ``zone``."""
        self.now = dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


class Refusal(msgspec.Struct):
    """A problem the API answered with."""

    status: int
    code: str
    detail: str = ""
    field: str = ""


class Pos:
    """One till of one shop of a program, with its key."""

    def __init__(self, program: Program, clock: Clock, shop: Shop | None = None) -> None:
        from besnik.store import programs
        from besnik.store.models import Program as ProgramRow
        from besnik.store.models import Shop, Till
        from besnik.store.till import keys

        number = next(_numbers)
        if shop is None:
            row = ProgramRow.objects.create(name=program.name)
            programs.publish(msgspec.structs.replace(program, id=row.pk), clock.now)
            shop = Shop.objects.create(program=row, slug=f"shop-{number}", name="Shop")
        self.clock, self.shop, self.program = clock, shop, shop.program_id
        self.till = Till.objects.create(shop=shop, slug=f"till-{number}", name="Till")
        self.key = keys.make(self.till, "test")
        self.client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
        self._keys = itertools.count(1)

    def branch(self, slug: str = "") -> Pos:
        """Return a till in another shop of the same program."""
        from besnik.store.models import Shop

        slug = slug or f"shop-{next(_numbers)}"
        made = Shop.objects.create(program_id=self.program, slug=slug, name="Branch")
        return Pos(self.rules(), self.clock, made)

    def rules(self) -> Program:
        """Return what the program gives."""
        from besnik.store import programs

        return programs.current(self.program)

    def publish(self, **changes: Any) -> None:
        """Publish the program with some fields changed."""
        from besnik.store import programs

        programs.publish(msgspec.structs.replace(self.rules(), **changes), self.clock.now)

    def send(self, verb: str, body: object, **headers: str) -> Any:
        """Send a request and return the answer as it came."""
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        sent.setdefault("Idempotency-Key", f"{self.till.slug}-{next(self._keys)}")
        text = body if isinstance(body, (str, bytes)) else msgspec.json.encode(body)
        return self.client.post(
            f"/api/v1/{verb}", text, content_type="application/json", headers=sent
        )

    def ask(self, verb: str, /, **body: Any) -> dict[str, Any]:
        """Send a request that has to succeed; return its answer."""
        answer = self.send(verb, body)
        assert answer.status_code == 200, f"{verb}: {answer.status_code} {answer.content.decode()}"
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def refused(self, verb: str, /, **body: Any) -> Refusal:
        """Send a request that has to be refused; return why."""
        answer = self.send(verb, body)
        assert answer.status_code >= 400, f"{verb}: {answer.content.decode()}"
        assert answer.headers["Content-Type"] == "application/problem+json"
        found = json.loads(answer.content)
        assert found["detail"] and found["status"] == answer.status_code
        return msgspec.convert(found, Refusal)

    def join(self, name: str = "Anna", phone: str = "", **more: Any) -> Customer:
        """Sign a customer up, by a phone of their own; they joined when the rules began."""
        from besnik.store.models import Member

        phone = phone or f"+35569{1_000_000 + next(_numbers)}"
        done = self.ask("signup", name=name, phone=phone, **more)
        since = dt.datetime.combine(FIRST_DAY, dt.time(8), dt.UTC)
        Member.objects.filter(ref=done["member"]).update(created_at=since)
        return Customer(self, done["member"], phone)

    def sell(
        self, amount_minor: int, who: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Record a sale of one amount under a receipt number of its own."""
        more.setdefault("receipt", f"R{next(_numbers)}")
        return self.ask("accrue", amount_minor=amount_minor, who=who, **more)

    def tap(self, uid: str, *, tier: str = "D", kind: str = "uid") -> Tap:
        """Write a tap of a card at this till as the bridge does, without a visit's entry."""
        from besnik.store.models import Card, Reader, Tap

        reader, _ = Reader.objects.get_or_create(
            slug=f"r-{self.till.slug}"[:16],
            defaults={"shop": self.shop, "till": self.till, "name": "Reader"},
        )
        card = Card.objects.filter(program=self.program, kind=kind, data=uid).first()
        return Tap.objects.create(
            reader=reader,
            tap_id=f"00001-{next(_numbers):06d}",
            kind=kind,
            data=uid,
            card=card,
            member=card.member if card else None,
            tier=tier,
            outcome="accepted" if card else "rejected",
            reason="ok" if card else "unknown",
            read_at=int(self.clock.now.timestamp()),
            clock_quality=2,
            queued=False,
            received_at=self.clock.now,
        )


class Customer:
    """A member as a till knows them."""

    def __init__(self, pos: Pos, ref: str, phone: str) -> None:
        self.pos, self.ref, self.phone = pos, ref, phone

    @property
    def who(self) -> dict[str, Any]:
        """Name the customer as they do at the counter: by phone."""
        return {"phone": self.phone}

    def buy(self, amount_minor: int, pos: Pos | None = None, **more: Any) -> dict[str, Any]:
        """Buy for one amount."""
        return (pos or self.pos).sell(amount_minor, self.who, **more)

    def has(self, unit: str = "point", pos: Pos | None = None) -> int:
        """Return what the till shows as usable."""
        line = self.file(pos)["balances"].get(unit)
        return line["active"] if line else 0

    def file(self, pos: Pos | None = None, **more: Any) -> dict[str, Any]:
        """Return what the till shows of the customer."""
        return (pos or self.pos).ask("inquire", who={"member": self.ref}, **more)


Open = Callable[[Program], Pos]
