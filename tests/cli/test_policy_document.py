"""A policy document as it is typed: written, linted, signed, shown, judged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.crypto.formats import load_signer
from navicert.digest import sha256
from navicert.envelope.document import open_document, peek, seal
from navicert.model.statement import Statement

POLICY = """\
type: policy
name: my-app
version: 1
expires: 6 months
functionaries:
  builder: keys/builder.pub
  tester: keys/tester.pub
steps:
  - name: build
    by: builder
    materials: [ALLOW src/*, DISALLOW *]
    products: [CREATE app, DISALLOW *]
    predicates:
      - name: tests
        type: test-result
        by: tester
        subjects: MATCH app WITH PRODUCTS FROM build
        attributes:
          - predicate.result == "PASSED"
          - size(predicate.failedTests) == 0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The current directory, with keys, a signed policy and a recorded build."""
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "builder", "tester"):
        assert main(["keygen", f"keys/{name}"]) == 0
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("int main;\n")
    assert main(["layout", "sign", "policy.yaml", "--key", "keys/owner", "-o", "root.layout"]) == 0
    words = ["--key", "keys/builder", "-m", "src/**", "-p", "app", "--", "cp", "src/a.c", "app"]
    assert main(["run", "build", *words]) == 0
    capsys.readouterr()
    return tmp_path


def attest(folder: Path, result: str = "PASSED", failed: Any = (), content: bytes | None = None) -> None:
    """Put a signed test result into the store, as another program would have written it."""
    subject = sha256((folder / "app").read_bytes() if content is None else content).hex
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "whatever", "digest": {"sha256": subject}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": [{"name": "ci.yaml", "digest": {"sha256": "0" * 64}}],
            "failedTests": list(failed),
        },
    }
    signer = load_signer((folder / "keys" / "tester").read_bytes())
    (folder / "tests.json").write_bytes(seal(Statement.from_json(value), signer))
    assert main(["evidence", "put", "tests.json", "--store", "."]) == 0


def verify(*words: str) -> int:
    return main(["verify", "--layout", "root.layout", "--owner", "keys/owner.pub", "app", *words])


def test_lint_has_nothing_to_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "lint", "policy.yaml", "--strict"]) == 0
    assert capsys.readouterr().out == "policy.yaml: nothing to say\n"


def test_what_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("policy.yaml", "root.layout"):
        assert main(["layout", "show", name]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{name}: policy, ")
        for line in (
            "attested by  1 of: tester",
            "is about     MATCH app WITH PRODUCTS FROM build",
            'predicate.result == "P',
        ):
            assert line in out


def test_without_the_attestation_it_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify() == 1
    assert 'no evidence found of step "build/tests"' in " ".join(capsys.readouterr().out.split())


def test_with_it_it_passes_and_every_attestation_is_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attest(folder)
    capsys.readouterr()
    assert verify("--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    (found,) = (check for check in verdict["checks"] if check["id"] == "attestation")
    assert found["subject"] == "tester"
    assert found["facts"]["predicate"].endswith("test-result/v0.1")
    assert found["facts"]["subjects"][0].startswith("whatever sha256:")
    rules = [check for check in verdict["checks"] if check["id"] == "attestation.attribute"]
    assert [(check["subject"], check["outcome"]) for check in rules] == [
        ('predicate.result == "PASSED"', "pass"),
        ("size(predicate.failedTests) == 0", "pass"),
    ]
    (about,) = (check for check in verdict["checks"] if check["id"] == "attestation.subject")
    assert about["outcome"] == "pass"


@pytest.mark.parametrize(
    ("more", "id", "said"),
    [
        ({"result": "FAILED"}, "attestation.attribute", 'predicate.result == "PASSED": is false'),
        ({"failed": ["a"]}, "attestation.attribute", "size(predicate.failedTests) == 0: is false"),
        ({"content": b"another"}, "attestation.subject", '"app" is not among its subjects'),
    ],
)
def test_what_is_wrong_is_the_first_line(
    folder: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], id: str, said: str
) -> None:
    attest(folder, **more)
    capsys.readouterr()
    assert verify() == 1
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith(f"FAIL {id} in step build/tests")
    assert said in out


def test_a_rule_that_is_none_is_not_signed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("predicate.result ==", "result =="))
    assert main(["layout", "sign", "policy.yaml", "--key", "keys/owner", "-o", "other.layout"]) == 2
    err = capsys.readouterr().err
    assert "no variable result" in err
    assert "policy.yaml:14" in err
    assert not os.path.exists("other.layout")


def test_other_commands_know_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attest(folder)
    assert main(["show", "root.layout"]) == 0
    assert main(["sign", "root.layout", "--key", "keys/owner"]) == 0
    assert verify() == 0
    words = ["--layout", "root.layout", "--owner", "keys/owner.pub"]
    assert main(["evidence", "pack", *words, "-o", "chain.tar"]) == 0
    assert main(["verify", "--owner", "keys/owner.pub", "--evidence-from", "chain.tar", "app"]) == 0


def test_an_identity_signs_by_a_bundle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Offline, by the trust root that is named; and by no other."""
    from navicert.testing.bundle import as_bytes, keyless
    from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

    identity = json.dumps({"identity": SAN, "issuer": ISSUER})
    (folder / "policy.yaml").write_text(POLICY.replace("tester: keys/tester.pub", f"tester: {identity}"))
    words = ["--key", "keys/owner", "-o", "root.layout", "--force"]
    assert main(["layout", "sign", "policy.yaml", *words]) == 0
    attest(folder)
    statement = open_document((folder / "tests.json").read_bytes())
    body = peek(statement).body
    assert isinstance(body, Statement)
    ours, theirs = PrivateSigstore(), PrivateSigstore("evil")
    (folder / "bundle.json").write_bytes(as_bytes(keyless(ours, body)))
    for name, instance in (("ours", ours), ("theirs", theirs)):
        (folder / f"{name}.json").write_bytes(instance.root_bytes())
    assert verify() == 1  # what the tester's key signed is nothing to this policy
    assert main(["evidence", "put", "bundle.json", "--store", "."]) == 0
    capsys.readouterr()
    assert verify("--trusted-root", "ours.json", "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert [check["subject"] for check in verdict["checks"] if check["id"] == "attestation"] == [SAN]
    assert verify("--trusted-root", "theirs.json") == 1
    assert verify() == 1  # the public instance knows nothing of it
    assert verify("--trusted-root", "nothing.json") in (2, 3)
