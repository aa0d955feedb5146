"""`navicert verify`: what its options mean, and which exit code each end has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sample_chain import APP, CLOSED, SampleChain, rule

from navicert.cli.main import main
from navicert.envelope.document import open_document, peek, seal
from navicert.model.layout import Inspection
from navicert.model.link import Link

LOOK = Inspection("look", ("sh", "-c", "test -f app"), (rule("MATCH app WITH PRODUCTS FROM step02"), rule("ALLOW *")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a good chain in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verify(*words: str) -> int:
    return main(["verify", "--owner", "owner.pub", "--store", "evidence", "--layout", "root.layout", *words])


def causes(*words: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The ids of what decided against."""
    capsys.readouterr()
    verify("--json", *words)
    document = json.loads(capsys.readouterr().out)
    by_path = {check["path"]: check["id"] for check in document["checks"]}
    return [by_path[path] for path in document["causes"]]


def test_a_good_chain_is_0_and_another_target_is_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain().write(folder)
    assert verify("app") == 0
    (folder / "app").write_bytes(b"another")
    assert verify("app") == 1
    assert capsys.readouterr().err == ""


def test_quiet_prints_nothing_and_verbose_the_tree(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain().write(folder)
    assert verify("app", "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert verify("app", "-v") == 0
    assert "\npass  verdict\n" in capsys.readouterr().out


def test_several_layouts_mean_any_of_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = SampleChain()
    chain.write(folder)
    (folder / "other.layout").write_bytes(seal(replace(chain.layout(), steps=()), chain.owner))
    assert verify("--layout", "other.layout", "app") == 0
    (folder / "root.layout").write_bytes(seal(replace(chain.layout(), steps=()), chain.eve))
    assert causes("--layout", "other.layout", "app", capsys=capsys) == ["policy.any"]


def test_all_owners_must_have_signed_unless_fewer_are_enough(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain().write(folder)
    assert causes("--owner", "eve.pub", capsys=capsys) == ["layout.owner"]
    assert verify("--owner", "eve.pub", "--owner-threshold", "1") == 0


@pytest.mark.parametrize(("number", "owners"), [("0", 1), ("2", 1), ("2", 2)])
def test_a_threshold_that_no_number_of_owners_meets_is_wrong_usage(
    folder: Path, number: str, owners: int, capsys: pytest.CaptureFixture[str]
) -> None:
    SampleChain().write(folder)
    # One owner named twice is still one.
    assert verify(*["--owner", "owner.pub"] * (owners - 1), "--owner-threshold", number) == 2
    assert "--owner-threshold: cannot be met" in capsys.readouterr().err


def test_an_inspection_without_a_folder_is_3_with_its_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain(inspections=(LOOK,)).write(folder)
    assert verify("app") == 3
    assert "--inspect-from" in capsys.readouterr().out


def test_an_inspection_runs_on_copies_of_the_folder_that_is_named(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    touching = replace(LOOK, run=("sh", "-c", "test -f app && rm app && touch left-behind"))
    SampleChain(inspections=(touching,)).write(folder)
    release = tmp_path_factory.mktemp("release")
    (release / "app").write_bytes(APP)
    assert verify("app", "--inspect-from", str(release)) == 0
    assert [path.name for path in release.iterdir()] == ["app"]


def test_a_folder_as_the_target_is_the_one_to_inspect(folder: Path) -> None:
    SampleChain(inspections=(LOOK,)).write(folder)
    (folder / "release").mkdir()
    (folder / "release" / "app").write_bytes(APP)
    assert verify("release") == 0
    assert verify("file:release") == 0


def test_an_inspection_that_fails_is_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain(inspections=(replace(LOOK, run=("false",)),)).write(folder)
    assert causes("app", "--inspect-from", ".", capsys=capsys) == ["inspection.run"]


def test_no_inspection_runs_for_a_chain_that_fails_already(folder: Path) -> None:
    proof = folder / "proof"
    looking = replace(LOOK, run=("touch", str(proof)))
    SampleChain(inspections=(looking,), missing=[1]).write(folder)
    assert verify("app", "--inspect-from", ".") == 1
    assert not proof.exists()


def test_parameters_fill_in_a_layout_and_patterns_must_be_declared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = SampleChain()
    chain.write(folder)
    layout = chain.layout()
    last = replace(layout.steps[-1], expected_products=(rule("ALLOW {src}"), rule("CREATE {app}"), CLOSED))
    (folder / "root.layout").write_bytes(seal(replace(layout, steps=(*layout.steps[:-1], last)), chain.owner))
    assert verify("app", "--parameter", "app=app", "--parameter-pattern", "src=src/*") == 0
    assert verify("app", "--parameter", "app=app", "--parameter", "src=src/*") == 2
    assert "--parameter-pattern src=" in capsys.readouterr().err
    assert verify("app", "--parameter", "app=app") == 2
    assert capsys.readouterr().err.startswith("navicert: root.layout: ")


def test_the_step_that_made_the_target_can_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain().write(folder)
    (folder / "source").write_bytes(b"1")
    assert verify("source", "--target-step", "step00") == 0
    assert verify("source") == 0  # the last step passes it on
    assert verify("app", "--target-step", "step00") == 1
    assert causes("app", "--target-step", "nowhere", capsys=capsys) == ["target.bound"]


def test_evidence_of_another_run_does_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SampleChain().write(folder)
    assert set(causes("app", "--run-id", "7", capsys=capsys)) == {"step.threshold"}


def test_loose_rules_fail_when_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = SampleChain()
    chain.write(folder)
    layout = chain.layout()
    loose = replace(layout.steps[-1], expected_products=(rule("ALLOW *"),))
    (folder / "root.layout").write_bytes(seal(replace(layout, steps=(*layout.steps[:-1], loose)), chain.owner))
    assert verify("app") == 0
    assert causes("app", "--strict", capsys=capsys) == ["layout.open-ended"]


@pytest.mark.parametrize("what", ["key", "person", "layout", "app"])
def test_what_is_revoked_counts_no_longer(folder: Path, what: str) -> None:
    chain = SampleChain()
    chain.write(folder)
    digest = open_document((folder / "root.layout").read_bytes()).digest
    from navicert.digest import sha256

    denied = {"key": chain.bob.keyid.upper(), "person": "bob", "layout": str(digest), "app": str(sha256(APP))}
    assert verify("app") == 0
    assert verify("app", "--revoke", denied[what]) == 1


@pytest.mark.parametrize("what", ["", "abcdef01", "sha256:12", "ab" * 31, "sha512:" + "ab" * 32])
def test_what_could_deny_nobody_is_not_taken_for_a_person(
    folder: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    SampleChain().write(folder)
    assert verify("app", "--revoke", what) == 2
    assert capsys.readouterr().err.startswith("navicert: --revoke: not a ")


def test_the_summary_of_a_chain_that_passed_is_a_link_from_its_first_materials_to_its_last_products(
    folder: Path,
) -> None:
    SampleChain().write(folder)
    assert verify("app", "--summary", "sum.link", "--summary-key", "owner", "-q") == 0
    body = peek(open_document((folder / "sum.link").read_bytes())).body
    assert isinstance(body, Link)
    assert set(body.products) >= {"app"}
    assert body.materials == {}


def test_no_summary_is_written_for_a_chain_that_did_not_pass(folder: Path) -> None:
    SampleChain(tampered=[1]).write(folder)
    assert verify("app", "--summary", "sum.link", "--summary-key", "owner", "-q") == 1
    assert not (folder / "sum.link").exists()


def test_a_bad_key_in_the_layout_is_named_with_the_layout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = SampleChain()
    chain.write(folder)
    keys = {chain.bob.keyid: {**chain.bob.key.to_json(), "scheme": "nonsense"}}
    (folder / "root.layout").write_bytes(seal(replace(chain.layout(), keys=keys), chain.owner))
    assert verify("app") == 2
    assert capsys.readouterr().err.startswith(f"navicert: root.layout: /payload#/keys/{chain.bob.keyid}/scheme: ")
