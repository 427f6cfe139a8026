"""Where each page lives."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from besnik.site.views import counter, crm_hook, invite, landing, language, readers, start, updates

handler500 = "besnik.site.views.wrong.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start.index, name="index"),
    path("language", language.switch, name="set_language"),
    path("", include("besnik.site.staff_urls")),
    path("cashier/<slug:shop>/<slug:till>/", include("besnik.site.cashier.urls")),
    path("counter/", counter.page, name="counter"),
    path("counter/events", counter.events, name="counter-events"),
    path("counter/cards/<slug:card>", counter.move, name="counter-move"),
    path("readers/", readers.page, name="readers"),
    path("readers/events", readers.events, name="readers-events"),
    path("readers/updates/", updates.page, name="updates"),
    path("readers/updates/events", updates.events, name="updates-events"),
    path("readers/updates/begin", updates.begin, name="update-begin"),
    path("readers/updates/<int:rollout>/stop", updates.stop, name="update-stop"),
    path("readers/updates/<int:rollout>/widen", updates.widen, name="update-widen"),
    path("readers/at/<slug:reader>/", readers.one, name="reader"),
    path("demo/", start.demo, name="demo"),
    path("m/", include("besnik.site.own.urls")),
    path("t", landing.card, name="own-card"),
    path("members/<slug:ref>/page", invite.show, name="member-invite"),
    path("members/<slug:ref>/page/renew", invite.renew, name="member-invite-renew"),
    path("crm/hook/<int:number>/<slug:token>", crm_hook.called, name="crm-hook"),
    path("owner/", include("besnik.site.owner.urls")),
    path("api/v1/", include("besnik.site.api.urls", namespace="api-v1")),
]
