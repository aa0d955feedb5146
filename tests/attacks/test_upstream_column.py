"""What a verification by the `in-toto-*` programs must get right: the UPSTREAM column of
`docs/reference/conformance.md`, as far as the judgement itself decides it.

One test for each cell, named after it. The same cells in the other profile: `test_strict_column.py`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.checks import causes, misses, warnings
from tests.column import BAD_LAYOUTS, GOOD, ODD_PATHS, Change, metablock_with, reasons, signed_layout

from navicert.errors import Malformed
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, record
from navicert.resolve.artifact import ResolveOptions
from navicert.testing import Chain, Content, chain, key, signer
from navicert.verdict import Verdict
from navicert.verify.case import Policy
from navicert.verify.evaluate import verify
from navicert.verify.profile import Profile


def judged(made: Chain, **fields: Any) -> Verdict:
    """The verdict in this profile."""
    return made.verdict(profile=Profile.UPSTREAM, **fields)


# --- the layout ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", BAD_LAYOUTS.values(), ids=BAD_LAYOUTS)
def test_a_layout_that_leaves_open_what_it_asks_is_refused(change: Change) -> None:
    assert judged(GOOD, policy=Policy.open(signed_layout(GOOD, lambda text: text), [key("owner")])).passed
    with pytest.raises(Malformed):
        judged(GOOD, policy=Policy.open(signed_layout(GOOD, change), [key("owner")]))


@pytest.mark.parametrize("change", BAD_LAYOUTS.values(), ids=BAD_LAYOUTS)
def test_a_sublayout_that_leaves_open_what_it_asks_is_refused(change: Change) -> None:
    outer = chain().step("all", by="lead").having(filed=GOOD.filed)
    good = outer.file(signed_layout(GOOD, lambda text: text, by="lead"), "all", key("lead").id)
    assert judged(good).passed
    bad = outer.file(signed_layout(GOOD, change, by="lead"), "all", key("lead").id)
    assert causes(judged(bad)) == ["step.threshold"]
    assert any("cannot be read" in reason for reason in misses(judged(bad)))


def test_a_layout_without_steps_passes_with_a_warning() -> None:
    verdict = judged(chain())
    assert verdict.passed
    assert warnings(verdict) == ["layout.empty"]


# --- links ---------------------------------------------------------------------------------------------------------


def test_a_link_of_another_step_does_not_count() -> None:
    step = chain().step("review", by="bob")
    assert judged(step.link("review")).passed
    assert causes(judged(step.link("review", name="build"))) == ["step.threshold"]


def test_one_key_under_two_ids_and_one_person_with_two_keys_count_once() -> None:
    bob, other = signer("bob"), signer("bob at work")
    twin = replace(bob, key=bob.key.with_id("ab" * 32))
    step = chain().step("build", by=[bob, twin], threshold=2)
    assert causes(judged(step.link("build", by=bob).link("build", by=twin))) == ["step.threshold"]
    two = chain().step("build", by=[bob, other], threshold=2).link("build", by=bob).link("build", by=other)
    assert judged(two).passed
    assert causes(judged(two.release(persons={"Bob": [bob, other]}))) == ["step.threshold"]


def test_a_link_with_a_key_that_stands_twice_does_not_count() -> None:
    link = '{"_type":"link","byproducts":{},"command":[],"environment":{},"materials":{},"name":"build","products":{}}'
    twice = link.replace('"name":"build"', '"name":"review","name":"build"')
    step = chain().step("build", by="bob")
    assert judged(step.file(metablock_with(link, "bob"), "build", key("bob").id)).passed
    assert causes(judged(step.file(metablock_with(twice, "bob"), "build", key("bob").id))) == ["step.threshold"]


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("side", ["materials", "products"])
def test_cve_2021_41087_a_link_with_a_path_that_is_not_in_normal_form_does_not_count(path: str, side: str) -> None:
    files: Mapping[str, Content] = {path: b""}
    step = chain().step("build", by="bob")
    made = step.link("build", materials=files) if side == "materials" else step.link("build", products=files)
    assert causes(judged(made)) == ["step.threshold"]


def test_a_link_file_that_cannot_be_used_is_skipped_and_named_when_too_few_remain() -> None:
    step = chain().step("build", by="bob")
    bad = step.file(b"{", "build", key("bob").id).link("build", by="eve")
    bad = bad.link("build", by=replace(signer("mal"), key=signer("mal").key.with_id(key("bob").id)))
    verdict = judged(bad)
    assert causes(verdict) == ["step.threshold"]
    assert len(misses(verdict)) == 3
    # One bad file denies nothing to those that are good.
    assert judged(bad.link("build", by="bob")).passed


# --- rules ---------------------------------------------------------------------------------------------------------

FROM_BUILD = "MATCH * WITH PRODUCTS FROM build"


def pack(*rules: str) -> Chain:
    """Two steps; the second has just these rules on what it takes in."""
    return chain().step("build", by="bob").step("pack", by="pat", materials=rules)


def test_a_match_that_finds_another_digest_and_leaves_the_artifact_passes_with_a_warning_that_names_it() -> None:
    links = pack().link("build", products={"app": b"elf"}).link("pack", materials={"app": b"evil"}).filed
    verdict = judged(pack(FROM_BUILD).having(filed=links))
    assert verdict.passed
    assert warnings(verdict) == ["rule.match-unsatisfied"]
    assert '"app"' in reasons(verdict, "rule.match-unsatisfied")[0]
    # It did not consume it, so that a DISALLOW still finds it.
    assert causes(judged(pack(FROM_BUILD, "DISALLOW *").having(filed=links))) == ["rule.disallow"]


ONE = hashlib.sha256(b"one").hexdigest()
SHA256, SHA512 = {"sha256": ONE}, {"sha512": hashlib.sha512(b"one").hexdigest()}


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (SHA256, SHA256, True),
        ({}, {}, True),
        ({"md5": "00"}, {"md5": "00"}, True),
        (SHA256, {**SHA256, **SHA512}, False),
        (SHA256, {"sha256": ONE.upper()}, False),
        (SHA256, {}, False),
    ],
)
def test_digests_are_the_same_if_the_sets_are_equal(left: Content, right: Content, same: bool) -> None:
    closed = pack(FROM_BUILD, "DISALLOW *")
    matched = closed.link("build", products={"app": left}).link("pack", materials={"app": right})
    assert judged(matched).passed is same
    modified = chain().step("build", by="bob", products=["MODIFY *", "DISALLOW *"])
    assert judged(modified.link("build", materials={"app": left}, products={"app": right})).passed is not same
    two = chain().step("build", by=["ann", "bob"], threshold=2).link("build", by="ann", products={"app": left})
    assert judged(two.link("build", by="bob", products={"app": right})).passed is same


@pytest.mark.parametrize(
    "made",
    [
        pack("MATCH typo WITH PRODUCTS FROM build", "DISALLOW *").link("build").link("pack"),
        pack("MATCH * WITH PRODUCTS FROM nowhere", "DISALLOW *").link("build").link("pack"),
        chain().step("build", by="bob").link("build"),
        chain().step("build", by="bob", products=["ALLOW app"]).link("build", products={"other": b""}),
    ],
    ids=["a match that consumes nothing", "a match from no step", "no rules", "no final DISALLOW"],
)
def test_rules_that_bind_nothing_pass_without_a_word(made: Chain) -> None:
    verdict = judged(made)
    assert verdict.passed
    assert warnings(verdict) == []
    assert not made.verdict(strict=True).passed


# --- links of one step that disagree -------------------------------------------------------------------------------


def test_above_threshold_1_all_links_must_agree() -> None:
    step = chain().step("build", by=["ann", "bea", "mal"], threshold=2)
    agreed = step.link("build", by="ann", products={"app": b"x"}).link("build", by="bea", products={"app": b"x"})
    assert judged(agreed).passed
    split = agreed.link("build", by="mal", products={"app": b"y"})
    assert causes(judged(split)) == ["step.disagreement"]


@pytest.mark.parametrize("first", ["ann", "mal"])
def test_at_threshold_1_the_link_of_the_first_key_is_used_and_a_warning_says_so(first: str) -> None:
    second = "mal" if first == "ann" else "ann"
    step = chain().step("build", by=[first, second], products=["DISALLOW evil"])
    made = step.link("build", by="ann", products={"app": b""}).link("build", by="mal", products={"evil": b""})
    assert judged(made).passed is (first == "ann")
    assert "step.disagreement" in warnings(judged(made))


# --- owners --------------------------------------------------------------------------------------------------------


def test_every_owner_that_was_given_must_have_signed() -> None:
    both = ["owner", "other"]
    assert judged(GOOD, policy=GOOD.policy(signed_by=both, owners=both)).passed
    assert causes(judged(GOOD, policy=GOOD.policy(signed_by="owner", owners=both))) == ["layout.owner"]
    assert not judged(GOOD, policy=GOOD.policy(owners=[])).passed


# --- recording -----------------------------------------------------------------------------------------------------


def test_a_failed_command_can_be_recorded(tmp_path: Path) -> None:
    world = World(ResolveOptions(cwd=str(tmp_path)), record_failure=True)
    assert record("build", ["sh", "-c", "exit 3"], world=world).byproducts["return-value"] == 3


def test_output_can_be_discarded_and_the_environment_be_empty(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quiet = Wires(NOWHERE, NOWHERE, NOWHERE)
    world = World(ResolveOptions(cwd=str(tmp_path), excludes=("*.tmp",)), wires=quiet, note_excludes=False)
    link = record("build", ["sh", "-c", "echo said; echo so >&2"], world=world)
    assert capfd.readouterr() == ("", "")
    assert link.byproducts == {"return-value": 0, "stderr": "", "stdout": ""}
    assert link.environment == {}


# --- inspections ---------------------------------------------------------------------------------------------------


def test_inspections_run_in_the_current_directory(tmp_path: Path) -> None:
    made = GOOD.inspection("look", run="touch left", materials=["REQUIRE here", "ALLOW *"])
    made = made.having(expires=datetime(2099, 1, 1, tzinfo=UTC))
    (tmp_path / "here").touch()
    (tmp_path / "links").mkdir()
    for piece in made.filed:
        (tmp_path / "links" / piece.origin).write_bytes(piece.raw or b"")
    (tmp_path / "root.layout").write_bytes(made.policy().sealed.raw)
    (tmp_path / "owner.pub").write_bytes(key("owner").public_pem())
    program = [sys.executable, "-c", "from navicert.compat.program import verify; verify()"]
    words = ["--layout", "root.layout", "--verification-keys", "owner.pub", "--link-dir", "links"]
    done = subprocess.run([*program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "left").exists()
    assert (tmp_path / "look.link").exists()


def test_all_inspections_run_before_the_rules_of_any_are_judged() -> None:
    two = GOOD.inspection("look", materials=["DISALLOW evil"]).inspection("count")
    made = two.finds("look", materials={"evil": b""}).finds("count")
    inspector = made.inspector()
    assert causes(verify(made.case(profile=Profile.UPSTREAM), inspector)) == ["rule.disallow"]
    assert inspector.ran == ["look", "count"]


def test_no_inspection_runs_after_one_that_did_not_return_0() -> None:
    made = GOOD.inspection("look").inspection("count").finds("look", return_value=1).finds("count")
    inspector = made.inspector()
    assert causes(verify(made.case(profile=Profile.UPSTREAM), inspector)) == ["inspection.run"]
    assert inspector.ran == ["look"]


# --- parameters ----------------------------------------------------------------------------------------------------


def fetch(pattern: str) -> Chain:
    return chain().step("fetch", by="ann", products=[f"ALLOW {pattern}", "DISALLOW *"])


def test_a_placeholder_is_a_name_in_braces_and_nothing_else() -> None:
    made = fetch("{{{v}}}").link("fetch", products={"{1}": b""})
    assert judged(made, parameters={"v": "1"}).passed
    for text in ("{0}", "{v.__class__}", "{v!r}", "{v:>9}", "{"):
        with pytest.raises(Malformed):
            judged(fetch(text).link("fetch"), parameters={"v": "1"})


def test_a_value_may_be_a_pattern() -> None:
    made = fetch("app-{v}").link("fetch", products={"app-1": b""})
    assert judged(made, parameters={"v": "*"}).passed
    assert not judged(made, parameters={"v": "2*"}).passed
