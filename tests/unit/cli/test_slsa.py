"""`navicert slsa`: what its options mean, and which exit code each end has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sample_build import APP, VERIFIER, SampleBuild, statement
from tests.sample_chain import SampleChain

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import open_document, seal
from navicert.model.predicate.vsa import VerificationSummary
from navicert.model.statement import Statement


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(build: SampleBuild, folder: Path) -> str:
    """The build's files, and the options that pin its expectations."""
    (folder / "app").write_bytes(APP)
    lines = [seal(Statement.from_json(document), signer) for document, signer in build.documents if signer]
    (folder / "app.intoto.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    raw = json.dumps(build.expectations).encode()
    (folder / "expect.json").write_bytes(raw)
    for name in ("builder", "verifier", "mallory"):
        (folder / name).write_bytes(private_pem(getattr(build, name), None))
        (folder / f"{name}.pub").write_bytes(getattr(build, name).key.public_pem())
    return str(sha256(raw))


def slsa(*words: str) -> int:
    return main(["slsa", "app", "--attestation", "app.intoto.jsonl", *words])


def pinned(digest: str, *words: str) -> int:
    return slsa("--expect", "expect.json", "--expect-digest", digest, *words)


def levels(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    document = json.loads(capsys.readouterr().out)
    return {track["track"]: track["level"] for track in document["tracks"]}


def test_nothing_found_is_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "app").write_bytes(APP)
    assert main(["slsa", "app"]) == 1
    assert "no level (of Build L3)" in capsys.readouterr().out


def test_a_key_alone_is_worth_build_level_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert slsa("--key", "builder.pub", "--json") == 0
    assert levels(capsys) == {"build": 1, "source": 0, "table": 0, "declared": 0}


def test_a_file_of_attestations_is_evidence_as_a_pack_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert main(["slsa", "app", "--evidence-from", "app.intoto.jsonl", "--key", "builder.pub", "--json"]) == 0
    assert levels(capsys)["build"] == 1
    assert main(["slsa", "app", "--evidence-from", "app", "--key", "builder.pub"]) == 2


def test_no_key_is_worth_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert slsa() == 1
    assert "no key was given" in capsys.readouterr().out
    assert slsa("--key", "mallory.pub", "-q") == 1


def test_pinned_expectations_are_judged_by(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = write(SampleBuild(), folder)
    assert pinned(digest, "--json") == 0
    assert levels(capsys) == {"build": 3, "source": 3, "table": 4, "declared": 4}


def test_expectations_of_another_digest_do_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert pinned("sha256:" + "0" * 64) == 1
    assert "slsa.vouched" in capsys.readouterr().out


def test_expectations_that_nobody_vouches_for_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert slsa("--expect", "expect.json") == 2
    assert "--expect-digest" in capsys.readouterr().err


def signed(build: SampleBuild, folder: Path, **more: Any) -> None:
    document = statement("urn:navicert:expectations:v1", build.expectations, {"sha256": "0" * 64}) | more
    (folder / "expect.json").write_bytes(seal(Statement.from_json(document), build.verifier))


def test_signed_expectations_are_judged_by(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    write(build, folder)
    signed(build, folder)
    assert slsa("--expect", "expect.json", "--expect-key", "verifier.pub", "--json") == 0
    assert levels(capsys)["build"] == 3


def test_expectations_signed_by_somebody_else_do_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    write(build, folder)
    assert slsa("--expect", "expect.json", "--expect-key", "mallory.pub") == 1
    assert "it is not signed" in capsys.readouterr().out
    signed(build, folder)
    assert slsa("--expect", "expect.json", "--expect-key", "mallory.pub") == 1
    assert slsa("--expect", "expect.json", "--expect-key", "verifier.pub", "--expect-key", "mallory.pub") == 1
    assert slsa("--expect", "expect.json") == 2
    signed(build, folder, predicateType="https://example.com/other")
    assert slsa("--expect", "expect.json", "--expect-key", "verifier.pub") == 2


def test_yaml_is_read_like_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    write(build, folder)
    build.parameters["debug"] = True
    build.parameters["jobs"] = 4
    build.parameters["tag"] = "1.0"
    lines = [seal(Statement.from_json(document), signer) for document, signer in build.documents if signer]
    (folder / "app.intoto.jsonl").write_bytes(b"\n".join(lines))
    text = """type: navicert-expectations/v1
images:
  - source: git+https://git.example/app
    parameters: {source: "git+https://git.example/app@refs/heads/main", entryPoint: ci/build.yaml, debug: true,
                 jobs: 4, tag: "1.0"}
"""
    (folder / "expect.yaml").write_text(text)
    assert slsa("--expect", "expect.yaml", "--key", "builder.pub", "-q") == 0
    (folder / "expect.yaml").write_text(text.replace("jobs: 4", "jobs: '4'"))
    assert slsa("--expect", "expect.yaml", "--key", "builder.pub") == 1
    assert "external parameter jobs is another than expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--require", "build:3", "--require", "table:4"], 0),
        (["--require", "source:4"], 1),
        (["--require", "declared:4"], 0),
        (["--require", "build:4"], 2),
        (["--require", "build"], 2),
        (["--require", "level:3"], 2),
        (["--require", "build:x"], 2),
    ],
)
def test_a_level_may_be_required(folder: Path, words: list[str], code: int) -> None:
    assert pinned(write(SampleBuild(), folder), *words, "-q") == code


