"""URIs of PostgreSQL: which database is meant stands in them, and nothing secret does. (A real server is asked in
tests/integration.)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.store.postgres import PostgresStore


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://user:s3cr3t@db.example/evidence",
        "postgresql://db.example/evidence?password=s3cr3t",
        "postgresql://db.example/evidence?sslpassword=s3cr3t",
        "postgresql://user:s3cr3t@/evidence?host=/run",
    ],
)
def test_a_password_is_refused_and_not_repeated(uri: str) -> None:
    """Whoever may list the processes of this machine reads it."""
    with pytest.raises(Malformed, match="password in a URI") as caught:
        PostgresStore(uri)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://",
        "postgresql:///evidence",
        "postgresql://db.example",
        "postgresql://db.example/",
        "postgresql:///?host=x",
    ],
)
def test_a_database_that_the_environment_would_choose_is_refused(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("PGHOST", "evil.example")
    monkeypatch.setenv("PGDATABASE", "evil")
    with pytest.raises(Malformed, match="which database is meant"):
        PostgresStore(uri)


@pytest.mark.parametrize("uri", ["postgresql:db", "postgresql", "", "postgresql:/db.example/evidence"])
def test_what_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(Malformed):
        PostgresStore(uri)


def test_what_libpq_says_of_a_bad_uri_is_not_shown() -> None:
    with pytest.raises(Malformed) as caught:
        PostgresStore("postgresql://user:s3cr3t@db.example:notaport/evidence?nope=s3cr3t")
    assert "s3cr3t" not in str(caught.value)


def test_a_label_names_host_and_database_and_nothing_else() -> None:
    assert PostgresStore("postgresql://user@db.example:5433/evidence").label == "postgresql://db.example/evidence"
    assert PostgresStore("postgres://?service=ev").label == "postgresql:service ev"


def test_what_the_environment_says_of_port_and_options_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options can turn off what is relied on: `-c synchronous_commit=off`, `-c search_path=evil`."""
    from psycopg.conninfo import make_conninfo

    monkeypatch.setenv("PGPORT", "6666")
    monkeypatch.setenv("PGOPTIONS", "-c synchronous_commit=off")
    asked: list[str] = []

    def connect(info: str, **_: object) -> None:
        asked.append(info)
        import psycopg

        raise psycopg.OperationalError("not asked")

    monkeypatch.setattr("psycopg.connect", connect)
    store = PostgresStore("postgresql://db.example/evidence", replace(LOCAL, store_seconds=7))
    with pytest.raises(Unavailable, match="see that the server runs"):
        list(store.pieces())
    given = make_conninfo(asked[0])
    assert "port=5432" in given
    assert "options=''" in given
    assert "synchronous_commit" not in given
    assert "tcp_user_timeout=7000" in given


def test_a_server_that_is_not_there_is_unavailable_and_no_empty_store() -> None:
    store = PostgresStore("postgresql://127.0.0.1:1/evidence?connect_timeout=2")
    with pytest.raises(Unavailable, match="cannot be used"):
        list(store.pieces())
    with pytest.raises(Unavailable):
        store.prepare()
