"""Layouts owned by identities on the command line: judged, packed, and judged from the pack, all offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from navicert.cli.main import main
from navicert.digest import DigestSet, sha256
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.testing import signer
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
WHO = ("--owner-identity", SAN, "--owner-issuer", ISSUER)
TRUST = ("--trusted-root", "ours.json")
APP = b"the application\n"
POLICY = {
    "_type": "navicert-policy/v1",
    "name": "app",
    "version": 1,
    "expires": "2099-01-01T00:00:00Z",
    "keys": {signer("bob").keyid: signer("bob").key.to_json()},
    "steps": [
        {
            "name": "build",
            "threshold": 1,
            "pubkeys": [],
            "identities": [{"identity": SAN, "issuer": ISSUER}],
            "expected_materials": [["DISALLOW", "*"]],
            "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]],
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A layout that an identity owns, and a build that the same identity recorded."""
    from navicert.model.policy import read_policy_document

    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").write_bytes(APP)
    (tmp_path / "root.layout").write_bytes(as_bytes(keyless(OURS, read_policy_document(POLICY))))
    for name, instance in (("ours", OURS), ("theirs", THEIRS)):
        (tmp_path / f"{name}.json").write_bytes(instance.root_bytes())
    link = Link("build", (), {}, {"app": DigestSet.of({"sha256": sha256(APP).hex})})
    (tmp_path / "store").mkdir()
    (tmp_path / "build.json").write_bytes(as_bytes(keyless(OURS, link)))
    assert main(["evidence", "put", "build.json", "--store", "store"]) == 0
    return tmp_path


def verify(*words: str) -> int:
    return main(["verify", *words, "app"])


def judged(*words: str) -> int:
    return verify("--layout", "root.layout", "--store", "store", *words)


def test_an_identity_owns_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert judged(*WHO, *TRUST, "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    (owner,) = [check for check in verdict["checks"] if check["id"] == "layout.owner"]
    assert owner["reason"] == f"{SAN} ({ISSUER}) signed the layout"
    assert judged(*WHO) == 1  # the public instance knows nothing of it
    assert judged(*WHO, "--trusted-root", "theirs.json") == 1
    assert judged(*WHO, "--trusted-root", "nothing.json") == 2


def test_an_expression_may_describe_it_and_nothing_else_does(folder: Path) -> None:
    assert judged("--owner-identity-matching", "https://.+", "--owner-issuer", ISSUER, *TRUST) == 0
    assert judged("--owner-identity-matching", "http://.+", "--owner-issuer", ISSUER, *TRUST) == 1
    assert judged("--owner-identity", "https://.+", "--owner-issuer", ISSUER, *TRUST) == 1
    assert judged("--owner-identity", SAN, "--owner-issuer", "https://evil.example", *TRUST) == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--owner-identity", SAN),
        ("--owner-issuer", ISSUER),
        ("--owner-identity", "", "--owner-issuer", ISSUER),
        ("--owner-identity", SAN, "--owner-issuer", ""),
        ("--owner-identity-matching", ".*", "--owner-issuer", ISSUER),
        (*WHO, "--owner-threshold", "2"),
        (*WHO, "--owner-threshold", "0"),
        (*WHO, "--owner-issuer", ISSUER),
    ],
)
def test_half_an_identity_and_an_empty_one_are_refused(folder: Path, words: tuple[str, ...]) -> None:
    assert judged(*words, *TRUST) == 2


def test_the_order_of_issuers_is_that_of_identities(folder: Path) -> None:
    pair = ("--owner-identity-matching", "jane@.+", "--owner-identity", SAN, "--owner-threshold", "1")
    assert judged(*pair, "--owner-issuer", "https://other.example", "--owner-issuer", ISSUER, *TRUST) == 0
    assert judged(*pair, "--owner-issuer", ISSUER, "--owner-issuer", "https://other.example", *TRUST) == 1


