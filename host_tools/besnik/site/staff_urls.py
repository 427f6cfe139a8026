"""Where those who work here log in, see to their account, and to each other's."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from besnik.site.views import account, login
from besnik.site.views.owner import audit, staff

urlpatterns: list[URLPattern | URLResolver] = [
    path("login", login.page, name="login"),
    path("login/again", login.again, name="login-again"),
    path("login/demo", login.demo, name="login-demo"),
    path("logout", login.leave, name="logout"),
    path("session", login.session, name="session"),
    path("owner/staff/", staff.show, name="staff"),
    path("owner/staff/add", staff.add, name="staff-add"),
    path("owner/staff/<int:person>/", staff.person, name="staff-person"),
    path("owner/staff/<int:person>/change", staff.change, name="staff-change"),
    path("owner/staff/<int:person>/pin", staff.pin, name="staff-pin"),
    path("owner/staff/<int:person>/password", staff.password, name="staff-password"),
    path("owner/staff/<int:person>/activate", staff.activate, name="staff-activate"),
    path("owner/staff/<int:person>/deactivate", staff.deactivate, name="staff-deactivate"),
    path("owner/audit/", audit.show, name="audit"),
    path("owner/audit/audit.csv", audit.export, name="audit-export"),
    path("account/pin", account.pin, name="pin"),
    path("account/password", account.password, name="password"),
]
