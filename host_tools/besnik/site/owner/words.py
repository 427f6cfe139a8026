"""The words that the owner's pages have for what a program is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

UNITS: Final = (
    ("point", _("points")),
    ("stamp", _("stamps")),
    ("item", _("free items")),
    ("status", _("status points")),
)
WEEKDAYS: Final = (
    ("mon", _("Monday")),
    ("tue", _("Tuesday")),
    ("wed", _("Wednesday")),
    ("thu", _("Thursday")),
    ("fri", _("Friday")),
    ("sat", _("Saturday")),
    ("sun", _("Sunday")),
)
KINDS: Final[Mapping[str, tuple[object, object]]] = {
    "per_amount": (_("For money spent"), _("1 point for every euro, for instance.")),
    "per_visit": (_("For a visit"), _("A stamp each time somebody buys.")),
    "per_item": (_("For an item"), _("A stamp for each coffee.")),
    "spend_threshold": (
        _("A gift at a sum"),
        _("Something free each time 50 have been spent, over several visits."),
    ),
    "tender_bonus": (_("For a way to pay"), _("More points with your own card.")),
    "multiplier": (_("A campaign"), _("Double points on Tuesdays, or in May.")),
    "cap": (_("A limit"), _("At most so many points a day.")),
}
TENDERS: Final = (
    ("cash", _("cash")),
    ("card", _("bank card")),
    ("house_card", _("our own card")),
    ("wallet", _("money on the member's card")),
)
PERIODS: Final = (
    ("sale", _("a sale")),
    ("day", _("a day")),
    ("week", _("a week")),
    ("month", _("a month")),
    ("year", _("a year")),
    ("ever", _("in all")),
)
TRADES: Final[Mapping[str, object]] = {
    "cafe": _("café"),
    "bakery": _("bakery"),
    "hairdresser": _("hairdresser"),
    "grocery": _("grocery"),
    "pharmacy": _("pharmacy"),
    "hotel": _("hotel"),
    "airline": _("airline"),
    "car dealer": _("car dealer"),
    "web shop": _("web shop"),
}
MODELS: Final[Mapping[str, object]] = {
    "stamps": pgettext_lazy("kind of program", "a stamp card"),
    "points": pgettext_lazy("kind of program", "points"),
    "tiers": pgettext_lazy("kind of program", "tiers"),
    "paid": pgettext_lazy("kind of program", "a paid membership"),
    "recognition": pgettext_lazy("kind of program", "recognition only"),
}
TEMPLATES: Final[Mapping[str, tuple[str, object]]] = {
    "cafe_stamps": ("stamps", _("Stamp card: the tenth coffee is free")),
    "savings": ("points", _("Points: 1 for each euro, 50 are 5 euro off")),
    "boloco": ("points", _("A free item for each 50 spent")),
    "coop_euro": ("points", _("Points, and more with your own card")),
    "fidaty_gate": ("points", _("Points on sales from a certain amount")),
    "fidaty_excess": ("points", _("Points for what is above a certain amount")),
    "airline_a": ("tiers", _("Tiers: red, silver, gold")),
    "airline_b": ("tiers", _("Tiers with larger steps")),
    "paid_vip": ("paid", _("Paid membership: free delivery for a year")),
    "recognition": ("recognition", _("Recognition: no points, you know your regulars")),
}
