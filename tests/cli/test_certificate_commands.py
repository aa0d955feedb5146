"""Signing with a certificate, and verifying by who its holder is, on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.certificate_authority import Holder, new_root
from tests.certified_chain import ROOT_ID, authority

from navicert.cli.main import main
from navicert.crypto.signer import generate, private_pem

NOW = datetime.now(UTC).replace(microsecond=0)
LIFE: Any = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(days=400)}
CONSTRAINT = {
    "common_name": "builder",
    "dns_names": [],
    "emails": [],
    "organizations": ["Example"],
    "uris": ["spiffe://example.com/build"],
    "roots": [ROOT_ID],
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = new_root(**LIFE)
    write(root.issue(organizations=["Example"], uris=["spiffe://example.com/build"], **LIFE), "builder")
    write(root.issue("eve", organizations=["Example"], uris=["spiffe://example.com/build"], **LIFE), "eve")
    owner = generate()
    (tmp_path / "owner").write_bytes(private_pem(owner, None))
    (tmp_path / "owner.pub").write_bytes(owner.key.public_pem())
    step: dict[str, Any] = {"name": "build", "threshold": 1, "pubkeys": [], "cert_constraints": [CONSTRAINT]}
    step |= {"expected_materials": [["DISALLOW", "*"]], "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]]}
    layout: dict[str, Any] = {
        "_type": "layout",
        "expires": f"{NOW + timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}",
        "keys": {},
        "inspect": [],
    }
    layout |= {
        "steps": [step],
        "rootcas": {ROOT_ID: authority(root)},
        "readme": 'navicert: {"name": "a", "version": 1}',
    }
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    assert main(["layout", "sign", "layout.json", "--key", "owner", "-o", "root.layout"]) == 0
    return tmp_path


def write(holder: Holder, name: str) -> None:
    raw = holder.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path(name).write_bytes(raw)
    Path(f"{name}.crt").write_text(holder.pem)


def run(name: str, *more: str) -> int:
    words = ["run", "build", "--key", name, "--cert", f"{name}.crt", "-p", "app", *more]
    return main([*words, "--", "sh", "-c", "echo made > app"])


def verify(*more: str) -> int:
    return main(["verify", "--layout", "root.layout", "--owner", "owner.pub", "app", *more])


@pytest.mark.parametrize("form", ["--dsse", "--metablock"])
def test_whoever_holds_the_right_certificate_performs_the_step(work, form, capsys):
    assert run("builder", form) == 0
    capsys.readouterr()
    assert verify() == 0
    assert "spiffe://example.com/build" in capsys.readouterr().out


def test_another_certificate_of_the_same_authority_does_not_do(work, capsys):
    assert run("eve") == 0
    capsys.readouterr()
    assert verify() == 1
    said = " ".join(capsys.readouterr().out.split())
    assert 'its common name: "eve", not "builder"' in said


@pytest.mark.parametrize("store", ["sqlite:evidence.db", "evidence"])
def test_it_is_found_in_every_kind_of_store(work, store):
    assert run("builder", "--store", store) == 0
    assert verify("--store", store) == 0


def test_a_recording_begins_and_ends_with_it(work):
    words = ["build", "--key", "builder", "--cert", "builder.crt"]
    assert main(["record", "start", *words]) == 0
    Path("app").write_text("made\n")
    assert main(["record", "stop", *words, "-p", "app"]) == 0
    assert verify() == 0


def test_an_unsigned_link_is_signed_with_it(work):
    assert run("builder") == 0
    (link,) = work.glob("build.*.link")
    assert main(["sign", str(link), "--key", "eve"]) == 0
    assert verify() == 1
    assert main(["sign", str(link), "--key", "builder", "--cert", "builder.crt"]) == 0
    assert verify() == 0


def test_attack_a_certificate_for_another_key(work, capsys):
    assert main(["run", "build", "--key", "builder", "--cert", "eve.crt", "-x"]) == 125
    assert "eve.crt: the certificate is for another key than the one that signs" in capsys.readouterr().err
    assert main(["run", "build", "--key", "builder", "--cert", "builder", "-x"]) == 125
    assert main(["run", "build", "--key", "builder", "--cert", "nowhere.crt", "-x"]) == 125
    assert main(["sign", "layout.json", "--key", "builder", "--key", "eve", "--cert", "eve.crt"]) == 2
    assert not list(work.glob("*.link"))


def test_show_says_who_holds_it_and_whom_a_layout_means(work, capsys):
    run("builder")
    (link,) = work.glob("build.*.link")
    capsys.readouterr()
    assert main(["show", str(link), "--all"]) == 0
    assert "certificate of spiffe://example.com/build, builder" in capsys.readouterr().out
    assert main(["show", str(link), "--json"]) == 0
    (signature,) = json.loads(capsys.readouterr().out)["signatures"]
    assert signature["certificate"] == "spiffe://example.com/build, builder, Example"
    assert main(["show", "root.layout", "--all"]) == 0
    out = capsys.readouterr().out
    assert "whoever has a certificate with CN=builder; O=Example; URI=spiffe://example.com/build" in out
    assert "CN=root CA" in out
    assert "unknown" not in out
    assert "who may perform" not in out


def test_show_says_that_a_certificate_cannot_be_read(work, capsys):
    run("builder", "--metablock")
    (link,) = work.glob("build.*.link")
    document = json.loads(link.read_text())
    document["signatures"][0]["cert"] = "text"
    link.write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["show", str(link), "--all"]) == 0
    assert "certificate of nobody: it cannot be read" in capsys.readouterr().out


def test_lint_knows_it(work, capsys):
    assert main(["layout", "lint", "root.layout"]) == 0
    out = capsys.readouterr().out
    assert "key.unused" not in out
    assert "threshold" not in out


def test_the_in_toto_programs_verify_it(work):
    from navicert.compat.program import verify as program

    assert run("builder", "--metablock") == 0
    import subprocess
    import sys

    code = "import sys; from navicert.compat.program import verify; sys.argv[0] = 'in-toto-verify'; sys.exit(verify())"
    words = ["--layout", "root.layout", "--verification-keys", "owner.pub"]
    assert program is not None
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (link,) = work.glob("build.*.link")
    link.unlink()
    assert run("eve", "--metablock") == 0
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
