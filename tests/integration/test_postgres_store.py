"""What only PostgreSQL does: connecting, passwords, an older and a newer schema, servers that go away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.postgres_server import PASSWORD, Server, running_server

from navicert.cli.main import main
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.store.gather import gather
from navicert.store.postgres import PostgresStore
from navicert.store.query import Query, search
from navicert.store.schema import TABLES, statements
from navicert.store.sighting import Sighting
from navicert.testing import chain, file_target, key

KEYID = key("bob").id
MADE = chain().step("build", by="bob").link("build", products={"app": b"app"})
RAW = MADE.filed[0].raw or b""


@pytest.fixture
def uri(postgres: Server) -> str:
    return postgres.database(f"d{os.urandom(8).hex()}")


@pytest.fixture
def store(uri: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(uri)) as opened:
        yield opened


def test_a_put_is_on_the_server_s_disk_when_it_returns(store: PostgresStore) -> None:
    store.put("build", KEYID, RAW)
    with store.reading() as session:
        assert session.rows("SHOW synchronous_commit") == [("on",)]


def test_names_of_others_in_the_database_are_not_taken_for_ours(
    uri: str, store: PostgresStore, postgres: Server
) -> None:
    with postgres.connect(uri.rpartition("/")[2]) as connection:
        connection.execute("CREATE TABLE public.document (id BIGINT, digest BYTEA, raw BYTEA)")
        connection.execute("CREATE TABLE public.filing (x TEXT)")
        connection.execute("CREATE FUNCTION public.length(bytea) RETURNS INTEGER LANGUAGE sql AS 'SELECT 0'")
    store.put("build", KEYID, RAW)
    assert [piece.raw for piece in store.pieces()] == [RAW]
    with postgres.connect(uri.rpartition("/")[2]) as connection:
        assert connection.execute("SELECT count(*) FROM public.document").fetchone() == (0,)


@pytest.mark.parametrize("text", ["'; DROP TABLE document; --", "%s", "?", "$1", 'a"b', "ü€\u202e", "\\x00"])
def test_what_is_looked_for_never_becomes_a_part_of_the_question(store: PostgresStore, text: str) -> None:
    store.put("build", KEYID, RAW)
    query = Query(step=text, type=text, run_id=text, digests=(text,))
    assert list(search([store], query)) == []
    assert len(list(store.pieces())) == 1


class TestWhere:
    """A URI says by itself which database is meant, and never holds a secret."""

    @pytest.mark.parametrize("bad", ["postgresql:///db", "postgresql://host", "postgresql://", "postgresql:db"])
    def test_a_uri_that_leaves_it_open_is_refused(self, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGHOST", "127.0.0.1")
        monkeypatch.setenv("PGDATABASE", "postgres")
        with pytest.raises(Malformed):
            PostgresStore(bad)

    def test_the_environment_does_not_lead_elsewhere(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in (("PGHOST", "192.0.2.1"), ("PGDATABASE", "other"), ("PGOPTIONS", "-c search_path=public")):
            monkeypatch.setenv(name, value)
        with closing(PostgresStore(uri)) as store:
            store.put("build", KEYID, RAW)
            assert len(list(store.pieces())) == 1

    @pytest.mark.parametrize("how", ["postgresql://keeper:secret@host/db", "postgresql://host/db?password=secret"])
    def test_a_password_in_it_is_refused_and_not_repeated(self, how: str) -> None:
        with pytest.raises(Malformed, match="password") as error:
            PostgresStore(how)
        assert "secret" not in str(error.value)

    def test_a_uri_that_cannot_be_read_is_not_repeated(self) -> None:
        with pytest.raises(Malformed, match="not a URI") as error:
            PostgresStore("postgresql://keeper:sec ret@ho%zzst/db")
        assert "sec ret" not in str(error.value)

    def test_a_service_is_found_where_libpq_looks(
        self, postgres: Server, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = uri.rpartition("/")[2]
        service = f"[evidence]\nhost=127.0.0.1\nport={postgres.port}\nuser=keeper\ndbname={name}\n"
        (tmp_path / "services").write_text(service)
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        with closing(PostgresStore("postgresql://?service=evidence")) as store:
            origin = store.put("build", KEYID, RAW)
        assert origin.startswith("postgresql:service evidence#build.")

    def test_nothing_about_a_password_is_in_what_people_see(self, store: PostgresStore) -> None:
        origin = store.put("build", KEYID, RAW)
        assert PASSWORD not in origin
        assert origin.startswith("postgresql://127.0.0.1/d")


class TestGone:
    """Not reaching a server is no answer: exit code 3."""

    def test_a_server_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "root.layout").write_bytes(MADE.policy().sealed.raw)
        (tmp_path / "owner.pub").write_bytes(key("owner").public_pem())
        words = ["verify", "--layout", str(tmp_path / "root.layout"), "--owner", str(tmp_path / "owner.pub")]
        assert main([*words, "--store", "postgresql://keeper@127.0.0.1:1/db"]) == 3
        assert "cannot be used" in capsys.readouterr().err

    def test_a_wrong_password(self, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "pgpass").write_text("*:*:*:*:not it\n")
        (tmp_path / "pgpass").chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
        with closing(PostgresStore(uri)) as store, pytest.raises(Unavailable, match="password") as error:
            store.put("build", KEYID, RAW)
        assert "not it" not in str(error.value)

    def test_a_database_that_does_not_exist(self, postgres: Server) -> None:
        with closing(PostgresStore(postgres.uri("nothing"))) as store, pytest.raises(Unavailable, match="nothing"):
            list(store.pieces())

    def test_a_connection_that_was_cut_is_made_anew(self, uri: str, store: PostgresStore, postgres: Server) -> None:
        store.put("build", KEYID, RAW)
        with postgres.connect() as connection:
            name = uri.rpartition("/")[2]
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        assert [piece.raw for piece in store.pieces()] == [RAW]
        with postgres.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        store.put("test", KEYID, RAW)
        assert len(list(store.pieces())) == 2

    def test_a_server_that_stops_and_comes_back(self, component: Callable[[str], Path], tmp_path: Path) -> None:
        with running_server(component("postgresql")) as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGPASSFILE", str(server.passfile))
            with closing(PostgresStore(server.database("ev"))) as store:
                store.put("build", KEYID, RAW)
                server.stop()
                with pytest.raises(Unavailable):
                    store.put("test", KEYID, RAW)
                with pytest.raises(Unavailable):
                    list(store.pieces())
                server.start()
                store.put("test", KEYID, RAW)
                assert sorted(str(piece.step_hint) for piece in store.pieces()) == ["build", "test"]

    def test_without_psycopg_the_remedy_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "psycopg.py").write_text("raise ImportError('not here')\n")
        words = ["evidence", "list", "--store", "postgresql://host/db"]
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from navicert.cli.main import main; "
        code += f"sys.exit(main({words!r}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "pip install navicert[postgres]" in done.stderr


class TestVersions:
    def test_a_store_without_an_index_gets_one(self, uri: str, store: PostgresStore, postgres: Server) -> None:
        words = {"identity": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytes": "BYTEA", "clustered": ""}
        with postgres.connect(uri.rpartition("/")[2]) as connection:
            connection.execute("CREATE SCHEMA navicert")
            connection.execute("SET search_path = navicert")
            for statement in statements(TABLES, words):
                connection.execute(statement.encode())
            connection.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            connection.execute("INSERT INTO schema_version VALUES (0)")
            connection.execute("INSERT INTO document (digest, raw) VALUES (sha256(%s), %s)", [RAW, RAW])
            connection.execute("INSERT INTO filing VALUES (1, 'build', '', 'ab', 1700000000)")
        found = gather(MADE.policy(), [store], target=file_target(b"app"))
        assert [exhibit.document.sealed.raw for exhibit in found.exhibits] == [RAW]
        assert len(list(search([store], Query(signer=KEYID)))) == 1

    def test_one_without_a_memory_gets_one_when_something_is_put(
        self, uri: str, store: PostgresStore, postgres: Server
    ) -> None:
        store.put("build", KEYID, RAW)
        with postgres.connect(uri.rpartition("/")[2]) as connection:
            connection.execute("DROP TABLE navicert.sighting")
            connection.execute("UPDATE navicert.schema_version SET version = 1")
        assert [piece.raw for piece in store.pieces()] == [RAW]
        moment = datetime(2026, 6, 1, tzinfo=UTC)
        seen = [Sighting("sha256:" + "ab" * 32, f"r.example/app{number}", moment) for number in range(5)]
        store.remember(seen)
        store.remember(seen)
        assert len(store.sightings(["sha256:" + "ab" * 32], 9)) == 5
        assert len(store.sightings(["sha256:" + "ab" * 32], 2)) == 2

    def test_of_too_many_sightings_the_oldest_give_way(
        self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("navicert.store.deposit.MOST", 2)
        for day in range(1, 6):
            store.remember([Sighting("sha256:" + "ab" * 32, f"r.example/app{day}", datetime(2026, 6, day, tzinfo=UTC))])
        found = store.sightings(["sha256:" + "ab" * 32], 9)
        assert [one.place for one in found] == ["r.example/app5", "r.example/app4"]

    def test_a_newer_one_is_refused(self, uri: str, store: PostgresStore, postgres: Server) -> None:
        store.put("build", KEYID, RAW)
        with postgres.connect(uri.rpartition("/")[2]) as connection:
            connection.execute("UPDATE navicert.schema_version SET version = 3")
        for act in (lambda: list(store.pieces()), lambda: store.put("test", KEYID, RAW)):
            with pytest.raises(Refused, match="newer Navicert"):
                act()

    def test_one_without_a_version_is_no_store(self, uri: str, store: PostgresStore, postgres: Server) -> None:
        store.prepare()
        with postgres.connect(uri.rpartition("/")[2]) as connection:
            connection.execute("DELETE FROM navicert.schema_version")
        with pytest.raises(Malformed, match="its version is missing"):
            list(store.pieces())


def test_a_document_that_somebody_changed_is_reported_and_made_whole_again(
    uri: str, store: PostgresStore, postgres: Server
) -> None:
    store.put("build", KEYID, RAW)
    with postgres.connect(uri.rpartition("/")[2]) as connection:
        connection.execute("UPDATE navicert.document SET raw = raw || 'x'::bytea")
    (piece,) = store.pieces()
    assert piece.raw is None
    assert "damaged" in str(piece.problem)
    store.put("build", KEYID, RAW)
    assert [piece.raw for piece in store.pieces()] == [RAW]


def test_waiting_for_a_lock_has_an_end(uri: str, store: PostgresStore, postgres: Server) -> None:
    store.prepare()
    with closing(PostgresStore(uri, replace(LOCAL, store_seconds=1))) as hasty:
        with postgres.connect(uri.rpartition("/")[2]) as connection, connection.transaction():
            connection.execute("LOCK TABLE navicert.document")
            with pytest.raises(Unavailable, match="lock timeout"):
                hasty.put("build", KEYID, RAW)
        hasty.put("build", KEYID, RAW)
