"""What the forms of a program have in common."""

from __future__ import annotations

from django import forms

from besnik.loyalty.program import Program
from besnik.site import figures
from besnik.site.owner.fields import AmountField


def set_currency(form: forms.Form, program: Program) -> None:
    """Tell the form's fields of money which currency the program has."""
    for field in form.fields.values():
        if isinstance(field, AmountField):
            field.currency = program.currency
            field.label = f"{field.label} ({figures.symbol(program.currency)})"


def place_error(form: forms.Form, error: Exception) -> None:
    """Put what the program's own check refuses at the field it names, else above the form."""
    text = str(error)
    named = next((name for name in form.fields if f" {name} " in text), None)
    form.add_error(named, text)
