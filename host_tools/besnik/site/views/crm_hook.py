"""Where a CRM calls when somebody changed a customer there."""

from __future__ import annotations

from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from besnik.crm import heard
from besnik.site.access import public
from besnik.site.owner import hooks
from besnik.site.rate import Limiter

BYTES_MAX: Final = 256 * 1024
_A_MINUTE: Final = 300

_calls = Limiter(_A_MINUTE, 60.0)


@public
@csrf_exempt
@require_POST
def called(request: HttpRequest, number: int, token: str) -> HttpResponse:
    """Mark what is known of the customers named in the body as old; 204.

    404 for an address that is nobody's, 413 and 400 for a body that is too long or no JSON or
    form, 429 for more than 300 calls a minute.
    """
    source = hooks.find(number, token)
    if source is None:
        return _in_words("This address is not in use: copy it from the page of the CRM.", 404)
    if not _calls.count(str(number)):
        return _in_words("Too many calls: gather changes and send them together.", 429)
    if int(request.headers.get("Content-Length") or 0) > BYTES_MAX:
        return _in_words("This is too long: send ids, not records.", 413)
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        heard.changed(source, dict(request.POST.lists()))
    else:
        try:
            said = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _in_words("This is no JSON: send the changed record's id as JSON.", 400)
        heard.changed(source, said)
    return HttpResponse(status=204)


def _in_words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
