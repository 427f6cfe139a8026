"""People: who members are, how they are found, what they agreed to, and how they leave."""

from __future__ import annotations

from besnik.store.people.cards import ReplaceError, print_code, replace_card
from besnik.store.people.codes import coupon_code, derived_code, grouped, new_code, read_code
from besnik.store.people.consents import PURPOSES, Agreed, ConsentError
from besnik.store.people.enrolment import (
    LANGUAGES,
    NAME_MAX,
    Details,
    EnrolError,
    NewCard,
    Refusal,
    add_card,
    card_of,
    clean_name,
    country,
    enrol,
    enrol_tap,
)
from besnik.store.people.export import Export, as_csv, as_json, export
from besnik.store.people.finding import Found, find, shown_phone
from besnik.store.people.folding import fold
from besnik.store.people.leaving import LeaveError, close, erase, reopen
from besnik.store.people.left_out import count_left_out, leave_out, left_out, let_in
from besnik.store.people.links import link, open_link, read_link, renew
from besnik.store.people.names import rename
from besnik.store.people.phones import PhoneError, digest, mask, mask_in, normalise
from besnik.store.people.words import WordsError, add_comment, add_note, comments, notes

__all__ = [
    "LANGUAGES",
    "NAME_MAX",
    "PURPOSES",
    "Agreed",
    "ConsentError",
    "Details",
    "EnrolError",
    "Export",
    "Found",
    "LeaveError",
    "NewCard",
    "PhoneError",
    "Refusal",
    "ReplaceError",
    "WordsError",
    "add_card",
    "add_comment",
    "add_note",
    "as_csv",
    "as_json",
    "card_of",
    "clean_name",
    "close",
    "comments",
    "count_left_out",
    "country",
    "coupon_code",
    "derived_code",
    "digest",
    "enrol",
    "enrol_tap",
    "erase",
    "export",
    "find",
    "fold",
    "grouped",
    "leave_out",
    "left_out",
    "let_in",
    "link",
    "mask",
    "mask_in",
    "new_code",
    "normalise",
    "notes",
    "open_link",
    "print_code",
    "read_code",
    "read_link",
    "rename",
    "renew",
    "reopen",
    "replace_card",
    "shown_phone",
]
