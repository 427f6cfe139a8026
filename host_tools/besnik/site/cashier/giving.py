"""Goodwill: an angry customer leaves as a pleased one."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from besnik.site import figures
from besnik.site.cashier.done import Done
from besnik.site.cashier.sheet import ChoicesField, CountField, Sheet
from besnik.site.cashier.spending import main_unit
from besnik.store import till
from besnik.store.till.asks import Goodwill

USUAL: Final = 50


class GoodwillSheet(Sheet):
    """Points for nothing, with a reason. What is usual is filled in: the second press gives it."""

    title = gettext_lazy("Goodwill")
    submit = gettext_lazy("Give it")

    amount = CountField(label=gettext_lazy("How many"))
    reason = ChoicesField(
        label=gettext_lazy("Why"),
        choices=(
            ("complaint", gettext_lazy("Complaint")),
            ("waited", gettext_lazy("Waited long")),
            ("mistake", gettext_lazy("Our mistake")),
            ("other", gettext_lazy("Other")),
        ),
    )
    words = forms.CharField(
        label=gettext_lazy("In words (if other)"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("initial", {"amount": USUAL, "reason": "complaint"})
        super().__init__(*arguments, **options)

    def clean(self) -> dict[str, Any]:
        """Ask for words where the reason is another one."""
        given = super().clean() or self.cleaned_data
        if given.get("reason") == "other" and not given.get("words", "").strip():
            self.add_error("words", _("Say why: write a reason."))
        return given

    def work(self, key: str) -> Done:
        """Give it; TillError."""
        given = self.cleaned_data
        reason = given["words"].strip() if given["reason"] == "other" else given["reason"]
        ask = Goodwill(
            who=self.serving.who,
            amount=given["amount"],
            unit=main_unit(self.serving),
            reason=reason,
            approval=self.approval,
        )
        made = till.goodwill(self.serving.place, ask, key=key)
        gift = figures.points(made.amount, made.unit, signed=True)
        assert self.serving.member is not None
        text = _("%(earned)s for %(name)s") % {"earned": gift, "name": self.serving.member.name}
        return Done(text, undo=f"entry-{made.entry}", member=made.member)
