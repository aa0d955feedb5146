"""Ways to a PASS that the evidence does not carry, each tried once: none of them leads there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from navicert.envelope.document import open_document, seal
from navicert.errors import Malformed
from navicert.model.link import Link
from navicert.testing import NOW, Chain, chain, file_target, key, signer
from navicert.verdict import Outcome
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import evaluate, verify
from navicert.verify.profile import Profile

X, Y = b"content that was reviewed", b"content that was not"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha512(content: bytes) -> str:
    return hashlib.sha512(content).hexdigest()


def test_one_liar_does_not_join_two_reports_that_never_agreed() -> None:
    # Ann recorded X by SHA-256 and Bea Y by SHA-512; Mal says that both are digests of one file, which agrees with
    # each of them and makes three.
    step = chain().step("build", by=["ann", "bea", "mal"], threshold=3)
    both = {"sha256": sha256(X), "sha512": sha512(Y)}
    forged = (
        step.link("build", by="ann", products={"app": {"sha256": sha256(X)}})
        .link("build", by="bea", products={"app": {"sha512": sha512(Y)}})
        .link("build", by="mal", products={"app": both})
    )
    assert not forged.verdict().passed
    assert not forged.verdict(target=file_target(X)).passed


def test_a_digest_that_only_one_of_two_recorded_is_vouched_for_by_one() -> None:
    # The next step recorded SHA-512 only, and Mal alone says that this is what Ann saw as X.
    steps = (
        chain()
        .step("build", by=["ann", "mal"], threshold=2)
        .step("pack", by="pat", materials=["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"])
    )
    forged = (
        steps.link("build", by="ann", products={"app": {"sha256": sha256(X)}})
        .link("build", by="mal", products={"app": {"sha256": sha256(X), "sha512": sha512(Y)}})
        .link("pack", by="pat", materials={"app": {"sha512": sha512(Y)}})
    )
    assert not forged.verdict().passed


def test_what_two_recorded_with_more_and_fewer_digests_still_counts_for_both() -> None:
    steps = chain().step("build", by=["ann", "bea"], threshold=2)
    honest = steps.link("build", by="ann", products={"app": {"sha256": sha256(X)}}).link(
        "build", by="bea", products={"app": {"sha256": sha256(X).upper(), "sha512": sha512(X)}}
    )
    assert honest.verdict(target=file_target(X)).passed


def test_a_signed_link_in_the_place_of_the_layout_judges_nothing() -> None:
    sealed = open_document(seal(Link("build"), signer("owner")))
    policy = Policy(sealed, (key("owner"),), sealed.verified_by([key("owner")]))
    with pytest.raises(Malformed, match="not a layout"):
        evaluate(Case(policy, NOW))


def test_another_way_through_a_sublayout_waits_for_its_own_inspection() -> None:
    # The layout below can be met by Bob's link, or by Eve's layout whose scan would fail. What the layout above needs
    # is Eve's product; that Bob's way is complete says nothing about hers.
    eve = chain().step("compile", by="carl").link("compile", products={"app": b"evil"}).inspection("scan", run="scan")
    inner = chain().step("make", by=["bob", "eve"]).link("make", by="bob", products={"app": b"good"})
    outer = (
        chain().step("all", by="lead", products=["ALLOW *"]).sublayout("all", inner.sublayout("make", eve, by="eve"))
    )
    case = outer.case(target=file_target(b"evil"))
    assert evaluate(case).outcome is Outcome.PENDING
    inspector = outer.finds("scan", return_value=1).inspector()
    assert not verify(case, inspector).passed
    assert inspector.ran == ["scan"]
    assert verify(case, outer.finds("scan").inspector()).passed


def same_origin(chain: Chain, step: str) -> Chain:
    """`chain` where all evidence for `step` came under one name, from different stores say."""
    return chain.having(
        filed=tuple(replace(piece, origin="same") if piece.step_hint == step else piece for piece in chain.filed)
    )


def test_two_sublayouts_of_one_origin_are_each_judged_by_their_own_rules() -> None:
    lenient = chain().step("compile", by="carl", products=["ALLOW *"])
    strict = chain().step("compile", by="carl", products=["DISALLOW *"])
    both = (
        chain()
        .step("all", by=["pat", "quinn"], threshold=2)
        .sublayout("all", lenient, by="pat")
        .sublayout("all", strict, by="quinn")
        .link("compile", by="carl", products={"app": b""})
    )
    assert not both.verdict().passed
    assert not same_origin(both, "all").verdict().passed


def test_two_sublayouts_of_one_origin_are_each_inspected() -> None:
    base = chain().step("compile", by="carl")
    both = (
        chain()
        .step("all", by=["pat", "quinn"], threshold=2)
        .sublayout("all", base.inspection("scan", run="true"), by="pat")
        .sublayout("all", base.inspection("scan", run="scan"), by="quinn")
        .link("compile", by="carl")
        .finds("scan")
    )
    assert both.verdict().passed
    inspector = both.inspector()
    assert verify(same_origin(both, "all").case(), inspector).passed
    assert inspector.ran == ["scan", "scan"]


def test_a_revoked_document_stays_revoked_in_a_new_envelope() -> None:
    good = chain().step("build", by="bob").link("build")
    (exhibit,) = good.case().evidence
    raw = exhibit.document.sealed.raw
    anew = good.without("build").file(json.dumps(json.loads(raw), indent=2).encode(), "build", key("bob").id)
    for revoked in (exhibit.document.digest, exhibit.document.content):
        assert not good.verdict(revoked=Revocations(frozenset({str(revoked)}))).passed
    assert not anew.verdict(revoked=Revocations(frozenset({str(exhibit.document.content)}))).passed


def test_a_revoked_layout_stays_revoked_in_a_new_envelope() -> None:
    good = chain().step("build", by="bob").link("build")
    policy = good.policy()
    assert policy.verified is not None
    denied = Revocations(frozenset({str(policy.verified.content)}))
    anew = json.dumps(json.loads(policy.sealed.raw), indent=2).encode()
    assert not good.verdict(Policy.open(anew, [key("owner")]), revoked=denied).passed
    assert not good.verdict(policy, revoked=Revocations(frozenset({str(policy.sealed.digest)}))).passed


def test_copies_of_a_link_under_other_names_neither_count_nor_crowd_out() -> None:
    good = chain().step("build", by=["bob", "carl"], threshold=2).link("build", by="bob", products={"app": b"elf"})
    raw = good.filed[0].raw
    assert raw is not None
    for number in range(300):
        envelope = json.dumps(json.loads(raw), indent=number % 9).encode()
        good = good.file(envelope, f"other{number}", key("carl").id)
    assert not good.verdict().passed
    assert good.link("build", by="carl", products={"app": b"elf"}).verdict().passed


LOOK = (
    chain()
    .step("make", by="ann", products=["ALLOW *"])
    .step("note", by="ann")
    .inspection("look", materials=["MATCH * WITH PRODUCTS FROM make", "DISALLOW *"])
    .link("make", products={"app": b"elf"})
    .link("note", products={"note": b"n"})
)


def test_a_target_that_only_an_inspection_binds_is_bound_once_it_has_run() -> None:
    # The last step does not produce it; the inspection ties what it finds to the step that did.
    target = file_target(b"elf")
    assert evaluate(LOOK.case(target=target)).outcome is Outcome.PENDING
    assert LOOK.finds("look", materials={"app": b"elf"}).verdict(target=target).passed
    assert LOOK.finds("look", materials={"app": b"elf"}).verdict(target=target, target_step="look").passed


def test_a_target_that_no_inspection_can_bind_is_refused_before_any_runs() -> None:
    inspector = LOOK.finds("look").inspector()
    assert not verify(LOOK.case(target=file_target(b"other")), inspector).passed
    assert inspector.ran == []


def test_a_target_is_not_bound_by_an_inspection_that_did_not_see_it_or_did_not_pass() -> None:
    target = file_target(b"elf")
    assert not LOOK.finds("look").verdict(target=target).passed
    failed = LOOK.finds("look", return_value=1, materials={"app": b"elf"}).verdict(target=target)
    assert not failed.passed
    assert failed.first_cause is not None
    assert failed.first_cause.id == "inspection.run"
    broken = LOOK.finds("look", problem="no folder").verdict(target=target)
    assert broken.outcome is Outcome.ERROR


def test_what_lies_in_the_inspected_folder_does_not_bind_by_lying_there() -> None:
    loose = chain().step("note", by="ann").inspection("look", materials=["ALLOW *"]).link("note")
    assert not loose.finds("look", materials={"app": b"elf"}).verdict(target=file_target(b"elf")).passed


def test_no_command_runs_on_files_that_an_earlier_inspection_refuses() -> None:
    two = LOOK.inspection("start", run="./app").finds("start")
    inspector = two.finds("look", materials={"app": b"evil"}).inspector()
    assert not verify(two.case(), inspector).passed
    assert inspector.ran == ["look"]
    inspector = two.finds("look", materials={"app": b"elf"}).inspector()
    assert verify(two.case(), inspector).passed
    assert inspector.ran == ["look", "start"]


def test_a_name_that_is_no_text_stops_no_verification() -> None:
    good = chain().step("build", by="bob").link("build")
    odd = good.having(filed=tuple(replace(piece, origin="b\udcff.link") for piece in good.filed))
    assert odd.verdict().passed
    assert odd.verdict(profile=Profile.UPSTREAM).passed
