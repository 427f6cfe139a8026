"""The reader's signals in words, for the counter page."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from besnik.sim.signals import Seen, Segment
from besnik.site.formats import localized_digits

_NAMES: Final = {
    "read": gettext_lazy("Card read"),
    "accepted": gettext_lazy("Accepted"),
    "rejected": gettext_lazy("Rejected"),
    "unknown": gettext_lazy("Unknown card: ask at the till"),
    "stored": gettext_lazy("Stored: counts later"),
    "several": gettext_lazy("Several cards: hold one"),
    "fault": gettext_lazy("Fault"),
}
_COLOURS: Final = {
    "dark": pgettext_lazy("light", "off"),
    "green": gettext_lazy("green"),
    "red": gettext_lazy("red"),
    "amber": gettext_lazy("amber"),
}
# Labels of the demo's cards: they reach the page from the counter, so gettext must be told.
DEMO_LABELS: Final = (
    gettext_noop("Ana's card"),
    gettext_noop("Eleni's card"),
    gettext_noop("Boris's blocked card"),
    gettext_noop("Dariush's card"),
    gettext_noop("Grace's card"),
    gettext_noop("Iris's secure card"),
    gettext_noop("A new card"),
    gettext_noop("A bank card"),
    gettext_noop("A phone"),
)


def name(seen: Seen) -> str:
    """Return what the signal means, in the active language."""
    return str(_NAMES[seen.name]) if seen.name else _("No signal of a reader")


def parts(seen: Seen) -> list[str]:
    """Return its lights and tones in turn: "green 180 ms, 2800 Hz"."""
    return [_part(segment) for segment in seen.segments]


def pitch(hz: int) -> str:
    """Return a tone's pitch: "2800 Hz"."""
    return localized_digits(_("%(hz)s Hz") % {"hz": hz})


def _part(segment: Segment) -> str:
    light = _("%(colour)s %(ms)s ms") % {
        "colour": _COLOURS[segment.colour],
        "ms": round(segment.duration_ms),
    }
    return localized_digits(light) + (f" + {pitch(segment.tone_hz)}" if segment.tone_hz else "")
