"""Where those who work here log in, see to their account, and to each other's."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from besnik.site.views import account, login

urlpatterns: list[URLPattern | URLResolver] = [
    path("login", login.page, name="login"),
    path("login/again", login.again, name="login-again"),
    path("login/demo", login.demo, name="login-demo"),
    path("logout", login.leave, name="logout"),
    path("session", login.session, name="session"),
    path("account/password", account.password, name="password"),
]
