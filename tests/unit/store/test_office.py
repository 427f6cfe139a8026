"""``besnik staff`` and ``besnik audit``: the first owner, and whether anything was changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from besnik import cli
from besnik.store import audit
from besnik.store.models import AuditRecord, Program, Shop, Staff

SECRET = "correct horse battery"


def heard_until(process: subprocess.Popen[bytes], said: bytes, prompt: bytes) -> bytes:
    assert process.stdout is not None
    while not said.endswith(prompt):
        letter = process.stdout.read(1)
        assert letter, said.decode()
        said += letter
    return said


def test_the_first_owner_is_made_at_a_terminal(
    orm: str, state: Path, environment: dict[str, str]
) -> None:
    ours, theirs = os.openpty()
    command = ["staff", "add", "Anna", "--role", "owner", "--name", "Anna Hoxha"]
    with subprocess.Popen(
        [sys.executable, "-m", "besnik.cli", *command],
        env={**environment, "BESNIK_DATABASE_URL": orm},
        cwd=state,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # no terminal of ours is asked instead
    ) as process:
        os.close(theirs)
        said = b""
        # What is typed before it is asked for is thrown away.
        for prompt in (b"password: ", b"once more: "):
            said = heard_until(process, said, prompt)
            os.write(ours, f"{SECRET}\n".encode())
        said += process.communicate(timeout=30)[0]
        os.close(ours)
    assert process.returncode == 0, said.decode()
    assert "staff: anna is owner of Corner Coffee" in said.decode()
    assert SECRET not in said.decode()
    person = Staff.objects.get(username="anna")
    assert person.check_password(SECRET) and not person.must_change
    assert (person.role, person.name) == ("owner", "Anna Hoxha")


def test_without_a_terminal_no_password_is_taken(
    orm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["staff", "add", "anna", "--role", "owner"]) == 2
    assert "add --one-time to get a password" in capsys.readouterr().err
    assert not Staff.objects.filter(username="anna").exists()


def test_a_password_for_once(orm: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["staff", "add", "anna", "--role", "owner", "--one-time"]) == 0
    said = capsys.readouterr().out
    person = Staff.objects.get(username="anna")
    assert person.must_change
    password = said.split("first password is ")[1].split()[0]
    assert person.check_password(password)
    record = AuditRecord.objects.latest("pk")
    assert (record.action, record.staff, record.program) == ("staff.add", None, person.program)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Anna Hoxha", "--role", "owner"], "use 2 to 40 of a-z"),
        (["demo-owner", "--role", "owner"], "somebody has this user name already"),
        (["anna", "--role", "owner", "--program", "Nowhere"], "one of 'Corner Coffee'"),
    ],
)
def test_what_cannot_be_done_is_said(
    orm: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.main(["staff", "add", *arguments, "--one-time"]) == 2
    assert words in capsys.readouterr().err


def test_a_second_program_has_to_be_named(orm: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = Program.objects.create(name="Other")
    add = ["staff", "add", "anna", "--role", "owner", "--one-time"]
    assert cli.main(add) == 2
    assert "one of 'Corner Coffee', 'Other'" in capsys.readouterr().err
    assert cli.main([*add, "--program", "Other"]) == 0
    assert Staff.objects.get(username="anna").program == other


def test_an_empty_database_gets_its_program_by_name(
    orm: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Program.objects, "order_by", lambda *_: Program.objects.none())
    add = ["staff", "add", "anna", "--role", "owner", "--one-time"]
    assert cli.main(add) == 2
    assert "there is no program yet: name it" in capsys.readouterr().err
    assert cli.main([*add, "--program", "Bakery"]) == 0
    assert Staff.objects.get(username="anna").program.name == "Bakery"
    assert Shop.objects.filter(program__name="Bakery").count() == 0


def test_everybody_is_listed(orm: str, capsys: pytest.CaptureFixture[str]) -> None:
    Staff.objects.filter(role="lead").update(is_active=False)
    assert cli.main(["staff", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert any(line.startswith("demo-lead") and line.endswith("(left)") for line in lines)


def test_the_log_is_looked_through(orm: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = audit.record(None, "test.write")
    assert cli.main(["audit", "verify"]) == 0
    assert f"1 records, and nothing was changed; the newest is {record.hash}" in (
        capsys.readouterr().out
    )
    assert cli.main(["audit", "verify", "--holds", record.hash.upper()]) == 0
    assert cli.main(["audit", "verify", "--holds", "f" * 64]) == 1
    assert "the log was changed: a record that was there is no longer" in capsys.readouterr().err
