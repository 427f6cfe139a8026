"""Where the owner's pages live."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from besnik.site.views.owner import (
    alerts,
    crm,
    document,
    exports,
    figures,
    home,
    imports,
    member,
    members,
    parts,
    places,
    preview,
    program,
    stock,
    sunset,
    versions,
    wizard,
)

_PROGRAM: list[URLPattern] = [
    path("", program.show, name="owner-program"),
    path("publish", program.publish, name="owner-program-publish"),
    path("discard", program.discard, name="owner-program-discard"),
    path("templates/", wizard.choose, name="owner-program-templates"),
    path("templates/<slug:template>", wizard.take, name="owner-program-take"),
    path("rules/new/<slug:kind>/", parts.rule, name="owner-rule-new"),
    path("rules/drop/<path:id>", parts.drop_rule, name="owner-rule-drop"),
    path("rules/edit/<path:id>", parts.rule, name="owner-rule"),
    path("rewards/new/", parts.reward, name="owner-reward-new"),
    path("rewards/drop/<path:id>", parts.drop_reward, name="owner-reward-drop"),
    path("rewards/edit/<path:id>", parts.reward, name="owner-reward"),
    path("tiers/", parts.tiers, name="owner-tiers"),
    path("terms/<slug:part>/", parts.term, name="owner-term"),
    path("preview/", preview.ask, name="owner-program-preview"),
    path("preview/<slug:key>/", preview.counting, name="owner-program-counting"),
    path("versions/", versions.history, name="owner-program-versions"),
    path("versions/<int:number>/", versions.version, name="owner-program-version"),
    path("document/", document.show, name="owner-program-document"),
    path("document/upload", document.upload, name="owner-program-upload"),
    path("document/program.json", document.download, name="owner-program-download"),
    path("end/", sunset.show, name="owner-program-end"),
    path("end/announce", sunset.announce, name="owner-program-announce"),
    path("end/recall", sunset.recall, name="owner-program-recall"),
]
_MEMBERS: list[URLPattern] = [
    path("", members.show, name="owner-members"),
    path("<slug:ref>/", member.show, name="owner-member"),
    path("<slug:ref>/cards/<int:card>", member.block, name="owner-member-block"),
    path("<slug:ref>/code", member.code, name="owner-member-code"),
    path("<slug:ref>/write", member.write, name="owner-member-write"),
    path("<slug:ref>/drop", member.drop, name="owner-member-drop"),
]
_FILES: list[URLPattern] = [
    path("imports/", imports.show, name="owner-imports"),
    path("imports/members.csv", imports.example, name="owner-import-example"),
    path("imports/send", imports.send, name="owner-import-send"),
    path("imports/<int:number>/", imports.one, name="owner-import"),
    path("imports/<int:number>/take", imports.take, name="owner-import-take"),
    path("imports/<int:number>/forget", imports.forget, name="owner-import-forget"),
    path("exports/", exports.show, name="owner-exports"),
    path("exports/members.csv", exports.members, name="owner-export-members"),
    path("exports/sales.csv", exports.sales, name="owner-export-sales"),
    path("exports/entries.csv", exports.entries, name="owner-export-entries"),
]
_CRM: list[URLPattern] = [
    path("", crm.show, name="owner-crm"),
    path("connect/", crm.choose, name="owner-crm-choose"),
    path("connect/<slug:adapter>/", crm.connect, name="owner-crm-connect"),
    path("trial/<slug:key>/", crm.trial, name="owner-crm-trial"),
    path("switch", crm.switch, name="owner-crm-switch"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.show, name="owner"),
    path("program/", include(_PROGRAM)),
    path("members/", include(_MEMBERS)),
    path("figures/", figures.show, name="owner-figures"),
    path("figures/figures.csv", figures.download, name="owner-figures-sheet"),
    path("places/", places.show, name="owner-places"),
    path("places/rename", places.rename, name="owner-place-rename"),
    path("places/shops", places.add_shop, name="owner-shop-add"),
    path("places/<slug:shop>/tills", places.add_till, name="owner-till-add"),
    path("places/tills/<int:till>/readers", places.add_reader, name="owner-reader-add"),
    path("stock/", stock.show, name="owner-stock"),
    path("stock/<path:reward>", stock.count, name="owner-stock-count"),
    path("alerts/", alerts.show, name="owner-alerts"),
    path("alerts/seen", alerts.see, name="owner-alert-see"),
    path("crm/", include(_CRM)),
    *_FILES,
]
