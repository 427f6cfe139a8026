"""Which language a page is in: a person's own, then the browser's choice, then what it accepts.

The choice is kept in a cookie, so a page needs no look into the database for it; logging in puts
the person's own language there, and choosing one while logged in makes it theirs.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import check_for_language
from django.views.i18n import LANGUAGE_QUERY_PARAMETER, set_language

from besnik.site.access import public
from besnik.store.models import Staff


@public
def switch(request: HttpRequest) -> HttpResponseBase:
    """Keep the chosen language and go back to the page it was chosen on."""
    chosen = request.POST.get(LANGUAGE_QUERY_PARAMETER, "")
    if isinstance(request.user, Staff) and chosen and check_for_language(chosen):
        Staff.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)


def remember(response: HttpResponseBase, staff: Staff) -> None:
    """Let the pages after a log-in be in the language of who logged in, if it is known."""
    if staff.language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            staff.language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",  # as LANGUAGE_COOKIE_SAMESITE, which the type of this does not know
        )
