"""The commands about evidence: their JSON, their exit codes, and what they refuse."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.store.sqlite import SqliteStore
from navicert.testing import Chain, chain, key, signer

BUILD = (
    chain()
    .step("checkout", by="ann", products=["CREATE src"])
    .step("build", by="bob", materials=["MATCH src WITH PRODUCTS FROM checkout", "DISALLOW *"], products=["CREATE app"])
)


def run(number: int) -> Chain:
    return BUILD.link("checkout", products={"src": b"src %d" % number}).link(
        "build", materials={"src": b"src %d" % number}, products={"app": b"app %d" % number}
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a layout, its owner's key, two products, and twenty runs in `sqlite:ev.db`."""
    monkeypatch.chdir(tmp_path)
    Path("root.layout").write_bytes(BUILD.policy().sealed.raw)
    Path("owner.pub").write_bytes(key("owner").public_pem())
    for number in (3, 99):
        Path(f"app{number}").write_bytes(b"app %d" % number)
    with closing(SqliteStore("ev.db")) as store:
        for number in range(20):
            for piece in run(number).filed:
                who = "ann" if piece.step_hint == "checkout" else "bob"
                store.put(str(piece.step_hint), key(who).id, piece.raw or b"")
    return tmp_path


def invoke(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words.split())
    said = capsys.readouterr()
    return code, said.out, said.err


OWN = "--layout root.layout --owner owner.pub"


