"""Settings that protect: the key, the hosts, the headers."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from besnik.site.secret import secret_key
from besnik.site.timezone import local_zone_name


def test_the_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: secret_key(state), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    (file,) = state.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_foreign_host_name_is_refused(client: Client) -> None:
    assert client.get("/", HTTP_HOST="localhost").status_code == 200
    assert client.get("/", HTTP_HOST="evil.example").status_code == 400


def test_a_site_for_every_address_answers_to_this_machine_s_names_only() -> None:
    from besnik.site.settings import _allowed_hosts

    names = _allowed_hosts("0.0.0.0")
    assert "localhost" in names
    assert "*" not in names
    assert _allowed_hosts("::1")[-1] == "[::1]"


@pytest.mark.parametrize("path", ["/", "/cashier/corner/till-1/", "/nowhere"])
def test_every_answer_forbids_what_is_not_ours(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; object-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_cookies_are_kept_from_scripts_and_other_sites(client: Client) -> None:
    cookie = client.get("/").cookies["csrftoken"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"


@pytest.mark.parametrize("tls", ["true", "false"])
def test_cookies_go_by_https_only_where_that_is_all_there_is(
    tmp_path: Path, environment: dict[str, str], tls: str
) -> None:
    file = tmp_path / "besnik.toml"
    file.write_text(f'state = "{tmp_path}"\n[site]\ntls = {tls}\n', encoding="utf-8")
    code = (
        "from besnik.site import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "BESNIK_CONFIG": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == [tls.title(), tls.title(), "True"]


def test_debugging_is_off() -> None:
    assert settings.DEBUG is False


def test_the_time_zone_is_the_machine_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Europe/Tirane")
    monkeypatch.delenv("TZ", raising=False)
    assert local_zone_name(localtime) == "Europe/Tirane"
    assert local_zone_name(tmp_path / "absent") == "UTC"
    monkeypatch.setenv("TZ", ":Asia/Tehran")
    assert local_zone_name(localtime) == "Asia/Tehran"
    monkeypatch.setenv("TZ", "nonsense")
    assert local_zone_name(localtime) == "Europe/Tirane"
