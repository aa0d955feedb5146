"""The commands that attest, and what judges their results: files, stores and registries, right input and wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.image_builder import LayoutBuilder, docker_entries, tar_of

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.digest import sha256
from navicert.envelope.document import open_document, peek, seal
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.testing import artifacts, digests, signer
from navicert.testing.registry import LoopbackRegistry

SCAI: dict[str, Any] = {"attributes": [{"attribute": "SIGNED_OFF"}]}
JUNIT = '<testsuite><testcase name="a"/></testsuite>'
SPDX = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "musl"}]}
TRIVY = {"SchemaVersion": 2, "CreatedAt": "2026-01-02T03:04:05Z", "ArtifactName": "x", "Results": [{"Target": "x"}]}
COMMIT = "gitCommit:" + "a" * 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with keys, a product, and what tools wrote about it."""
    monkeypatch.chdir(tmp_path)
    for name in ("bob", "ann"):
        Path(name).write_bytes(private_pem(signer(name), None))
        Path(name).chmod(0o600)
        Path(f"{name}.pub").write_bytes(signer(name).key.public_pem())
    Path("app").write_bytes(b"app 1")
    for name, document in (("scai.json", SCAI), ("spdx.json", SPDX), ("trivy.json", TRIVY)):
        Path(name).write_text(json.dumps(document))
    Path("junit.xml").write_text(JUNIT)
    Path("metadata.json").write_text('{"UpdatedAt": "2026-01-01T00:00:00Z"}')
    link = Link("build", ("make",), artifacts({"src": b"src"}), artifacts({"app": b"app 1", "app.map": b"map"}))
    Path("build.link").write_bytes(seal(link, signer("bob")))
    return tmp_path


Said = tuple[int, str, str]


def invoke(words: str, capsys: pytest.CaptureFixture[str]) -> Said:
    code = main(words.split())
    said = capsys.readouterr()
    return code, said.out, said.err


def body(path: str) -> Statement:
    found = peek(open_document(Path(path).read_bytes())).body
    assert isinstance(found, Statement)
    return found


CONVERTERS = {
    "attest --type scai --predicate scai.json --subject app": "https://in-toto.io/attestation/scai/v0.3",
    "attest sbom spdx.json --subject app": "https://spdx.dev/Document",
    "attest vuln trivy.json --db metadata.json --subject app": "https://in-toto.io/attestation/vulns/v0.2",
    "attest vuln trivy.json --db-updated 2026-01-01T00:00:00Z --subject app": "https://in-toto.io/attestation/vulns/v0.2",
    "attest test junit.xml --subject app --configuration junit.xml": "https://in-toto.io/attestation/test-result/v0.1",
    "attest review --subject app --url https://example.com/1": "https://in-toto.io/attestation/scai/v0.3",
    "attest provenance build.link --product app --builder-id https://ci.example/b": "https://slsa.dev/provenance/v1",
}


