"""A stranger's CRM: one SQLite file, and the adapter that a package of its own publishes.

It is a whole one, only small: what the owner's pages do with a CRM is tested on it without a
server's start. `published` puts its package where Python looks for packages.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from besnik.crm.foreign import (
    Ambiguous,
    Capabilities,
    CrmAnswerError,
    CrmAwayError,
    CrmRefusedError,
    CrmSettingsError,
    Customer,
    Delivered,
    Field,
    Found,
    Health,
    NewCustomer,
    Page,
    Setting,
    Visit,
)

NAME = "notebook"
KEY = "open-sesame-7"
PAGE = 50
_TABLES = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, points INTEGER, notes TEXT, seen TEXT);
CREATE TABLE card (customer INTEGER, number TEXT);
CREATE TABLE event (id TEXT PRIMARY KEY, customer INTEGER, points INTEGER, balance INTEGER);
"""
_FIELDS = (
    Field("notes", "Notes"),
    Field("seen", "Last contact", "date"),
    Field("points", "Points", "number"),
)


class Notebook:
    """The CRM itself, as people use it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with closing(sqlite3.connect(file)) as db:
            db.executescript(_TABLES)

    def add(
        self, name: str, *cards: str, points: int | None = None, notes: str = "", seen: str = ""
    ) -> str:
        """Make a customer; return the id."""
        with closing(sqlite3.connect(self.file)) as db, db:
            row = db.execute(
                "INSERT INTO customer (name, points, notes, seen) VALUES (?, ?, ?, ?)",
                (name, points, notes, seen),
            ).lastrowid
            db.executemany("INSERT INTO card VALUES (?, ?)", [(row, card) for card in cards])
        return str(row)

    def give(self, customer: str, card: str) -> None:
        """Give a customer one more card."""
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute("INSERT INTO card VALUES (?, ?)", (customer, card))

    def take(self, customer: str, card: str) -> None:
        """Take a card from a customer."""
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute("DELETE FROM card WHERE customer = ? AND number = ?", (customer, card))

    def fill(self, count: int) -> None:
        """Make so many customers with a card and 10 points each."""
        with closing(sqlite3.connect(self.file)) as db, db:
            numbers = range(1, count + 1)
            db.executemany(
                "INSERT INTO customer (id, name, points) VALUES (?, ?, 10)",
                [(number, f"Customer {number}") for number in numbers],
            )
            db.executemany(
                "INSERT INTO card VALUES (?, ?)",
                [(number, f"04{number:010X}80") for number in numbers],
            )

    def change(self, customer: str, **columns: object) -> None:
        """Change columns of a customer."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute(f"UPDATE customer SET {names} WHERE id = ?", (*columns.values(), customer))

    def remove(self, customer: str) -> None:
        """Delete a customer."""
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute("DELETE FROM customer WHERE id = ?", (customer,))
            db.execute("DELETE FROM card WHERE customer = ?", (customer,))

    def events(self, customer: str) -> list[tuple[str, int, int | None]]:
        """Return what was written of a customer: id, points, balance."""
        with closing(sqlite3.connect(self.file)) as db:
            return db.execute(
                "SELECT id, points, balance FROM event WHERE customer = ? ORDER BY rowid",
                (customer,),
            ).fetchall()

    def stop(self) -> None:
        """Lend the notebook to somebody."""
        self.file.rename(self.file.with_name("lent"))

    def start(self) -> None:
        """Get it back."""
        self.file.with_name("lent").rename(self.file)


