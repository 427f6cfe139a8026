"""The ASGI application: static files, Django, and the live hub while they are served."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from besnik.site import catalogues
from besnik.site.assets import Assets
from besnik.site.hub import hub

_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[Any], Awaitable[None]]

catalogues.compile_stale(settings.STATE / "locale")
_django = get_asgi_application()
_assets = Assets()


async def application(scope: _Message, receive: _Receive, send: _Send) -> None:
    """Serve static files and, by Django, pages; start and stop the hub with the server."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif (file := _assets.get(scope)) is not None:
        await _assets.serve(file, scope, send)
    else:
        await _django(scope, receive, send)


async def _lifespan(receive: _Receive, send: _Send) -> None:
    await receive()
    hub.start(settings.BESNIK.broker)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})
