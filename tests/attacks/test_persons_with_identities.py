"""One person with several identities, or with a key and an identity, is one signer wherever signers are counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.policy_chain import PolicyChain, cause, checks, report

from navicert.crypto.trusted_root import TrustedRoot
from navicert.envelope.document import open_document, peek, seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.identity import Identity
from navicert.model.layout import Layout
from navicert.model.policy import read_policy_document
from navicert.slsa.recorded import may_sign, recorded_of
from navicert.store import Piece, PieceSource
from navicert.store.gather import gather
from navicert.testing import NOW
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore
from navicert.verdict import Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Revocations
from navicert.verify.evaluate import verify
from navicert.verify.keyless import Keyless

OURS = PrivateSigstore()
TESS = {"identity": SAN, "issuer": ISSUER}
AT_HOME = {"identity": "tess@home.example", "issuer": ISSUER}
OTHER = {"identity": "olga@acme.example", "issuer": ISSUER}
ANYBODY = {"identity": {"matches": ".+"}, "issuer": ISSUER}


def chain_for(*identities: dict[str, Any], persons: dict[str, list[dict[str, Any]]], **more: Any) -> PolicyChain:
    """Two must have tested: by keys (that of tess), or as one of `identities`. `persons` are whose these are."""
    chain = PolicyChain().require(identities=list(identities), **{"threshold": 2, **more})
    for person, own in persons.items():
        chain.document["persons"].setdefault(person, []).extend(own)
    return chain


def bundle(san: object = SAN, result: str = "PASSED") -> bytes:
    return as_bytes(keyless(OURS, report(result), certificate={"san": san}))


def case_of(chain: PolicyChain, *documents: bytes, at: datetime = NOW, **more: Any) -> Case:
    pieces = [Piece("link", chain.link()), *(Piece(f"report {n}", raw) for n, raw in enumerate(documents))]
    trust = Keyless(TrustedRoot.read(OURS.root_bytes(), LOCAL), NOW)
    found = gather(chain.policy(), [PieceSource(pieces)], keyless=trust)
    return Case(chain.policy(), at, found.exhibits, found.refused, **more)


def judge(chain: PolicyChain, *documents: bytes, **more: Any) -> Verdict:
    return verify(case_of(chain, *documents, **more))


def by_key(chain: PolicyChain) -> bytes:
    return seal(report(), chain.tess)


class TestCount:
    def test_her_key_and_her_identity_are_one_signer(self) -> None:
        chain = chain_for(TESS, OTHER, persons={"tess": [TESS]})
        verdict = judge(chain, by_key(chain), bundle())
        assert "1 of 2 required signers" in cause(verdict).reason
        assert judge(chain, by_key(chain), bundle(OTHER["identity"])).passed
        assert judge(chain, bundle(), bundle(OTHER["identity"])).passed
        # Without the declaration nobody can know.
        undeclared = chain_for(TESS, OTHER, persons={})
        assert judge(undeclared, by_key(undeclared), bundle()).passed

    def test_two_identities_of_hers_are_one_signer(self) -> None:
        chain = chain_for(TESS, AT_HOME, OTHER, persons={"tess": [TESS, AT_HOME]})
        assert not judge(chain, bundle(), bundle(AT_HOME["identity"])).passed
        assert judge(chain, bundle(), bundle(OTHER["identity"])).passed

    def test_of_somebody_without_any_key_too(self) -> None:
        chain = chain_for(TESS, AT_HOME, persons={"olga": [TESS, AT_HOME]}, pubkeys=[])
        assert not judge(chain, bundle(), bundle(AT_HOME["identity"])).passed

    def test_a_step_for_anybody_of_a_kind_does_not_make_two_of_her(self) -> None:
        chain = chain_for(ANYBODY, persons={"tess": [TESS, AT_HOME]})
        assert not judge(chain, by_key(chain), bundle()).passed
        assert not judge(chain, bundle(), bundle(AT_HOME["identity"])).passed
        verdict = judge(chain, bundle(), bundle(OTHER["identity"]))
        assert verdict.passed
        found = {one.subject: one.facts["certified"] for one in checks(verdict, "attestation")}
        assert found == {"tess": [f"{SAN} ({ISSUER})"], OTHER["identity"]: [f"{OTHER['identity']} ({ISSUER})"]}

    def test_whoever_may_be_several_persons_counts_for_none(self) -> None:
        chain = chain_for(ANYBODY, persons={"tess": [TESS | {"identity": {"matches": "https.+"}}], "olga": [ANYBODY]})
        verdict = judge(chain, by_key(chain), bundle())
        assert not verdict.passed
        assert any("may be one of several persons" in one.reason for one in checks(verdict, "evidence.near-miss"))
        assert judge(chain, by_key(chain), bundle(OTHER["identity"])).passed

    def test_naming_her_does_not_make_two_of_her(self) -> None:
        chain = chain_for(TESS, persons={"tess": [TESS]})
        named = {chain.tess.key.fingerprint: "Tess Tester"}
        assert not judge(chain, by_key(chain), bundle(), principals=named).passed

    def test_whom_the_caller_takes_for_one_is_one_as_every_identity(self) -> None:
        chain = chain_for(TESS, AT_HOME, OTHER, persons={"tess": [TESS], "bob": [AT_HOME]})
        documents = bundle(), bundle(AT_HOME["identity"])
        assert judge(chain, *documents).passed
        named = dict.fromkeys((chain.tess.key.fingerprint, chain.bob.key.fingerprint), "Pat")
        assert not judge(chain, *documents, principals=named).passed

    def test_another_claim_does_not_make_two_of_her(self) -> None:
        """She signs once with her key, and once from a workflow whose claims the declaration does not name."""
        declared = TESS | {"claims": {"sourceRepositoryRef": "refs/heads/release"}}
        chain = chain_for(ANYBODY, persons={"tess": [declared]})
        assert not judge(chain, by_key(chain), bundle()).passed
        # Whether she may sign for the step at all, claims still decide.
        strict = chain_for(declared, persons={"tess": [declared]}, threshold=1)
        assert not judge(strict, bundle()).passed

    def test_the_issuer_decides_with_the_name(self) -> None:
        chain = chain_for(ANYBODY, persons={"tess": [TESS | {"issuer": "https://other.example"}]})
        assert judge(chain, by_key(chain), bundle()).passed


def test_who_is_revoked_is_revoked_as_every_identity() -> None:
    chain = chain_for(TESS, persons={"tess": [TESS]}, threshold=1)
    assert judge(chain, bundle()).passed
    for name in ("tess", SAN):
        verdict = judge(chain, bundle(), revoked=Revocations(identities=frozenset({name})))
        assert not verdict.passed
        assert any("who is revoked" in one.reason for one in checks(verdict, "evidence.near-miss"))


class TestDocument:
    def test_one_identity_of_two_persons_is_refused(self) -> None:
        for other in (TESS, TESS | {"claims": {"sourceRepositoryRef": "refs/heads/main"}}):
            with pytest.raises(Malformed, match="one identity belongs to two persons"):
                chain_for(TESS, persons={"tess": [TESS], "bob": [other]}).policy()
        chain_for(TESS, persons={"tess": [TESS], "bob": [OTHER]}).policy()

    @pytest.mark.parametrize("own", [[], [{}], [{"identity": SAN}], [5], [TESS | {"person": "tess"}]])
    def test_what_is_nobody_s_is_refused(self, own: list[Any]) -> None:
        chain = chain_for(TESS, persons={})
        chain.document["persons"]["olga"] = own
        with pytest.raises(Malformed, match="/persons/olga"):
            read_policy_document(chain.document)

    def test_it_is_written_as_it_was_read(self) -> None:
        layout = read_policy_document(chain_for(TESS, OTHER, persons={"tess": [TESS], "olga": [OTHER]}).document)
        assert layout.terms is not None
        assert layout.terms.identities.keys() == {"tess", "olga"}
        assert layout.release.persons.keys() == {"bob", "tess"}
        assert read_policy_document(layout.to_json()) == layout

    def test_a_classic_layout_has_no_such_persons(self) -> None:
        document = {
            "_type": "layout",
            "expires": "2099-01-01T00:00:00Z",
            "keys": {},
            "steps": [],
            "inspect": [],
            "readme": 'navicert: {"persons":{"tess":[{"identity":"a","issuer":"b"}]}}',
        }
        with pytest.raises(Malformed):
            assert Layout.from_json(document).release.persons


class TestLevels:
    """Who is counted for the levels of SLSA is counted in the same way."""

    def test_who_recorded_a_step_is_the_person(self) -> None:
        chain = chain_for(TESS, persons={"tess": [TESS]})
        step = chain.document["steps"][0]
        step["identities"] = [TESS]
        case = case_of(chain)
        assert case.policy.verified is not None
        layout = case.policy.verified.body
        assert isinstance(layout, Layout)
        link = as_bytes(keyless(OURS, peek(open_document(chain.link())).body))
        case = case_of(chain, link)
        authority = Authority.of(layout)
        found = list(recorded_of(case, layout, authority, verify(case)))
        assert {str(who) for one in found for who in one.principals} == {"bob", "tess"}
        denied = case_of(chain, link, revoked=Revocations(identities=frozenset({"tess"})))
        found = list(recorded_of(denied, layout, authority, verify(denied)))
        assert {str(who) for one in found for who in one.principals} == {"bob"}

    @pytest.mark.parametrize("allowed", [TESS, ANYBODY])
    def test_who_may_sign_as_another_is_no_tenant_kept_apart(self, allowed: dict[str, Any]) -> None:
        chain = chain_for(allowed, persons={"bob": [TESS]})
        layout = read_policy_document(chain.document)
        authority = Authority.of(layout)
        build, tests = layout.steps
        # bob's key builds; as the identity that is his he may test.
        assert may_sign(authority, tests, [chain.bob.key], [], NOW)
        assert not may_sign(authority, tests, [chain.eve.key], [], NOW)
        assert may_sign(authority, build, [], [Identity(ISSUER, SAN)], NOW)
        assert not may_sign(authority, build, [], [Identity(ISSUER, OTHER["identity"])], NOW)