@pytest.mark.parametrize("words", CONVERTERS)
def test_what_is_attested_verifies(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(f"{words} --key bob -o a.json", capsys)
    assert (code, out) == (0, "")
    assert f"navicert: a.json: {CONVERTERS[words]} about app" in err
    assert body("a.json").subjects[0].digests == digests(b"app 1")
    judged = f"verify-attestation a.json --key bob.pub --artifact app --type {CONVERTERS[words]}"
    assert invoke(judged, capsys)[0] == 0


def test_without_a_place_it_is_written_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main("attest sbom spdx.json --subject app --key bob".split()) == 0
    raw = capfdbinary.readouterr().out
    assert isinstance(peek(open_document(raw)).body, Statement)


def test_several_keys_sign_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("attest review --subject app --key bob --key ann -o a.json", capsys)[0] == 0
    assert invoke("verify-attestation a.json --key bob.pub --key ann.pub --artifact app", capsys)[0] == 0


def test_a_store_keeps_all_that_one_person_says_about_one_step(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ev").mkdir()
    Path("ev", f"build.{signer('bob').keyid[:8]}.link").write_bytes(Path("build.link").read_bytes())
    for words in ("attest sbom spdx.json", "attest review", "attest review"):
        assert invoke(f"{words} --subject app --key bob --store ev --step build", capsys)[0] == 0
    assert len(list(Path("ev").iterdir())) == 3
    assert invoke("attest review --subject app --key bob --store sqlite:ev.db", capsys)[0] == 0
    _, out, _ = invoke("evidence list --store sqlite:ev.db --json", capsys)
    assert json.loads(out)["documents"][0]["types"] == ["https://in-toto.io/attestation/scai/v0.3"]


def test_json_says_what_was_signed_and_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(f"attest review --subject HEAD={COMMIT} --key bob -o a.json --json", capsys)
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said == {
        "type": "navicert-attested/v1",
        "predicate_type": "https://in-toto.io/attestation/scai/v0.3",
        "subjects": [{"name": "HEAD", "digest": {"gitCommit": "a" * 40}}],
        "signed_by": [signer("bob").keyid],
        "digest": str(sha256(Path("a.json").read_bytes().rstrip(b"\n"))),
        "places": ["a.json"],
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("attest", ""),
        ("attest sbon spdx.json", "did you mean sbom?"),
        ("attest --type scai --subject app --key bob", "--predicate"),
        ("attest --type sbom --predicate scai.json --subject app --key bob", "no such predicate type"),
        ("attest --type spdx --predicate scai.json --subject app --key bob", "scai.json: /: required field"),
        ("attest --type scai --predicate nosuch.json --subject app --key bob", "nosuch.json"),
        ("attest --type scai --predicate junit.xml --subject app --key bob", "junit.xml: not JSON"),
        ("attest sbom scai.json --subject app --key bob", "not a bill of materials"),
        ("attest sbom spdx.json --key bob", "--subject"),
        ("attest sbom spdx.json --subject app", "--key"),
        ("attest sbom spdx.json --subject nosuch --key bob", "nosuch"),
        ("attest sbom spdx.json --subject sha1:aa --key bob", "decides anything"),
        ("attest sbom spdx.json --subject sha256:abc --key bob", "decides anything"),
        ("attest sbom spdx.json --subject =app --key bob", "not a subject"),
        ("attest sbom spdx.json --subject x=*.json --key bob", "one name for several"),
        ("attest sbom spdx.json --subject app --key bob --step build", "--step is for --store"),
        ("attest sbom spdx.json --subject app --key bob --force", "--force is for --output"),
        ("attest sbom spdx.json --subject app --key bob --json -o -", "two things for standard output"),
        ("attest sbom spdx.json --subject app --key bob --attach", "needs one image"),
        ("attest sbom spdx.json --subject app --key bob -o app", "already exists"),
        ("attest vuln trivy.json --subject app --key bob", "when the scanner's database was updated"),
        ("attest vuln trivy.json --db-updated now --subject app --key bob", "--db-updated"),
        ("attest test spdx.json --subject app --key bob", "not XML"),
        ("attest provenance build.link --key bob", "who the builder is"),
        ("attest provenance build.link --key ann --builder-id https://x", "not signed by any key"),
        ("attest provenance build.link --key bob --link-key ann.pub --builder-id https://x", "not signed by any key"),
        ("attest provenance build.link --key bob --builder-id https://x --product nosuch", "matches no product"),
        ("attest provenance build.link --key bob --builder-id https://x --attach", "no image in a registry"),
        ("attest provenance spdx.json --key bob --builder-id https://x", "not a signed document"),
    ],
)
def test_wrong_usage_and_input_sign_nothing(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(Path().iterdir())
    code, out, err = invoke(words, capsys)
    assert code == 2
    assert said in err
    assert "signatures" not in out
    assert set(Path().iterdir()) == before


def test_a_whole_statement_is_no_predicate(capsys: pytest.CaptureFixture[str]) -> None:
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}}
    Path("s.json").write_text(json.dumps(statement))
    code, _, err = invoke("attest --type https://example.com/x --predicate s.json --subject app --key bob", capsys)
    assert (code, "navicert sign signs it" in err) == (2, True)


def test_a_type_of_ones_own_is_signed_and_said_to_be_unread(capsys: pytest.CaptureFixture[str]) -> None:
    words = "attest --type https://example.com/x/v1 --predicate scai.json --subject app --key bob -o a.json"
    code, _, err = invoke(words, capsys)
    assert code == 0
    assert "nothing is known about type https://example.com/x/v1" in err


def test_a_link_by_another_recorder_is_named_with_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    words = "attest provenance build.link --key ann --link-key bob.pub --builder-id https://x -o a.json"
    assert invoke(words, capsys)[0] == 0
    assert [one.name for one in body("a.json").subjects] == ["app", "app.map"]


def test_a_link_that_was_tampered_with_gives_no_provenance(capsys: pytest.CaptureFixture[str]) -> None:
    raw = Path("build.link").read_bytes()
    Path("build.link").write_bytes(raw.replace(b'"sig": "', b'"sig": "AAAA'))
    code, _, err = invoke("attest provenance build.link --key bob --builder-id https://x -o a.json", capsys)
    assert (code, "not signed by any key" in err) == (2, True)


