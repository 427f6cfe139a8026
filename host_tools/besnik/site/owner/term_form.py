"""A form of one part of a program: it takes a program and gives it back changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from django import forms

from besnik.loyalty.program import Program
from besnik.loyalty.rules import RuleError
from besnik.site.owner.checks import place_error, set_currency


class TermForm(forms.Form):
    """A part of a program; ``changed`` is the program with it."""

    title: ClassVar[Any] = ""
    intro: ClassVar[Any] = ""
    layout: ClassVar[str] = ""

    def __init__(self, program: Program, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=self.initial_of(program))
        self._program = program
        set_currency(self, program)

    def initial_of(self, program: Program) -> dict[str, Any]:
        """Return what the fields show of ``program``."""
        raise NotImplementedError

    def apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the program's fields that change."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Change the program; what it refuses is said at the field."""
        given = super().clean() or {}
        if not self.errors:
            try:
                self.changed = msgspec.structs.replace(self._program, **self.apply(given))
            except (RuleError, msgspec.ValidationError) as error:
                place_error(self, error)
        return given
