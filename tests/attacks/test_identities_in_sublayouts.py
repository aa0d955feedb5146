"""Sublayouts that identities sign, and their evidence: who may sign above may not below, nor the other way."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.policy_chain import checks

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.limits import LOCAL
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.policy import read_policy_document
from navicert.store import Indexed, Piece, PieceSource
from navicert.store.gather import gather
from navicert.store.trail import Trail
from navicert.store.uri import open_store
from navicert.testing import NOW, key, signer
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore
from navicert.verdict import Verdict
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import evaluate
from navicert.verify.keyless import Keyless

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
JANE, EVE = "jane@example.com", "eve@example.com"
APP = {"app": DigestSet.of({"sha256": sha256(b"the application\n").hex})}


def named(san: str) -> dict[str, Any]:
    return {"identity": san, "issuer": ISSUER}


def document(step: str, *identities: str, keys: tuple[str, ...] = ()) -> Layout:
    """A policy with one step."""
    return read_policy_document(
        {
            "_type": "navicert-policy/v1",
            "name": f"chain of {step}",
            "version": 1,
            "expires": "2099-01-01T00:00:00Z",
            "keys": {signer(name).keyid: key(name).to_json() for name in keys},
            "steps": [
                {
                    "name": step,
                    "threshold": 1,
                    "pubkeys": [signer(name).keyid for name in keys],
                    "identities": [named(one) for one in identities],
                    "expected_materials": [["DISALLOW", "*"]],
                    "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]],
                }
            ],
        }
    )


def by(san: str, body: Any, sigstore: PrivateSigstore = OURS) -> bytes:
    return as_bytes(keyless(sigstore, body, certificate={"san": san}))


def link(step: str = "compile") -> Link:
    return Link(step, products=APP)


SUB = document("compile", JANE)
TOP = document("build", SAN)


def judge(top: Layout, *pieces: Piece | bytes, root: PrivateSigstore = OURS, **more: Any) -> Verdict:
    policy = Policy.open(seal(top, signer("owner")), [key("owner")], path="root.layout")
    given = [one if isinstance(one, Piece) else Piece(f"file {n}", one) for n, one in enumerate(pieces)]
    trust = Keyless(lambda: TrustedRoot.read(root.root_bytes(), LOCAL), NOW)
    found = gather(policy, [PieceSource(given)], keyless=trust)
    return evaluate(Case(policy, NOW, found.exhibits, found.refused, **more))


def test_an_identity_signs_the_sublayout_and_another_its_evidence() -> None:
    verdict = judge(TOP, by(SAN, SUB), by(JANE, link()))
    assert verdict.passed
    assert checks(verdict, "sublayout")


def test_the_order_of_files_does_not_matter() -> None:
    assert judge(TOP, by(JANE, link()), by(SAN, SUB)).passed


def test_only_the_sublayout_names_identities() -> None:
    """Nothing above needs a trust root, and what lies below is found all the same."""
    top = document("build", keys=("bob",))
    assert judge(top, seal(SUB, signer("bob")), by(JANE, link())).passed
    assert not judge(top, seal(SUB, signer("eve")), by(JANE, link())).passed
    assert not judge(top, seal(SUB, signer("bob")), by(JANE, link()), root=THEIRS).passed


def test_only_the_layout_above_names_identities() -> None:
    below = document("compile", keys=("bob",))
    assert judge(TOP, by(SAN, below), seal(link(), signer("bob"))).passed
    assert not judge(TOP, by(SAN, below), seal(link(), signer("eve"))).passed


def test_who_may_sign_above_may_not_sign_inside() -> None:
    verdict = judge(TOP, by(SAN, SUB), by(SAN, link()))
    assert not verdict.passed
    assert any("who may not sign for this step" in miss.reason for miss in checks(verdict, "evidence.near-miss"))


def test_who_may_sign_above_may_sign_inside_where_the_sublayout_says_so() -> None:
    assert judge(TOP, by(SAN, document("compile", SAN)), by(SAN, link())).passed


def test_who_may_sign_inside_may_not_sign_above() -> None:
    assert not judge(TOP, by(SAN, SUB), by(JANE, link("build"))).passed
    assert not judge(TOP, by(JANE, SUB), by(JANE, link())).passed


@pytest.mark.parametrize(("san", "sigstore"), [(EVE, OURS), (SAN + "x", OURS), (SAN, THEIRS)])
def test_a_sublayout_signed_by_somebody_else(san: str, sigstore: PrivateSigstore) -> None:
    assert not judge(TOP, by(san, SUB, sigstore), by(JANE, link())).passed


def test_a_sublayout_of_a_stranger_brings_no_keys_and_no_identities() -> None:
    """Anybody has some identity: what lies in a registry by whom no layout names is not followed."""
    theirs = document("compile", EVE, keys=("eve",))
    policy = Policy.open(seal(TOP, signer("owner")), [key("owner")])
    trust = Keyless(TrustedRoot.read(OURS.root_bytes(), LOCAL), NOW)
    pieces = [Piece("sub", by(EVE, theirs)), Piece("link", seal(link(), signer("eve")))]
    found = gather(policy, [PieceSource(pieces)], keyless=trust)
    assert [exhibit.document.origin for exhibit in found.exhibits] == ["sub"]
    assert [refusal.origin for refusal in found.refused] == ["link"]


def test_a_link_of_a_stranger_leads_nobody_astray_in_an_index(tmp_path: Path) -> None:
    """It names the target and whatever else its author likes, and is not followed to that."""
    seeds = {f"sha256:{one.hex}" for one in APP["app"].strong}
    trust = Keyless(TrustedRoot.read(OURS.root_bytes(), LOCAL), NOW)
    for san, followed in ((SAN, 1), (EVE, 0)):
        with closing(open_store(f"sqlite:{tmp_path / san.rpartition('/')[2]}.db")) as store:
            raw = by(san, link("build"))
            store.put("build", sha256(raw).hex, raw)
            assert isinstance(store, Indexed)
            trail = Trail(TOP, [store], seeds=seeds, keyless=trust)
            assert len(list(trail.documents())) == 1
            assert len(trail.followed) == followed


def test_an_identity_that_is_revoked_signs_no_sublayout_and_nothing_in_one() -> None:
    for name in (SAN, JANE):
        denied = Revocations(identities=frozenset({name}))
        assert not judge(TOP, by(SAN, SUB), by(JANE, link()), revoked=denied).passed


def test_evidence_filed_below_the_sublayout_belongs_to_it_alone() -> None:
    """What an identity signs is filed by its digest, and so is the folder of such a sublayout."""
    sub = by(SAN, SUB)
    mine, other = f"build.{sha256(sub).hex[:8]}", "build.00000000"
    inside = by(JANE, link())
    filed = Piece("build.layout", sub, None, "build")
    assert judge(TOP, filed, Piece("inside", inside, None, "compile", (mine,))).passed
    assert not judge(TOP, filed, Piece("inside", inside, None, "compile", (other,))).passed
