"""Evidence in PostgreSQL: what many machines write and many people search.

The tables are those of SQLite, in the schema `navicert`. Who connects, and how, libpq decides as it does for every
program: password file, service file, certificates. Where it connects to is in the URI, never in the environment. A put
is on the server's disk when it returns (`synchronous_commit`).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.store.database import Interrupted, Row, Session
from navicert.store.deposit import DatabaseStore
from navicert.store.schema import INDEX, MEMORY, TABLES, VERSION, Mark, refuse_newer, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

_WORDS: Final = {
    "identity": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "bytes": "BYTEA",
    "clustered": "",
}
_LOCK: Final = 0x4E617643
"""The advisory lock under which tables are made and migrated."""

_NEWEST: Final = (
    "SELECT asked.text, hit.document FROM unnest(?::bigint[]) AS asked (text) CROSS JOIN LATERAL "
    "(SELECT m.document FROM mark m WHERE m.trait = ? AND m.text = asked.text ORDER BY m.document DESC LIMIT ?) AS hit"
)
_NEWEST_OF_STEP: Final = _NEWEST.replace("asked.text ORDER", "asked.text AND m.step = ? ORDER")

_CONNECT_SECONDS: Final = 10


class _Session:
    """One transaction of PostgreSQL. Parameters travel apart from statements."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        # No statement of ours holds a question mark or a per cent sign of its own.
        cursor = self._connection.execute(statement.replace("?", "%s").encode(), tuple(parameters))
        return cursor.fetchall() if cursor.description else []

    def keep(self, documents: Mapping[bytes, bytes]) -> tuple[dict[bytes, int], list[bytes]]:
        made = self.rows(
            "INSERT INTO document (digest, raw) SELECT * FROM unnest(?::bytea[], ?::bytea[]) "
            "ON CONFLICT (digest) DO NOTHING RETURNING digest, id",
            [list(documents), list(documents.values())],
        )
        numbers = _numbers(made)
        known = [digest for digest in documents if digest not in numbers]
        if known:
            # Committed by somebody else: the insertion has waited for that.
            numbers |= _numbers(self.rows("SELECT digest, id FROM document WHERE digest = ANY(?::bytea[])", [known]))
        return numbers, known

    def file(self, filings: Sequence[Row]) -> None:
        columns = [list(column) for column in zip(*filings, strict=True)]
        self.rows(
            "INSERT INTO filing SELECT * FROM "
            "unnest(?::bigint[], ?::text[], ?::text[], ?::text[], ?::bigint[]) ON CONFLICT DO NOTHING",
            columns,
        )

    def mark(self, marks: Sequence[Mark]) -> None:
        if marks:
            columns = [list(column) for column in zip(*sorted(marks), strict=True)]
            self.rows(
                "INSERT INTO mark SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) "
                "ON CONFLICT DO NOTHING",
                columns,
            )

    def newest(self, trait: int, texts: Sequence[int], step: int | None, most: int) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        rows = self.rows(
            _NEWEST if step is None else _NEWEST_OF_STEP,
            [list(texts), trait, *(() if step is None else (step,)), most],
        )
        for text, document in rows:
            found.setdefault(int(str(text)), []).append(int(str(document)))
        return {text: sorted(documents, reverse=True) for text, documents in found.items()}


def _numbers(rows: Sequence[Row]) -> dict[bytes, int]:
    return {digest: int(str(number)) for digest, number in rows if isinstance(digest, bytes)}


