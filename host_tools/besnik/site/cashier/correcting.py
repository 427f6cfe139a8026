"""What was wrong is taken back: goods that came back, the wrong person, a slip of an hour ago."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from besnik.site import figures, formats
from besnik.site.cashier import words
from besnik.site.cashier.done import Done
from besnik.site.cashier.serving import Serving
from besnik.site.cashier.sheet import ChecksField, ChoicesField, Sheet
from besnik.store import people, till
from besnik.store.models import Entry, Sale, SaleLine, Tap
from besnik.store.till.asks import Move, Refund, Reverse, Who
from besnik.store.till.errors import TillError

MOST: Final = 8
_CAN_BE: Final = ("accrue", "redeem", "commit", "transfer", "adjust")
_LAST: Final = dt.timedelta(days=31)


def _reason() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=120,
        widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
    )


class RefundSheet(Sheet):
    """Lines of the last receipts that came back."""

    title = gettext_lazy("Goods came back")
    hint = gettext_lazy("What they earned is taken back, and what was used for them comes back.")
    submit = gettext_lazy("Take them back")

    lines = ChecksField(label=gettext_lazy("What came back"))
    reason = _reason()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        found = SaleLine.objects.filter(
            sale__member=self.serving.member,
            sale__at__gte=self.serving.now - _LAST,
            returned__isnull=True,
            reward=False,
        )
        field = self.fields["lines"]
        assert isinstance(field, ChecksField)
        field.choices = [
            (str(line.pk), self._text(line))
            for line in found.select_related("sale").order_by("-sale__at", "pk")[: 2 * MOST]
        ]

    def work(self, key: str) -> Done:
        """Take the lines back, all of one receipt; TillError."""
        chosen = SaleLine.objects.filter(pk__in=self.cleaned_data["lines"]).select_related(
            "sale__shop"
        )
        sales = {line.sale for line in chosen}
        if len(sales) != 1:
            raise forms.ValidationError(_("Choose lines of one receipt at a time."))
        sale = sales.pop()
        ask = Refund(
            receipt=sale.receipt,
            shop=sale.shop.slug,
            lines=tuple(line.line for line in chosen),
            reason=self.cleaned_data["reason"],
        )
        made = till.refund(self.serving.place, ask, key=key)
        changed = {unit: -amount for unit, amount in made.taken.items()}
        text = _("%(amount)s came back.") % {
            "amount": figures.amount(made.amount_minor, self.serving.currency)
        }
        parts = (changed, made.restored)
        extra = ", ".join(
            filter(None, (words.gains(each, self.serving.currency) for each in parts))
        )
        return Done(text, extra=extra, member=made.member)

    def _text(self, line: SaleLine) -> str:
        shown = figures.amount(line.amount_minor, self.serving.currency)
        title = line.title or _("Purchase")
        return f"{title} · {shown} · {formats.moment(line.sale.at, self.serving.now)}"


class MoveSheet(Sheet):
    """A purchase of today that was booked for the wrong member."""

    title = gettext_lazy("Wrong person")
    hint = gettext_lazy("The purchase, and what it earned, goes to the other member.")
    submit = gettext_lazy("Move it")

    sale = ChoicesField(label=gettext_lazy("Which purchase of today"))
    to = ChoicesField(label=gettext_lazy("Whose it is"), required=False)
    search = forms.CharField(
        label=gettext_lazy("or find by name, phone or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
    )
    reason = _reason()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        sales, others = self.fields["sale"], self.fields["to"]
        assert isinstance(sales, ChoicesField)
        assert isinstance(others, ChoicesField)
        sales.choices = [(sale.receipt, self._text(sale)) for sale in _today(self.serving)]
        if sales.choices:
            sales.initial = sales.choices[0][0]
        others.choices = _lately(self.serving)

    def work(self, key: str) -> Done:
        """Move it; TillError."""
        ask = Move(
            receipt=self.cleaned_data["sale"],
            to=Who(member=self._other()),
            reason=self.cleaned_data["reason"],
            approval=self.approval,
        )
        made = till.move(self.serving.place, ask, key=key)
        gained = words.gains(made.earned, self.serving.currency)
        return Done(_("The purchase was moved."), extra=gained, member=made.member)

    def _other(self) -> str:
        typed = self.cleaned_data["search"].strip()
        if not typed:
            if not self.cleaned_data["to"]:
                raise TillError("who")
            return str(self.cleaned_data["to"])
        found = people.find(self.serving.till.shop.program, typed, self.serving.staff.role)
        others = [one for one in found if one.ref != getattr(self.serving.member, "ref", "")]
        if len(others) == 1:
            return others[0].ref
        if not others:
            raise TillError("member_unknown")
        field = self.fields["to"]
        assert isinstance(field, ChoicesField)
        field.choices = [(one.ref, f"{one.name} {one.phone}") for one in others[:MOST]]
        raise forms.ValidationError(_("Several members are found. Choose one of them."))

    def _text(self, sale: Sale) -> str:
        shown = figures.amount(sale.amount_minor, self.serving.currency)
        return f"{shown} · {formats.moment(sale.at, self.serving.now)}"


class ReverseSheet(Sheet):
    """One of the last bookings, with a reason; a cashier needs a shift lead's PIN."""

    title = gettext_lazy("Take back")
    hint = gettext_lazy("Nothing is erased: the opposite is booked, with your name and the reason.")
    submit = gettext_lazy("Take it back")

    entry = ChoicesField(label=gettext_lazy("What"))
    reason = _reason()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["entry"]
        assert isinstance(field, ChoicesField)
        field.choices = [(str(entry.pk), self._text(entry)) for entry in self._last()]

    def work(self, key: str) -> Done:
        """Take it back; TillError."""
        ask = Reverse(
            entry=int(self.cleaned_data["entry"]),
            reason=self.cleaned_data["reason"],
            approval=self.approval,
        )
        return taken_back(self.serving, ask, key)

    def _last(self) -> list[Entry]:
        found = Entry.objects.filter(
            postings__account__member=self.serving.member, kind__in=_CAN_BE, later__isnull=True
        )
        newest = found.distinct().order_by("-pk").prefetch_related("postings__account")
        return list(newest[:MOST])

    def _text(self, entry: Entry) -> str:
        member = self.serving.member
        changed = {
            posting.account.unit: posting.amount
            for posting in entry.postings.all()
            if member and posting.account.member_id == member.pk
        }
        when = formats.moment(entry.occurred_at or entry.created_at, self.serving.now)
        return f"{words.gains(changed, self.serving.currency)} · {when}"


