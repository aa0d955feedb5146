"""A case as a value: what decides is in the policy's digest, evidence and time are not."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from tests.certificate_authority import new_root

from navicert.crypto.certification import authority_of_pem
from navicert.digest import sha256
from navicert.envelope.document import open_document, seal
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, NETWORK, Limits
from navicert.model.identity import Identity, IdentityPolicy
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.testing import NOW, chain, file_target, key, signer
from navicert.verify.case import Asked, Case, Claimed, InspectionResult, Part, Policy, Revocations, Target
from navicert.verify.profile import Profile

GOOD = chain().step("build", by="bob").link("build")
CASE = GOOD.case()
RAW = CASE.policy.sealed.raw
OURS = IdentityPolicy.exactly("a", "b")


class TestPolicy:
    def test_is_opened_with_the_keys_of_its_owners(self) -> None:
        policy = Policy.open(RAW, [key("owner"), key("other")], need=1, path="root.layout")
        assert policy.verified is not None
        assert policy.verified.signers == (key("owner"),)
        assert (policy.need, policy.sealed.origin) == (1, "root.layout")

    def test_that_nobody_signed_has_no_verified_body(self) -> None:
        assert Policy.open(RAW, [key("mallory")]).verified is None
        assert Policy.open(RAW, []).verified is None

    def test_counts_an_owner_s_key_once_however_often_it_is_given(self) -> None:
        twice = signer("owner").with_id("00" * 32).key
        assert len(Policy.open(RAW, [key("owner"), twice, key("owner")]).owners) == 1

    @pytest.mark.parametrize("need", [0, -1])
    def test_needs_at_least_one_owner(self, need: int) -> None:
        with pytest.raises(Malformed, match="owner threshold below 1"):
            Policy.open(RAW, [key("owner")], need=need)

    def test_that_is_a_link_is_refused(self) -> None:
        with pytest.raises(Malformed, match="not a layout") as caught:
            Policy.open(seal(Link("build"), signer("owner")), [key("owner")], path="root.layout")
        assert caught.value.path == "root.layout"
        assert caught.value.got == "a link"

    def test_is_read_within_limits(self) -> None:
        with pytest.raises(LimitExceeded):
            Policy.open(RAW, [key("owner")], limits=Limits(document_bytes=10))

    def test_cannot_hold_what_was_verified_elsewhere(self) -> None:
        other = open_document(seal(GOOD.having(readme="other").layout(), signer("owner")))
        with pytest.raises(ValueError, match="not what was received"):
            replace(CASE.policy, verified=other.verified_by([key("owner")]))


STATEMENT = Statement.from_json(
    {"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": "ab" * 32}}], "predicateType": "x:y"}
)


class TestPolicyDigest:
    variants: ClassVar[dict[str, Any]] = {
        "policy": GOOD.having(readme="other").policy(),
        "profile": Profile.UPSTREAM,
        "strict": True,
        "target": file_target(b"x"),
        "target_step": "build",
        "parameters": {},
        "patterns": frozenset({"version"}),
        "principals": {key("bob").fingerprint: "bob"},
        "revoked": Revocations(frozenset({"sha256:" + "0" * 64})),
        "min_version": 1,
        "run_id": "7",
        "timestamp_authorities": (authority_of_pem(new_root("TSA root").pem, "tsa"),),
        "root": sha256(b"another trust root"),
        "limits": replace(LOCAL, selections=1),
    }

    @pytest.mark.parametrize("field", [field.name for field in fields(Case)])
    def test_covers_everything_but_evidence_and_time(self, field: str) -> None:
        same: dict[str, Any] = {
            "at": NOW + timedelta(days=1),
            "evidence": (),
            "refused": (),
            "inspected": {"x": InspectionResult(0)},
            "asked": (Asked("a place", "none"),),
            "claims": (Claimed(STATEMENT, sha256(b"{}"), "an index", sha256(b"index"), sha256(b"manifest")),),
        }
        assert set(same) | set(self.variants) == {field.name for field in fields(Case)}
        if field in same:
            assert replace(CASE, **{field: same[field]}).policy_digest == CASE.policy_digest
        else:
            assert replace(CASE, **{field: self.variants[field]}).policy_digest != CASE.policy_digest

    def test_tells_all_of_these_apart(self) -> None:
        cases = [CASE, *(replace(CASE, **{name: value}) for name, value in self.variants.items())]
        cases += [
            replace(CASE, policy=GOOD.policy(need=1)),
            replace(CASE, policy=GOOD.policy(owners=["owner", "other"])),
            replace(CASE, policy=replace(CASE.policy, identities=(OURS,))),
            replace(CASE, policy=replace(CASE.policy, identities=(OURS,), root=sha256(b"a root"))),
            replace(CASE, policy=replace(CASE.policy, identities=(IdentityPolicy.exactly("a", "c"),))),
            replace(CASE, revoked=Revocations(keys=frozenset({"0" * 64}))),
            replace(CASE, revoked=Revocations(identities=frozenset({"0" * 64}))),
            replace(CASE, parameters={"a": "b"}),
            replace(CASE, limits=NETWORK),
        ]
        assert len({case.policy_digest for case in cases}) == len(cases)

    def test_tells_targets_apart_that_are_judged_differently(self) -> None:
        a, b = Part("a", frozenset({"0" * 64})), Part("b", frozenset({"1" * 64}))
        targets = [
            Target("t", "image", (a, b)),
            Target("t", "image", (a,), b),
            Target("t", "image", (b,), a),
            Target("t", "image", (), a),
            Target("t", "directory", (a, b)),
            Target("t", "image", (replace(a, texts={"2" * 64: "id"}), b)),
            Target("t", "image", (replace(a, path="a"), b)),
            Target("t", "image", (replace(a, path="\udcff"), b)),
        ]
        assert len({replace(CASE, target=target).policy_digest for target in targets}) == len(targets)

    def test_does_not_depend_on_what_a_target_is_called(self) -> None:
        digests = {replace(CASE, target=file_target(b"x", name)).policy_digest for name in ("a", "b", "\udcff")}
        assert len(digests) == 1

    def test_does_not_depend_on_the_order_of_owners(self) -> None:
        one, other = (
            replace(CASE, policy=GOOD.policy(owners=owners)) for owners in (["owner", "other"], ["other", "owner"])
        )
        assert one.policy_digest == other.policy_digest


class TestRevocations:
    @pytest.mark.parametrize("form", ["modern", "legacy", "go"])
    def test_deny_a_key_by_any_of_its_ids(self, form) -> None:
        assert Revocations(keys=frozenset({key("bob").id_of(form)})).denies_key(key("bob"))

    def test_deny_a_key_by_its_fingerprint_and_by_what_a_layout_calls_it(self) -> None:
        bob = key("bob").with_id("ab" * 32)
        assert Revocations(keys=frozenset({bob.fingerprint})).denies_key(bob)
        assert Revocations(keys=frozenset({bob.id})).denies_key(bob)

    def test_deny_in_any_letter_case(self) -> None:
        document = CASE.evidence[0].document
        assert Revocations(frozenset({f"sha256:{document.digest.hex.upper()}"})).denies_document(document) is not None
        assert Revocations(keys=frozenset({key("bob").id.upper()})).denies_key(key("bob"))
        assert Revocations(keys=frozenset({"ab" * 32})).denies_key(key("bob").with_id("AB" * 32))

    @pytest.mark.parametrize("digest", ["", "0" * 64, "sha256:0", "md5:" + "0" * 32, "SHA256:" + "0" * 64])
    def test_that_could_deny_nothing_are_refused(self, digest: str) -> None:
        with pytest.raises(Malformed):
            Revocations(frozenset({digest}))

    @pytest.mark.parametrize("keyid", ["", "ann", "0", "sha256:" + "0" * 64])
    def test_of_a_key_that_could_be_nobody_s_are_refused(self, keyid: str) -> None:
        with pytest.raises(Malformed):
            Revocations(keys=frozenset({keyid}))

    def test_deny_nobody_else(self) -> None:
        assert not Revocations(keys=frozenset({key("bob").id})).denies_key(key("carl"))
        assert not Revocations().denies_key(key("bob"))

    def test_deny_a_document_by_its_file_or_by_its_content(self) -> None:
        document = CASE.evidence[0].document
        for digest in (document.digest, document.content):
            assert Revocations(frozenset({str(digest)})).denies_document(document) == digest
        assert Revocations(frozenset({"sha256:" + "0" * 64})).denies_document(document) is None


def test_an_identity_is_revoked_by_its_name_alone_or_with_its_issuer() -> None:
    identity = Identity("https://issuer.example", "ann@example.com")
    for text in ("ann@example.com", "ann@example.com (https://issuer.example)", identity.principal.identity):
        assert Revocations(identities=frozenset({text})).denies_identity(identity)
    for text in ("https://issuer.example", "bea@example.com", "ann@example.com (https://other.example)"):
        assert not Revocations(identities=frozenset({text})).denies_identity(identity)
    assert not Revocations().denies_identity(identity)