class NotebookCrm:
    """The adapter to it."""

    capabilities = Capabilities(idempotent_writes=True)

    def __init__(self, file: Path, key: str, points: str = "points") -> None:
        self._file, self._key, self._points = file, key, points

    @classmethod
    def open_crm(cls, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """See ForeignCrm."""
        if "file" not in settings:
            raise CrmSettingsError("file: name the notebook's file")
        points = settings.get("points_field", "points")
        return cls(Path(settings["file"]), secrets.get("key", ""), points)

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        """See ForeignCrm."""
        return (
            Setting("file", "File", help="Where the notebook is kept.", is_place=True),
            Setting("key", "Key", is_secret=True),
            Setting(
                "points_field",
                "Field of the points",
                default="points",
                is_needed=False,
                is_field=True,
            ),
        )

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Mapping[str, Found]:
        """See ForeignCrm."""
        found: dict[str, Found] = {}
        with self._open() as db:
            for card in cards:
                rows = db.execute(
                    "SELECT DISTINCT customer FROM card WHERE number = ?", (card,)
                ).fetchall()
                if len(rows) > 1:
                    found[card] = Ambiguous(tuple(str(row[0]) for row in rows))
                elif rows:
                    (found[card],) = self._customers(db, "id = ?", rows[0], fields)
        return found

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Customer]:
        """See ForeignCrm."""
        with self._open() as db:
            customers = [
                one for id in ids for one in self._customers(db, "id = ?", (int(id),), fields)
            ]
        return {one.id: one for one in customers}

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        """See ForeignCrm."""
        del again  # no event is twice in the table
        done = []
        with self._open() as db, db:
            for visit in visits:
                written = db.execute(
                    "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)",
                    (visit.event_id, visit.customer, visit.points, visit.balance),
                ).rowcount
                if visit.balance is not None:
                    db.execute(
                        f"UPDATE customer SET [{self._points}] = ? WHERE id = ?",
                        (visit.balance, visit.customer),
                    )
                done.append(Delivered(visit.event_id, "done" if written else "already"))
        return done

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        """See ForeignCrm."""
        del again  # the answer is the same
        return [Delivered(one.event_id, "refused", "nobody is added by others") for one in new]

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        """See ForeignCrm."""
        with self._open() as db:
            found = self._customers(
                db, f"id > ? ORDER BY id LIMIT {PAGE}", (int(after or 0),), fields
            )
        return Page(tuple(found), found[-1].id if len(found) == PAGE else None)

    async def describe(self) -> Sequence[Field]:
        """See ForeignCrm."""
        with self._open() as db:
            db.execute("SELECT 1 FROM customer")
        return _FIELDS

    async def health(self) -> Health:
        """See ForeignCrm."""
        try:
            with self._open() as db:
                self._customers(db, "id = 1", (), ())
            return Health(ok=True)
        except (CrmAwayError, CrmRefusedError, CrmAnswerError) as error:
            return Health(ok=False, why=str(error))

    async def aclose(self) -> None:
        """See ForeignCrm."""

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if self._key != KEY:
            raise CrmRefusedError("the notebook does not open by this key")
        if not self._file.exists():
            raise CrmAwayError("the notebook is not where it should be")
        with closing(sqlite3.connect(self._file)) as db:
            try:
                yield db
            except sqlite3.DatabaseError as error:
                raise CrmAnswerError(f"this is no notebook: {error}") from error

    def _customers(
        self, db: sqlite3.Connection, where: str, values: Sequence[object], fields: Sequence[str]
    ) -> list[Customer]:
        rows = db.execute(
            f"SELECT id, name, points, notes, seen, [{self._points}] FROM customer WHERE {where}",
            values,
        ).fetchall()
        made = []
        for id, name, written, notes, seen, points in rows:
            known = {"notes": notes, "seen": seen, "points": written}
            cards = db.execute("SELECT number FROM card WHERE customer = ?", (id,)).fetchall()
            made.append(
                Customer(
                    str(id),
                    name,
                    tuple(card for (card,) in cards),
                    None if points is None else int(points),
                    {field: known[field] for field in fields if field in known},
                )
            )
        return made


@contextmanager
def published(folder: Path) -> Iterator[None]:
    """Within this context a package in ``folder`` offers the adapter, as a stranger's would."""
    info = folder / "notebook_crm-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: notebook-crm\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[besnik.crm]\n{NAME} = support.notebook_crm:NotebookCrm\n"
    )
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
