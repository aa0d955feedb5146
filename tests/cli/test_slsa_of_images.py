"""`navicert slsa` of images in a registry, of commits and other digests, and with evidence in stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sample_build import COMMIT, REPOSITORY, STATEMENT, SampleBuild, provenance, statement, summary

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.digest import Digest, sha256
from navicert.envelope.document import seal
from navicert.model.statement import Statement
from navicert.oci.manifest import Descriptor, Platform
from navicert.testing.registry import LoopbackRegistry

DSSE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PROVENANCE = "https://slsa.dev/provenance/v1"


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's credentials, and a folder that holds nothing."""
    (tmp_path / "auth.json").write_text("{}")
    (tmp_path / "clean").mkdir()
    monkeypatch.chdir(tmp_path / "clean")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))


def keys(build: SampleBuild) -> None:
    for name in ("builder", "verifier"):
        Path(name).write_bytes(private_pem(getattr(build, name), None))
        Path(f"{name}.pub").write_bytes(getattr(build, name).key.public_pem())


def slsa(target: str, *words: str) -> int:
    return main(["slsa", target, "--insecure", "--json", *words])


def expecting(build: SampleBuild) -> list[str]:
    raw = json.dumps(build.expectations).encode()
    Path("expect.json").write_bytes(raw)
    return ["--expect", "expect.json", "--expect-digest", str(sha256(raw))]


