"""``besnik.toml``: what is right is read, what is wrong is named with what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik import config


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BESNIK_CONFIG", raising=False)
    monkeypatch.delenv("BESNIK_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "besnik.toml") -> Path:
    file = Path(name)
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_everything_has_a_default() -> None:
    assert config.load() == config.Config()
    assert (config.load().broker.port, config.load().site.port) == (1883, 8000)
    assert (config.load().broker.readers_port, config.load().broker.plain) == (8883, False)


def test_the_file_in_this_folder_is_read() -> None:
    write('state = "here"\n[broker]\nhost = "broker.shop"\nport = 8883\n')
    assert config.load().broker == config.Broker("broker.shop", 8883)
    assert config.load().state == "here"


def test_the_keys_are_a_file_of_the_state_folder_unless_it_is_named() -> None:
    assert config.load().credentials.keys == "keys.toml"
    write('[credentials]\nkeys = "/etc/besnik/keys.toml"\n')
    assert config.load().credentials.keys == "/etc/besnik/keys.toml"


def test_the_environment_names_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[site]\nport = 8001\n")
    monkeypatch.setenv("BESNIK_CONFIG", str(write("[site]\nport = 8002\n", "other.toml")))
    assert config.load().site.port == 8002


def test_the_environment_names_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[database]\nurl = "sqlite:///a.sqlite3"\n')
    monkeypatch.setenv("BESNIK_DATABASE_URL", "postgres://besnik@db/besnik")
    assert config.load().database.url == "postgres://besnik@db/besnik"


WRONG = [
    ("[broker]\nport = 0", ["broker.port = 0", ">= 1"]),
    ("[broker]\nport = 70000", ["broker.port = 70000", "<= 65535"]),
    ('[broker]\nport = "1883"', ["broker.port = '1883'", "`int`"]),
    ("[broker]\nport = true", ["broker.port = True", "`int`"]),
    ('[broker]\nhost = ""', ["broker.host = ''", "length >= 1"]),
    ("[broker]\nplain = 1", ["broker.plain = 1", "`bool`"]),
    ('[broker]\nplain = "yes"', ["broker.plain = 'yes'", "`bool`"]),
    ('[broker]\nnames = "till"', ["broker.names = 'till'", "`array`"]),
    ('[broker]\nnames = [""]', ["broker.names", "length >= 1"]),
    ("[broker]\nreaders_port = 0", ["broker.readers_port = 0", ">= 1"]),
    ('[database]\nurl = "mysql://x/y"', ["database.url = 'mysql://x/y'", "sqlite:///", "postgres"]),
    ("[database]\nurl = 5", ["database.url = 5", "`str`"]),
    ("[site]\nprot = 8000", ["site", "prot"]),
    ("[sit]\nport = 8000", ["top level", "sit"]),
    ('[credentials]\nkeys = ""', ["credentials.keys = ''", "length >= 1"]),
    ("[credentials]\nkey = 1", ["credentials", "key"]),
    ('state = ""', ["state = ''", "length >= 1"]),
    ("broker = 3", ["broker = 3", "`object`"]),
    ("[broker\nport = 1", ["cannot be read as TOML", "line 1"]),
]


@pytest.mark.parametrize(("text", "named"), WRONG, ids=[text for text, _ in WRONG])
def test_a_wrong_setting_is_named_in_one_line(text: str, named: list[str]) -> None:
    write(text)
    with pytest.raises(config.ConfigError) as raised:
        config.load()
    message = str(raised.value)
    assert "\n" not in message
    assert all(part in message for part in ["besnik.toml", *named]), message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[broker]\nbridge_password = 12345678", "broker.bridge_password"),
        ('[database]\nurl = "postgress://besnik:12345678@db/besnik"', "database.url"),
    ],
)
def test_a_password_is_not_shown(text: str, key: str) -> None:
    write(text)
    with pytest.raises(config.ConfigError) as raised:
        config.load()
    assert key in str(raised.value)
    assert "12345678" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\xff\xfe", "utf-8"), (b"\x00", "TOML")],
)
def test_a_named_file_that_cannot_be_read(content: bytes | None, reason: str) -> None:
    if content is not None:
        Path("shop.toml").write_bytes(content)
    with pytest.raises(config.ConfigError, match=rf"shop\.toml.*{reason}"):
        config.load(Path("shop.toml"))


def test_a_database_url_from_the_environment_is_checked_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BESNIK_DATABASE_URL", "oracle://x")
    with pytest.raises(config.ConfigError, match=r"database\.url"):
        config.load()
