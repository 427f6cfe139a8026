"""Sentences that Django says on our pages and has not in all of our languages.

Their translations are in our catalogues; tests/unit/site/test_django_texts.py finds the others.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import ngettext_lazy

# django.contrib.auth.password_validation.MinimumLengthValidator, new in Django 5.1.
PASSWORD_TOO_SHORT: Final = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