def test_a_pack_verifies_offline_by_the_identity_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = ["evidence", "pack", "app", "--layout", "root.layout", "--store", "store", "-o", "app.pack"]
    assert main([*pack, *WHO]) == 1
    assert not (folder / "app.pack").exists()
    assert main([*pack, *WHO, *TRUST]) == 0
    for name in ("root.layout", "store"):
        (folder / name).rename(folder / f"gone {name}")
    assert verify("--evidence-from", "app.pack", *WHO, *TRUST) == 0
    assert verify("--evidence-from", "app.pack", *WHO) == 1
    assert verify("--evidence-from", "app.pack", "--owner-identity", "x", "--owner-issuer", ISSUER, *TRUST) == 1
    (folder / "app").write_bytes(b"another")
    assert verify("--evidence-from", "app.pack", *WHO, *TRUST) == 1


def test_a_pack_holds_nothing_by_identities_that_the_layout_does_not_name(folder: Path) -> None:
    from navicert.store.pack import read_pack

    stranger = keyless(OURS, Statement.from_json(STATEMENT), certificate={"san": "eve@example.com"})
    (folder / "eve.json").write_bytes(as_bytes(stranger))
    assert main(["evidence", "put", "eve.json", "--store", "store"]) == 0
    pack = ["evidence", "pack", "app", "--layout", "root.layout", "--store", "store", "-o", "app.pack"]
    assert main([*pack, *WHO, *TRUST]) == 0
    (filing,) = read_pack("app.pack").filings
    assert filing.raw == (folder / "build.json").read_bytes()


STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "app", "digest": {"sha256": sha256(APP).hex}}],
    "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
    "predicate": {"result": "PASSED", "configuration": []},
}


def test_an_index_is_asked_for_the_chain_of_an_identity(folder: Path) -> None:
    assert main(["evidence", "put", "build.json", "--store", "sqlite:e.db"]) == 0
    for number in range(20):
        other = Link("build", (), {}, {"app": digest_set(b"%d" % number)})
        (folder / "other.json").write_bytes(as_bytes(keyless(OURS, other)))
        assert main(["evidence", "put", "other.json", "--store", "sqlite:e.db"]) == 0
    words = ["--layout", "root.layout", "--store", "sqlite:e.db", *WHO, *TRUST]
    assert verify(*words) == 0
    assert main(["evidence", "pack", "app", *words, "-o", "app.pack"]) == 0
    from navicert.store.pack import read_pack

    assert len(read_pack("app.pack").filings) == 1


def digest_set(content: bytes) -> DigestSet:

    return DigestSet.of({"sha256": sha256(content).hex})


def test_levels_are_judged_by_a_layout_that_an_identity_owns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["slsa", "app", "--layout", "root.layout", "--store", "store", "--json", "--require", "declared:1"]
    results = []
    for more in ((*WHO, *TRUST), (*WHO, "--trusted-root", "theirs.json")):
        capsys.readouterr()
        main([*words, *more])
        results.append(json.loads(capsys.readouterr().out))
    passed = [
        {check["id"] for check in result["verdict"]["checks"] if check["outcome"] == "pass"} for result in results
    ]
    assert "slsa.table-provenance" in passed[0]
    assert passed[1] == set()


def test_garbage_collection_wants_a_layout_in_force(folder: Path) -> None:
    assert main(["evidence", "put", "build.json", "--store", "sqlite:e.db"]) == 0
    words = ["evidence", "gc", "--store", "sqlite:e.db", "--layout", "root.layout", "--keep-runs", "1", *TRUST]
    assert main([*words, *WHO]) == 0
    assert main([*words, "--owner-identity", "x", "--owner-issuer", ISSUER]) != 0


def test_a_layout_in_a_bundle_is_shown_and_signed_by_a_key_as_well(folder: Path) -> None:
    assert main(["keygen", "jane"]) == 0
    assert main(["layout", "sign", "root.layout", "--key", "jane", "-o", "by-jane.layout"]) == 0
    theirs, ours = ((folder / name).read_bytes() for name in ("by-jane.layout", "root.layout"))
    assert json.loads(theirs)["payload"] == json.loads(ours)["dsseEnvelope"]["payload"]
    (folder / "root.layout").write_bytes(ours + b"\n" + theirs + b"\n")
    both = ("--owner", "jane.pub", *WHO, *TRUST)
    assert judged(*both) == 0
    assert judged("--owner", "jane.pub", *TRUST) == 0
    (folder / "root.layout").write_bytes(theirs)
    assert judged(*both) == 1
