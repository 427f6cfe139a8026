"""What Django itself says on our pages comes in every language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import translation

from besnik.site.messages import TRANSLATED

COLOUR = forms.ChoiceField(choices=[("r", "red")])
SAID: dict[str, Callable[[], object]] = {
    "required": lambda: forms.CharField().clean(""),
    "long": lambda: forms.CharField(max_length=2).clean("abc"),
    "null": lambda: forms.CharField().clean("a\0"),
    "whole": lambda: forms.IntegerField().clean("x"),
    "least": lambda: forms.IntegerField(min_value=3).clean("1"),
    "most": lambda: forms.IntegerField(max_value=3).clean("5"),
    "choice": lambda: COLOUR.clean("7"),
    "choices": lambda: forms.MultipleChoiceField(choices=[("r", "red")]).clean(["7"]),
    "list": lambda: forms.MultipleChoiceField(choices=[("r", "red")]).clean("7"),
    "email": lambda: forms.EmailField().clean("7"),
    "date": lambda: forms.DateField().clean("7"),
    "password short": lambda: validate_password("кfж8"),
    "password common": lambda: validate_password("1234567890"),
}


def refusal(provoke: Callable[[], object]) -> str:
    with pytest.raises(ValidationError) as caught:
        provoke()
    return " ".join(caught.value.messages)


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("name", SAID)
def test_django_s_refusals_are_translated(name: str, language: str) -> None:
    with translation.override("en"):
        english = refusal(SAID[name])
    with translation.override(language):
        said = refusal(SAID[name])
    assert said != english
