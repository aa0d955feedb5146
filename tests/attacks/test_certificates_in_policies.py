"""Predicates that holders of certificates sign (ITE-7): nobody counts whom no authority of the policy vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.certificate_authority import DAY, NOW, Holder, new_root
from tests.certified_chain import ANY, HOUR, ROOT_ID, authority, signer_of
from tests.policy_chain import PolicyChain, cause, checks, report

from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.policy import read_policy_document
from navicert.verdict import Verdict
from navicert.verify.case import Revocations

LONG: dict[str, Any] = {"since": NOW - 100 * DAY, "until": NOW + 1000 * DAY}
ROOT, OTHER = new_root(**LONG), new_root("another root", **LONG)
URI = "spiffe://example.com/tester"
EXACT = {**ANY, "uris": [URI]}


def holder(root: Holder = ROOT, uri: str = URI, **more: Any) -> Holder:
    return root.issue("tester", uris=[uri], **{"since": NOW - HOUR, "until": NOW + HOUR, **more})


def chain_for(*constraints: dict[str, Any], **more: Any) -> PolicyChain:
    chain = PolicyChain()
    chain.document["rootcas"] = {ROOT_ID: authority(ROOT)}
    return chain.require(pubkeys=[], cert_constraints=list(constraints) or [EXACT], **more)


def judge(chain: PolicyChain, *signed: bytes, **more: Any) -> Verdict:
    return chain.judge(*signed, at=more.pop("at", NOW), **more)


def by(one: Holder, result: str = "PASSED") -> bytes:
    return seal(report(result), signer_of(one))


def test_the_holder_of_a_certificate_that_is_described_counts() -> None:
    verdict = judge(chain_for(), by(holder()))
    assert verdict.passed
    (attestation,) = checks(verdict, "attestation")
    assert URI in attestation.subject


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        (by(holder(uri=URI + "x")), "its URIs"),
        (by(holder(OTHER)), "no valid signature by a key or certificate"),
        (by(holder(since=NOW - 3 * HOUR, until=NOW - HOUR)), "it was valid from"),
        (by(holder(since=NOW + HOUR, until=NOW + 3 * HOUR)), "it was valid from"),
    ],
    ids=["another name", "another authority", "expired", "not yet valid"],
)
def test_another_certificate_does_not(signed: bytes, reason: str) -> None:
    verdict = judge(chain_for(), signed)
    assert cause(verdict).subject == "build/tests"
    assert any(reason in miss.reason for miss in checks(verdict, "evidence.near-miss"))


def test_the_key_of_a_certificate_without_the_certificate() -> None:
    from navicert.crypto.signer import MemorySigner

    assert not judge(chain_for(), seal(report(), MemorySigner.of(holder().private))).passed


def test_a_certificate_for_another_key() -> None:
    import json

    from navicert.crypto.signer import MemorySigner

    raw = json.loads(by(holder()))
    theirs = json.loads(seal(report(), MemorySigner.of(OTHER.issue("eve").private)))
    raw["signatures"][0]["sig"] = theirs["signatures"][0]["sig"]
    assert not judge(chain_for(), json.dumps(raw).encode()).passed


def test_who_may_sign_one_predicate_may_not_sign_another() -> None:
    chain = chain_for(name="tests")
    chain.require(name="scan", pubkeys=[], cert_constraints=[{**ANY, "uris": ["spiffe://example.com/scanner"]}])
    assert cause(judge(chain, by(holder()))).subject == "build/scan"
    scanner = by(holder(uri="spiffe://example.com/scanner"))
    assert judge(chain, by(holder()), scanner).passed


def test_a_holder_who_is_revoked() -> None:
    one = holder()
    for revoked in (Revocations(identities=frozenset({URI})), Revocations(keys=frozenset({signer_of(one).keyid}))):
        assert not judge(chain_for(), by(one), revoked=revoked).passed


def test_two_certificates_of_one_holder_count_once() -> None:
    chain = chain_for(threshold=2)
    assert not judge(chain, by(holder()), by(holder())).passed
    both = chain_for(EXACT, {**ANY, "uris": ["spiffe://example.com/second"]}, threshold=2)
    assert judge(both, by(holder()), by(holder(uri="spiffe://example.com/second"))).passed


def test_keys_and_certificates_stand_beside_each_other() -> None:
    chain = chain_for()
    chain.predicates[0] |= {"pubkeys": [chain.tess.keyid], "threshold": 2}
    by_key = seal(report(), chain.tess)
    assert judge(chain, by_key, by(holder())).passed
    assert not judge(chain, by_key).passed
    assert not judge(chain, by(holder())).passed


def test_what_the_holder_says_is_judged_like_what_anybody_says() -> None:
    assert not judge(chain_for(attributes=[{"rule": 'predicate.result == "PASSED"'}]), by(holder(), "FAILED")).passed


@pytest.mark.parametrize(
    "constraint", [{**EXACT, "roots": ["cd" * 32]}, {**EXACT, "roots": []}, {**EXACT, "subjects": ["x"]}]
)
def test_a_constraint_that_nobody_can_meet_or_check_is_refused(constraint: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        chain_for(constraint).policy()


def test_a_claim_that_nobody_signs_names_no_certificate() -> None:
    with pytest.raises(Malformed, match="signers of a claim"):
        chain_for(claimed="accepted").policy()


def test_without_an_authority_nobody_is_certified() -> None:
    chain = chain_for()
    del chain.document["rootcas"]
    with pytest.raises(Malformed, match="a constraint that no certificate meets"):
        chain.policy()


@pytest.mark.parametrize(
    ("second", "alike"),
    [
        (EXACT, True),
        (ANY, True),
        ({**EXACT, "common_name": "other"}, True),
        ({**ANY, "uris": [URI, URI]}, True),
        ({**ANY, "uris": ["spiffe://example.com/other"]}, False),
        ({**ANY, "uris": []}, False),
    ],
)
def test_predicates_that_one_holder_may_sign_are_told_apart_or_refused(second: dict[str, Any], alike: bool) -> None:
    chain = chain_for(name="a").require(name="b", pubkeys=[], cert_constraints=[second])
    if not alike:
        chain.policy()
        return
    with pytest.raises(Malformed, match="could not be told apart"):
        chain.policy()


def test_predicates_whose_signers_have_different_authorities_are_told_apart() -> None:
    other = "cd" * 32
    chain = chain_for({**EXACT, "roots": [ROOT_ID]}, name="a")
    chain.document["rootcas"] |= {other: authority(OTHER)}
    chain.require(name="b", pubkeys=[], cert_constraints=[{**EXACT, "roots": [other]}]).policy()
    chain.predicates[1]["cert_constraints"][0]["roots"] = [other, ROOT_ID]
    with pytest.raises(Malformed, match="could not be told apart"):
        chain.policy()


def test_it_is_written_as_it_was_read() -> None:
    layout = read_policy_document(chain_for().document)
    assert read_policy_document(layout.to_json()) == layout
    assert any(step.certificates for step in layout.steps)


def test_it_is_written_in_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from navicert.cli.main import main

    monkeypatch.chdir(tmp_path)
    for name in ("owner", "builder"):
        assert main(["keygen", name]) == 0
    pem = "\n".join(f"      {line}" for line in ROOT.pem.strip().splitlines())
    (tmp_path / "policy.yaml").write_text(f"""\
type: policy
name: app
version: 1
expires: 2099-01-01T00:00:00Z
functionaries: {{builder: builder.pub}}
authorities:
  ours: |
{pem}
steps:
  - name: build
    by: builder
    materials: [DISALLOW *]
    products: [CREATE app, DISALLOW *]
    predicates:
      - name: tests
        type: test-result
        certificates: {{uris: "{URI}", common name: "*", dns names: "*", emails: "*", organizations: "*"}}
        attributes: predicate.result == "PASSED"
""")
    assert main(["layout", "lint", "policy.yaml"]) == 0
    assert main(["layout", "sign", "policy.yaml", "--key", "owner", "-o", "root.layout"]) == 0
    assert main(["layout", "show", "root.layout"]) == 0
    (tmp_path / "none.yaml").write_text(
        (tmp_path / "policy.yaml").read_text().replace("certificates: {", "# {").replace("authorities:", "x:")
    )
    assert main(["layout", "lint", "none.yaml"]) != 0