def levels(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    found = json.loads(capsys.readouterr().out)
    return {track["track"]: track["level"] for track in found["tracks"]}


def notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    found = json.loads(capsys.readouterr().out)
    return [check["reason"] for check in found["verdict"]["checks"] if check["outcome"] is None]


def attached(build: SampleBuild, server: LoopbackRegistry, root: Descriptor) -> None:
    """The build's documents, about the image, beside it in the registry."""
    build.documents[0][0]["subject"] = [{"name": "app", "digest": {"sha256": root.digest.hex}}]
    for document, signer in build.documents:
        assert signer is not None
        server.add_artifact("app", seal(Statement.from_json(document), signer), DSSE, subject=root)


def test_an_image_is_judged_by_what_lies_beside_it(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    attached(build, server, server.add_image("app", "1.4"))
    build.expected["image"] = f"{server.name}/app"
    assert slsa(f"{server.name}/app:1.4", *expecting(build)) == 0
    assert levels(capsys) == {"build": 3, "source": 3, "table": 4, "declared": 4}


def test_an_image_of_another_name_is_not_expected(server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    attached(build, server, server.add_image("app", "1.4"))
    build.expected["image"] = "registry.example/app"
    assert slsa(f"{server.name}/app:1.4", *expecting(build)) == 1


def test_nothing_beside_an_image_names_the_places_that_were_asked(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_image("app", "1.4")
    assert slsa(f"{server.name}/app:1.4") == 1
    assert "referrers API" in capsys.readouterr().err


def test_provenance_of_one_platform_is_not_that_of_the_index(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    keys(build)
    children = {
        Platform("linux", architecture): server.add_image(
            "app", files={architecture: b"x"}, platform=Platform("linux", architecture)
        )
        for architecture in ("amd64", "arm64")
    }
    root = server.add_index("app", children, tag="1.4")
    one, other = children.values()
    app = {"sha256": one.digest.hex}
    server.add_artifact(
        "app", seal(Statement.from_json(statement(PROVENANCE, provenance(), app)), build.builder), DSSE, subject=root
    )
    assert slsa(f"{server.name}/app:1.4", "--key", "builder.pub") == 1
    assert "its subjects lack linux/arm64" in str(notes(capsys))
    both = statement(PROVENANCE, provenance(), app)
    both["subject"].append({"name": "arm64", "digest": {"sha256": other.digest.hex}})
    server.add_artifact("app", seal(Statement.from_json(both), build.builder), DSSE, subject=root)
    assert slsa(f"{server.name}/app:1.4", "--key", "builder.pub") == 0
    assert levels(capsys)["build"] == 1


def buildkit(server: LoopbackRegistry, predicate: dict[str, Any] | None = None) -> Descriptor:
    """An index with what BuildKit says about its platform, unsigned."""
    image = server.add_image("app")
    document = {
        "_type": STATEMENT,
        "subject": [{"name": "pkg:docker/app", "digest": {"sha256": image.digest.hex}}],
        "predicateType": PROVENANCE,
        "predicate": predicate or provenance(),
    }
    layer = server.add_blob("app", json.dumps(document).encode(), IN_TOTO).to_json()
    layer["annotations"] = {"in-toto.io/predicate-type": PROVENANCE}
    config = server.add_blob("app", b"{}", "application/vnd.oci.image.config.v1+json").to_json()
    held = server.add_manifest("app", {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
    entry = held.to_json() | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": str(image.digest),
        },
    }
    return server.add_index("app", {Platform("linux", "amd64"): image}, tag="1.4", more=(entry,))


def test_what_buildkit_says_unsigned_is_worth_nothing_alone(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    keys(build)
    buildkit(server)
    assert slsa(f"{server.name}/app:1.4", "--key", "builder.pub") == 1
    assert "is unsigned, and nothing that is signed pins the index it stands in" in notes(capsys)


def test_what_buildkit_says_is_a_claim_where_its_index_is_signed(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    keys(build)
    root = buildkit(server)
    signed = statement("https://sigstore.dev/cosign/sign/v1", {}, {"sha256": root.digest.hex})
    server.add_artifact("app", seal(Statement.from_json(signed), build.builder), DSSE, subject=root)
    assert slsa(f"{server.name}/app:1.4", "--key", "builder.pub") == 0
    found = json.loads(capsys.readouterr().out)
    (track,) = [track for track in found["tracks"] if track["track"] == "build"]
    assert track["level"] == 1
    first = track["requirements"][0]
    assert (first["class"], first["outcome"]) == ("claimed", "warn")
    assert "unsigned, pinned with its index by" in first["reason"]


def test_an_unsigned_claim_of_a_builder_that_is_known_is_worth_nothing(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    keys(build)
    root = buildkit(server)
    signed = statement("https://sigstore.dev/cosign/sign/v1", {}, {"sha256": root.digest.hex})
    server.add_artifact("app", seal(Statement.from_json(signed), build.verifier), DSSE, subject=root)
    build.expected["image"] = f"{server.name}/app"
    assert slsa(f"{server.name}/app:1.4", *expecting(build)) == 1
    assert "which only key" in str(notes(capsys))


def test_an_unsigned_statement_beside_the_index_is_no_claim(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    keys(build)
    root = server.add_image("app", "1.4")
    document = statement(PROVENANCE, provenance(), {"sha256": root.digest.hex})
    server.add_artifact("app", json.dumps(document).encode(), IN_TOTO, subject=root)
    assert slsa(f"{server.name}/app:1.4", "--key", "builder.pub") == 1
    assert "unsigned: nobody vouches for it" in str(notes(capsys))


# --- digests -------------------------------------------------------------------------------------------------------


def wrote(*documents: tuple[dict[str, Any], Any]) -> list[str]:
    lines = [seal(Statement.from_json(document), signer) for document, signer in documents]
    Path("a.jsonl").write_bytes(b"\n".join(lines))
    return ["--attestation", "a.jsonl"]


def test_a_commit_is_judged_by_the_source_track(capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    del build.expectations["images"]
    words = [*wrote(build.documents[1]), *expecting(build), "--resource-uri", REPOSITORY]
    assert slsa(f"gitCommit:{COMMIT}", *words) == 0
    assert levels(capsys)["source"] == 3
    assert slsa(f"gitCommit:{COMMIT}", *words, "--require", "source:4") == 1
    assert slsa(f"gitCommit:{'2e' * 20}", *words) == 1
    assert slsa(f"gitCommit:{COMMIT}", *words[:-2]) == 1


def test_a_summary_of_an_id_that_is_no_digest(capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    del build.expectations["images"]
    uri = "gce_image://images:node-1"
    document = statement(
        "https://slsa.dev/verification_summary/v1",
        summary(["EXAMPLE_L1", "SLSA_BUILD_LEVEL_2"], resource=uri),
        {"gce_image_id": "8970095005306000053"},
    )
    words = [*wrote((document, build.verifier)), *expecting(build), "--resource-uri", uri]
    assert slsa("gce_image_id:8970095005306000053", *words) == 0
    assert levels(capsys)["build"] == 2
    assert slsa("gce_image_id:8970095005306000054", *words) == 1
    assert slsa("other_id:8970095005306000053", *words) == 1


@pytest.mark.parametrize("target", ["sha1:" + "0" * 40, "md5:" + "0" * 32, "sha256:" + "0" * 63, "sha256:"])
def test_a_digest_that_decides_nothing_is_no_target(target: str) -> None:
    assert slsa(target) == 2


def test_a_digest_stands_for_what_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    keys(build)
    words = [*wrote(build.documents[0]), "--key", "builder.pub"]
    digest = Digest("sha256", build.documents[0][0]["subject"][0]["digest"]["sha256"])
    assert slsa(str(digest), *words) == 0
    assert levels(capsys)["build"] == 1


# --- stores --------------------------------------------------------------------------------------------------------


def test_a_store_with_an_index_is_asked_for_what_went_in_too(capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    Path("app").write_bytes(b"the application\n")
    for number, (document, signer) in enumerate(build.documents):
        assert signer is not None
        Path(f"{number}.json").write_bytes(seal(Statement.from_json(document), signer))
        assert main(["evidence", "put", f"{number}.json", "--store", "sqlite:evidence.db"]) == 0
    capsys.readouterr()
    assert slsa("app", "--store", "sqlite:evidence.db", *expecting(build)) == 0
    assert levels(capsys) == {"build": 3, "source": 3, "table": 4, "declared": 4}


def test_a_file_by_a_second_algorithm(capsys: pytest.CaptureFixture[str]) -> None:
    import hashlib

    build = SampleBuild()
    keys(build)
    Path("app").write_bytes(b"the application\n")
    subject = build.documents[0][0]["subject"][0]
    subject["digest"] = {"sha512": hashlib.sha512(b"the application\n").hexdigest()}
    assert slsa("app", *wrote(build.documents[0]), "--key", "builder.pub") == 0
    subject["digest"] |= {"sha256": "0" * 64}
    assert slsa("app", *wrote(build.documents[0]), "--key", "builder.pub") == 1
