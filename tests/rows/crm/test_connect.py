"""An owner chooses the CRM, pastes the key, and presses Test."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

import pytest
from django.conf import settings
from django.utils import timezone

from besnik.store.turn import Turn
from rows.crm.conftest import NotebookOwner, secrets_mode
from support.notebook_crm import KEY, NAME, Notebook, NotebookCrm

ANNA = "04A1B2C3D4E590"
HOUR: Final = dt.timedelta(hours=1)


def test_the_test_finds_a_customer_by_card_and_says_what_is_missing(owner: NotebookOwner) -> None:
    owner.notebook.add("Anna Arben", ANNA, notes="Likes oat milk", seen="2026-05-30")
    assert "From another publisher" in owner.office.read("crm/")
    said = owner.test("04:a1:b2:c3:d4:e5:90")
    assert f"Card {ANNA} belongs to Anna Arben" in said
    assert "Likes oat milk" in said
    assert "30 May 2026" in said
    assert "keeps no points" in said
    source = owner.source()
    assert (source.adapter, source.is_on) == (NAME, False)
    assert [field["name"] for field in source.offered] == ["notes", "seen", "points"]


def test_without_a_customer_it_says_what_to_do(owner: NotebookOwner) -> None:
    assert "No card was given" in owner.test()
    assert "Nobody there has this card" in owner.test(ANNA)
    owner.notebook.add("Anna", ANNA)
    owner.notebook.add("Ana", ANNA)
    said = owner.test(ANNA)
    assert "More than one customer there has this card" in said
    assert "Their numbers there: 1 · 2" in said
    owner.notebook.add(" ", "04A1B2C3D4E581", points=3)
    assert "has no name there" in owner.test("04A1B2C3D4E581")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "stolen"}, "It does not let us in"),
        ({"file": "/nowhere/notebook"}, "It does not answer"),
        ({"file": __file__}, "It answers what makes no sense"),
    ],
)
def test_what_does_not_work_is_said_in_plain_words(
    owner: NotebookOwner, wrong: dict[str, str], words: str
) -> None:
    assert words in owner.test(ANNA, **wrong)


def test_a_field_that_is_not_there_is_named_and_picked_from_those_there_are(
    owner: NotebookOwner,
) -> None:
    owner.notebook.add("Anna", ANNA, points=3, seen="7")
    page = f"crm/connect/{NAME}/"
    assert 'name="points_field" value="points"' in owner.office.get(page).content.decode()
    given = {"file": str(owner.notebook.file), "key": KEY, "card": ANNA}
    tested = owner.office.post(page, **given, points_field="stars").headers["Location"]
    said = owner.office.read(tested.removeprefix("/owner/"))
    assert "It cannot be used just now" in said
    assert "Field of the points: customers there have no field stars" in said
    key = tested.split("/")[-2]
    page = f"{page}?trial={key}"
    offered = owner.office.get(page).content.decode()
    assert '<option value="seen">Last contact (seen)</option>' in offered
    assert "stars (not found there)" in offered
    tested = owner.office.post(page, **given, points_field="seen").headers["Location"]
    said = owner.office.read(tested.removeprefix("/owner/"))
    assert "Points there 7" in said
    assert "have no field" not in said
    assert owner.source().settings["points_field"] == "seen"


def test_fields_of_a_test_that_failed_are_not_for_the_till(owner: NotebookOwner) -> None:
    page = f"crm/connect/{NAME}/"
    owner.notebook.add("Anna", ANNA)
    given = {"file": str(owner.notebook.file), "key": KEY, "card": ANNA, "points_field": "stars"}
    owner.office.post(page, **given)
    assert owner.source().offered == []


def test_an_adapter_that_fails_is_no_fault_of_the_page(
    owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> None:
        raise KeyError(KEY)

    monkeypatch.setattr(NotebookCrm, "describe", fails)
    said = owner.test()
    assert "It answers what makes no sense" in said
    assert "its adapter failed: KeyError" in said
    assert KEY not in caplog.text


def test_a_key_is_kept_apart_and_never_shown(
    owner: NotebookOwner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    owner.test()
    assert secrets_mode() == 0o600
    assert KEY not in str(owner.source().__dict__)
    for page in ("crm/", f"crm/connect/{NAME}/"):
        assert KEY.encode() not in owner.office.get(page).content
    assert KEY not in caplog.text
    # An empty field keeps the one there is, and other ones take its place.
    assert "answers and lets us in" in owner.test(key="")
    assert "does not let us in" in owner.test(key="another")
    assert "does not let us in" in owner.test(key="")


def test_a_crm_in_use_is_not_changed_to_what_does_not_work(owner: NotebookOwner) -> None:
    owner.test()
    owner.office.post("crm/switch", on="1")
    source = owner.source()
    assert source.is_on
    assert source.started_at is not None
    assert "The CRM in use stays as it was" in owner.test(key="wrong")
    assert "lets us in" in owner.test(key="")
    owner.office.post("crm/switch")
    assert not owner.source().is_on


def test_a_form_says_what_is_wrong(owner: NotebookOwner, notebook: Notebook) -> None:
    page = f"crm/connect/{NAME}/"
    answer = owner.office.post(page, status=422, file="", key="", card="08AABBCC")
    text = answer.content.decode()
    assert text.count('class="wrong" role="alert"') == 3
    owner.office.get("crm/connect/nothing/", status=404)


def test_only_owners_come_here(owner: NotebookOwner) -> None:
    from rows.owner.conftest import Office

    for role in ("manager", "auditor", "cashier"):
        Office(owner.office.program, role).get("crm/", status=403)


def test_the_page_says_why_a_crm_is_not_asked(owner: NotebookOwner) -> None:
    owner.test()
    owner.office.post("crm/switch", on="1")
    assert "Nobody speaks with it just now" in owner.office.read("crm/")
    turn = Turn(settings.BESNIK, "crm")
    turn.take()
    assert "In use" in owner.office.read("crm/")
    source = owner.source()
    source.why, source.retry_at = "the 7 requests of a day are used up", timezone.now() + HOUR
    source.save()
    said = owner.office.read("crm/")
    assert "Today’s requests are used up" in said
    assert "the 7 requests of a day are used up" in said
    source.retry_at -= 2 * HOUR
    source.save()
    assert "Today’s requests are used up" not in owner.office.read("crm/")
    turn.close()
