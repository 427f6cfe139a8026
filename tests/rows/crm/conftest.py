"""An owner who connects a CRM."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from rows.owner.conftest import Office
from support.notebook_crm import KEY, NAME, Notebook, published
from support.pos import Open, Pos
from support.programs import point_per_euro

if TYPE_CHECKING:
    from besnik.store.models import CrmRun, CrmSource


@pytest.fixture
def pos(open_shop: Open) -> Pos:
    """The till of a program that gives a point for a euro."""
    return open_shop(point_per_euro())


@pytest.fixture
def office(pos: Pos) -> Office:
    """Its owner's pages."""
    return Office(pos.program)


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    """A CRM whose adapter is installed, with nobody in it."""
    with published(tmp_path / "site-packages"):
        yield Notebook(tmp_path / "notebook.sqlite3")
    # Programs of other tests' databases have the same numbers.
    _secrets_file().unlink(missing_ok=True)


class Owner:
    """What an owner does about the CRM."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def source(self) -> CrmSource:
        """The program's CRM as it is kept."""
        from besnik.crm import choosing

        found = choosing.of(self.office.program)
        assert found is not None
        return found


class NotebookOwner(Owner):
    """One whose CRM is a notebook."""

    def __init__(self, office: Office, notebook: Notebook) -> None:
        super().__init__(office)
        self.notebook = notebook

    def test(self, card: str = "", key: str = KEY, file: str = "") -> str:
        """Press Test; return the words of what was found."""
        answer = self.office.post(
            f"crm/connect/{NAME}/", file=file or str(self.notebook.file), key=key, card=card
        )
        return self.office.read(answer.headers["Location"].removeprefix("/owner/"))


@pytest.fixture
def owner(office: Office, notebook: Notebook) -> NotebookOwner:
    """The owner, in front of the page."""
    return NotebookOwner(office, notebook)


def secrets_mode() -> int:
    """The permissions of the file of secrets."""
    return stat.S_IMODE(_secrets_file().stat().st_mode)


def _secrets_file() -> Path:
    return Path(settings.STATE) / "crm-secrets.json"


def import_all(owner: Owner, *, dry: bool = False, anew: bool = False) -> CrmRun:
    """Press the button and wait for the end."""
    from besnik.store.models import CrmRun

    answer = owner.office.post("crm/runs/start", dry="1" if dry else "0", anew="1" if anew else "0")
    run = CrmRun.objects.get(pk=answer.headers["Location"].split("/")[-2])
    wait_for(lambda: CrmRun.objects.get(pk=run.pk).state != "running", 60)
    run.refresh_from_db()
    return run


def wait_for(is_so: Callable[[], bool], timeout_s: float) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "it took too long"
        time.sleep(0.05)
