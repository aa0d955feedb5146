"""Evidence in one SQLite file: what it is made of, older and newer ones, damage, and files that strangers made."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from navicert.envelope.document import seal
from navicert.errors import Malformed, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.model.link import Link
from navicert.store import Filing
from navicert.store.gather import gather
from navicert.store.query import Query, search
from navicert.store.schema import VERSION, number
from navicert.store.sqlite import APPLICATION, SqliteStore
from navicert.store.trait import Trait
from navicert.testing import artifacts, chain, file_target, key, signer

KEYID = key("bob").id

VERSION_0 = f"""
PRAGMA journal_mode = WAL;
PRAGMA application_id = {APPLICATION};
CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL
);
CREATE TABLE filing (
    document BIGINT NOT NULL REFERENCES document (id),
    step TEXT NOT NULL,
    scope TEXT NOT NULL,
    keyid TEXT NOT NULL,
    filed_at BIGINT NOT NULL,
    PRIMARY KEY (document, step, scope)
) WITHOUT ROWID;
"""


def link(number: int, step: str = "build") -> bytes:
    # Padded, so that a few documents already fill several pages.
    name = f"file {number} {'.' * 600}"
    return seal(Link(step, products=artifacts({name: b"%d" % number})), signer("bob"))


def filled(tmp_path: Path, count: int = 60) -> str:
    path = str(tmp_path / "ev.db")
    with closing(SqliteStore(path)) as store:
        store.put_many([Filing("build", KEYID, link(number)) for number in range(count)])
    assert not os.path.exists(f"{path}-wal")
    return path


def read(path: str) -> tuple[list[bytes], list[str]]:
    """The documents that can be read, and the problems of those that cannot."""
    with closing(SqliteStore(path)) as store:
        pieces = list(store.pieces())
    return [p.raw for p in pieces if p.raw is not None], [str(p.problem) for p in pieces if p.raw is None]


def edit(path: str, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)


def test_the_file_obeys_the_umask_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = filled(tmp_path, 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert os.listdir(tmp_path) == ["ev.db"]


def test_writing_survives_a_crash_by_its_settings(tmp_path: Path) -> None:
    with closing(SqliteStore(str(tmp_path / "ev.db"))) as store:
        store.prepare()
        with store.reading() as session:
            assert session.rows("PRAGMA journal_mode") == [("wal",)]
            assert session.rows("PRAGMA synchronous") == [(2,)]


def test_a_symbolic_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "ev.db").symlink_to(tmp_path / "victim")
    with closing(SqliteStore(str(tmp_path / "ev.db"))) as store, pytest.raises(Malformed, match="no such store"):
        store.put("build", KEYID, link(1))
    assert not (tmp_path / "victim").exists()


def test_a_folder_that_is_not_there_is_known_before_anything_runs(tmp_path: Path) -> None:
    with closing(SqliteStore(str(tmp_path / "nothing/ev.db"))) as store, pytest.raises(Unavailable):
        store.prepare()


# Root may write everywhere, so it becomes somebody else once all that is needed is loaded.
READ_ONLY = """
import json, os, sys  # whoever is nobody may be unable to load more
import navicert.store.deposit, navicert.store.hint
from navicert.errors import Unavailable
from navicert.store.sqlite import SqliteStore
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
store = SqliteStore(sys.argv[1])
print(len(list(store.pieces())))
try:
    store.put("build", "ab" * 32, b"more")
except Unavailable as error:
    print(error.got)