class PostgresStore(DatabaseStore):
    """The database at `uri`, `postgresql://[USER@]HOST[:PORT]/DATABASE`. May be used from several threads.

    Raises `Malformed` for a URI that leaves open where it leads, or that holds a password, and `Unavailable` where
    psycopg is not installed.
    """

    def __init__(self, uri: str, limits: Limits = LOCAL) -> None:
        self._settings = _settings(uri, limits)
        host, name = self._settings.get("host", ""), self._settings.get("dbname", "")
        where = f"service {self._settings['service']}" if "service" in self._settings else f"//{host}/{name}"
        super().__init__(f"postgresql:{where}", limits)
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Row] | None = None
        self._checked = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that reads. Raises `Malformed` where the database holds no store, `Refused` for a newer one,
        and `Unavailable`."""
        with self._transaction() as session:
            if not self._checked:
                version = self._version(session)
                if version is None:
                    raise Malformed(
                        "no evidence store in this database", path=self.label, remedy="put something into it"
                    )
                if version < 1:  # without its memory it can be read as well, by whoever may only read
                    self._make(session)
            yield session
        # Once for each connection: what is read is checked document by document anyway.
        self._checked = True

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes; on the server's disk when it ends. Raises as `reading` does."""
        with self._transaction() as session:
            if self._version(session) != VERSION:
                self._make(session)
            yield session

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._checked = False

    # --- tables ----------------------------------------------------------------------------------------------------

    def _version(self, session: Session) -> int | None:
        """The version of the tables; None where there are none."""
        # Asked of the catalogue as of a table: by name (to_regclass), a server process may go on believing, within a
        # transaction, that there is none, after another one has made it.
        tables = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'navicert' AND tablename = 'schema_version'"
        if not session.rows(tables):
            return None
        rows = session.rows("SELECT max(version) FROM schema_version")
        version = int(str(rows[0][0])) if rows[0][0] is not None else -1
        if version < 0:
            raise Malformed("not an evidence store: its version is missing", path=self.label)
        refuse_newer(version, self.label)
        return version

    def _make(self, session: Session) -> None:
        """Make the tables, or bring older ones up to date, while nobody else does."""
        session.rows("SELECT pg_advisory_xact_lock(?)", [_LOCK])
        version = self._version(session)
        if version is None:
            made = ["CREATE SCHEMA IF NOT EXISTS navicert"]
            made += [one for text in (TABLES, INDEX, MEMORY) for one in statements(text, _WORDS)]
            made.append("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            for statement in made:
                session.rows(statement)
            session.rows("INSERT INTO schema_version VALUES (?)", [VERSION])
        elif version < VERSION:
            for text in (*((INDEX,) if version < 1 else ()), MEMORY):
                for statement in statements(text, _WORDS):
                    session.rows(statement)
            if version < 1:
                self.index(session)
            session.rows("UPDATE schema_version SET version = ?", [VERSION])

    # --- connections -----------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[_Session]:
        with self._lock, self._said():
            connection = self._open()
            with connection.transaction():
                yield _Session(connection)

    def _open(self) -> psycopg.Connection[Row]:
        import psycopg
        from psycopg.conninfo import make_conninfo

        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(make_conninfo("", **self._settings), autocommit=True)
            try:
                # Whatever others have put into this database, a name of ours means what is in our schema.
                connection.execute("SET search_path = navicert")
                connection.execute("SET synchronous_commit = on")
                connection.execute(f"SET lock_timeout = '{self.limits.store_seconds}s'".encode())
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Errors of the server in our words."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            got = " ".join(str(error).split())[:300]
            lost = self._connection is not None and self._connection.closed
            if lost:
                self.close()
            # The last: a document was removed while it was put again.
            crossed = (
                psycopg.errors.SerializationFailure,
                psycopg.errors.DeadlockDetected,
                psycopg.errors.ForeignKeyViolation,
            )
            if lost or isinstance(error, crossed):
                raise Interrupted("was interrupted", path=self.label, got=got) from error
            remedy = "see that the server runs, and who may connect" if self._connection is None else ""
            raise Unavailable("cannot be used", path=self.label, got=got, remedy=remedy) from error


def _settings(uri: str, limits: Limits) -> dict[str, str]:
    """The connection settings of `uri`. What it leaves out is not looked up in the environment where it would decide
    which database is meant."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise Unavailable(
            "PostgreSQL needs psycopg, which is not installed", path="--store", remedy="pip install navicert[postgres]"
        ) from error
    scheme, colon, rest = uri.partition("://")
    if not colon:
        raise Malformed("not a database", path=uri, expected="postgresql://[USER@]HOST[:PORT]/DATABASE")
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(f"{scheme.lower()}://{rest}").items()}
    except psycopg.Error as error:
        # What libpq says of it may hold what should not be shown.
        raise Malformed("not a URI of PostgreSQL", path="--store", expected="postgresql://HOST/DATABASE") from error
    if given.keys() & {"password", "sslpassword"}:
        raise Malformed(
            "a password in a URI is seen by everybody on this machine",
            path="--store",
            remedy="keep it in the password file of PostgreSQL (~/.pgpass), or name a service",
        )
    if "service" not in given:
        for name in ("host", "dbname"):
            if not given.get(name):
                raise Malformed(
                    "leaves open which database is meant",
                    path=uri,
                    expected="postgresql://[USER@]HOST[:PORT]/DATABASE, or postgresql://?service=NAME",
                )
        given.setdefault("port", "5432")
        given.setdefault("options", "")
    given.setdefault("connect_timeout", str(_CONNECT_SECONDS))
    given.setdefault("tcp_user_timeout", str(limits.store_seconds * 1000))
    given.setdefault("application_name", "navicert")
    return given
