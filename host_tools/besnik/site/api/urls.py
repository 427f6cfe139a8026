"""The addresses of the API. Whoever has a till's key may use all of it, nobody else any of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt

from besnik.site.access import public
from besnik.site.api import problems
from besnik.site.api.keys import RATE, KeyAuth, KeyThrottle
from besnik.site.api.schema import DocumentedApi, extra
from besnik.site.api.verbs import VERBS, view_of

_DESCRIPTION = (
    "Amounts of money are minor units, times carry their zone. A problem is"
    " application/problem+json with a code that never changes. docs/api.md has examples."
)

# No page of Swagger's: it would come from another server (docs_url).
api = DocumentedApi(
    title="Besnik",
    version="1",
    description=_DESCRIPTION,
    docs_url=None,
    auth=KeyAuth(),
    throttle=[KeyThrottle(RATE)],
    urls_namespace="api-v1",
)
problems.add_to(api)
for verb in VERBS:
    api.default_router.add_api_operation(
        f"/{verb.name}",
        ["POST"],
        view_of(verb),
        operation_id=verb.name,
        summary=verb.summary,
        url_name=verb.name,
        openapi_extra=extra(verb),
    )


@public
@csrf_exempt
def elsewhere(_request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 - the path's name
    """Answer a program that asks for what is not there as it expects it."""
    return problems.not_found()


def _marked(pattern: URLPattern | URLResolver) -> URLPattern:
    assert isinstance(pattern, URLPattern)
    # No log-in: ninja asks each of these for the key, but for the document itself.
    public(pattern.callback)
    return pattern


_urls, _app, _namespace = api.urls
urlpatterns = [
    *map(_marked, _urls),
    path("<path:rest>", elsewhere),
]
app_name = _app
