"""Every published advisory on in-toto and its implementations: the attack that it describes, refused here.

Where the flaw lies in what the specification leaves to its users, the test shows the attack pass without the option
that closes it, and refused with it. `SECURITY.md` says the same in a table.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.checks import causes, misses
from tests.conftest import Component
from tests.image_builder import LAYER, LayoutBuilder, config_json, sha256
from tests.sample_chain import SampleChain

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key
from navicert.crypto.gpg import GpgKey
from navicert.crypto.signer import generate, private_pem
from navicert.envelope.document import open_document
from navicert.model.link import Link
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
from navicert.resolve.target import open_target
from navicert.testing import LATER, NOW, chain, file_target, key
from navicert.trust.gpg import gpg_signer
from navicert.verify.case import Revocations


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a key pair beside it."""
    bob = generate()
    (tmp_path / "bob").write_bytes(private_pem(bob, None))
    (tmp_path / "bob.pub").write_bytes(bob.key.public_pem())
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(step: str, *words: str) -> int:
    return main(["run", step, "--key", "../bob", "-q", *words])


def recorded(step: str) -> Link:
    """The link of `step` in the current directory, which Bob signed."""
    (path,) = Path().glob(f"{step}.*.link")
    verified = open_document(path.read_bytes()).verified_by([load_public_key(Path("../bob.pub").read_bytes())])
    assert verified is not None
    assert isinstance(verified.body, Link)
    return verified.body


def verify(*words: str) -> int:
    """The exit code for what `SampleChain` wrote."""
    return main(["verify", "--owner", "owner.pub", "--store", "evidence", "--layout", "root.layout", "-q", *words])


# --- recording -----------------------------------------------------------------------------------------------------


