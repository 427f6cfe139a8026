"""The pages' warning where readers speak MQTT without TLS."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def plain_mqtt(_request: HttpRequest) -> dict[str, bool]:
    """Return ``plain_mqtt`` for every template: whether besnik.toml lets readers in that way."""
    return {"plain_mqtt": settings.BESNIK.broker.plain}
