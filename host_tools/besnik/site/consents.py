"""The sentences by which members are asked for their consent, one for each purpose.

What a member reads is what is recorded with the answer (`besnik.store.people.consents`).
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from besnik.store.people import Agreed


def sentences() -> dict[str, str]:
    """Return the sentence of each purpose in the active language."""
    return {
        "marketing": _("Write to me about offers and news."),
        "profiling": _("Choose offers for me by what I buy."),
        "partners": _("Tell partner shops that I am a member, so that they can make me offers."),
    }


def answers(ticked: Mapping[str, object]) -> list[Agreed]:
    """Return the answers of a form in which the purposes agreed to are ticked."""
    return [Agreed(purpose, purpose in ticked, text) for purpose, text in sentences().items()]
