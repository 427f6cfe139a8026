"""The languages of the pages, each by its own name."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = [
    ("en", "English"),
    ("sq", "Shqip"),
    ("ru", "Русский"),
    ("el", "Ελληνικά"),
    ("fa", "فارسی"),
]