def test_the_command_line_does_not_lower_what_the_expectations_require(folder: Path) -> None:
    build = SampleBuild()
    build.expected["require"] = {"source": 4}
    assert pinned(write(build, folder), "--require", "source:1", "-q") == 1


def test_an_image_that_is_not_expected_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    build.expected["image"] = "another"
    digest = write(build, folder)
    assert pinned(digest) == 1
    assert "they name none of app" in capsys.readouterr().out
    assert pinned(digest, "--name", "another", "-q") == 0


def test_what_is_revoked_does_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    digest = write(build, folder)
    assert pinned(digest, "--revoke", build.builder.key.fingerprint) == 1
    assert "is signed with a revoked key" in capsys.readouterr().out


# --- summaries -----------------------------------------------------------------------------------------------------

VSA = ["--vsa", "verifier", "--vsa-output", "app.vsa", "--verifier-id", VERIFIER, "--resource-uri", "pkg:generic/app"]


def test_a_summary_is_written_and_is_worth_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = SampleBuild()
    digest = write(build, folder)
    assert pinned(digest, *VSA, "-q") == 0
    verified = open_document((folder / "app.vsa").read_bytes()).verified_by([build.verifier.key])
    assert verified is not None
    body = verified.body
    assert isinstance(body, Statement)
    read = VerificationSummary.from_json(body.predicate, "", body.predicate_type)
    assert read.levels == ("SLSA_BUILD_LEVEL_3",)
    assert read.policy is not None
    assert str(read.policy.digests) == digest
    assert len(read.input_attestations) == len(build.documents)
    # Whoever trusts the verifier needs nothing else.
    del build.expectations["images"]
    (folder / "expect.json").write_text(json.dumps(build.expectations))
    digest = str(sha256((folder / "expect.json").read_bytes()))
    words = ["--expect", "expect.json", "--expect-digest", digest, "--resource-uri", "pkg:generic/app", "--json"]
    assert main(["slsa", "app", "-a", "app.vsa", *words]) == 0
    assert levels(capsys)["build"] == 3


