"""Attestations out of what the real syft, trivy and pytest write about a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.envelope.document import open_document, peek
from navicert.model.statement import Statement
from navicert.testing import signer

ROOT = Path(__file__).resolve().parents[2]
TRIVYDB = ROOT / "examples" / "container-build" / "tools" / "trivydb.py"
OFFLINE = ("--skip-db-update", "--skip-java-db-update", "--offline-scan", "--cache-dir", "cache", "--quiet")
ADVISORY = {
    "id": "CVE-2099-1",
    "bucket": "pip::Made up",
    "source": {"id": "ghsa", "name": "Made up", "url": "https://example.org"},
    "package": "jinja2",
    "fixed": "3.1.0",
    "severity": "CRITICAL",
    "title": "made up",
}

Component = Callable[[str], Path]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and a key."""
    monkeypatch.chdir(tmp_path)
    Path("project").mkdir()
    Path("project", "requirements.txt").write_text("jinja2==3.0.0\nflask==3.0.3\n")
    Path("app.tar").write_bytes(b"what was made of it")
    Path("bob").write_bytes(private_pem(signer("bob"), None))
    Path("bob").chmod(0o600)
    Path("bob.pub").write_bytes(signer("bob").key.public_pem())
    return tmp_path


def run(*command: str | Path) -> str:
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false", "XDG_CACHE_HOME": "home"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def attested(*words: str) -> dict[str, Any]:
    """The predicate that is attested about app.tar, once it has been judged."""
    common = ["--subject", "app.tar", "--key", "bob", "-o", "a.json", "--force"]
    assert main(["attest", *words, *common]) == 0
    assert main(["verify-attestation", "a.json", "--key", "bob.pub", "--artifact", "app.tar"]) == 0
    statement = peek(open_document(Path("a.json").read_bytes())).body
    assert isinstance(statement, Statement)
    return dict(statement.predicate)


def packages(bill: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Name, version and package URL of what an SPDX document lists, but for the folder itself."""
    return {
        (one["name"], one.get("versionInfo", ""), reference["referenceLocator"])
        for one in bill["packages"]
        for reference in one.get("externalRefs", [])
        if reference["referenceType"] == "purl"
    }


def test_what_syft_writes_by_itself_says_what_its_spdx_says(component: Component) -> None:
    for form in ("json", "spdx-json", "cyclonedx-json"):
        Path(f"{form}.json").write_text(run(component("syft"), "-q", "dir:project", "-o", form))
    ours, theirs = attested("sbom", "json.json"), attested("sbom", "spdx-json.json")
    assert theirs == json.loads(Path("spdx-json.json").read_text())
    assert packages(ours) == packages(theirs)
    assert {name for name, _, _ in packages(ours)} == {"jinja2", "flask"}
    cyclonedx = attested("sbom", "cyclonedx-json.json")
    assert {one["name"] for one in cyclonedx["components"] if one["type"] == "library"} == {"jinja2", "flask"}


def test_what_trivy_finds_is_attested_with_the_age_of_its_database(component: Component) -> None:
    Path("advisories.json").write_text(json.dumps([ADVISORY]))
    run(sys.executable, TRIVYDB, "advisories.json", "cache")
    scan = ("fs", "--scanners", "vuln", *OFFLINE, "--format", "json", "project")
    Path("report.json").write_text(run(component("trivy"), *scan))
    predicate = attested("vuln", "report.json", "--db", "cache/db/metadata.json", "--scanner-version", "0.58.1")
    (flaw,) = predicate["scanner"]["result"]
    assert flaw["id"] == "CVE-2099-1"
    assert "CRITICAL" in {one["score"] for one in flaw["severity"]}
    assert {"package": "jinja2"} in flaw["annotations"]
    assert predicate["scanner"]["db"]["lastUpdate"] == "2026-01-01T00:00:00Z"
    assert predicate["scanner"]["uri"] == "pkg:github/aquasecurity/trivy@0.58.1"
    Path("project", "requirements.txt").write_text("jinja2==3.1.0\n")
    Path("report.json").write_text(run(component("trivy"), *scan))
    assert attested("vuln", "report.json", "--db", "cache/db/metadata.json")["scanner"]["result"] == []


def test_a_scan_of_nothing_is_not_a_clean_one(component: Component, capsys: pytest.CaptureFixture[str]) -> None:
    Path("advisories.json").write_text(json.dumps([ADVISORY]))
    run(sys.executable, TRIVYDB, "advisories.json", "cache")
    Path("empty").mkdir()
    scan = ("fs", "--scanners", "vuln", *OFFLINE, "--format", "json", "empty")
    Path("report.json").write_text(run(component("trivy"), *scan))
    words = "attest vuln report.json --db cache/db/metadata.json --subject app.tar --key bob"
    assert main(words.split()) == 2
    assert "Results" in capsys.readouterr().err


def test_what_pytest_writes_about_its_tests(capsys: pytest.CaptureFixture[str]) -> None:
    Path("project", "test_it.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 0\n"
        "@pytest.mark.skip\ndef test_later(): pass\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_many(n): assert n < 2\n"
        "@pytest.fixture\ndef broken(): raise ValueError\n"
        "def test_unset(broken): pass\n"
    )
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml=junit.xml", "project"]
    subprocess.run(tests, check=False, capture_output=True, timeout=300)
    words = "attest test junit.xml --subject app.tar --key bob -o a.json"
    assert main(words.split()) == 0
    statement = peek(open_document(Path("a.json").read_bytes())).body
    assert isinstance(statement, Statement)
    assert statement.predicate["result"] == "FAILED"
    assert statement.predicate["passedTests"] == ["project.test_it.test_good", "project.test_it.test_many[1]"]
    assert statement.predicate["failedTests"] == [
        "project.test_it.test_bad",
        "project.test_it.test_many[2]",
        "project.test_it.test_unset",
    ]
    assert main(["verify-attestation", "a.json", "--key", "bob.pub", "--artifact", "app.tar"]) == 1
