"""Using what was collected, and money on the card."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from besnik.site import figures
from besnik.site.cashier.done import Done
from besnik.site.cashier.serving import Serving
from besnik.site.cashier.sheet import AmountField, CountField, Sheet
from besnik.store import till
from besnik.store.glance.standing import units_of
from besnik.store.till.asks import Commit, Pay, Redeem, Release, TopUp


class RedeemSheet(Sheet):
    """A free amount, or the code of a coupon; it is held until the sale is paid."""

    title = gettext_lazy("Redeem")
    hint = gettext_lazy("It is held until the sale is paid, for ten minutes at most.")
    submit = gettext_lazy("Hold it")

    amount = CountField(label=gettext_lazy("How many"), required=False)
    coupon = forms.CharField(
        label=gettext_lazy("or the code of a coupon"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"autocomplete": "off", "dir": "ltr", "spellcheck": "false"}),
    )
    reward = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def work(self, key: str) -> Done:
        """Hold it; TillError."""
        given = self.cleaned_data
        ask = Redeem(
            who=self.serving.who,
            amount=given["amount"] if not given["reward"] else None,
            unit=main_unit(self.serving),
            coupon=given["coupon"],
            reward=given["reward"],
            approval=self.approval,
        )
        held = till.hold(self.serving.place, ask, key=key)
        what = held.title or figures.points(held.cost, held.unit)
        return Done(_("Held for the sale: %(what)s") % {"what": what}, member=held.member)


class TopUpSheet(Sheet):
    """Money onto the card."""

    title = gettext_lazy("Top up")
    hint = gettext_lazy("Take the money first.")
    submit = gettext_lazy("Put it on the card")

    amount = AmountField(label=gettext_lazy("Amount"))

    def work(self, key: str) -> Done:
        """Put it on the card; TillError."""
        ask = TopUp(who=self.serving.who, amount_minor=self.cleaned_data["amount"])
        made = till.topup(self.serving.place, ask, key=key)
        text = _("%(amount)s put on the card, %(left)s are on it now.")
        return _stored(self.serving, text, made.amount_minor, made.stored_minor, made.entry)


class PaySheet(Sheet):
    """Money from the card."""

    title = gettext_lazy("Pay from the card")
    submit = gettext_lazy("Pay")

    amount = AmountField(label=gettext_lazy("Amount"))

    def work(self, key: str) -> Done:
        """Take it from the card; TillError."""
        ask = Pay(
            who=self.serving.who,
            amount_minor=self.cleaned_data["amount"],
            approval=self.approval,
        )
        made = till.pay(self.serving.place, ask, key=key)
        text = _("%(amount)s paid from the card, %(left)s are left on it.")
        return _stored(self.serving, text, made.amount_minor, made.stored_minor, made.entry)

    def figure(self, value: int) -> str:
        """See Sheet: what is too much is money."""
        return figures.amount(value, self.serving.currency)


def commit(serving: Serving, hold: str, key: str) -> Done:
    """Give what was held: the sale was paid; TillError."""
    made = till.commit(serving.place, Commit(hold=hold[:40] or "-"), key=key)
    given = made.given
    text = _("Given: %(what)s") % {"what": given.title or _("points")}
    return Done(text, undo=f"redemption-{given.redemption}", member=made.member)


def release(serving: Serving, hold: str, key: str) -> Done:
    """Let go of what was held: the sale will not be paid; TillError."""
    made = till.release(serving.place, Release(hold=hold[:40] or "-", reason="till"), key=key)
    return Done(_("Nothing is held any more."), member=made.member)


def main_unit(serving: Serving) -> str:
    """Return the unit that the program's members collect first."""
    return next(iter(units_of(serving.program)), "point")


def _stored(serving: Serving, text: str, amount_minor: int, left_minor: int, entry: int) -> Done:
    assert serving.member is not None
    shown = {
        "amount": figures.amount(amount_minor, serving.currency),
        "left": figures.amount(left_minor, serving.currency),
    }
    return Done(text % shown, undo=f"entry-{entry}", member=serving.member.ref)
