"""Long work beside taps: it reads without the writer, and begins anew if somebody has written."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import pytest

from besnik.store.database import sqlite_path
from support.store import settings_for

pytestmark = pytest.mark.usefixtures("orm")


@pytest.fixture
def tap(database_url: str) -> Callable[[], str]:
    """Write as somebody else, who does not wait; return what came of it."""
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has a writer for each row")
    path = sqlite_path(settings_for(database_url))

    def write() -> str:
        other = sqlite3.connect(path, timeout=0)
        try:
            with other:
                other.execute("UPDATE store_shop SET name = name || '+'")
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            other.close()
        return "written"

    return write


def renamed(meanwhile: Callable[[], str], seen: list[str]) -> None:
    from besnik.store.models import Program, Shop

    name = Shop.objects.order_by("pk").values_list("name", flat=True)[0]
    seen.append(meanwhile())
    Program.objects.update(name=name)


def names() -> tuple[str, str]:
    from besnik.store.models import Program, Shop

    program = Program.objects.order_by("pk").values_list("name", flat=True)[0]
    return program, Shop.objects.order_by("pk").values_list("name", flat=True)[0]


def test_whoever_writes_while_it_reads_does_not_wait_and_is_seen(tap: Callable[[], str]) -> None:
    from besnik.store.writer import Writer

    seen: list[str] = []
    once = iter([tap])
    Writer().write(lambda: renamed(next(once, lambda: "nobody"), seen))
    assert seen == ["written", "nobody"]
    program, shop = names()
    assert program == shop


def test_it_takes_the_writer_first_when_it_was_overtaken_again_and_again(
    tap: Callable[[], str],
) -> None:
    from besnik.store.writer import Writer

    seen: list[str] = []
    Writer().write(lambda: renamed(tap, seen))
    assert seen == ["written"] * 3 + ["database is locked"]
    program, shop = names()
    assert program == shop


def test_what_it_wrote_is_undone_with_it(tap: Callable[[], str]) -> None:
    from besnik.store.models import Program
    from besnik.store.writer import Writer

    def fail() -> None:
        Program.objects.update(name="half")
        raise KeyError

    with pytest.raises(KeyError):
        Writer().write(fail)
    assert names()[0] != "half"
    assert tap() == "written"


def test_only_what_it_held_is_rested_for(tap: Callable[[], str]) -> None:
    """Reading, however long, keeps nobody waiting."""

    from besnik.store.models import Program
    from besnik.store.writer import Writer

    writer = Writer(times=1)

    def slow() -> None:
        Program.objects.first()
        time.sleep(0.4)
        Program.objects.update(name="written")

    writer.write(slow)
    began_s = time.monotonic()
    writer.rest()
    assert time.monotonic() - began_s < 0.3
    assert tap() == "written"
