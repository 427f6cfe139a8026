"""The demo's log-in by one click: in the demo, from its own machine, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from besnik import config
from besnik.store import staff
from besnik.store.models import AuditRecord, Role, Staff


@pytest.fixture
def in_demo() -> Iterator[None]:
    before = settings.BESNIK
    site = msgspec.structs.replace(before.site, demo_login=True)
    settings.BESNIK = msgspec.structs.replace(before, site=site)
    yield
    settings.BESNIK = before


def click(client: Client, role: str = "cashier", address: str = "127.0.0.1") -> HttpResponse:
    return client.post(  # type: ignore[return-value]
        "/login/demo", {"role": role, "next": "/readers/"}, REMOTE_ADDR=address
    )


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("role", Role.values)
def test_one_click_makes_somebody_of_a_visitor(anonymous: Client, role: str) -> None:
    page = anonymous.get(anonymous.get("/demo/")["Location"]).content.decode()
    assert f'name="role" value="{role}"' in page
    assert "besnik staff add" not in page
    answer = click(anonymous, role)
    assert (answer.status_code, answer["Location"]) == (302, "/readers/")
    assert anonymous.get("/").status_code == 200
    assert AuditRecord.objects.latest("pk").action == "login.demo"


def test_outside_of_the_demo_there_is_no_such_thing(anonymous: Client) -> None:
    assert 'name="role"' not in anonymous.get("/login").content.decode()
    assert click(anonymous).status_code == 404
    assert anonymous.get("/").status_code == 302


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.2", "2001:db8::1", "", "localhost"])
def test_from_another_machine_there_is_no_such_thing(anonymous: Client, address: str) -> None:
    page = anonymous.get("/login", REMOTE_ADDR=address).content.decode()
    assert 'name="role"' not in page
    assert click(anonymous, address=address).status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_whoever_has_a_password_needs_it(anonymous: Client) -> None:
    cashier, owner = (Staff.objects.get(role=role) for role in ("cashier", "owner"))
    staff.reset_password(cashier, by=owner)
    assert click(anonymous).status_code == 404
    assert click(anonymous, "owner").status_code == 302
    assert click(anonymous, "janitor").status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_a_form_from_elsewhere_logs_nobody_in(orm: str) -> None:
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert click(strict).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "shop.example"])
def test_a_site_that_others_can_reach_refuses_the_setting(host: str) -> None:
    with pytest.raises(ValueError, match="demo_login lets anybody in without a password"):
        config.Site(host=host, demo_login=True)
    assert config.Site(demo_login=True).demo_login
    assert not config.Site().demo_login