def test_the_summary_of_a_level_that_was_not_reached_says_that_it_failed_and_no_level(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = SampleBuild()
    digest = write(build, folder)
    assert pinned(digest, "--require", "source:4", *VSA) == 1
    assert "app.vsa: summary written, FAILED" in capsys.readouterr().err
    verified = open_document((folder / "app.vsa").read_bytes()).verified_by([build.verifier.key])
    assert verified is not None
    body = verified.body
    assert isinstance(body, Statement)
    read = VerificationSummary.from_json(body.predicate, "", body.predicate_type)
    assert (read.result, read.levels, read.dependency_levels) == ("FAILED", ("FAILED",), None)
    # It takes nobody anywhere, also who trusts its verifier.
    (folder / "app.intoto.jsonl").unlink()
    words = ["--expect", "expect.json", "--expect-digest", digest, "--resource-uri", "pkg:generic/app", "--json"]
    assert main(["slsa", "app", "-a", "app.vsa", *words]) == 1
    assert levels(capsys)["build"] == 0
    assert main(["verify-attestation", "app.vsa", "--key", "verifier.pub", "--artifact", "app"]) == 1


def test_no_summary_of_expectations_that_do_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert pinned("sha256:" + "0" * 64, *VSA) == 1
    assert not (folder / "app.vsa").exists()


def test_no_summary_of_another_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = write(SampleBuild(), folder)
    assert pinned(digest, *VSA, "--at", "2026-10-01T00:00:00Z") == 2
    assert not (folder / "app.vsa").exists()


def test_a_summary_needs_a_verifier_an_output_and_a_resource(folder: Path) -> None:
    digest = write(SampleBuild(), folder)
    assert pinned(digest, *VSA[:2]) == 2
    assert pinned(digest, *VSA[:6]) == 2
    assert not (folder / "app.vsa").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--expect-key", "builder.pub"],
        ["--layout", "root.layout"],
        ["--owner", "builder.pub"],
        ["--expect", "missing.yaml"],
        ["--attestation", "missing.json"],
        ["--key", "builder"],
        ["--expect", "expect.json", "--expect-digest", "md5:0"],
        ["--password-stdin"],
    ],
)
def test_wrong_usage_is_2(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write(SampleBuild(), folder)
    assert slsa(*words) == 2


def test_a_folder_has_no_provenance(folder: Path) -> None:
    (folder / "app").mkdir()
    assert main(["slsa", "app"]) == 2


# --- a layout's verdict as a summary -------------------------------------------------------------------------------

CHAIN = ["verify", "--owner", "owner.pub", "--store", "evidence", "--layout", "root.layout"]
FOR_OTHERS = [
    "--vsa",
    "bob",
    "--vsa-output",
    "chain.vsa",
    "--verifier-id",
    VERIFIER,
    "--resource-uri",
    "pkg:generic/app",
]


def test_a_chain_that_passed_is_summarised_without_a_level(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = SampleChain()
    chain.write(folder)
    assert main([*CHAIN, "app", *FOR_OTHERS, "-q"]) == 0
    verified = open_document((folder / "chain.vsa").read_bytes()).verified_by([chain.bob.key])
    assert verified is not None
    body = verified.body
    assert isinstance(body, Statement)
    read = VerificationSummary.from_json(body.predicate, "", body.predicate_type)
    assert read.levels == ("SLSA_BUILD_LEVEL_UNEVALUATED", "NAVICERT_LAYOUT_VERIFIED")
    assert read.policy is not None
    assert read.policy.digests == DigestSet.of({"sha256": sha256((folder / "root.layout").read_bytes()).hex})
    assert body.subjects[0].digests == DigestSet.of({"sha256": sha256((folder / "app").read_bytes()).hex})
    assert {str(one.digests) for one in read.input_attestations} >= {
        str(sha256(path.read_bytes())) for path in (folder / "evidence").iterdir()
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--at", "2026-10-01T00:00:00Z", "app", *FOR_OTHERS], 2),
        (FOR_OTHERS, 2),
        (["app", *FOR_OTHERS[:6]], 2),
        (["app", *FOR_OTHERS[:4], *FOR_OTHERS[6:]], 2),
        (["--revoke", "sha256:" + sha256(b"the application\n").hex, "app", *FOR_OTHERS], 1),
    ],
)
def test_no_summary_of_a_chain_that_did_not_pass_now(folder: Path, words: list[str], code: int) -> None:
    SampleChain().write(folder)
    assert main([*CHAIN, *words]) == code
    assert not (folder / "chain.vsa").exists()
