"""The tables. Times are UTC; amounts are integers of their account's unit.

The bridge writes taps, entries, postings and balances by raw SQL (``hot.py``); a test holds
those statements to these models.
"""

from __future__ import annotations

from besnik.store.models.cards import Card, CardKind, CardState, Originality
from besnik.store.models.crm import (
    NEWCOMER,
    CrmAnswer,
    CrmDelivery,
    CrmLink,
    CrmPending,
    CrmRecord,
    CrmSource,
)
from besnik.store.models.crm_runs import CrmDifference, CrmLeftOut, CrmRun
from besnik.store.models.drafts import ImportRun, ProgramDraft
from besnik.store.models.ledger import Account, Entry, Lot, LotMove, Posting, Request
from besnik.store.models.people import (
    Comment,
    Consent,
    Gift,
    Member,
    MemberStatus,
    Motive,
    NameWord,
    Note,
    Person,
    new_member_ref,
)
from besnik.store.models.places import Program, ProgramVersion, Reader, Shop, Till
from besnik.store.models.reports import ReaderHealth, ReaderHour, ReaderInfo, ReaderState
from besnik.store.models.sales import Sale, SaleLine, SaleReturn, SaleTender
from besnik.store.models.staff import Alert, AuditRecord, Role, Staff, TillKey
from besnik.store.models.standing import (
    Coupon,
    Hold,
    PaidTerm,
    Redemption,
    Reservation,
    RewardStock,
    TierHeld,
)
from besnik.store.models.taps import Tap
from besnik.store.models.updates import Release, Rollout, RolloutReader

__all__ = [
    "NEWCOMER",
    "Account",
    "Alert",
    "AuditRecord",
    "Card",
    "CardKind",
    "CardState",
    "Comment",
    "Consent",
    "Coupon",
    "CrmAnswer",
    "CrmDelivery",
    "CrmDifference",
    "CrmLeftOut",
    "CrmLink",
    "CrmPending",
    "CrmRecord",
    "CrmRun",
    "CrmSource",
    "Entry",
    "Gift",
    "Hold",
    "ImportRun",
    "Lot",
    "LotMove",
    "Member",
    "MemberStatus",
    "Motive",
    "NameWord",
    "Note",
    "Originality",
    "PaidTerm",
    "Person",
    "Posting",
    "Program",
    "ProgramDraft",
    "ProgramVersion",
    "Reader",
    "ReaderHealth",
    "ReaderHour",
    "ReaderInfo",
    "ReaderState",
    "Redemption",
    "Release",
    "Request",
    "Reservation",
    "RewardStock",
    "Role",
    "Rollout",
    "RolloutReader",
    "Sale",
    "SaleLine",
    "SaleReturn",
    "SaleTender",
    "Shop",
    "Staff",
    "Tap",
    "TierHeld",
    "Till",
    "TillKey",
    "new_member_ref",
]
