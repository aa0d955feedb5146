"""`navicert slsa` of what identities signed: Sigstore bundles, offline, by a trust root of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cosign_layer import annotations_of, attach_layers, envelope_of
from tests.sample_build import STATEMENT

from navicert.cli.main import main
from navicert.digest import sha256
from navicert.model.statement import Statement
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.registry import LoopbackRegistry
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

COMMIT = "1f" * 20
REPOSITORY = "https://github.com/acme/app"
WORKFLOW = "https://actions.github.io/buildtypes/workflow/v1"
GENERATOR = (
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml"
    "@refs/tags/v2.1.0"
)
CLAIMS = {
    "runnerEnvironment": "github-hosted",
    "sourceRepositoryURI": REPOSITORY,
    "sourceRepositoryDigest": COMMIT,
    "sourceRepositoryRef": "refs/heads/main",
}
SIGSTORE = PrivateSigstore()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app").write_bytes(b"the application\n")
    Path("root.json").write_bytes(SIGSTORE.root_bytes())


def predicate(builder: str = SAN) -> dict[str, Any]:
    """What a workflow of GitHub says of a build of its own."""
    return {
        "buildDefinition": {
            "buildType": WORKFLOW,
            "externalParameters": {
                "workflow": {"repository": REPOSITORY, "ref": "refs/heads/main", "path": ".github/workflows/build.yml"}
            },
            "resolvedDependencies": [{"uri": f"git+{REPOSITORY}@refs/heads/main", "digest": {"gitCommit": COMMIT}}],
        },
        "runDetails": {"builder": {"id": builder}},
    }


def attest(said: dict[str, Any] | None = None, san: str = SAN, claims: dict[str, str] = CLAIMS, **more: Any) -> None:
    statement = Statement.from_json(
        {
            "_type": STATEMENT,
            "subject": [{"name": "app", "digest": {"sha256": sha256(b"the application\n").hex}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": said or predicate(),
        }
    )
    bundle = keyless(SIGSTORE, statement, certificate={"san": san, "claims": claims, **more})
    Path("app.sigstore.json").write_bytes(as_bytes(bundle))


def expecting(**more: Any) -> list[str]:
    document = {
        "type": "navicert-expectations/v1",
        "images": [
            {
                "source": f"git+{REPOSITORY}",
                "parameters": {
                    "workflow": {
                        "repository": REPOSITORY,
                        "ref": "refs/heads/main",
                        "path": ".github/workflows/build.yml",
                    }
                },
            }
        ],
        **more,
    }
    raw = json.dumps(document).encode()
    Path("expect.json").write_bytes(raw)
    return ["--expect", "expect.json", "--expect-digest", str(sha256(raw))]


def slsa(*words: str) -> int:
    return main(["slsa", "app", "-a", "app.sigstore.json", "--trusted-root", "root.json", "--json", *words])


def result(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The build level, and every reason that was given."""
    found = json.loads(capsys.readouterr().out)
    (level,) = [track["level"] for track in found["tracks"] if track["track"] == "build"]
    said = [one["reason"] for track in found["tracks"] for one in track["requirements"]]
    return level, " | ".join([*said, *(check["reason"] for check in found["verdict"]["checks"])])


def test_a_workflow_of_ones_own_reaches_level_2_where_its_source_is_expected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    attest()
    assert slsa(*expecting()) == 0
    level, reasons = result(capsys)
    assert level == 2
    assert "is trusted up to level 2" in reasons