def test_facts_of_ci_are_taken_where_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "example/app",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_WORKFLOW_REF": "example/app/.github/workflows/ci.yml@refs/heads/main",
    }.items():
        monkeypatch.setenv(name, value)
    assert invoke("attest provenance build.link --key bob -o a.json", capsys)[0] == 2
    assert invoke("attest provenance build.link --key bob --ci -o a.json", capsys)[0] == 0
    details: Any = body("a.json").predicate["runDetails"]
    assert details["builder"]["id"] == "https://github.com/example/app/.github/workflows/ci.yml@refs/heads/main"


# --- images --------------------------------------------------------------------------------------------------------


def test_an_image_in_a_registry_is_attested_by_its_manifest_and_the_attestation_attached(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with LoopbackRegistry() as server:
        server.add_image("app", "1.4")
        server.add_image("app", "other", files={"x": b"y"})
        image = f"{server.name}/app:1.4"
        words = f"attest sbom spdx.json --subject {image} --key bob --attach --insecure -o a.json"
        code, _, err = invoke(words, capsys)
        assert code == 0
        (subject,) = body("a.json").subjects
        assert subject.name == f"{server.name}/app"
        _, out, _ = invoke(f"evidence list {image} --insecure --json", capsys)
        (attached,) = json.loads(out)["documents"]
        assert attached["types"] == ["https://spdx.dev/Document"]
        assert attached["where"].partition(" ")[0] in err
        judged = f"verify-attestation a.json --key bob.pub --insecure --artifact {server.name}/app"
        assert invoke(f"{judged}:1.4", capsys)[0] == 0
        assert invoke(f"{judged}:other", capsys)[0] == 1
    assert invoke(f"{judged}:1.4", capsys)[0] == 3


def test_an_index_is_attested_by_itself_and_a_platform_of_it_is_not_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = LayoutBuilder(tmp_path / "image")
    children = [
        layout.image({"app": b"1"}, platform={"os": "linux", "architecture": "amd64"}),
        layout.image(
            {"app": b"2"}, config={"architecture": "arm64"}, platform={"os": "linux", "architecture": "arm64"}
        ),
    ]
    layout.contents(layout.index(children))
    assert invoke("attest sbom spdx.json --subject oci:image --key bob -o index.json", capsys)[0] == 0
    assert body("index.json").subjects[0].name == "image"
    assert invoke("verify-attestation index.json --key bob.pub --artifact oci:image", capsys)[0] == 0
    one = f"attest sbom spdx.json --subject {children[0]['digest']} --key bob -o one.json"
    assert invoke(one, capsys)[0] == 0
    assert invoke("verify-attestation one.json --key bob.pub --artifact oci:image", capsys)[0] == 1
    both = f"{one.replace('one.json', 'both.json')} --subject {children[1]['digest']}"
    assert invoke(both, capsys)[0] == 0
    assert invoke("verify-attestation both.json --key bob.pub --artifact oci:image", capsys)[0] == 0


@pytest.mark.parametrize("kind", ["docker-archive", "oci"])
def test_an_image_without_an_index_is_attested_by_its_manifest_or_id(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "oci":
        layout = LayoutBuilder(tmp_path / "image")
        layout.contents(layout.image())
    else:
        tar_of(docker_entries(), tmp_path / "image")
    assert invoke(f"attest sbom spdx.json --subject app={kind}:image --key bob -o a.json", capsys)[0] == 0
    assert body("a.json").subjects[0].name == "app"
    assert invoke(f"verify-attestation a.json --key bob.pub --artifact {kind}:image", capsys)[0] == 0
    assert invoke("verify-attestation a.json --key bob.pub --artifact app", capsys)[0] == 1


def test_a_file_is_taken_for_itself_before_anything_else_its_name_could_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("sha256:x").write_bytes(b"app 1")
    Path("a=b").write_bytes(b"app 1")
    for name in ("sha256:x", "a=b", "./app"):
        assert invoke(f"attest sbom spdx.json --subject {name} --key bob -o a.json --force", capsys)[0] == 0
        assert body("a.json").subjects[0].digests == digests(b"app 1")


# --- what a report is about ----------------------------------------------------------------------------------------


def scanned(**metadata: object) -> None:
    Path("trivy.json").write_text(json.dumps(TRIVY | {"ArtifactName": "app:1", "Metadata": metadata}))


VULN = "attest vuln trivy.json --db metadata.json --key bob -o a.json --force --subject"
"""A scan of something, to be signed for the subject behind it."""


def test_a_scan_of_another_image_is_not_signed_and_both_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    other, one = "sha256:" + "d" * 64, "sha256:" + "e" * 64
    scanned(ImageID=other, RepoDigests=[f"r/app@{other}"])
    code, _, err = invoke(f"{VULN} img={one}", capsys)
    assert code == 2
    assert "about something else" in err
    assert all(word in err for word in (one, other, "--about-other"))
    assert not Path("a.json").exists()
    assert invoke(f"{VULN} img={one} --about-other", capsys)[0] == 0
    assert invoke(f"{VULN} img={other}", capsys)[0] == 0


def test_every_subject_must_be_what_the_report_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    digest = "sha256:" + "d" * 64
    scanned(ImageID=digest)
    assert invoke(f"{VULN} {digest} --subject app", capsys)[0] == 2


def test_an_image_answers_to_its_index_its_manifests_and_its_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = LayoutBuilder(tmp_path / "image")
    child = layout.image({"app": b"1"}, platform={"os": "linux", "architecture": "amd64"})
    index = layout.index([child])
    layout.contents(index)
    config = json.loads(layout.blob_path(child["digest"]).read_bytes())["config"]["digest"]
    for name in (index["digest"], child["digest"], config):
        scanned(ImageID=name)
        assert invoke(f"{VULN} oci:image", capsys)[0] == 0
    scanned(ImageID="sha256:" + "d" * 64)
    assert invoke(f"{VULN} oci:image", capsys)[0] == 2


def test_a_file_that_holds_an_image_is_known_by_its_id_too(capsys: pytest.CaptureFixture[str]) -> None:
    entries = docker_entries()
    tar_of(entries, Path("image.tar"))
    (config,) = (raw for name, raw in entries if str(name).endswith(".json") and b"rootfs" in raw)
    scanned(ImageID=str(sha256(config)))
    assert invoke(f"{VULN} image.tar", capsys)[0] == 0
    assert invoke(f"{VULN} app", capsys)[0] == 2


def test_a_bill_of_another_file_is_not_signed(capsys: pytest.CaptureFixture[str]) -> None:
    component = {"name": "app", "hashes": [{"alg": "SHA-256", "content": sha256(b"app 1").hex}]}
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": component}}
    Path("bom.json").write_text(json.dumps(bill))
    words = "attest sbom bom.json --key bob -o a.json --force --subject"
    assert invoke(f"{words} app", capsys)[0] == 0
    Path("app").write_bytes(b"app 2")
    assert invoke(f"{words} app", capsys)[0] == 2


def test_a_digest_that_syft_made_up_is_refused_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    component = {"type": "container", "name": "app", "version": "sha256:" + "d" * 64}
    metadata = {"component": component, "tools": {"components": [{"name": "syft"}]}}
    Path("bom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata}))
    code, _, err = invoke("attest sbom bom.json --key bob --subject app", capsys)
    assert code == 2
    assert "syft -o json" in err


def test_a_report_without_a_digest_is_signed_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke(f"{VULN} app", capsys)
    assert code == 0
    assert "names no digest of what it is about, x" in err


@pytest.mark.parametrize(("name", "said"), [("sbom", "navicert attest sbom"), ("test", "navicert attest test")])
def test_the_name_of_a_command_is_no_type(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke(f"attest --type {name} --predicate spdx.json --subject app --key bob", capsys)
    assert code == 2
    assert said in err


def test_what_is_no_vuln_of_cosign_may_be_a_scanner_s_report(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke("attest --type vuln --predicate trivy.json --subject app --key bob", capsys)
    assert code == 2
    assert "navicert attest vuln makes one" in err


@pytest.mark.parametrize("digest", [{"sha256": "aa"}, {"sha256": "a" * 63}, {"sha256": "z" * 64}, {"gitCommit": "1f"}])
def test_a_digest_that_is_none_is_not_signed(digest: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    evidence = {"attributes": [{"attribute": "SCANNED", "evidence": {"name": "log", "digest": digest}}]}
    Path("scai.json").write_text(json.dumps(evidence))
    code, _, err = invoke("attest --type scai --predicate scai.json --subject app --key bob -o a.json", capsys)
    assert code == 2
    assert "digest" in err
    assert "/attributes/0/evidence" in err
    assert not Path("a.json").exists()


def test_a_checksum_that_is_none_is_not_signed(capsys: pytest.CaptureFixture[str]) -> None:
    bill = {**SPDX, "packages": [{"name": "musl", "checksums": [{"algorithm": "SHA256", "checksumValue": "aa"}]}]}
    Path("spdx.json").write_text(json.dumps(bill))
    code, _, err = invoke("attest sbom spdx.json --subject app --key bob -o a.json", capsys)
    assert code == 2
    assert "/predicate/packages/0/checksums/0/checksumValue" in err