def undo(serving: Serving, what: str, key: str) -> Done:
    """Take back what was just done, by the name that `Done.undo` gave it; TillError."""
    kind, _sep, number = what.partition("-")
    if not number.isdecimal() or len(number) > 18 or kind not in ("entry", "redemption"):
        raise TillError("entry_unknown")
    ask = Reverse(entry=int(number)) if kind == "entry" else Reverse(redemption=int(number))
    return taken_back(serving, ask, key)


def taken_back(serving: Serving, ask: Reverse, key: str) -> Done:
    """Take something back and say so; TillError."""
    made = till.reverse(serving.place, ask, key=key)
    changed = words.gains(made.changed, serving.currency)
    return Done(_("Taken back."), extra=changed, member=made.member)


def _today(serving: Serving) -> list[Sale]:
    start = dt.datetime.combine(serving.program.today(serving.now), dt.time(), serving.program.tz)
    here = Sale.objects.filter(member=serving.member, shop=serving.till.shop, at__gte=start)
    return list(here.order_by("-at")[:MOST])


def _lately(serving: Serving) -> list[tuple[str, str]]:
    """Return the other members who held a card to a reader of this till lately."""
    since = serving.now - dt.timedelta(hours=2)
    taps = Tap.objects.filter(
        reader__till=serving.till, received_at__gte=since, member__isnull=False
    ).exclude(member=serving.member)
    newest = taps.select_related("member").order_by("-received_at")[: 4 * MOST]
    found = {tap.member.ref: tap.member.name for tap in newest if tap.member}
    return list(found.items())[:4]