def test_without_an_expectation_anybodys_workflow_is_nobodys(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    assert slsa() == 1
    level, reasons = result(capsys)
    assert level == 0
    assert "nobody said which source or builder is expected" in reasons


def test_an_identity_that_was_named_counts_like_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    assert slsa("--identity", SAN, "--issuer", ISSUER) == 0
    assert result(capsys)[0] == 1
    assert slsa("--identity", SAN, "--issuer", "https://issuer.example") == 1
    assert slsa("--identity", SAN.replace("acme", "evil"), "--issuer", ISSUER) == 1
    assert slsa("--identity", SAN) == 2
    assert slsa("--identity", "", "--issuer", ISSUER) == 2


def test_the_workflow_of_another_repository_that_claims_to_have_built_the_expected_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Whoever has a repository has a workflow, and signs what they like; the certificate says which repository.
    evil = SAN.replace("acme/app", "evil/app")
    attest(predicate(evil), evil, CLAIMS | {"sourceRepositoryURI": "https://github.com/evil/app"})
    assert slsa(*expecting()) == 1
    level, reasons = result(capsys)
    assert level == 0
    assert "contradicts its own certificate" in reasons
    attest(predicate(evil), evil, {"runnerEnvironment": "github-hosted"})
    assert slsa(*expecting()) == 1
    level, reasons = result(capsys)
    assert level == 0
    assert "does not say which commit" in reasons or "does not say which repository" in reasons


def test_the_generator_reaches_level_3(capsys: pytest.CaptureFixture[str]) -> None:
    attest(predicate(GENERATOR), GENERATOR)
    assert slsa(*expecting(), "--require", "build:3") == 0
    assert result(capsys)[0] == 3


@pytest.mark.parametrize(
    ("claims", "reason", "level"),
    [
        (
            CLAIMS | {"sourceRepositoryURI": "https://github.com/evil/app"},
            "the certificate is for https://github.com/evil",
            0,
        ),
        (CLAIMS | {"sourceRepositoryDigest": "2e" * 20}, "the provenance is of another", 0),
        (CLAIMS | {"sourceRepositoryRef": "refs/heads/evil"}, "the certificate is for refs/heads/evil", 0),
        (CLAIMS | {"runnerEnvironment": "self-hosted"}, "the runner was self-hosted", 1),
        ({name: CLAIMS[name] for name in CLAIMS if name != "runnerEnvironment"}, "does not say that the runner", 2),
        ({name: CLAIMS[name] for name in CLAIMS if name != "sourceRepositoryURI"}, "does not say which repository", 0),
    ],
)
def test_a_certificate_that_contradicts_the_provenance(
    claims: dict[str, str], reason: str, level: int, capsys: pytest.CaptureFixture[str]
) -> None:
    attest(predicate(GENERATOR), GENERATOR, claims)
    slsa(*expecting())
    found, reasons = result(capsys)
    assert found == level
    assert reason in reasons


def test_a_good_builder_id_by_another_workflow(capsys: pytest.CaptureFixture[str]) -> None:
    attest(predicate(GENERATOR), SAN)
    assert slsa(*expecting()) == 1
    level, reasons = result(capsys)
    assert level == 0
    assert "may sign for" in reasons


def test_an_issuer_that_vouches_for_anything(capsys: pytest.CaptureFixture[str]) -> None:
    attest(predicate(GENERATOR), GENERATOR, issuer="https://issuer.example")
    assert slsa(*expecting()) == 1
    assert result(capsys)[0] == 0


def test_a_bundle_by_another_root(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    Path("root.json").write_bytes(PrivateSigstore("other").root_bytes())
    assert slsa(*expecting()) == 1
    assert "bundle." in result(capsys)[1]
    assert main(["slsa", "app", "-a", "app.sigstore.json", *expecting()]) == 1


def test_a_bundle_whose_payload_was_changed(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    bundle = json.loads(Path("app.sigstore.json").read_bytes())
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][:-8] + "fX19fQ=="
    Path("app.sigstore.json").write_text(json.dumps(bundle))
    assert slsa(*expecting()) == 1
    assert result(capsys)[0] == 0


def test_reviewers_may_be_identities(capsys: pytest.CaptureFixture[str]) -> None:
    attest(predicate(GENERATOR), GENERATOR)
    reviews = []
    for person in ("ann@example.com", "bea@example.com"):
        statement = Statement.from_json(
            {
                "_type": STATEMENT,
                "subject": [{"digest": {"gitCommit": COMMIT}}],
                "predicateType": "https://in-toto.io/attestation/scai/v0.3",
                "predicate": {"attributes": [{"attribute": "REVIEWED"}]},
            }
        )
        certificate = {"san": person, "issuer": "https://accounts.example"}
        reviews.append(as_bytes(keyless(SIGSTORE, statement, certificate=certificate)))
    Path("reviews.jsonl").write_bytes(b"\n".join(reviews))
    people = {
        name: {"identity": f"{name}@example.com", "issuer": "https://accounts.example"}
        for name in ("ann", "bea", "cyn")
    }
    for reviewers, met in ((["ann", "bea"], True), (["ann", "cyn"], False)):
        slsa("-a", "reviews.jsonl", *expecting(people=people, reviewers=reviewers))
        found = json.loads(capsys.readouterr().out)
        table = next(track for track in found["tracks"] if track["track"] == "table")
        (review,) = [one for one in table["requirements"] if one["id"] == "slsa.table-two-person"]
        assert (review["outcome"] == "pass") is met


def test_the_public_root_ships_and_is_used_offline(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    assert main(["slsa", "app", "-a", "app.sigstore.json", "--json"]) == 1
    assert result(capsys)[0] == 0


def test_a_layer_of_cosign_brings_its_certificate_in_annotations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    with LoopbackRegistry() as server:
        image = server.add_image("app", "1.4")
        document = {
            "_type": STATEMENT,
            "subject": [{"name": "app", "digest": {"sha256": image.digest.hex}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": predicate(),
        }
        bundle = keyless(SIGSTORE, Statement.from_json(document), certificate={"san": SAN, "claims": CLAIMS})
        attach_layers(server, image.digest, (envelope_of(bundle), annotations_of(bundle, SIGSTORE)))
        words = ["slsa", f"{server.name}/app:1.4", "--insecure", "--trusted-root", "root.json", "--json"]
        assert main([*words, *expecting()]) == 0
        assert result(capsys)[0] == 2
