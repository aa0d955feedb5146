"""What a verification by `navicert` must get right: the STRICT column of `docs/reference/conformance.md`, and what
holds in both profiles.

One test for each cell, named after it. The same cells in the other profile: `test_upstream_column.py`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.certificate_authority import new_root
from tests.certified_chain import ANY, ROOT_ID, by, judge, layout_of
from tests.checks import causes, misses, warnings
from tests.column import BAD_LAYOUTS, GOOD, LEGAL_PATHS, ODD_PATHS, Change, metablock_with, reasons, signed_layout
from tests.sample_chain import SampleChain

from navicert.cli.main import main
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.layout import Inspection
from navicert.record.inspector import ProcessInspector
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import CommandFailed, World, record
from navicert.resolve.artifact import ResolveOptions
from navicert.testing import Chain, chain, file_target, key, signer
from navicert.verdict import Outcome
from navicert.verify.case import Part, Policy, Revocations, Target
from navicert.verify.evaluate import verify, verify_any
from navicert.verify.profile import Profile

BOTH = pytest.mark.parametrize("profile", Profile)


def sha(algorithm: str, content: bytes) -> str:
    return hashlib.new(algorithm, content).hexdigest()


# --- the layout ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", BAD_LAYOUTS.values(), ids=BAD_LAYOUTS)
def test_a_layout_that_leaves_open_what_it_asks_is_refused(change: Change) -> None:
    assert GOOD.verdict().passed
    with pytest.raises(Malformed):
        Policy.open(signed_layout(GOOD, change), [key("owner")])


@pytest.mark.parametrize("change", BAD_LAYOUTS.values(), ids=BAD_LAYOUTS)
def test_a_sublayout_that_leaves_open_what_it_asks_is_refused(change: Change) -> None:
    outer = chain().step("all", by="lead")
    assert outer.sublayout("all", GOOD).verdict().passed
    bad = outer.file(signed_layout(GOOD, change, by="lead"), "all", key("lead").id)
    bad = bad.having(filed=(*bad.filed, *GOOD.filed))
    verdict = bad.verdict()
    assert causes(verdict) == ["step.threshold"]
    assert any("cannot be read" in reason for reason in misses(verdict))


def test_a_layout_without_steps_is_refused() -> None:
    verdict = chain().verdict()
    assert not verdict.passed
    assert causes(verdict) == ["layout.empty"]


# --- links ---------------------------------------------------------------------------------------------------------


def test_a_link_of_another_step_does_not_count() -> None:
    step = chain().step("review", by="bob")
    assert step.link("review").verdict().passed
    verdict = step.link("review", name="build").verdict()
    assert causes(verdict) == ["step.threshold"]
    assert misses(verdict) == ['is signed for another step, "build"']


def test_one_key_under_two_ids_counts_once() -> None:
    bob = signer("bob")
    twin = replace(bob, key=bob.key.with_id("ab" * 32))
    step = chain().step("build", by=[bob, twin], threshold=2)
    assert causes(step.link("build", by=bob).link("build", by=twin).verdict()) == ["step.threshold"]
    assert causes(step.link("build", by=[bob, twin]).verdict()) == ["step.threshold"]


def test_one_person_with_two_keys_counts_once() -> None:
    laptop, desk = signer("bob at home"), signer("bob at work")
    step = chain().step("build", by=[laptop, desk], threshold=2)
    two = step.link("build", by=laptop).link("build", by=desk)
    assert two.verdict().passed
    assert causes(two.release(persons={"Bob": [laptop, desk]}).verdict()) == ["step.threshold"]
    by_caller = {laptop.key.fingerprint: "Bob", desk.key.fingerprint: "Bob"}
    assert causes(two.verdict(principals=by_caller)) == ["step.threshold"]


def test_a_link_with_a_key_that_stands_twice_does_not_count() -> None:
    link = '{"_type":"link","byproducts":{},"command":[],"environment":{},"materials":{},"name":"build","products":{}}'
    twice = link.replace('"name":"build"', '"name":"review","name":"build"')
    step = chain().step("build", by="bob")
    assert step.file(metablock_with(link, "bob"), "build", key("bob").id).verdict().passed
    verdict = step.file(metablock_with(twice, "bob"), "build", key("bob").id).verdict()
    assert causes(verdict) == ["step.threshold"]
    assert "cannot be read" in misses(verdict)[0]


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("side", ["materials", "products"])
def test_cve_2021_41087_a_link_with_a_path_that_is_not_in_normal_form_does_not_count(path: str, side: str) -> None:
    # DISALLOW bin/* would not see it.
    verdict = chain().step("build", by="bob").link("build", **{side: {path: b""}}).verdict()  # type: ignore[arg-type]
    assert causes(verdict) == ["step.threshold"]
    assert "not in normal form" in misses(verdict)[0]


UNUSABLE = {
    "unreadable": chain().step("build", by="bob").file(b"{", "build", key("bob").id),
    "unauthorised": chain().step("build", by="bob").step("other", by="eve").link("other").link("build", by="eve"),
    "of a stranger": chain().step("build", by="bob").link("build", by="stranger"),
    "badly signed": chain()
    .step("build", by="bob")
    .link("build", by=replace(signer("eve"), key=signer("eve").key.with_id(key("bob").id))),
}


@pytest.mark.parametrize("bad", UNUSABLE.values(), ids=UNUSABLE)
def test_a_link_file_that_does_not_count_is_a_near_miss_in_the_tree(bad: Chain) -> None:
    verdict = bad.verdict()
    assert causes(verdict) == ["step.threshold"]
    assert len(misses(verdict)) == 1
    # Beside a good one it takes nothing away, and is still told.
    beside = bad.link("build", by="bob").verdict()
    assert beside.passed
    assert misses(beside) == misses(verdict)


# --- rules ---------------------------------------------------------------------------------------------------------

FROM_BUILD = "MATCH * WITH PRODUCTS FROM build"


def pack(*rules: str) -> Chain:
    """Two steps; the second has just these rules on what it takes in."""
    return chain().step("build", by="bob").step("pack", by="pat", materials=rules)


def test_a_match_that_finds_another_digest_and_leaves_the_artifact_fails() -> None:
    changed = pack(FROM_BUILD).link("build", products={"app": b"elf"}).link("pack", materials={"app": b"evil"})
    assert causes(changed.verdict()) == ["rule.match-unsatisfied"]
    assert pack(FROM_BUILD, "ALLOW app").having(filed=changed.filed).verdict().passed
    same = pack(FROM_BUILD).link("build", products={"app": b"elf"}).link("pack", materials={"app": b"elf"})
    assert same.verdict().passed


X, Y = b"one", b"two"
SAME = [
    ({"sha256": sha("sha256", X)}, {"sha256": sha("sha256", X).upper(), "sha512": sha("sha512", X)}),
    ({"gitCommit": "ab" * 20}, {"gitCommit": "ab" * 20}),
]
NOT_SAME = [
    pytest.param({}, {}, id="both empty"),
    pytest.param({}, {"sha256": sha("sha256", X)}, id="one empty"),
    pytest.param({"sha256": sha("sha256", X)}, {"sha512": sha("sha512", X)}, id="none in common"),
    pytest.param({"md5": sha("md5", X)}, {"md5": sha("md5", X)}, id="weak only"),
    pytest.param({"sha1": sha("sha1", X)}, {"gitCommit": sha("sha1", X)}, id="git object and file"),
    pytest.param(
        {"sha256": sha("sha256", X), "sha512": sha("sha512", X)},
        {"sha256": sha("sha256", X), "sha512": sha("sha512", Y)},
        id="one of two differs",
    ),
    pytest.param({"sha256": sha("sha256", X)[:16]}, {"sha256": sha("sha256", X)[:16]}, id="cut short"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_digests_are_the_same_if_a_strong_one_is_common_and_all_common_ones_are_equal(left, right) -> None:
    matched = (
        pack(FROM_BUILD, "DISALLOW *").link("build", products={"app": left}).link("pack", materials={"app": right})
    )
    assert matched.verdict().passed
    two = chain().step("build", by=["ann", "bob"], threshold=2)
    agreed = two.link("build", by="ann", products={"app": left}).link("build", by="bob", products={"app": right})
    assert agreed.verdict().passed


@pytest.mark.parametrize(("left", "right"), NOT_SAME)
def test_digests_that_prove_nothing_are_not_the_same(left, right) -> None:
    made = pack(FROM_BUILD, "DISALLOW *").link("build", products={"app": left}).link("pack", materials={"app": right})
    assert causes(made.verdict())[0] == "rule.match-unsatisfied"
    two = chain().step("build", by=["ann", "bob"], threshold=2)
    agreed = two.link("build", by="ann", products={"app": left}).link("build", by="bob", products={"app": right})
    assert causes(agreed.verdict()) == ["step.threshold"]


@pytest.mark.parametrize(("left", "right"), [*SAME, *(case for case in NOT_SAME if case.id != "one of two differs")])
def test_modify_consumes_only_what_certainly_differs(left, right) -> None:
    step = chain().step("build", by="bob", products=["MODIFY *", "DISALLOW *"])
    verdict = step.link("build", materials={"app": left}, products={"app": right}).verdict()
    assert causes(verdict) == ["rule.disallow"]
    assert step.link("build", materials={"app": X}, products={"app": Y}).verdict().passed


LOOSE = {
    "rule.match-nothing": pack("MATCH typo WITH PRODUCTS FROM build", "DISALLOW *").link("build").link("pack"),
    "step.no-rules": chain().step("build", by="bob").link("build"),
    "layout.open-ended": chain().step("build", by="bob", products=["ALLOW app"]).link("build"),
}


@pytest.mark.parametrize("id", LOOSE)
def test_rules_that_bind_nothing_are_a_warning_and_with_strict_a_failure(id: str) -> None:
    verdict = LOOSE[id].verdict()
    assert verdict.passed
    assert id in warnings(verdict)
    strict = LOOSE[id].verdict(strict=True)
    assert not strict.passed
    assert id in causes(strict)


# --- links of one step that disagree -------------------------------------------------------------------------------


def test_of_links_that_disagree_a_group_that_meets_the_threshold_may_stand_and_the_others_warn() -> None:
    step = chain().step("build", by=["ann", "bea", "mal"], threshold=2)
    split = step.link("build", by="ann", products={"app": X}).link("build", by="mal", products={"app": Y})
    assert causes(split.verdict()) == ["step.threshold"]
    verdict = split.link("build", by="bea", products={"app": X}).verdict(target=file_target(X))
    assert verdict.passed
    assert "step.disagreement" in warnings(verdict)
    assert not split.link("build", by="bea", products={"app": X}).verdict(target=file_target(Y)).passed


@pytest.mark.parametrize("seen", [X, Y])
def test_some_consistent_selection_must_satisfy_all_rules_together(seen: bytes) -> None:
    # Each of two later steps could be satisfied by some link of the first one; both must be by the same.
    steps = (
        chain()
        .step("build", by=["ann", "mal"])
        .step("test", by="tom", materials=[FROM_BUILD])
        .step("pack", by="pat", materials=[FROM_BUILD])
        .link("build", by="ann", products={"app": X})
        .link("build", by="mal", products={"app": Y})
        .link("test", materials={"app": seen})
    )
    assert steps.link("pack", materials={"app": seen}).verdict().passed
    assert not steps.link("pack", materials={"app": X if seen == Y else Y}).verdict().passed


def test_the_search_for_a_consistent_selection_is_bounded_and_fails_closed() -> None:
    people = [f"p{number}" for number in range(6)]
    steps = chain().step("build", by=people).step("pack", by="pat", materials=[FROM_BUILD, "DISALLOW *"])
    for number, person in enumerate(people):
        steps = steps.link("build", by=person, products={"app": bytes([number])})
    steps = steps.link("pack", materials={"app": bytes([9])})
    verdict = steps.verdict(limits=replace(LOCAL, selections=3))
    assert "chain.selection" in causes(verdict)


def test_the_order_of_the_evidence_selects_nothing() -> None:
    step = chain().step("build", by=["ann", "mal"])
    made = step.link("build", by="ann", products={"app": X}).link("build", by="mal", products={"app": Y})
    backwards = made.having(filed=tuple(reversed(made.filed)))
    assert made.verdict() == backwards.verdict()


# --- owners --------------------------------------------------------------------------------------------------------


def test_every_owner_that_was_given_must_have_signed() -> None:
    one = GOOD.policy(signed_by="owner", owners=["owner", "other"])
    assert causes(GOOD.verdict(one)) == ["layout.owner"]
    assert GOOD.verdict(GOOD.policy(signed_by=["owner", "other"], owners=["owner", "other"])).passed
    assert not GOOD.verdict(GOOD.policy(owners=[])).passed


def test_m_of_n_owners_are_enough_on_request_and_fewer_are_not() -> None:
    owners = ["one", "two", "three"]
    assert GOOD.verdict(GOOD.policy(signed_by=["one", "three"], owners=owners, need=2)).passed
    assert not GOOD.verdict(GOOD.policy(signed_by=["one"], owners=owners, need=2)).passed
    assert not GOOD.verdict(GOOD.policy(signed_by=["one", "stranger"], owners=owners, need=2)).passed
    # The same key twice is one owner.
    assert not GOOD.verdict(GOOD.policy(signed_by=["one"], owners=["one", "one", "two"], need=2)).passed
    with pytest.raises(Malformed, match="below 1"):
        GOOD.policy(owners=owners, need=0)


def test_of_several_layouts_any_one_is_enough_and_none_is_not() -> None:
    good, bad = GOOD.case(), GOOD.without("build").case()
    assert verify_any([bad, good]).passed
    assert not verify_any([bad, bad]).passed
    with pytest.raises(ValueError, match="no policy"):
        verify_any([])


# --- recording -----------------------------------------------------------------------------------------------------


def test_a_failed_command_gives_no_link_unless_that_was_asked_for(tmp_path: Path) -> None:
    world = World(ResolveOptions(cwd=str(tmp_path)))
    with pytest.raises(CommandFailed):
        record("build", ["sh", "-c", "exit 3"], world=world)
    link = record("build", ["sh", "-c", "exit 3"], world=replace(world, record_failure=True))
    assert link.byproducts["return-value"] == 3


def test_output_is_shown_and_not_recorded_and_the_environment_holds_the_effective_excludes(tmp_path: Path) -> None:
    shown = os.open(tmp_path / "shown", os.O_WRONLY | os.O_CREAT)
    world = World(ResolveOptions(cwd=str(tmp_path), excludes=("*.tmp",)), wires=Wires(NOWHERE, shown, shown))
    link = record("build", ["sh", "-c", "echo said"], world=world)
    os.close(shown)
    assert (tmp_path / "shown").read_text() == "said\n"
    assert link.byproducts == {"return-value": 0, "stderr": "", "stdout": ""}
    assert link.environment == {"navicert": {"excludes": ["*.tmp"]}}


def test_a_run_id_and_facts_of_the_job_are_recorded_on_request_only(tmp_path: Path) -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "ab" * 20}
    world = World(ResolveOptions(cwd=str(tmp_path)), environ=job)
    assert set(record("build", world=world).environment["navicert"]) == {"excludes"}  # type: ignore[call-overload]
    asked = record("build", world=replace(world, run_id="r1", ci=True)).environment["navicert"]
    assert isinstance(asked, dict)
    assert asked["run-id"] == "r1"
    assert "ab" * 20 in str(asked["ci"])


# --- inspections ---------------------------------------------------------------------------------------------------


def inspected(*names: str, run: str = "look") -> Chain:
    made = GOOD
    for name in names:
        made = made.inspection(name, run=run)
    return made


def test_an_inspection_works_on_copies_in_a_fresh_folder_and_is_told_it_as_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").write_text("elf")
    monkeypatch.chdir(tmp_path)
    with ProcessInspector(str(tmp_path), output=NOWHERE) as inspector:
        result = inspector.inspect(Inspection("look", ("sh", "-c", "pwd; cat app; rm app; touch left")))
    lines = result.output.splitlines()
    assert os.path.realpath(lines[0]) != os.path.realpath(tmp_path)
    assert lines[1] == "elf"
    assert [entry.name for entry in tmp_path.iterdir()] == ["app"]
    assert os.getcwd() == str(tmp_path)


def test_an_inspection_that_nobody_asked_for_is_not_run_and_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    verdict = verify(GOOD.inspection("look", run=f"touch {proof}").case())
    assert verdict.outcome is Outcome.ERROR
    assert "--inspect-from DIR" in reasons(verdict, "inspection.run")[0]
    assert not proof.exists()


def test_a_built_in_inspection_needs_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").write_text("elf")
    monkeypatch.setenv("PATH", "")
    inspector = ProcessInspector(str(tmp_path), output=NOWHERE)
    assert inspector.inspect(Inspection("look", ("navicert", "inspect", "file-exists", "app"))).return_value == 0
    assert inspector.inspect(Inspection("look", ("navicert", "inspect", "file-exists", "no"))).return_value != 0


def test_inspections_run_in_order_and_stop_at_the_first_that_fails() -> None:
    three = inspected("first", "second", "third")
    good = three.finds("first").finds("second").finds("third")
    inspector = good.inspector()
    assert verify(good.case(), inspector).passed
    assert inspector.ran == ["first", "second", "third"]
    inspector = good.finds("second", return_value=1).inspector()
    assert not verify(good.case(), inspector).passed
    assert inspector.ran == ["first", "second"]


def test_inspections_stop_at_the_first_whose_rules_fail() -> None:
    two = GOOD.inspection("look", materials=["DISALLOW evil"]).inspection("start").finds("start")
    inspector = two.finds("look", materials={"evil": b""}).inspector()
    assert causes(verify(two.case(), inspector)) == ["rule.disallow"]
    assert inspector.ran == ["look"]


@BOTH
def test_no_inspection_runs_on_what_is_refused_anyway(profile: Profile) -> None:
    refused = inspected("look").finds("look").without("build")
    inspector = refused.inspector()
    assert not verify(refused.case(profile=profile), inspector).passed
    assert inspector.ran == []


# --- parameters ----------------------------------------------------------------------------------------------------


def fetch(pattern: str) -> Chain:
    return chain().step("fetch", by="ann", products=[f"ALLOW {pattern}", "DISALLOW *"])


@BOTH
@pytest.mark.parametrize("text", ["{0}", "{}", "{v.__class__}", "{v!r}", "{v:>9}", "{v[0]}", "{", "}", "{{v}"])
def test_a_placeholder_reaches_into_nothing(text: str, profile: Profile) -> None:
    made = fetch(f"app-{text}").link("fetch", products={"app-1": b""})
    with pytest.raises(Malformed):
        made.verdict(parameters={"v": "1"}, profile=profile)


@BOTH
def test_a_placeholder_is_its_value_and_doubled_braces_are_braces(profile: Profile) -> None:
    made = fetch("{{{v}}}").link("fetch", products={"{1}": b""})
    assert made.verdict(parameters={"v": "1"}, profile=profile).passed
    assert not made.verdict(parameters={"v": "2"}, profile=profile).passed


@pytest.mark.parametrize("value", ["*", "app-?", "[a]pp-1"])
def test_a_value_that_is_a_pattern_is_refused_unless_declared(value: str) -> None:
    made = fetch("{v}").link("fetch", products={"app-1": b""})
    with pytest.raises(Malformed, match="is a pattern"):
        made.verdict(parameters={"v": value})
    made.verdict(parameters={"v": value}, patterns=frozenset({"v"}))
    assert made.verdict(parameters={"v": "*"}, patterns=frozenset({"v"})).passed


# --- always: names -------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("path", LEGAL_PATHS)
def test_a_path_in_normal_form_and_a_uri_count(path: str, profile: Profile) -> None:
    assert chain().step("build", by="bob").link("build", products={path: b""}).verdict(profile=profile).passed


@BOTH
@pytest.mark.parametrize("path", ["../app", "/opt/app"])
def test_a_path_that_leads_out_is_legal_and_reported(path: str, profile: Profile) -> None:
    verdict = chain().step("build", by="bob").link("build", products={path: b""}).verdict(profile=profile)
    assert verdict.passed
    assert path in reasons(verdict, "artifact.outside")[0]


@BOTH
@pytest.mark.parametrize("twins", [("App", "app"), ("caf\u00e9", "cafe\u0301")])
def test_paths_that_look_alike_are_a_warning(twins: tuple[str, str], profile: Profile) -> None:
    made = chain().step("build", by="bob").link("build", products=dict.fromkeys(twins, b""))
    verdict = made.verdict(profile=profile)
    assert verdict.passed
    assert "artifact.twins" in warnings(verdict)


# --- always: ids of keys -------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("form", ["modern", "legacy", "go"])
def test_a_key_answers_to_every_id_that_implementations_give_it(form: str, profile: Profile) -> None:
    bob = signer("bob", "ecdsa")
    named = replace(bob, key=bob.key.with_id(getattr(bob.key, f"{form}_id")))
    for listed, used in ((bob, named), (named, bob)):
        made = chain().step("build", by=listed).link("build", by=used)
        assert made.verdict(profile=profile).passed
        policy = made.policy(signed_by=used, owners=listed)
        assert made.verdict(policy, profile=profile).passed


@BOTH
def test_the_id_on_a_signature_is_only_a_hint(profile: Profile) -> None:
    bob, eve = signer("bob"), signer("eve")
    step = chain().step("build", by=[bob, "carl"])
    under_another = replace(bob, key=bob.key.with_id(key("carl").id))
    assert step.link("build", by=under_another).verdict(profile=profile).passed
    assert step.link("build", by=replace(bob, key=bob.key.with_id("ab" * 32))).verdict(profile=profile).passed
    forged = replace(eve, key=eve.key.with_id(bob.keyid))
    assert not step.link("build", by=forged).verdict(profile=profile).passed


@BOTH
def test_an_id_that_tells_nothing_is_guessed_at_only_so_often(profile: Profile) -> None:
    people = sorted((signer(f"p{number}") for number in range(LOCAL.key_guesses + 1)), key=lambda one: one.keyid)
    last = people[-1]
    unnamed = replace(last, key=last.key.with_id("ab" * 32))
    assert chain().step("build", by=people[1:]).link("build", by=unnamed).verdict(profile=profile).passed
    many = chain().step("build", by=people)
    assert not many.link("build", by=unnamed).verdict(profile=profile).passed
    for id in (last.key.modern_id, last.key.legacy_id):
        # Under an id that it answers to it need not be guessed.
        assert many.link("build", by=replace(last, key=last.key.with_id(id))).verdict(profile=profile).passed


@BOTH
def test_two_keys_under_one_id_are_refused(profile: Profile) -> None:
    bob, eve = signer("bob"), signer("eve")
    # Eve's key stands under an id of its own and says that it is called as Bob's.
    made = chain().step("build", by=[bob, eve]).link("build", by=bob)
    stolen = {**eve.key.to_json(), "keyid": bob.keyid}
    layout = replace(made.layout(), keys={**made.layout().keys, eve.keyid: stolen})
    with pytest.raises(Malformed, match="two different keys answer to one id"):
        _judge(made, layout_bytes(layout), profile)
    assert _judge(made, layout_bytes(made.layout()), profile)


def layout_bytes(layout: object) -> bytes:
    from navicert.envelope.document import seal

    return seal(layout, signer("owner"))  # type: ignore[arg-type]


def _judge(made: Chain, raw: bytes, profile: Profile) -> bool:
    return made.verdict(Policy.open(raw, [key("owner")]), profile=profile).passed


# --- always: sublayouts --------------------------------------------------------------------------------------------


def nested(depth: int) -> Chain:
    made = GOOD
    for level in range(depth):
        made = chain().step(f"s{level}", by="lead").sublayout(f"s{level}", made)
    return made


@BOTH
def test_the_depth_of_sublayouts_is_limited(profile: Profile) -> None:
    assert nested(8).verdict(profile=profile).passed
    assert nested(LOCAL.sublayout_depth).verdict(profile=profile).passed
    verdict = nested(LOCAL.sublayout_depth + 1).verdict(profile=profile)
    assert not verdict.passed
    assert "sublayout.depth" in causes(verdict)


@BOTH
def test_a_layout_that_stands_below_itself_is_refused(profile: Profile) -> None:
    # Lead signs one layout for two purposes: it asks for a step that this layout itself could stand for.
    inner = chain().step("all", by="lead")
    outer = inner.sublayout("all", inner.having(filed=()), by="lead")
    verdict = outer.verdict(outer.policy(signed_by="lead", owners="lead"), profile=profile)
    assert not verdict.passed
    assert "sublayout.repeated" in causes(verdict)


@BOTH
def test_the_folder_of_a_sublayout_is_never_needed_and_never_enough(profile: Profile) -> None:
    outer = chain().step("all", by="lead").sublayout("all", GOOD)
    flat = outer.having(filed=tuple(replace(piece, scope=()) for piece in outer.filed))
    assert outer.verdict(profile=profile).passed
    assert flat.verdict(profile=profile).passed
    elsewhere = outer.having(
        filed=tuple(replace(piece, scope=("other.01234567",)) if piece.scope else piece for piece in outer.filed)
    )
    assert not elsewhere.verdict(profile=profile).passed
    # What lies in the right folder still needs the right signature.
    forged = chain().step("all", by="lead").sublayout("all", GOOD.without("build").link("build", by="eve"))
    assert not forged.verdict(profile=profile).passed


# --- always: the target --------------------------------------------------------------------------------------------


@BOTH
def test_a_target_that_the_chain_did_not_produce_is_refused(profile: Profile) -> None:
    assert GOOD.verdict(target=file_target(b"elf"), profile=profile).passed
    assert causes(GOOD.verdict(target=file_target(b"evil"), profile=profile)) == ["target.bound"]


@BOTH
def test_a_target_is_bound_by_the_last_step_unless_another_is_named(profile: Profile) -> None:
    made = (
        chain()
        .step("build", by="bob")
        .step("pack", by="pat")
        .link("build", products={"app": b"elf"})
        .link("pack", products={"app.tar": b"tar"})
    )
    assert made.verdict(target=file_target(b"tar"), profile=profile).passed
    assert not made.verdict(target=file_target(b"elf"), profile=profile).passed
    assert made.verdict(target=file_target(b"elf"), target_step="build", profile=profile).passed
    assert not made.verdict(target=file_target(b"elf"), target_step="unknown", profile=profile).passed


def test_a_target_may_be_bound_by_an_inspection() -> None:
    made = GOOD.step("note", by="ann").link("note").inspection("look", materials=[FROM_BUILD, "DISALLOW *"])
    assert made.finds("look", materials={"app": b"elf"}).verdict(target=file_target(b"elf")).passed
    assert not made.finds("look").verdict(target=file_target(b"elf")).passed


def test_what_was_a_material_of_the_step_is_no_target() -> None:
    made = chain().step("build", by="bob").link("build", materials={"app": b"elf"}, products={"out": b"other"})
    assert causes(made.verdict(target=file_target(b"elf"))) == ["target.bound"]


def image_target(image_id: str) -> Target:
    """An image whose id, written to a file with a line feed or without, could have been recorded."""
    texts = {hashlib.sha256((image_id + end).encode()).hexdigest(): image_id for end in ("", "\n")}
    return Target("image", "image", (Part("linux/amd64", frozenset({"00" * 32}), texts),))


@BOTH
def test_an_id_that_was_recorded_as_text_binds_the_image_of_that_id_alone(profile: Profile) -> None:
    image, other = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
    made = chain().step("build", by="bob").link("build", products={"image-digest.txt": f"{image}\n".encode()})
    verdict = made.verdict(target=image_target(image), profile=profile)
    assert verdict.passed
    assert any(check.id == "target.digest-file" and check.outcome.passes for _, check in verdict.root.walk())
    assert not made.verdict(target=image_target(other), profile=profile).passed


def test_links_of_another_run_do_not_count_where_a_run_is_required() -> None:
    step = chain().step("build", by="bob")
    this = step.link("build", environment={"navicert": {"run-id": "r2"}})
    last = step.link("build", environment={"navicert": {"run-id": "r1"}})
    assert this.verdict(run_id="r2").passed
    assert causes(last.verdict(run_id="r2")) == ["step.threshold"]
    assert not step.link("build").verdict(run_id="r2").passed


# --- always: version and rollback ----------------------------------------------------------------------------------


@BOTH
def test_a_layout_older_than_required_and_one_without_a_version_are_refused(profile: Profile) -> None:
    for version, passes in ((4, False), (5, True), (6, True)):
        made = GOOD.release(name="app", version=version)
        assert made.verdict(min_version=5, profile=profile).passed is passes
    assert causes(GOOD.verdict(min_version=5, profile=profile)) == ["layout.version"]


def test_the_state_of_the_verifier_rises_only_by_a_layout_that_its_owner_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["verify", "--owner", "owner.pub", "--store", "evidence", "--layout", "root.layout", "-q"]
    words += ["--trust-state", "state", "app"]
    real = SampleChain(version=5)
    replace(real, version=999, owner=real.eve).write(tmp_path)
    (tmp_path / "owner.pub").write_bytes(real.owner.key.public_pem())
    assert main(words) == 1
    real.write(tmp_path)
    # An old state among the evidence decides nothing.
    (tmp_path / "evidence" / "state").write_text('{"type":"navicert-trust-state/v1","layouts":{"sample":999}}')
    assert main(words) == 0
    replace(real, version=4).write(tmp_path)
    assert main(words) == 1
    # Signed by one of two owners, which is too few.
    replace(real, version=999).write(tmp_path)
    assert main([*words, "--owner", "eve.pub"]) == 1
    real.write(tmp_path)
    assert main(words) == 0


# --- always: revocation --------------------------------------------------------------------------------------------


def test_digests_keys_and_identities_are_denied_at_once() -> None:
    made = chain().step("build", by="bob").release(persons={"Bob": "bob"})
    made = made.link("build", materials={"source": b"old"}, products={"app": b"elf"})
    target = file_target(b"elf")
    (exhibit,) = made.case().evidence
    denied = {
        "artifact.revoked": Revocations(digests=frozenset({f"sha256:{sha('sha256', b'old')}"})),
        "target.revoked": Revocations(digests=frozenset({f"sha256:{sha('sha256', b'elf')}"})),
        "step.threshold": Revocations(digests=frozenset({str(exhibit.document.content)})),
        "step.threshold, by the key": Revocations(keys=frozenset({key("bob").legacy_id})),
        "step.threshold, by the person": Revocations(identities=frozenset({"Bob"})),
        "layout.owner": Revocations(keys=frozenset({key("owner").modern_id})),
    }
    for what, revoked in denied.items():
        assert what.partition(",")[0] in causes(made.verdict(target=target, revoked=revoked)), what
    other = Revocations(frozenset({"sha256:" + "00" * 32}), frozenset({key("eve").id}), frozenset({"Eve"}))
    assert made.verdict(target=target, revoked=other).passed


# --- always: certificates ------------------------------------------------------------------------------------------


@BOTH
def test_a_certificate_counts_by_what_it_says_alone(profile: Profile) -> None:
    root = new_root()
    constraint = {**ANY, "common_name": "builder", "uris": ["spiffe://example.com/build"], "roots": [ROOT_ID]}
    layout = layout_of([constraint], {ROOT_ID: root})
    builder = root.issue("builder", uris=["spiffe://example.com/build"])
    assert judge(layout, by(builder), profile=profile).passed
    others = [
        root.issue("builder"),
        root.issue("builder", uris=["spiffe://example.com/build", "spiffe://example.com/test"]),
        root.issue("eve", uris=["spiffe://example.com/build"]),
        new_root().issue("builder", uris=["spiffe://example.com/build"]),
    ]
    for other in others:
        assert causes(judge(layout, by(other), profile=profile)) == ["step.threshold"]
