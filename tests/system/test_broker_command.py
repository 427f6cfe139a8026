"""``besnik broker`` and ``besnik fleet``: from besnik.toml to a reader that is let in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.broker import answers
from support.broker import free_port
from support.ear import Ear
from support.processes import Processes, Running, wait_until
from support.secure_broker import pair_of, tls_of


class Shop:
    """A shop's besnik.toml, and the commands that read it."""

    host = "127.0.0.1"

    def __init__(
        self,
        state: Path,
        processes: Processes,
        mosquitto: besnik_broker.Mosquitto,
        environment: dict[str, str],
    ) -> None:
        self.state = state
        self.port, self.readers_port = free_port(), free_port()
        self.passwords: dict[str, str] = {}
        self._processes = processes
        self._environment = {
            **environment,
            **mosquitto.environment,
            "PATH": f"{mosquitto.program.parent}:{environment['PATH']}",
            "BESNIK_CONFIG": str(state / "besnik.toml"),
        }

    def settings(self, *lines: str) -> None:
        (self.state / "besnik.toml").write_text(
            f'state = "{self.state}"\n[broker]\nport = {self.port}\n'
            f"readers_port = {self.readers_port}\n" + "\n".join(lines)
        )

    def with_passwords(self, *lines: str) -> None:
        """Do as the command says: put the passwords that it made into the settings."""
        self.settings(*lines)
        _, said = self.run("broker")
        given = [line for line in said.splitlines() if "_password = " in line]
        assert len(given) == 2, said
        self.passwords = {
            user: password.strip(' "')
            for user, password in (line.split("_password =") for line in given)
        }
        self.settings(*lines, *given)

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "besnik.cli", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self) -> Running:
        command = [sys.executable, "-m", "besnik.cli", "broker"]
        running = self._processes.start("broker", command, environment=self._environment)
        wait_until(lambda: answers(self.host, self.port) or not running.alive, "the broker answers")
        assert running.alive, running.log
        return running


@pytest.fixture
def shop(
    state: Path,
    processes: Processes,
    mosquitto: besnik_broker.Mosquitto,
    environment: dict[str, str],
) -> Shop:
    return Shop(state, processes, mosquitto, environment)


async def test_a_reader_comes_in_by_the_certificate_it_was_given(shop: Shop) -> None:
    shop.with_passwords()
    running = shop.start()
    assert shop.run("fleet", "cert", "counter-1")[0] == 0
    tls = tls_of(shop.state, pair_of(shop.state, "counter-1"))
    for user, door in (("counter-1", (shop.readers_port, tls)), ("bridge", None), ("site", None)):
        ear = Ear(shop, user, door=door)
        await ear.connect()
        await ear.close()
    assert running.stop() == 0


async def test_a_plain_reader_comes_in_by_its_password_until_plain_is_over(shop: Shop) -> None:
    shop.with_passwords("plain = true")
    status, said = shop.run("fleet", "password", "counter-1")
    assert status == 0
    config = json.loads(said.splitlines()[-1].removeprefix('"broker": '))
    assert (config["port"], config["plain"]) == (shop.port, True)
    shop.passwords["counter-1"] = config["password"]
    running = shop.start()
    assert "READERS WITHOUT TLS" in running.log
    ear = Ear(shop, "counter-1")
    await ear.connect()
    await ear.close()
    running.stop()

    file = shop.state / "besnik.toml"
    file.write_text(file.read_text().replace("plain = true", ""))
    shop.start()
    with pytest.raises(Exception, match="135"):  # MQTT 5: not authorised
        await Ear(shop, "counter-1").connect()


REFUSED: list[tuple[list[str], list[str], str]] = [
    (["broker"], ['host = "0.0.0.0"'], "[broker] host = '0.0.0.0': bridge and site speak"),
    (["broker"], ['host = "192.0.2.1"'], "readers_host"),
    (
        ["broker"],
        ['names = ["the shop"]', 'bridge_password = "x"', 'site_password = "y"'],
        "'the s",
    ),
    (["broker"], ["plain = 1"], "broker.plain = 1"),
    (["fleet", "password", "counter-1"], [], "only with [broker] plain = true"),
    (["fleet", "password", "bridge"], ["plain = true"], "is taken by the host"),
]


@pytest.mark.parametrize(("words", "lines", "complaint"), REFUSED)
def test_what_cannot_be_is_refused_with_what_can(
    shop: Shop, words: list[str], lines: list[str], complaint: str
) -> None:
    shop.settings(*lines)
    status, said = shop.run(*words)
    assert status == 1
    assert complaint in said
    assert "Traceback" not in said