def test_search_prints_what_documents_say_and_that_nobody_verified_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke("evidence search --store sqlite:ev.db --artifact app3 --json", capsys)
    found = json.loads(out)
    assert code == 0
    assert (found["type"], found["more"]) == ("navicert-evidence/v1", False)
    (entry,) = found["documents"]
    assert list(entry) == [
        "where", "digest", "verified", "kind", "step", "scope", "names", "signers", "types", "runs", "materials",
        "products", "filed_at", "problem",
    ]  # fmt: skip
    assert (entry["verified"], entry["kind"], entry["step"], entry["names"]) == (False, "link", "build", ["build"])
    assert entry["signers"] == [key("bob").id]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--step build", 0),
        ("--step deploy", 1),
        ("--artifact app99", 1),
        ("--artifact nothing", 2),
        ("--digest sha256:ab", 2),
        ("--digest gitCommit:" + "ab" * 20, 1),
        ("--digest gitCommit:ab", 2),
        ("--signer zz", 2),
        ("--since yesterday", 2),
        ("--since 2020-01-01T00:00:00Z --step build", 0),
        ("--until 2020-01-01T00:00:00Z", 1),
        ("--most 0 --step build", 2),
        ("--run-id r1", 1),
        ("--type link", 0),
        ("", 2),
    ],
)
def test_search_says_by_its_exit_code_whether_anything_was_found(
    words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(f"evidence search --store sqlite:ev.db {words}", capsys)[0] == code


def test_finding_nothing_where_something_cannot_be_read_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkdir("links")
    Path("links/build.01234567.link").symlink_to("nowhere")
    code, out, err = invoke("evidence search --store links --step build", capsys)
    assert (code, out) == (3, "")
    assert "cannot be read" in err


def test_more_than_is_shown_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke("evidence list --store sqlite:ev.db --most 5", capsys)
    assert (code, len(out.splitlines())) == (0, 6)
    assert "more than 5" in err
    assert json.loads(invoke("evidence list --store sqlite:ev.db --most 5 --json", capsys)[1])["more"] is True


def test_an_empty_store_is_listed_without_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkdir("links")
    assert invoke("evidence list --store links", capsys)[::2] == (0, "navicert: no evidence\n")


def test_what_a_document_says_of_itself_does_not_move_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    raw = seal(Link("build\x1b[2J\u202e"), signer("eve"))
    Path("evil.link").write_bytes(raw)
    os.mkdir("links")
    Path("links/build.01234567.link").write_bytes(raw)
    _, out, _ = invoke("evidence list --store links", capsys)
    assert "\x1b" not in out
    assert "\u202e" not in out


class TestPack:
    def test_a_chain_is_packed_alone_and_verifies_with_one_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack --json", capsys)
        facts = json.loads(out)
        assert (code, facts["type"], facts["documents"]) == (0, "navicert-packed/v1", 2)
        assert invoke("verify --evidence-from app.pack --owner owner.pub app3", capsys)[0] == 0
        assert invoke("verify --evidence-from app.pack --owner owner.pub app99", capsys)[0] == 1

    def test_by_digest_it_is_the_same_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        from navicert.digest import sha256

        name = sha256(b"app 3")
        assert invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o a.pack", capsys)[0] == 0
        assert invoke(f"evidence pack --digest {name} {OWN} --store sqlite:ev.db -o b.pack", capsys)[0] == 0
        assert Path("a.pack").read_bytes() == Path("b.pack").read_bytes()

    def test_a_chain_that_does_not_hold_is_not_packed(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = invoke(f"evidence pack app99 {OWN} --store sqlite:ev.db -o app.pack", capsys)
        assert code == 1
        assert "target.bound" in err
        assert not os.path.exists("app.pack")

    def test_another_owner_does_not_accept_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("eve.pub").write_bytes(key("eve").public_pem())
        invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack", capsys)
        assert invoke("verify --evidence-from app.pack --owner eve.pub app3", capsys)[0] == 1

    def test_an_existing_file_is_not_replaced(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("app.pack").write_text("mine")
        assert invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack", capsys)[0] == 2
        assert Path("app.pack").read_text() == "mine"
        assert invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack --force", capsys)[0] == 0

    def test_a_place_to_write_to_is_needed(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db", capsys)
        assert (code, out, "give -o FILE" in err) == (2, "", True)

    @pytest.mark.parametrize(
        "words",
        ["app3 --digest sha256:" + "ab" * 32, "--digest sha512:" + "ab" * 64, "app3 --layout root.layout --layout x"],
    )
    def test_contradictions_are_usage_errors(self, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        Path("x").write_bytes(Path("root.layout").read_bytes())
        assert invoke(f"evidence pack {words} {OWN} --store sqlite:ev.db -o app.pack", capsys)[0] == 2

    def test_inspections_are_left_to_whoever_verifies(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = run(3).inspection("look", run="true", materials=["ALLOW *"])
        Path("root.layout").write_bytes(made.policy().sealed.raw)
        code, _, err = invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack", capsys)
        assert code == 0
        assert "inspections of the layout were not run" in err

    def test_an_older_layout_in_a_pack_does_not_get_past_the_guard(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Rollback: a layout that the owner signed once and has replaced since."""
        for version in (1, 2):
            made = run(3).release(name="app", version=version)
            Path("root.layout").write_bytes(made.policy().sealed.raw)
            invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o v{version}.pack", capsys)
        words = "verify --owner owner.pub --trust-state seen app3 --evidence-from"
        assert invoke(f"{words} v2.pack", capsys)[0] == 0
        assert invoke(f"{words} v1.pack", capsys)[0] == 1

    def test_evidence_of_named_stores_counts_beside_that_of_the_pack(self, capsys: pytest.CaptureFixture[str]) -> None:
        invoke(f"evidence pack app3 {OWN} --store sqlite:ev.db -o app.pack", capsys)
        Path("app5").write_bytes(b"app 5")
        words = "verify --evidence-from app.pack --owner owner.pub"
        assert invoke(f"{words} app5", capsys)[0] == 1
        assert invoke(f"{words} --store sqlite:ev.db app5", capsys)[0] == 0

    def test_verify_needs_a_layout_from_somewhere(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = invoke("verify --owner owner.pub app3", capsys)
        assert (code, "--layout" in err) == (2, True)


class TestPut:
    def test_what_cannot_be_read_is_said_and_the_rest_is_put(self, capsys: pytest.CaptureFixture[str]) -> None:
        os.mkdir("links")
        Path("links/build.01234567.link").write_bytes(run(3).filed[1].raw or b"")
        Path("links/test.01234567.link").symlink_to("nowhere")
        code, out, err = invoke("evidence put links --store sqlite:new.db --json", capsys)
        facts = json.loads(out)
        assert (code, facts["type"], len(facts["documents"]), len(facts["unread"])) == (3, "navicert-put/v1", 1, 1)
        assert "cannot be read, and not put" in err

    def test_a_link_is_filed_under_its_step_and_a_layout_under_the_one_that_is_named(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("x.json").write_bytes(run(3).filed[1].raw or b"")
        assert invoke("evidence put x.json --store sqlite:new.db", capsys)[0] == 0
        assert invoke("evidence put root.layout --step build --store sqlite:new.db", capsys)[0] == 0
        assert invoke("evidence put ev.db --step build --store sqlite:new.db", capsys)[0] == 2
        assert invoke("evidence put sqlite:ev.db --step build --store sqlite:new.db", capsys)[0] == 2
        out = invoke("evidence search --step build --store sqlite:new.db --json", capsys)[1]
        assert sorted(entry["kind"] for entry in json.loads(out)["documents"]) == ["layout", "link"]


class TestGc:
    def test_it_says_first_and_does_it_when_asked(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = f"evidence gc --store sqlite:ev.db {OWN}"
        with closing(SqliteStore("ev.db")) as store, store.writing() as session:
            session.rows("UPDATE filing SET filed_at = 1767225600 + 86400 * ((document + 1) / 2) RETURNING document")
        code, out, err = invoke(f"{words} --keep-runs 3", capsys)
        assert code == 0
        assert "34 no longer needed" in out
        assert "nothing was removed; --delete does it" in err
        facts = json.loads(invoke(f"{words} --keep-runs 3 --json", capsys)[1])
        assert (facts["type"], facts["deleted"], facts["kept"], len(facts["documents"])) == (
            "navicert-gc/v1",
            False,
            6,
            34,
        )
        assert "34 removed" in invoke(f"{words} --keep-runs 3 --delete", capsys)[1]
        assert len(json.loads(invoke("evidence list --store sqlite:ev.db --json", capsys)[1])["documents"]) == 6
        Path("app19").write_bytes(b"app 19")
        assert invoke(f"verify --store sqlite:ev.db {OWN} app19", capsys)[0] == 0
        assert invoke(f"verify --store sqlite:ev.db {OWN} app3", capsys)[0] == 1

    def test_what_is_younger_than_the_days_stays(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = invoke(f"evidence gc --store sqlite:ev.db {OWN} --keep-days 1 --delete", capsys)
        assert (code, out.splitlines()[-1]) == (0, "0 removed")

    @pytest.mark.parametrize("words", ["", "--keep-days 0", "--keep-runs -1", "--keep-days 1 --keep-runs 1"])
    def test_what_says_nothing_is_a_usage_error(self, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert invoke(f"evidence gc --store sqlite:ev.db {OWN} {words}", capsys)[0] == 2


def test_a_step_is_run_only_where_its_link_can_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bob").write_bytes(private_pem(signer("bob"), None))
    os.chmod("bob", 0o600)
    Path("text.db").write_text("no database")
    for store in ("sqlite:text.db", "sqlite:nowhere/ev.db", "oci:app", "ftp:x", "pack:x"):
        assert main(["run", "build", "--key", "bob", "--store", store, "--", "touch", "ran"]) == 125
    assert not os.path.exists("ran")
    assert main(["run", "build", "--key", "bob", "--store", "sqlite:new.db", "-q", "--", "touch", "ran"]) == 0
    assert invoke("evidence search --step build --store sqlite:new.db", capsys)[0] == 0
