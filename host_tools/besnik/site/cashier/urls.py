"""Where the pages of one till live, below its own address."""

from __future__ import annotations

from django.urls import URLPattern, path

from besnik.site.views import acts, cashier, customer, enrolling, finding, selling

_member = "members/<slug:member>/"

urlpatterns: list[URLPattern] = [
    path("", cashier.page, name="cashier"),
    path("events", cashier.events, name="cashier-events"),
    path("find", finding.find, name="cashier-find"),
    path("sale", selling.purchase, name="cashier-sale"),
    path("undo", acts.undo, name="cashier-undo"),
    path("enrol", enrolling.code, name="cashier-enrol"),
    path("taps/<int:tap>/enrol", enrolling.card, name="enrol"),
    path("customer/", customer.page, name="customer"),
    path("customer/events", customer.events, name="customer-events"),
    path(_member, cashier.member, name="cashier-member"),
    path(f"{_member}preview", selling.preview, name="cashier-preview"),
    path(f"{_member}purchase", selling.purchase, name="cashier-purchase"),
    path(f"{_member}attach", selling.attach, name="cashier-attach"),
    path(f"{_member}hold", acts.hold, name="cashier-hold"),
    path(f"{_member}commit", acts.commit, name="cashier-commit"),
    path(f"{_member}release", acts.release, name="cashier-release"),
    path(f"{_member}redeem", acts.redeem, name="cashier-redeem"),
    path(f"{_member}topup", acts.topup, name="cashier-topup"),
    path(f"{_member}pay", acts.pay, name="cashier-pay"),
    path(f"{_member}goodwill", acts.goodwill, name="cashier-goodwill"),
    path(f"{_member}refund", acts.refund, name="cashier-refund"),
    path(f"{_member}move", acts.move, name="cashier-move"),
    path(f"{_member}reverse", acts.reverse_later, name="cashier-reverse"),
    path(f"{_member}replace", acts.replace, name="cashier-replace"),
]