store.close()
"""


def test_a_store_on_a_read_only_medium_is_read_and_not_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name), 3)
        os.chmod(path, 0o444)
        os.chmod(name, 0o555)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, path], capture_output=True, text=True, check=False)
        os.chmod(name, 0o755)
    assert done.stdout.splitlines() == ["3", "attempt to write a readonly database"], done.stderr


class TestVersions:
    def test_a_store_without_an_index_gets_one(self, tmp_path: Path) -> None:
        path = str(tmp_path / "old.db")
        made = chain().step("build", by="bob").link("build", products={"app": b"app"})
        raw = made.filed[0].raw or b""
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(VERSION_0)
            for number in range(300):
                one = link(number)
                digest = hashlib.sha256(one).digest()
                connection.execute("INSERT INTO document (digest, raw) VALUES (?, ?)", (digest, one))
                connection.execute("INSERT INTO filing VALUES (?, 'build', '', ?, 1700000000)", (number + 1, KEYID))
            digest = hashlib.sha256(raw).digest()
            connection.execute("INSERT INTO document (digest, raw) VALUES (?, ?)", (digest, raw))
            connection.execute("INSERT INTO filing VALUES (301, 'build', '', ?, 1700000000)", (KEYID,))
            connection.commit()
        with closing(SqliteStore(path)) as store:
            found = gather(made.policy(), [store], target=file_target(b"app"))
            assert raw in [exhibit.document.sealed.raw for exhibit in found.exhibits]
            assert len(list(search([store], Query(signer=KEYID)))) == 301
            store.put("build", KEYID, link(1000))
            assert len(list(store.pieces())) == 302
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)

    def test_a_migration_that_is_cut_off_leaves_the_old_version(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = str(tmp_path / "old.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(VERSION_0)

        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(SqliteStore, "index", fail)
        with closing(SqliteStore(path)) as store, pytest.raises(KeyboardInterrupt):
            store.prepare()
        monkeypatch.undo()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'mark'").fetchone() == (0,)
        assert read(path) == ([], [])

    def test_a_newer_one_is_refused_and_not_touched(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 1)
        edit(path, "PRAGMA user_version = 3")
        before = Path(path).read_bytes()
        with closing(SqliteStore(path)) as store:
            with pytest.raises(Refused, match="newer Navicert"):
                list(store.pieces())
            with pytest.raises(Refused, match="newer Navicert"):
                store.put("build", KEYID, link(2))
        assert Path(path).read_bytes() == before

    def test_one_that_became_newer_while_it_was_open_is_not_written_to(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 1)
        with closing(SqliteStore(path)) as store:
            assert len(list(store.pieces())) == 1
            edit(path, "PRAGMA user_version = 3")
            with pytest.raises(Refused, match="newer Navicert"):
                store.put("build", KEYID, link(2))


class TestStrangersFiles:
    """A file that somebody sent is not trusted any more than a folder is."""

    @pytest.mark.parametrize("content", [b"", b"text", b"SQLite format 3\0" + b"\0" * 84])
    def test_what_is_no_database_is_no_store(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "ev.db").write_bytes(content)
        with closing(SqliteStore(str(tmp_path / "ev.db"))) as store, pytest.raises((Malformed, Unavailable)):
            list(store.pieces())
        assert (tmp_path / "ev.db").read_bytes() == content

    def test_a_database_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        path = str(tmp_path / "ev.db")
        edit(path, "CREATE TABLE document (raw)")
        before = Path(path).read_bytes()
        with closing(SqliteStore(path)) as store, pytest.raises(Malformed, match="not an evidence store"):
            store.put("build", KEYID, link(1))
        assert Path(path).read_bytes() == before

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TRIGGER t AFTER INSERT ON filing BEGIN DELETE FROM document; END",
            "CREATE VIEW v AS SELECT load_extension('x')",
            "CREATE TABLE more (x)",
            "DROP TABLE mark",
        ],
    )
    def test_tables_that_are_not_ours_are_refused(self, tmp_path: Path, statement: str) -> None:
        path = filled(tmp_path, 1)
        edit(path, statement)
        with closing(SqliteStore(path)) as store, pytest.raises(Malformed, match="its tables are others"):
            store.put("build", KEYID, link(2))

    def test_our_tables_in_somebody_else_s_file_are_left_alone(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 1)
        edit(path, "PRAGMA application_id = 7")
        with closing(SqliteStore(path)) as store, pytest.raises(Malformed, match="not an evidence store"):
            store.put("build", KEYID, link(2))

    @pytest.mark.parametrize("value", ["text", 1.5, 7, b""])
    def test_a_document_of_another_type_is_reported(self, tmp_path: Path, value: object) -> None:
        path = filled(tmp_path, 3)
        edit(path, "UPDATE document SET raw = ? WHERE id = 2", value)
        documents, problems = read(path)
        assert len(documents) == 2
        assert "damaged" in problems[0]

    def test_an_index_that_lies_leads_to_nothing(self, tmp_path: Path) -> None:
        """Marks that say of every document what it does not say itself."""
        path = filled(tmp_path, 5)
        with closing(SqliteStore(path)) as store:
            edit(path, "UPDATE mark SET text = ? WHERE trait = 3", number("deploy"))
            assert len(store.lookup(Trait.STEP, ["deploy"], most=9)["deploy"]) == 5
            assert list(search([store], Query(step="deploy"))) == []
            made = chain().step("deploy", by="bob")
            found = gather(made.policy(), [store], target=file_target(b"1"))
            assert not made.verdict(target=file_target(b"1")).passed
            assert {exhibit.document.body.name for exhibit in found.exhibits} <= {"build"}  # type: ignore[union-attr]


class TestDamage:
    """Whatever a disk does: what can be read is read, what cannot is reported, and nothing is dropped in silence."""

    def test_a_document_that_was_changed_is_reported_and_skipped(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 3)
        edit(path, "UPDATE document SET raw = CAST(raw || 'x' AS BLOB) WHERE id = 2")
        documents, problems = read(path)
        assert len(documents) == 2
        assert problems == ["damaged: its content is not what was put, by its digest"]

    def test_a_document_of_zeros_is_reported_and_skipped(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 3)
        edit(path, "UPDATE document SET raw = zeroblob(length(raw)) WHERE id = 2")
        assert [len(part) for part in read(path)] == [2, 1]

    def test_a_document_that_is_filed_nowhere_is_reported(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 3)
        edit(path, "DELETE FROM filing WHERE document = 2")
        documents, problems = read(path)
        assert (len(documents), problems) == (2, ["damaged: it is filed nowhere"])

    def test_putting_it_again_makes_it_whole(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 3)
        edit(path, "UPDATE document SET raw = zeroblob(10) WHERE id = 2")
        with closing(SqliteStore(path)) as store:
            store.put("build", KEYID, link(1))
            assert sorted(p.raw or b"" for p in store.pieces()) == sorted(link(n) for n in range(3))

    def test_every_page_overwritten_one_after_the_other_is_noticed(self, tmp_path: Path) -> None:
        """Each page of the file in turn is filled with zeros. Documents that were put are then read, or reported, or
        the whole store is: never is there less without a word."""
        whole = filled(tmp_path)
        every = set(read(whole)[0])
        size = 4096
        pages = os.path.getsize(whole) // size
        assert pages > 20
        salvaged = 0
        for page in range(pages):
            path = str(tmp_path / "damaged.db")
            shutil.copy(whole, path)
            with open(path, "r+b") as file:
                file.seek(page * size)
                file.write(b"\0" * size)
            try:
                documents, problems = read(path)
            except (Malformed, Unavailable):
                continue
            assert set(documents) <= every
            assert problems or set(documents) == every, f"page {page}"
            salvaged += 0 < len(documents) < len(every)
        assert salvaged > 5

    def test_a_file_cut_off_is_noticed(self, tmp_path: Path) -> None:
        whole = filled(tmp_path)
        every = set(read(whole)[0])
        size = os.path.getsize(whole)
        for left in range(4096, size, 4096 * 3):
            path = str(tmp_path / "cut.db")
            shutil.copy(whole, path)
            os.truncate(path, left)
            try:
                documents, problems = read(path)
            except (Malformed, Unavailable):
                continue
            assert problems or set(documents) == every

    def test_search_in_a_damaged_index_looks_at_everything(self, tmp_path: Path) -> None:
        whole = filled(tmp_path)
        size = 4096
        seen = 0
        for page in range(1, os.path.getsize(whole) // size):
            path = str(tmp_path / "damaged.db")
            shutil.copy(whole, path)
            with open(path, "r+b") as file:
                file.seek(page * size)
                file.write(b"\0" * size)
            with closing(SqliteStore(path)) as store:
                try:
                    found = list(search([store], Query(step="build")))
                except (Malformed, Unavailable):
                    continue
            whole_ones = [one for one in found if one.piece.raw is not None]
            assert len(whole_ones) == 60 or any(one.piece.raw is None for one in found), f"page {page}"
            seen += 1
        assert seen > 5

    def test_damage_is_a_near_miss_of_a_verification(self, tmp_path: Path) -> None:
        path = filled(tmp_path, 3)
        edit(path, "UPDATE document SET raw = zeroblob(length(raw)) WHERE id = 2")
        made = chain().step("build", by="bob")
        with closing(SqliteStore(path)) as store:
            found = gather(made.policy(), [store])
            assert len(found.exhibits) == 2
            assert [(refusal.step, "damaged" in refusal.reason) for refusal in found.refused] == [("build", True)]


def test_waiting_for_others_has_an_end(tmp_path: Path) -> None:
    path = filled(tmp_path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(SqliteStore(path, replace(LOCAL, store_seconds=0))) as store:
            with pytest.raises(Unavailable, match="limit store_seconds"):
                store.put("build", KEYID, link(2))
            assert len(list(store.pieces())) == 1  # who reads does not wait for who writes
        other.execute("ROLLBACK")
