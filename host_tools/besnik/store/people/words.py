"""What people write: notes of staff about a member, and what a member thinks."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Final

import msgspec

from besnik.store.models import Comment, Member, Note, Role, Staff
from besnik.store.people.phones import mask_in

TEXT_MAX: Final = 1000
RATINGS: Final = (1, 2, 3, 4, 5)
_MAY_READ: Final = (Role.CASHIER, Role.LEAD, Role.MANAGER, Role.OWNER)


class WordsError(ValueError):
    """A text that cannot be kept; ``code``: empty, long, characters or rating."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class CommentLine(msgspec.Struct, frozen=True):
    """A comment as others may see it: phone numbers in it are masked."""

    at: dt.datetime
    rating: int
    text: str


def add_note(member: Member, text: str, staff: Staff | None, at: dt.datetime) -> Note:
    """Keep what ``staff`` wrote about ``member``; WordsError if there is nothing to keep."""
    text = _clean(text)
    if not text:
        raise WordsError("empty", "Write something first.")
    return Note.objects.create(member=member, text=text, staff=staff, at=at)


def notes(member: Member, role: str, most: int = 20) -> list[Note]:
    """Return the newest notes on ``member``, as far as ``role`` may read them.

    An auditor checks figures and reads no notes.
    """
    if role not in _MAY_READ:
        return []
    return list(member.notes.select_related("staff").order_by("-at", "-pk")[:most])


def add_comment(member: Member, rating: int, text: str, at: dt.datetime) -> Comment:
    """Keep a rating from 1 to 5 and what ``member`` wrote with it, perhaps nothing; WordsError."""
    if rating not in RATINGS:
        raise WordsError("rating", "Choose 1 to 5.")
    return Comment.objects.create(member=member, rating=rating, text=_clean(text), at=at)


def comments(member: Member, most: int = 20) -> list[CommentLine]:
    """Return the newest comments of ``member`` as staff may see them."""
    rows = member.comments.order_by("-at", "-pk")[:most]
    return [CommentLine(row.at, row.rating, mask_in(row.text)) for row in rows]


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if len(text) > TEXT_MAX:
        raise WordsError("long", f"Write at most {TEXT_MAX} characters.")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c != "\n" for c in text):
        raise WordsError("characters", "The text holds characters that cannot be shown.")
    return text
