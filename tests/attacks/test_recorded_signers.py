"""What levels of SLSA are judged from: links by identities and holders of certificates who may sign, and no others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.attacks.test_identities_in_sublayouts import EVE, TOP, by, link
from tests.attacks.test_timestamps import TRUSTED, stamped
from tests.certificate_authority import NOW as CERTIFIED
from tests.certificate_authority import new_root
from tests.certified_chain import ANY, HOUR, OWNER, ROOT_ID, layout_of, signer_of
from tests.certified_chain import link as build_link

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Steps
from navicert.store import Piece, PieceSource
from navicert.store.gather import gather
from navicert.testing import NOW
from navicert.testing.sigstore import SAN, PrivateSigstore
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import evaluate
from navicert.verify.keyless import Keyless

OTHER = Link("build", products={"other": DigestSet.of({"sha256": "0" * 64})})


def recorded(layout: Layout, *documents: bytes, at: Any = NOW, **more: Any) -> list[str]:
    """Who signed what was recorded."""
    policy = Policy.open(seal(layout, OWNER), [OWNER.key])
    trust = Keyless(TrustedRoot.read(PrivateSigstore().root_bytes()), NOW)
    source = PieceSource([Piece(f"file {n}", raw) for n, raw in enumerate(documents)])
    found = gather(policy, [source], keyless=trust)
    case = Case(policy, at, found.exhibits, found.refused, **more)
    chain = Chain.of(case, evaluate(case), Steps())
    assert chain is not None
    return sorted(str(who) for one in chain.recorded for who in one.principals)


def test_an_identity_that_the_layout_names() -> None:
    assert recorded(TOP, by(SAN, link("build"))) == [SAN]


def test_an_identity_that_it_does_not_name_records_nothing() -> None:
    assert recorded(TOP, by(SAN, link("build")), by(EVE, OTHER)) == [SAN]


def test_an_identity_that_is_revoked_records_nothing() -> None:
    assert recorded(TOP, by(SAN, link("build")), revoked=Revocations(identities=frozenset({SAN}))) == []


def test_holders_of_certificates_who_may_sign_and_no_others() -> None:
    root, other = new_root(), new_root("another")
    good = "spiffe://example.com/builder"
    layout = layout_of([{**ANY, "uris": [good]}], {ROOT_ID: root})
    window: dict[str, Any] = {"since": CERTIFIED - HOUR, "until": CERTIFIED + HOUR}
    mine = root.issue("b", uris=[good], **window)
    signed = seal(build_link(), signer_of(mine))
    strangers = [
        seal(OTHER, signer_of(root.issue("b", uris=[good + "x"], **window))),
        seal(OTHER, signer_of(other.issue("b", uris=[good], **window))),
    ]
    assert recorded(layout, signed, *strangers, at=CERTIFIED) == [good]
    assert recorded(layout, signed, at=CERTIFIED + timedelta(days=2)) == []
    for denied in (Revocations(identities=frozenset({good})), Revocations(keys=frozenset({signer_of(mine).keyid}))):
        assert recorded(layout, signed, at=CERTIFIED, revoked=denied) == []


def test_who_has_a_certificate_is_not_taken_for_somebody_who_may_sign_one_step_only() -> None:
    root = new_root(since=CERTIFIED - timedelta(days=9), until=CERTIFIED + timedelta(days=900))
    layout = layout_of([ANY], {ROOT_ID: root})
    second = {"name": "test", "threshold": 1, "pubkeys": [], "cert_constraints": [ANY]}
    document: Any = layout.to_json()
    document["steps"].append({**document["steps"][0], **second})
    holder = root.issue("b", uris=["spiffe://x"], since=CERTIFIED - HOUR, until=CERTIFIED + HOUR)
    policy = Policy.open(seal(Layout.from_json(document), OWNER), [OWNER.key])
    found = gather(policy, [PieceSource([Piece("link", stamped(seal(build_link(), signer_of(holder)), CERTIFIED))])])
    for at, timestamping in ((CERTIFIED, ()), (CERTIFIED + timedelta(days=2), (TRUSTED,))):
        case = Case(policy, at, found.exhibits, timestamp_authorities=timestamping)
        chain = Chain.of(case, evaluate(case), Steps())
        assert chain is not None
        (one,) = chain.recorded
        assert chain.shared(one.keys) == ("test",)
