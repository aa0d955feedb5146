"""Policies whose predicates are signed by identities: nobody passes who is not exactly the one that is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from tests.cosign_layer import annotations_of, envelope_of
from tests.policy_chain import PolicyChain, cause, checks, report

from navicert.crypto.trusted_root import TrustedRoot
from navicert.dataclass import replace
from navicert.envelope.cosign import CERTIFICATE, CHAIN, LOGGED
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.policy import read_policy_document
from navicert.store import Piece, PieceSource
from navicert.store.gather import gather
from navicert.testing import NOW
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore
from navicert.verdict import Verdict
from navicert.verify.case import Case, Revocations
from navicert.verify.evaluate import verify
from navicert.verify.keyless import Keyless

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
EXACT = {"identity": SAN, "issuer": ISSUER}


def chain_for(*identities: dict[str, Any], **more: object) -> PolicyChain:
    return PolicyChain().require(pubkeys=[], identities=list(identities) or [EXACT], **more)


def judge(
    chain: PolicyChain,
    *documents: bytes,
    root: PrivateSigstore | None = OURS,
    at: datetime = NOW,
    **more: Any,
) -> Verdict:
    policy = chain.policy()
    source = PieceSource([Piece("link", chain.link()), *(Piece(f"bundle {n}", raw) for n, raw in enumerate(documents))])
    trust = None if root is None else Keyless(TrustedRoot.read(root.root_bytes(), LOCAL), NOW)
    found = gather(policy, [source], keyless=trust)
    return verify(Case(policy, at, found.exhibits, found.refused, **more))


def bundle(sigstore: PrivateSigstore = OURS, **more: Any) -> bytes:
    return as_bytes(keyless(sigstore, report(), **more))


def test_the_identity_that_is_named_counts() -> None:
    verdict = judge(chain_for(), bundle())
    assert verdict.passed
    (attestation,) = checks(verdict, "attestation")
    assert attestation.subject == SAN


def test_bundles_of_json_lines_count_each_by_itself() -> None:
    lines = b"\n".join([bundle(THEIRS), bundle()])
    assert judge(chain_for(), lines).passed


def test_without_a_trust_root_nobody_counts() -> None:
    assert not judge(chain_for(), bundle(), root=None).passed


def test_the_same_name_of_another_authority() -> None:
    verdict = judge(chain_for(), bundle(THEIRS))
    assert cause(verdict).subject == "build/tests"
    assert any("does not prove who signed it" in miss.reason for miss in checks(verdict, "evidence.near-miss"))


@pytest.mark.parametrize(
    "wanted",
    [
        EXACT | {"identity": SAN + "x"},
        EXACT | {"identity": SAN[:-1]},
        EXACT | {"issuer": ISSUER + "/"},
        EXACT | {"identity": {"matches": SAN[:10]}},
        EXACT | {"claims": {"sourceRepositoryURI": "https://elsewhere.example/app"}},
    ],
)
def test_another_identity_than_the_one_that_is_named(wanted: dict[str, Any]) -> None:
    verdict = judge(chain_for(wanted), bundle())
    assert not verdict.passed
    assert any("who may not sign for this step" in miss.reason for miss in checks(verdict, "evidence.near-miss"))


@pytest.mark.parametrize(
    "wanted", [{}, {"identity": SAN}, {"issuer": ISSUER}, EXACT | {"identity": ""}, EXACT | {"x": 1}]
)
def test_a_constraint_that_is_empty_or_missing_is_none(wanted: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        chain_for(wanted).policy()


def test_a_bundle_whose_envelope_was_changed() -> None:
    value = json.loads(bundle())
    other = json.loads(as_bytes(keyless(OURS, report("FAILED"))))
    value["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    assert not judge(chain_for(), json.dumps(value).encode()).passed


def test_an_entry_of_another_bundle() -> None:
    value, other = json.loads(bundle()), json.loads(as_bytes(keyless(OURS, report("FAILED"))))
    value["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    assert not judge(chain_for(), json.dumps(value).encode()).passed


def test_the_bare_envelope_of_a_bundle_is_signed_by_nobody() -> None:
    envelope = json.loads(bundle())["dsseEnvelope"]
    assert not judge(chain_for(), json.dumps(envelope).encode()).passed


def test_a_time_that_a_log_proves_wrong() -> None:
    """A signer whose clock is set ahead makes old evidence young; the log says when it existed."""
    chain = chain_for(max_age=86400, time="predicate.finishedOn")
    honest = report("PASSED", finishedOn=f"{SIGNED:%Y-%m-%dT%H:%M:%SZ}")
    assert judge(chain, as_bytes(keyless(OURS, honest)), at=SIGNED).passed
    later = report("PASSED", finishedOn=f"{SIGNED + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}")
    verdict = judge(chain, as_bytes(keyless(OURS, later)), at=SIGNED + timedelta(hours=30))
    assert cause(verdict).id == "attestation.age"
    assert "existed already at" in cause(verdict).reason


def test_two_certificates_of_one_identity_count_once() -> None:
    chain = chain_for(EXACT, threshold=2)
    assert not judge(chain, bundle(), bundle(kind="hashedrekord/0.0.2")).passed


def test_an_identity_that_is_revoked() -> None:
    for name in (SAN, OURS.identity.principal.identity):
        assert not judge(chain_for(), bundle(), revoked=Revocations(identities=frozenset({name}))).passed


def test_keys_and_identities_stand_beside_each_other() -> None:
    chain = PolicyChain()
    chain.require(identities=[EXACT], threshold=2)
    by_key = seal(report(), chain.tess)
    assert judge(chain, by_key, bundle()).passed
    assert not judge(chain, by_key).passed
    assert not judge(chain, bundle()).passed


def test_identities_that_may_be_one_do_not_tell_predicates_apart() -> None:
    def policy(first: dict[str, Any], second: dict[str, Any]) -> None:
        chain = PolicyChain().require(name="a", pubkeys=[], identities=[first])
        chain.require(name="b", pubkeys=[], identities=[second]).policy()

    policy(EXACT, EXACT | {"identity": "somebody.else@example.com"})
    for other in (EXACT, EXACT | {"identity": {"matches": ".+"}}):
        with pytest.raises(Malformed, match="could not be told apart"):
            policy(EXACT, other)


def test_it_is_written_as_it_was_read() -> None:
    layout = read_policy_document(chain_for(EXACT | {"claims": {"sourceRepositoryRef": "refs/heads/main"}}).document)
    assert read_policy_document(layout.to_json()) == layout


class TestBesideAnImage:
    """cosign keeps the certificate of an attestation beside it, in the manifest that holds it."""

    def judged(self, *pieces: Piece, **more: Any) -> Verdict:
        chain = chain_for(**more)
        trust = Keyless(TrustedRoot.read(OURS.root_bytes(), LOCAL), NOW)
        found = gather(chain.policy(), [PieceSource([Piece("link", chain.link()), *pieces])], keyless=trust)
        return verify(Case(chain.policy(), NOW, found.exhibits, found.refused))

    def layer(self, sigstore: PrivateSigstore = OURS, notes: Mapping[str, str] = MappingProxyType({})) -> Piece:
        signed = keyless(sigstore, report())
        beside = annotations_of(signed, sigstore) | dict(notes)
        return Piece("att", envelope_of(signed), annotations={name: text for name, text in beside.items() if text})

    def test_the_identity_in_it_counts(self) -> None:
        assert self.judged(self.layer()).passed

    def test_an_envelope_without_it_does_not(self) -> None:
        piece = self.layer()
        assert not self.judged(replace(piece, annotations={})).passed
        # Nor does a copy without it stand in the way of the one that has it, whichever comes first.
        for bare in (replace(piece, origin="a", annotations={}), replace(piece, origin="z", annotations={})):
            assert self.judged(bare, piece).passed
            assert self.judged(piece, bare).passed

    def test_the_certificate_of_another_signature(self) -> None:
        other = keyless(OURS, report("PASSED", duration="1s"))
        verdict = self.judged(replace(self.layer(), annotations=annotations_of(other, OURS)))
        assert not verdict.passed
        assert "does not prove who signed it" in checks(verdict, "evidence.near-miss")[0].reason

    def test_of_another_authority(self) -> None:
        assert not self.judged(self.layer(THEIRS)).passed

    @pytest.mark.parametrize("name", [CERTIFICATE, CHAIN, LOGGED])
    def test_what_stands_beside_it_is_damaged(self, name: str) -> None:
        assert not self.judged(self.layer(notes={name: "junk"})).passed

    @pytest.mark.parametrize("name", [CERTIFICATE, LOGGED])
    def test_what_stands_beside_it_is_not_whole(self, name: str) -> None:
        assert not self.judged(self.layer(notes={name: ""})).passed
