"""Evidence in one SQLite file: what a single machine searches.

Readers and writers do not wait for each other (write-ahead log), and a put is on the disk when it returns: it survives
`kill -9` of everybody, and a loss of power as far as the disk keeps what it acknowledged (`synchronous=FULL`). The file
may come from a stranger: it must have exactly the tables that this program makes, and nothing that would run.
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import quote

from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.store import Piece
from navicert.store.database import AFTER_ALL, Damaged, Row, Session
from navicert.store.deposit import DatabaseStore
from navicert.store.schema import INDEX, MEMORY, TABLES, VERSION, Mark, refuse_newer, statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

APPLICATION: Final = 0x4E617643
"""What `PRAGMA application_id` says of our files."""

_WORDS: Final = {
    # Numbers are never given out again, so that no index entry can come to mean another document.
    "identity": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "bytes": "BLOB",
    "clustered": " WITHOUT ROWID",
}
_TABLES: Final = tuple(statements(TABLES, _WORDS))
_INDEX: Final = tuple(statements(INDEX, _WORDS))
_MEMORY: Final = tuple(statements(MEMORY, _WORDS))
_OWN: Final = ("CREATE TABLE sqlite_sequence(name,seq)",)
"""What SQLite makes by itself."""

_CACHE_KIB: Final = 65_536
"""Pages of the index that are kept in memory, so that adding to a large store does not read it again and again."""


_LOG_PAGES: Final = 16_384
"""Pages that the log may hold before they go to their places: what many puts change again and again goes once."""


class _Session:
    """One transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(statement, tuple(parameters)).fetchall()

    def keep(self, documents: Mapping[bytes, bytes]) -> tuple[dict[bytes, int], list[bytes]]:
        insert = "INSERT INTO document (digest, raw) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING RETURNING id"
        numbers: dict[bytes, int] = {}
        known = []
        for digest, raw in documents.items():
            made = self.rows(insert, (digest, raw))
            if not made:
                known.append(digest)
                made = self.rows("SELECT id FROM document WHERE digest = ?", (digest,))
            numbers[digest] = int(str(made[0][0]))
        return numbers, known

    def file(self, filings: Sequence[Row]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO filing VALUES (?, ?, ?, ?, ?)", filings)

    def mark(self, marks: Sequence[Mark]) -> None:
        # In the order of the index, so that each of its pages is touched once.
        self._connection.executemany("INSERT OR IGNORE INTO mark VALUES (?, ?, ?, ?)", sorted(marks))

    def newest(self, trait: int, texts: Sequence[int], step: int | None, most: int) -> dict[int, list[int]]:
        asked = "SELECT document FROM mark WHERE trait = ? AND text = ?"
        asked += "" if step is None else " AND step = ?"
        more = () if step is None else (step,)
        statement = f"{asked} ORDER BY document DESC LIMIT ?"
        return {
            text: [int(row[0]) for row in self._connection.execute(statement, (trait, text, *more, most))]
            for text in texts
        }


class SqliteStore(DatabaseStore):
    """The file `path`, made when something is first put there. May be used from several threads and processes."""

    def __init__(self, path: str, limits: Limits = LOCAL) -> None:
        super().__init__(path, limits)
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that reads. Raises `Malformed` where there is no such store, `Refused` for a newer one, and
        `Unavailable`."""
        with self._lock, self._transaction("BEGIN") as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes; on the disk when it ends. Raises as `reading` does."""
        with self._lock:
            if self._connection is None and not os.path.lexists(self.path):
                self._make()
            # Whoever is to write says so at once: two who began by reading could only refuse each other.
            with self._transaction("BEGIN IMMEDIATE") as session:
                yield session

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def salvage(self, after: int, below: int = AFTER_ALL) -> Iterator[Piece]:
        """The pieces of a damaged file, one by one. Raises `Unavailable` where nothing tells how many there are."""
        for number in range(after + 1, min(self._last() + 1, below)):
            yield from self.fetch_damaged(number)

    def _last(self) -> int:
        """The largest number that a document has."""
        problem: Damaged | None = None
        for statement in (
            "SELECT seq FROM sqlite_sequence WHERE name = 'document'",
            "SELECT max(id) FROM document",
            "SELECT max(document) FROM filing",
        ):
            try:
                with self.reading() as session:
                    found = session.rows(statement)
            except Damaged as error:
                problem = error
                continue
            if found and isinstance(found[0][0], int):
                return found[0][0]
        raise problem or Damaged("damaged database", path=self.path)

    # --- connections -----------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[_Session]:
        with self._said():
            connection = self._open()
            connection.execute(begin)
            try:
                # Somebody with a newer program may have been here since the file was opened.
                self._check_version(connection)
                yield _Session(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if not os.path.isfile(self.path):
                raise Malformed("no such store", path=self.path, expected="an SQLite file of evidence")
            writable = True
            try:
                connection = self._connect("mode=rw")
            except sqlite3.OperationalError:
                # A place that cannot be written to: there nobody else writes either, unless a log is left over.
                if os.path.exists(f"{self.path}-wal") and os.path.getsize(f"{self.path}-wal"):
                    raise
                connection, writable = self._connect("mode=ro&immutable=1"), False
            try:
                self._prepare_connection(connection, writable=writable)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        name = f"file:{quote(os.fsencode(os.path.abspath(self.path)))}?{mode}"
        connection = sqlite3.connect(
            name, timeout=self.limits.store_seconds, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_connection(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        """Check that this is a store, and bring an older one up to date; without its memory it can be read as well."""
        if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
            raise Malformed("not an evidence store", path=self.path, expected="an SQLite file that navicert made")
        version = self._check_version(connection)
        if version < (VERSION if writable else 1):
            self._migrate(connection)
            version = VERSION
        self._check_schema(connection, version)

    def _check_version(self, connection: sqlite3.Connection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version < 0:
            raise Malformed("not an evidence store", path=self.path, got=f"schema version {version}")
        refuse_newer(version, self.path)
        return version

    def _check_schema(self, connection: sqlite3.Connection, version: int) -> None:
        """Raise `Malformed` for any table, view or trigger that is not ours: some of them run when a table is used."""
        expected = {*_TABLES, *_OWN, *(_INDEX if version else ()), *(_MEMORY if version > 1 else ())}
        found = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
        if found != expected:
            odd = sorted(str(one).split("(")[0].strip() for one in found ^ expected)
            raise Malformed("not an evidence store: its tables are others", path=self.path, got=odd[0][:80])

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring older tables up to date, in one transaction: others see the old ones or the new ones."""
        self._check_schema(connection, self._check_version(connection))
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._check_version(connection)
            for statement in (*(_INDEX if version < 1 else ()), *(_MEMORY if version < VERSION else ())):
                connection.execute(statement)
            if version < 1:
                self.index(_Session(connection))
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _make(self) -> None:
        """Make the file, complete from the moment at which it can be seen: others may be making it too."""
        folder = os.path.dirname(self.path) or "."
        temporary = os.path.join(folder, f".navicert-{secrets.token_hex(8)}")
        with self._said():
            try:
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666))
                with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute(f"PRAGMA application_id = {APPLICATION}")
                    connection.execute("BEGIN")
                    for statement in (*_TABLES, *_INDEX, *_MEMORY):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {VERSION}")
                    connection.execute("COMMIT")
                os.link(temporary, self.path)
            except FileExistsError:
                return  # somebody else was quicker: theirs is as good
            except OSError as error:
                what = "cannot be made" if error.errno != errno.EPERM else "cannot be made: no hard links here"
                got = (error.strerror or "failed").lower()
                raise Unavailable(what, path=self.path, got=got, remedy="name a file on a local disk") from error
            finally:
                for leftover in (temporary, f"{temporary}-wal", f"{temporary}-shm"):
                    if os.path.lexists(leftover):
                        os.unlink(leftover)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Errors of SQLite in our words."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            got = str(error)
            if code == sqlite3.SQLITE_NOTADB:
                raise Malformed("not an evidence store", path=self.path, got=got) from error
            if code == sqlite3.SQLITE_CORRUPT:
                raise Damaged(
                    "damaged database", path=self.path, got=got, remedy="put what can be read into a new store"
                ) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                waited = f"{self.limits.store_seconds} s (limit store_seconds)"
                raise Unavailable(f"others write to it; gave up after {waited}", path=self.path, got=got) from error
            raise Unavailable("cannot be used", path=self.path, got=got) from error
