"""The mappings that Besnik ships: each is whole, and asks its vendor's question for a card."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Any

import pytest

from besnik.crm.http.adapter import MAPPINGS, HttpCrm, OwnMapping
from support.json_server import Asked, JsonServer, Said

SHIPPED = sorted(file.stem for file in MAPPINGS.glob("*.toml"))
CARD = "04AA"
HOSTILE = "x' OR '1'='1"
# What is sent for two cards (one, where a request holds one): the query, or else the body.
QUESTIONS: dict[str, Any] = {
    "bottlecrm": {"cf_nfc_card_id": CARD, "limit": "20"},
    "directus": {
        "filter": {"nfc_card_id": {"_in": [CARD, HOSTILE]}},
        "fields": "id,name,points,nfc_card_id",
        "limit": "200",
    },
    "espocrm": {
        "where[0][type]": "in",
        "where[0][attribute]": "cNfcCardId",
        "where[0][value][]": HOSTILE,
        "select": "id,name,cNfcCardId,cPoints",
        "maxSize": "200",
    },
    "hubspot": {
        "idProperty": "nfc_card_id",
        "properties": ["firstname", "lastname", "nfc_card_id", "besnik_points"],
        "inputs": [{"id": CARD}, {"id": HOSTILE}],
    },
    "odoo": {
        "domain": [["x_nfc_card_id", "in", [CARD, HOSTILE]]],
        "fields": ["id", "name", "x_nfc_card_id", "x_points"],
        "limit": 200,
    },
    "salesforce": {
        "q": "SELECT Id,Name,NFC_Card__c,Loyalty_Points__c FROM Contact "
        r"WHERE NFC_Card__c IN ('04AA','x\' OR \'1\'=\'1') LIMIT 400"
    },
    "suitecrm": {
        "filter[nfc_card_id_c][eq]": CARD,
        "fields[Contacts]": "first_name,last_name,nfc_card_id_c,points_c",
        "page[size]": "20",
    },
    "zoho": {
        "select_query": "select id,Full_Name,NFC_Card,Loyalty_Points from Contacts "
        r"where NFC_Card in ('04AA','x\' OR \'1\'=\'1') limit 200"
    },
}


def adapter_of(name: str) -> type[HttpCrm]:
    (point,) = entry_points(group="besnik.crm", name=name)
    loaded = point.load()
    assert issubclass(loaded, HttpCrm)
    return loaded


def test_every_mapping_has_its_adapter_and_question() -> None:
    assert [adapter_of(name).mapping_name for name in SHIPPED] == SHIPPED
    assert sorted(QUESTIONS) == SHIPPED
    assert adapter_of("http") is OwnMapping


@pytest.mark.parametrize("name", SHIPPED)
def test_a_mapping_says_what_it_was_run_against_and_what_the_owner_does(name: str) -> None:
    mapping = adapter_of(name).mapping()
    ran_here = name in ("bottlecrm", "directus")
    assert mapping.tested == ("for real" if ran_here else "shapes only")
    assert mapping.source
    assert mapping.note.startswith(("In ", "Make "))
    assert any(setting.is_secret for setting in mapping.settings)
    assert all(setting.label for setting in mapping.settings)
    assert mapping.listing is not None
    assert mapping.create is not None


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_card_is_asked_for_as_the_vendor_wants_it(name: str) -> None:
    adapter = adapter_of(name)
    nothing = {"data": [], "results": [], "records": [], "list": []}

    def answer(asked: Asked) -> Said:
        if "token" in asked.path:
            return 200, {"access_token": "a-token", "expires_in": 3600}
        return 200, [] if name == "odoo" else nothing

    with JsonServer(answer) as server:
        settings = {"url": server.url, "accounts": server.url, "client_id": "us"}
        secrets = {each.name: "s3cret" for each in adapter.asks_for() if each.is_secret}
        crm = adapter.open_crm(settings, secrets)
        cards = [CARD, HOSTILE][: crm.capabilities.lookup_max]
        assert await crm.lookup_many(cards, []) == {}
        await crm.aclose()
    asked = server.asked[-1]
    sent = asked.body if asked.body is not None else dict(asked.query)
    if "filter" in sent:
        sent["filter"] = json.loads(sent["filter"])
    assert sent == QUESTIONS[name]
    assert "s3cret" not in asked.path + json.dumps(sent)
    assert set(asked.headers) & {"authorization", "x-api-key"}