def test_ghsa_wc64_c5rv_32pf_cve_2023_32076_a_configuration_in_the_tree_excludes_nothing(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = "[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *.c\nARTIFACT_BASE_PATH = /\n"
    (work / "evil.c").write_text("x")
    for name in (".in_totorc", "in_toto.conf", ".in_toto/config", ".config/in_toto"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(settings)
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("IN_TOTO_ARTIFACT_EXCLUDE_PATTERNS", "*.c")
    monkeypatch.setenv("IN_TOTO_ARTIFACT_BASE_PATH", "/")
    assert run("build", "-m", ".", "-p", ".", "-x") == 0
    link = recorded("build")
    assert "evil.c" in link.materials
    assert "evil.c" in link.products
    # What is left out because somebody said so on the command line stands in what he signed.
    assert run("hide", "-m", ".", "-x", "--exclude", "*.c") == 0
    hidden = recorded("hide")
    assert "evil.c" not in hidden.materials
    assert "*.c" in hidden.environment["navicert"]["excludes"]  # type: ignore[index]


def test_ghsa_p86f_xmg6_9q4x_a_command_does_not_run_on_materials_that_were_changed_in_between(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "main.c").write_text("good")
    assert run("checkout", "-p", "main.c", "-x") == 0
    expecting = ("--expect-from", ".", "--expect-key", "../bob.pub")
    assert run("first", "-m", "main.c", *expecting, "--", "touch", "ran") == 0
    (work / "ran").unlink()
    (work / "main.c").write_text("evil")
    assert run("second", "-m", "main.c", *expecting, "--", "touch", "ran") == 125
    assert not (work / "ran").exists()
    assert not list(work.glob("second*"))
    assert "main.c: expected sha256:" in capsys.readouterr().err


def image_with(folder: Path, mode: int, owner: int) -> Path:
    """An image of one file, `app`, with this mode and owner."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("app")
        entry.size, entry.mode, entry.uid = 3, mode, owner
        archive.addfile(entry, io.BytesIO(b"elf"))
    builder = LayoutBuilder(folder)
    layer = builder.blob(buffer.getvalue(), LAYER)
    return builder.contents(builder.manifest(config_json([sha256(buffer.getvalue())]), [layer]))


@pytest.mark.parametrize(("mode", "owner"), [(0o4755, 1000), (0o755, 0)])
def test_ghsa_wqrg_wjp9_wqfq_mode_and_owner_of_a_file_in_an_image_are_bound(
    tmp_path: Path, mode: int, owner: int
) -> None:
    good, other = image_with(tmp_path / "good", 0o755, 1000), image_with(tmp_path / "other", mode, owner)
    made = resolve_all([f"app=oci:{good}"], ResolveOptions()).artifacts
    step = chain().step("build", by="bob", products=["CREATE app/*", "DISALLOW *"])
    built = step.link("build", products={path: dict(digests) for path, digests in made.items()})
    assert built.verdict(target=open_target(f"oci:{good}")).passed
    assert causes(built.verdict(target=open_target(f"oci:{other}"))) == ["target.bound"]


# --- paths and patterns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["dir/../foo", "./foo", "dir//../foo", "x/./../foo", "file:dir/../foo"])
def test_ghsa_vrxp_mg9f_hwf3_cve_2021_41087_a_path_that_goes_round_a_rule_does_not_count(spelling: str) -> None:
    step = chain().step("build", by="bob", products=["DISALLOW foo", "ALLOW *"])
    assert step.link("build", products={"bar": b"x"}).verdict().passed
    assert causes(step.link("build", products={"foo": b"x"}).verdict()) == ["rule.disallow"]
    detour = step.link("build", products={spelling: b"x"}).verdict()
    assert causes(detour) == ["step.threshold"]
    assert "not in normal form" in misses(detour)[0]


LAYOUT = """
name: app
version: 1
expires: 6 months
functionaries: {{bob: ../bob.pub}}
steps:
- name: build
  by: bob
  materials: [DISALLOW *]
  products: ["ALLOW {pattern}", "DISALLOW *"]
"""


def test_ghsa_pmwq_pjrm_6p5r_a_caret_negates_no_class_and_is_not_signed(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    negated, caret = (
        chain().step("build", by="bob", products=[f"ALLOW {pattern}", "DISALLOW *"]) for pattern in ("[!x]", "[^x]")
    )
    for name, by_negated, by_caret in (("a", True, False), ("x", False, True), ("^", True, True)):
        assert negated.link("build", products={name: b""}).verdict().passed == by_negated
        assert caret.link("build", products={name: b""}).verdict().passed == by_caret
    # Who writes it means something else than somebody reads: it is not signed.
    for pattern, code in (("[!x]", 0), ("[^x]", 2)):
        (work / "layout.yaml").write_text(LAYOUT.format(pattern=pattern))
        assert main(["layout", "sign", "layout.yaml", "--key", "../bob", "-o", f"{code}.layout"]) == code
        assert (work / f"{code}.layout").exists() == (code == 0)
    assert "pattern.caret" in capsys.readouterr().err


# --- replay --------------------------------------------------------------------------------------------------------


def in_run(id: str) -> dict[str, object]:
    return {"navicert": {"run-id": id}}


class TestGhsa6q78J78hPqm2LinksOfAnotherReleaseOrLayout:
    """Links are not bound to a layout or a release by themselves."""

    STEPS = (
        chain()
        .step("checkout", by="ann", products=["CREATE src", "DISALLOW *"])
        .step("build", by="bob", materials=["MATCH src WITH PRODUCTS FROM checkout", "DISALLOW *"])
    )
    OLD = STEPS.link("checkout", products={"src": b"old"}, environment=in_run("1")).link(
        "build", materials={"src": b"old"}, products={"app": b"old app"}, environment=in_run("1")
    )

    def test_ghsa_6q78_j78h_pqm2_do_not_carry_this_target(self) -> None:
        assert self.OLD.verdict(target=file_target(b"old app")).passed
        assert causes(self.OLD.verdict(target=file_target(b"new app"))) == ["target.bound"]

    def test_ghsa_6q78_j78h_pqm2_do_not_fit_in_between(self) -> None:
        mixed = self.OLD.without("checkout").link("checkout", products={"src": b"new"})
        assert causes(mixed.verdict()) == ["rule.match-unsatisfied"]

    def test_ghsa_6q78_j78h_pqm2_are_of_another_run(self) -> None:
        assert self.OLD.verdict(run_id="1").passed
        assert causes(self.OLD.verdict(run_id="2")) == ["step.threshold", "step.threshold"]
        # One of them is enough to be refused.
        partly = self.OLD.without("checkout").link("checkout", products={"src": b"old"}, environment=in_run("2"))
        assert partly.verdict().passed
        assert not partly.verdict(run_id="1").passed
        assert not partly.verdict(run_id="2").passed

    def test_ghsa_6q78_j78h_pqm2_name_another_version(self) -> None:
        step = chain().step("build", by="bob", products=[["CREATE", "app-{version}.tar"], "DISALLOW *"])
        old = step.link("build", products={"app-1.tar": b""})
        assert old.verdict(parameters={"version": "1"}).passed
        assert causes(old.verdict(parameters={"version": "2"})) == ["rule.disallow"]

    def test_ghsa_6q78_j78h_pqm2_are_revoked_by_digest(self) -> None:
        digests = {str(exhibit.document.digest) for exhibit in self.OLD.case().evidence}
        assert not self.OLD.verdict(revoked=Revocations(frozenset(digests))).passed

    def test_ghsa_6q78_j78h_pqm2_are_refused_on_the_command_line(self, work: Path) -> None:
        SampleChain(steps=1, missing=[0]).write(work)
        assert verify("app") == 1
        assert (
            main(["run", "step00", "-k", "bob", "--run-id", "7", "--store", "evidence", "-q", "-x", "-p", "app"]) == 0
        )
        assert verify("app") == 0
        assert verify("--run-id", "7", "app") == 0
        assert verify("--run-id", "8", "app") == 1


class TestGhsa73jvH86vC2vhAnOlderLayoutThatHasNotExpired:
    """A layout can be replayed until it expires."""

    def test_ghsa_73jv_h86v_c2vh_is_refused_by_what_the_verifier_has_seen(self, work: Path) -> None:
        sample = SampleChain(version=2)
        sample.write(work)
        assert verify("--trust-state", "state") == 0
        replace(sample, version=1).write(work)
        assert verify() == 0
        assert verify("--trust-state", "state") == 1

    def test_ghsa_73jv_h86v_c2vh_is_refused_below_the_version_that_is_asked_for(self, work: Path) -> None:
        SampleChain(version=1).write(work)
        assert verify("--min-layout-version", "1") == 0
        assert verify("--min-layout-version", "2") == 1

    def test_ghsa_73jv_h86v_c2vh_is_refused_once_it_is_revoked(self, work: Path) -> None:
        SampleChain().write(work)
        digest = open_document((work / "root.layout").read_bytes()).digest
        assert verify() == 0
        assert verify("--revoke", str(digest)) == 1

    def test_ghsa_73jv_h86v_c2vh_expires(self) -> None:
        good = chain().step("build", by="bob").link("build")
        assert good.verdict(at=LATER - timedelta(seconds=1)).passed
        assert causes(good.verdict(at=LATER)) == ["layout.expired"]
        assert causes(good.having(expires=NOW).verdict()) == ["layout.expired"]


# --- GPG keys ------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyring(component: Component) -> Iterator[Path]:
    """An empty keyring. Its path is short, because gpg's agent listens there."""
    component("gpg")
    with tempfile.TemporaryDirectory(prefix="kr") as folder:
        yield Path(folder)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=True)


def gpg(keyring: Path, *words: str) -> None:
    quiet: Sequence[str] = ("--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback")
    subprocess.run(["gpg", "--homedir", keyring, *quiet, *words], check=True, capture_output=True)


def test_ghsa_jjgp_whrp_gq8m_a_gpg_key_that_expired_or_is_revoked_counts_no_more(keyring: Path) -> None:
    gpg(keyring, "--quick-generate-key", "bob", "ed25519", "sign", "1d")
    bob = gpg_signer("", str(keyring))
    assert isinstance(bob.key, GpgKey)
    made = bob.key.expires
    assert made is not None
    in_time, too_late = made - timedelta(hours=1), made + timedelta(hours=1)
    step = chain().having(form="metablock", expires=made + timedelta(days=9)).step("build", by=bob)
    good = step.link("build", by=bob)
    assert good.verdict(at=in_time).passed
    # Its validity ends by itself …
    expired = good.verdict(at=too_late)
    assert causes(expired) == ["step.threshold"]
    assert "expired key" in misses(expired)[0]
    # … and whoever learns that it was stolen denies it at once: gpg's own revocations reach no layout.
    denied = good.verdict(at=in_time, revoked=Revocations(keys=frozenset({bob.key.keyid})))
    assert causes(denied) == ["step.threshold"]
    assert "revoked key" in misses(denied)[0]
    assert good.verdict(at=in_time, revoked=Revocations(keys=frozenset({key("ann").id}))).passed


# --- the table -----------------------------------------------------------------------------------------------------


def test_every_advisory_that_the_security_policy_names_has_its_test() -> None:
    root = Path(__file__).resolve().parents[2]
    rows = [line for line in (root / "SECURITY.md").read_text().splitlines() if line.startswith(("| GHSA-", "| CVE-"))]
    names = {row.split("|")[1].strip() for row in rows}
    tests = Path(__file__).read_text()
    assert len(names) == 8
    for name in names:
        assert f"{name.lower().replace('-', '_')}_" in tests, name
