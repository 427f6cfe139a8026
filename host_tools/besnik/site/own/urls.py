"""Where a member's own pages live: all at the member's private link."""

from __future__ import annotations

from django.urls import URLPattern, path

from besnik.site.views import member

_link = "<slug:ref>/<slug:token>"

urlpatterns: list[URLPattern] = [
    path(_link, member.page, name="own"),
    path(f"{_link}/history", member.history, name="own-history"),
    path(f"{_link}/consents", member.agree, name="own-consents"),
    path(f"{_link}/language", member.language, name="own-language"),
    path(f"{_link}/comment", member.comment, name="own-comment"),
    path(f"{_link}/export.<slug:form>", member.export, name="own-export"),
    path(f"{_link}/leave", member.leave, name="own-leave"),
    path(f"{_link}/return", member.come_back, name="own-return"),
]
