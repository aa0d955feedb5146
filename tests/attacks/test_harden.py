"""Every point in which reading, judging or recording is stricter than upstream, each with its test.

`POINTS` is the table: what is held, the test of this file that is named after it, and where else it is proven. A test
is named as `file::test` (in a class: `file::Class::test`), a case of `vectors/` by its file.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.checks import causes, misses, warnings
from tests.proof import defined_in, missing

from navicert.authoring.lint import lint
from navicert.authoring.policy import read_policy
from navicert.cli.main import main
from navicert.crypto.key import Key
from navicert.envelope.dsse import PAYLOAD_TYPE, pae
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.record.process import NOWHERE, Wires
from navicert.record.recorder import World, record
from navicert.resolve import resolve_all
from navicert.resolve.artifact import ResolveOptions
from navicert.strictjson import canonical
from navicert.testing import NOW, Chain, chain, file_target, key, signer
from navicert.verify.case import Policy

POINTS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    # what is held, test here, where else
    (
        "a Metablock is verified over what was received, and fields that nobody judges are named",
        "test_a_metablock_is_verified_as_received_with_its_unknown_fields",
        (
            "vectors/cases/field-added-after-signing.json",
            "vectors/cases/field-signed-with-the-rest.json",
            "vectors/cases/defaults-signed-and-left-out.json",
            "tests/unit/envelope/test_document.py::TestMetablock::test_completing_never_drops_a_field",
        ),
    ),
    (
        "a key that stands twice in an object is refused",
        "test_duplicate_keys_are_refused",
        (
            "vectors/cases/duplicate-key-in-layout.json",
            "vectors/cases/duplicate-key-in-link.json",
            "vectors/cases/duplicate-key-in-envelope.json",
            "tests/unit/test_strictjson.py::test_what_is_ambiguous_is_refused_with_its_pointer",
        ),
    ),
    (
        "a DSSE signature needs no key id, and the one that it has decides nothing",
        "test_a_dsse_signature_without_keyid_counts_for_the_key_that_verifies_it",
        (
            "vectors/cases/signature-without-keyid.json",
            "vectors/cases/keyid-of-the-owner-on-anothers-signature.json",
            "tests/unit/envelope/test_document.py::TestBothForms::test_a_key_id_is_only_a_hint",
        ),
    ),
    (
        "a layout says when it expires",
        "test_a_layout_without_expiry_is_refused",
        ("vectors/cases/expires-missing.json", "vectors/cases/expires-missing-in-envelope.json"),
    ),
    (
        "names of steps and inspections are file names",
        "test_a_name_that_is_no_file_name_is_refused",
        (
            "vectors/cases/step-name-that-leads-out.json",
            "vectors/cases/step-name-empty.json",
            "tests/attacks/test_recording.py::test_a_step_name_cannot_lead_out_of_the_store",
            "tests/attacks/test_bad_input.py::test_a_step_whose_name_is_no_file_name",
        ),
    ),
    (
        "a MATCH from a step that there is not is found before a layout is signed",
        "test_a_match_from_an_unknown_step_is_an_error_of_lint",
        (
            "vectors/cases/match-from-no-step.json",
            "tests/unit/authoring/test_lint.py::test_a_match_from_nowhere_is_answered_with_what_may_be_meant",
        ),
    ),
    (
        "artifacts are compared by the strong algorithms that both sides have: one at least, all equal",
        "test_digests_are_compared_by_common_strong_algorithms",
        (
            "vectors/cases/digests-that-are-empty.json",
            "vectors/cases/digests-that-are-weak.json",
            "vectors/cases/digests-of-which-one-differs.json",
            "vectors/cases/digests-of-different-algorithms.json",
            "vectors/cases/rule-modify-with-another-algorithm.json",
            "tests/property/test_rule_queue_laws.py::TestMatch::test_never_matches_two_empty_digest_sets",
        ),
    ),
    (
        "a link with a path that has another spelling does not count",
        "test_a_path_that_is_not_normalised_disqualifies_its_link",
        (
            "vectors/cases/path-that-goes-up-and-down.json",
            "vectors/cases/path-below-file-scheme.json",
            "tests/attacks/test_recording.py::test_cve_2021_41087_a_detour_in_a_path_is_not_recorded",
        ),
    ),
    (
        "a link in the place of the layout is refused by that name",
        "test_a_link_where_a_layout_belongs_is_a_clear_error",
        (
            "vectors/cases/link-where-layout-belongs.json",
            "tests/attacks/test_bad_input.py::test_a_link_where_a_layout_belongs",
            "tests/attacks/test_pass_without_evidence.py::test_a_signed_link_in_the_place_of_the_layout_judges_nothing",
        ),
    ),
    (
        "a parameter is a name in braces and nothing more",
        "test_a_parameter_reaches_into_nothing",
        (
            "vectors/cases/parameter-that-reaches-into-an-object.json",
            "vectors/cases/parameter-with-a-format.json",
            "vectors/cases/parameter-by-number.json",
        ),
    ),
    (
        "a bad file beside the evidence stops nothing, and is named",
        "test_a_bad_link_file_is_skipped_and_named",
        (
            "vectors/cases/unreadable-file-beside-the-link.json",
            "vectors/cases/strangers-link-beside-the-link.json",
            "tests/unit/store/test_gather.py::test_what_cannot_be_read_is_a_near_miss_without_its_file_name_twice",
        ),
    ),
    (
        "a threshold counts keys by what they are, not by what they are called",
        "test_one_key_under_two_ids_counts_once",
        (
            "vectors/cases/one-key-under-two-ids.json",
            "vectors/cases/two-keys-of-one-person.json",
            "tests/attacks/test_peers.py::test_one_rsa_key_under_two_schemes_counts_once",
            "tests/unit/verify/test_verify_authority.py::test_one_key_under_two_schemes_is_one_signer",
        ),
    ),
    (
        "sublayouts end: at a depth, and where one contains itself",
        "test_sublayouts_are_limited_in_depth_and_do_not_contain_themselves",
        (
            "vectors/cases/sublayouts-forty-deep.json",
            "vectors/cases/sublayout-that-contains-itself.json",
            "tests/attacks/test_bad_input.py::test_250_levels_of_sublayouts",
            "tests/attacks/test_bad_input.py::test_sublayouts_that_contain_each_other",
        ),
    ),
    (
        "links that disagree are named even where one would do",
        "test_links_that_disagree_at_threshold_one_are_warned_of",
        (
            "vectors/cases/links-that-disagree-where-one-is-enough.json",
            "tests/property/test_removing_evidence.py::test_removing_evidence_never_turns_a_refusal_into_a_pass",
        ),
    ),
    (
        "a threshold is one or more",
        "test_a_threshold_below_one_is_refused",
        (
            "vectors/cases/threshold-of-zero.json",
            "vectors/cases/threshold-below-zero.json",
            "vectors/cases/threshold-of-true.json",
        ),
    ),
    (
        "a link counts for the step that it is signed for",
        "test_a_link_of_another_step_does_not_count",
        (
            "vectors/cases/link-of-another-step-renamed.json",
            "vectors/cases/link-with-a-name-in-another-case.json",
            "tests/unit/verify/test_verify_candidates.py::test_the_signed_name_decides_and_the_file_name_does_not",
        ),
    ),
    (
        "a path that records nothing is said, and is an error on request",
        "test_a_path_that_records_nothing_is_said",
        (
            "tests/unit/resolve/test_resolve_file.py::test_a_name_that_records_nothing_warns",
            "tests/unit/resolve/test_resolve_file.py::test_a_name_that_records_nothing_is_an_error_when_strict",
        ),
    ),
    (
        "a link to a folder above ends the walk; a folder with two names is recorded under both",
        "test_a_cycle_of_links_ends_and_two_names_of_a_folder_are_both_recorded",
        (
            "tests/attacks/test_recording.py::test_a_link_to_an_ancestor_does_not_multiply_the_tree",
            "tests/attacks/test_recording.py::test_links_between_folders_end",
        ),
    ),
    (
        "output that is not text is recorded all the same",
        "test_output_that_is_not_utf_8_is_recorded_with_replacements",
        ("tests/unit/record/test_recorder.py::test_text_is_not_cut_inside_a_character",),
    ),
)

BUILD: Final = chain().step("build", by="bob", products=["CREATE app", "DISALLOW *"])
GOOD: Final = BUILD.link("build", products={"app": b"elf"})


# --- the table -----------------------------------------------------------------------------------------------------


def test_every_test_that_the_table_names_exists() -> None:
    assert not missing(other for _, _, others in POINTS for other in others)


def test_every_test_of_this_file_stands_in_the_table() -> None:
    about_the_table = {name for name in defined_in(Path(__file__)) if "_table" in name}
    tests = {name for name in defined_in(Path(__file__)) if name.startswith("test_")} - about_the_table
    assert tests == {name for _, name, _ in POINTS}


# --- documents -----------------------------------------------------------------------------------------------------


def metablock(document: object) -> bytes:
    """`document` in a Metablock that the owner signed, whatever it says."""
    owner = signer("owner")
    signature = {"keyid": owner.keyid, "sig": owner.sign(canonical(document)).hex()}
    return json.dumps({"signatures": [signature], "signed": document}).encode()


def policy_of(document: object) -> Policy:
    """The policy that `metablock(document)` is."""
    return Policy.open(metablock(document), [key("owner")], path="root.layout")


def document_of(good: Chain) -> dict[str, Any]:
    """The layout of `good`, to be changed."""
    document: dict[str, Any] = json.loads(json.dumps(good.layout().to_json()))
    return document


def test_a_metablock_is_verified_as_received_with_its_unknown_fields() -> None:
    document = document_of(GOOD) | {"rootcas": {}}
    # What its owner signed verifies with the field, which is said not to be judged …
    policy = policy_of(document)
    verdict = GOOD.verdict(policy)
    assert verdict.passed
    assert "layout.unknown-field" in warnings(verdict)
    assert causes(GOOD.verdict(policy, strict=True)) == ["layout.unknown-field"]
    # … and not without it, nor with one that was added afterwards.
    for signed in (document_of(GOOD), document | {"more": 1}):
        changed = json.dumps(json.loads(metablock(document)) | {"signed": signed}).encode()
        assert causes(GOOD.verdict(Policy.open(changed, [key("owner")]))) == ["layout.owner"]


def test_duplicate_keys_are_refused() -> None:
    raw = GOOD.having(form="metablock").policy().sealed.raw
    twice = raw.replace(b'"readme"', b'"readme": "", "readme"', 1)
    assert twice != raw
    assert json.loads(twice) == json.loads(raw)
    with pytest.raises(Malformed, match="readme"):
        Policy.open(twice, [key("owner")])
    link = GOOD.having(form="metablock", filed=()).link("build", products={"app": b"elf"})
    assert link.verdict().passed
    raw_link = link.filed[0].raw
    assert raw_link is not None
    doubled = link.having(filed=()).file(raw_link.replace(b'"name"', b'"name": "", "name"', 1), "build")
    assert not doubled.verdict().passed
    assert 'duplicate key "name"' in misses(doubled.verdict())[0]


def test_a_dsse_signature_without_keyid_counts_for_the_key_that_verifies_it() -> None:
    raw = GOOD.filed[0].raw
    assert raw is not None
    envelope = json.loads(raw)
    anonymous = {**envelope, "signatures": [{"sig": envelope["signatures"][0]["sig"]}]}
    assert BUILD.file(json.dumps(anonymous).encode(), "build").verdict().passed
    # An id makes nobody's signature Bob's.
    forged = signer("eve").sign(pae(PAYLOAD_TYPE, base64.b64decode(envelope["payload"])))
    for keyid in ({}, {"keyid": signer("bob").keyid}):
        entry = {"sig": base64.b64encode(forged).decode(), **keyid}
        stranger = json.dumps({**envelope, "signatures": [entry]}).encode()
        assert not BUILD.file(stranger, "build").verdict().passed


def test_a_layout_without_expiry_is_refused() -> None:
    document = document_of(GOOD)
    assert GOOD.verdict(policy_of(document)).passed
    del document["expires"]
    with pytest.raises(Malformed, match="expires"):
        policy_of(document)


@pytest.mark.parametrize("name", ["", "/", "a/b", "../a", "a\\b", "a\0b", ".a", ".", "..", None])
@pytest.mark.parametrize("where", ["steps", "inspect"])
def test_a_name_that_is_no_file_name_is_refused(name: str | None, where: str) -> None:
    document = document_of(GOOD.inspection("look"))
    policy_of(document)
    document[where][0]["name"] = name
    with pytest.raises(Malformed) as caught:
        policy_of(document)
    assert caught.value.pointer == f"/signed/{where}/0/name"


@pytest.mark.parametrize("threshold", [0, -1, True, False])
def test_a_threshold_below_one_is_refused(threshold: object) -> None:
    document = document_of(GOOD)
    document["steps"][0]["threshold"] = threshold
    with pytest.raises(Malformed) as caught:
        policy_of(document)
    assert caught.value.pointer == "/signed/steps/0/threshold"


@pytest.mark.parametrize("owner", ["bob", "owner"])
def test_a_link_where_a_layout_belongs_is_a_clear_error(
    owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = GOOD.filed[0].raw
    assert raw is not None
    Path("build.link").write_bytes(raw)
    Path("owner.pub").write_bytes(key(owner).public_pem())
    assert main(["verify", "--layout", "build.link", "--owner", "owner.pub"]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("navicert: build.link: not a layout")
    assert said.err.count("\n") == 1


# --- rules ---------------------------------------------------------------------------------------------------------


def test_a_match_from_an_unknown_step_is_an_error_of_lint() -> None:
    def read_key(path: str) -> Key:
        return key(path)

    text = """
    name: app
    version: 1
    expires: 6 months
    functionaries: {{ann: ann, bob: bob}}
    steps:
    - {{name: checkout, by: ann, materials: [DISALLOW *], products: [CREATE src/*, DISALLOW *]}}
    - name: build
      by: bob
      materials: [MATCH src/* WITH PRODUCTS FROM {step}, DISALLOW *]
      products: [CREATE app, DISALLOW *]
    """

    def found(step: str) -> set[str]:
        policy = read_policy(text.format(step=step).encode(), read_key, NOW)
        return {finding.id for finding in lint(policy, NOW, lambda run: "")}

    assert "match.unknown-step" in found("chekout")
    assert "match.unknown-step" not in found("checkout")


A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("one", "other", "same", "changed"),
    [
        ({"sha256": A}, {"sha256": A}, True, False),
        ({"sha256": A}, {"sha256": A.upper()}, True, False),
        ({"sha256": A, "sha512": A * 2}, {"sha256": A}, True, False),
        ({"sha256": A}, {"sha256": B}, False, True),
        ({"sha256": A, "sha512": A * 2}, {"sha256": A, "sha512": B * 2}, False, True),
        # Nothing to compare is neither the same nor another.
        ({"sha256": A}, {"sha512": A * 2}, False, False),
        ({"md5": "a" * 32}, {"md5": "a" * 32}, False, False),
        ({"sha1": "a" * 40}, {"sha1": "b" * 40}, False, False),
        ({}, {}, False, False),
    ],
)
def test_digests_are_compared_by_common_strong_algorithms(
    one: dict[str, str], other: dict[str, str], same: bool, changed: bool
) -> None:
    match = ["MATCH * WITH PRODUCTS FROM make", "DISALLOW *"]
    two = chain().step("make", by="ann").step("use", by="bob", materials=match)
    assert two.link("make", products={"a": one}).link("use", materials={"a": other}).verdict().passed == same
    step = chain().step("make", by="ann", products=["MODIFY *", "DISALLOW *"])
    assert step.link("make", materials={"a": one}, products={"a": other}).verdict().passed == changed


@pytest.mark.parametrize("path", ["./app", "out//app", "dir/../app", "app/", ".", "", "file:./app", "//app"])
def test_a_path_that_is_not_normalised_disqualifies_its_link(path: str) -> None:
    step = chain().step("build", by="bob", products=["ALLOW *"])
    for plain in ("app", "../app", "/app", "file:app", "https://example.com//app"):
        assert step.link("build", products={plain: b"elf"}).verdict().passed, plain
    for odd in (step.link("build", products={path: b"elf"}), step.link("build", materials={path: b"elf"})):
        verdict = odd.verdict()
        assert causes(verdict) == ["step.threshold"]
        assert "not in normal form" in misses(verdict)[0]


@pytest.mark.parametrize("text", ["{a.__class__}", "{a[0]}", "{a!r}", "{a:>9999999999}", "{0}", "{}", "{", "}", "{b}"])
def test_a_parameter_reaches_into_nothing(text: str) -> None:
    plain = chain().step("build", by="bob", command="make {a}", products=[["CREATE", "{a}"], "DISALLOW *"])
    filled = plain.link("build", products={"app": b"elf"}, command="make app")
    assert filled.verdict(parameters={"a": "app"}).passed
    assert not filled.verdict(parameters={"a": "other"}).passed
    for hostile in (
        chain().step("build", by="bob", products=[["ALLOW", text]]),
        chain().step("build", by="bob").inspection("look", materials=[["ALLOW", text]]),
    ):
        with pytest.raises(Malformed, match="has no value" if text in ("{b}", "{0}") else "not a placeholder"):
            hostile.link("build").verdict(parameters={"a": "app"})


# --- evidence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[]", b'{"signed": {}, "signatures": []}', b"[" * 100_000])
def test_a_bad_link_file_is_skipped_and_named(raw: bytes) -> None:
    step = chain().step("build", by=["bob", "carl"], products=["CREATE app", "DISALLOW *"])
    beside = step.file(raw, "build", key("bob").id)
    assert beside.link("build", by="carl", products={"app": b"elf"}).verdict().passed
    alone = beside.verdict()
    assert causes(alone) == ["step.threshold"]
    assert misses(alone)[0].startswith("cannot be read")


def test_one_key_under_two_ids_counts_once() -> None:
    two = chain().step("build", by=["bob", "carl"], threshold=2, products=["CREATE app", "DISALLOW *"])
    both = two.link("build", by="bob", products={"app": b""}).link("build", by="carl", products={"app": b""})
    assert both.verdict().passed
    # Carl's key is Bob's, under an id of its own.
    document = document_of(two)
    ids = {name: signer(name).keyid for name in ("bob", "carl")}
    document["keys"][ids["carl"]] = document["keys"][ids["bob"]] | {"keyid": ids["carl"]}
    policy = policy_of(document)
    forged = two.link("build", by="bob", products={"app": b""})
    raw = forged.filed[0].raw
    assert raw is not None
    envelope = json.loads(raw)
    envelope["signatures"][0]["keyid"] = ids["carl"]
    forged = forged.file(json.dumps(envelope).encode(), "build", ids["carl"])
    assert causes(forged.verdict(policy)) == ["step.threshold"]


def test_sublayouts_are_limited_in_depth_and_do_not_contain_themselves() -> None:
    def nested(levels: int) -> Chain:
        inner = chain().step("s0", by="bob").link("s0")
        for level in range(1, levels):
            inner = chain().step(f"s{level}", by="bob").sublayout(f"s{level}", inner)
        return inner

    most = LOCAL.sublayout_depth
    assert nested(most).verdict().passed
    assert causes(nested(most + 2).verdict()) == ["sublayout.depth"]

    # The policy itself, signed by the functionary too, stands for its own step.
    ouroboros = chain().step("all", by="bob")
    itself = ouroboros.sublayout("all", ouroboros)
    assert causes(itself.verdict()) == ["sublayout.repeated"]


def test_links_that_disagree_at_threshold_one_are_warned_of() -> None:
    step = chain().step("build", by=["bob", "carl"], products=["ALLOW app", "DISALLOW *"])
    agreed = step.link("build", by="bob", products={"app": b"elf"}).link("build", by="carl", products={"app": b"elf"})
    assert agreed.verdict().passed
    assert "step.disagreement" not in warnings(agreed.verdict())
    odd = step.link("build", by="bob", products={"app": b"elf"}).link("build", by="carl", products={"app": b"evil"})
    assert "step.disagreement" in warnings(odd.verdict(target=file_target(b"elf")))


def test_a_link_of_another_step_does_not_count() -> None:
    two = chain().step("test", by="bob").step("build", by="bob").link("build")
    assert two.link("test").verdict().passed
    renamed = two.link("test", name="build", products={"a": b""})
    verdict = renamed.verdict()
    assert causes(verdict) == ["step.threshold"]
    assert 'is signed for another step, "build"' in misses(verdict)


# --- recording -----------------------------------------------------------------------------------------------------


def test_a_path_that_records_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("elf")
    for name in ("ap", "src/*"):
        found = resolve_all([name], ResolveOptions(cwd=str(tmp_path)))
        assert not found.artifacts
        assert any(name in warning for warning in found.warnings), name
        with pytest.raises(Malformed):
            resolve_all([name], ResolveOptions(cwd=str(tmp_path), strict=True))
    assert not resolve_all(["app"], ResolveOptions(cwd=str(tmp_path), strict=True)).warnings
    with pytest.raises(Malformed, match="unknown kind of artifact"):
        resolve_all(["unknown:app"], ResolveOptions(cwd=str(tmp_path)))


def test_a_cycle_of_links_ends_and_two_names_of_a_folder_are_both_recorded(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("x")
    (tmp_path / "a/b/up").symlink_to("../..")
    (tmp_path / "other").symlink_to("a/b")
    found = resolve_all(["."], ResolveOptions(cwd=str(tmp_path), limits=replace(LOCAL, artifacts=1000)))
    assert {"a/b/file", "other/file"} <= found.artifacts.keys()
    assert len(found.artifacts) < 6


def test_output_that_is_not_utf_8_is_recorded_with_replacements(tmp_path: Path) -> None:
    world = World(ResolveOptions(cwd=str(tmp_path)), wires=Wires(stdout=NOWHERE, stderr=NOWHERE), streams=True)
    link = record("s", ["printf", r"a\377\303b"], world=world, materials=[], products=[])
    assert link.byproducts["stdout"] == "a\ufffd\ufffdb"
    assert os.listdir(tmp_path) == []
