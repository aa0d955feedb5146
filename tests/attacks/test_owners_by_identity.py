"""Layouts that identities own: nobody passes for an owner who is not exactly the one that is named."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import sha256
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.identity import IdentityPolicy, Wanted
from navicert.store.gather import gather
from navicert.testing import NOW, chain, key, signer
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore
from navicert.verdict import Verdict
from navicert.verify.case import Case, Revocations
from navicert.verify.evaluate import verify
from navicert.verify.keyless import Keyless
from navicert.verify.ownership import Owners, owned, standing_for

OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
CHAIN = chain().step("build", by="bob").link("build")
OTHER = CHAIN.having(readme="another")
JANE = "jane@example.com"
EXACT = IdentityPolicy.exactly(SAN, ISSUER)


def bundle(sigstore: PrivateSigstore = OURS, san: str = SAN, layout: Any = None, **more: Any) -> bytes:
    certificate = {"san": san, **more.pop("certificate", {})}
    return as_bytes(keyless(sigstore, layout or CHAIN.layout(), certificate=certificate, **more))


def verdict(
    raw: bytes,
    *identities: IdentityPolicy,
    keys: tuple[Any, ...] = (),
    need: int | None = None,
    root: PrivateSigstore | None = OURS,
    **more: Any,
) -> Verdict:
    trust = None if root is None else Keyless(TrustedRoot.read(root.root_bytes(), LOCAL), NOW)
    owners = Owners.of(keys, identities, need=need, keyless=trust)
    policy = owners.open(raw, path="root.layout")
    found = CHAIN.case()
    return verify(Case(policy, found.at, found.evidence, found.refused, **more))


def reasons(found: Verdict) -> str:
    return "; ".join(check.reason for _, check in found.root.walk() if check.id == "layout.owner")


def test_the_identity_that_is_named_owns_it() -> None:
    assert verdict(bundle(), EXACT).passed


@pytest.mark.parametrize(
    "wanted",
    [
        IdentityPolicy.exactly(SAN + "x", ISSUER),
        IdentityPolicy.exactly(SAN[:-1], ISSUER),
        IdentityPolicy(Wanted.matching(SAN[:12] + "[a-z]"), Wanted.exactly(ISSUER)),
        IdentityPolicy.exactly(SAN, ISSUER, sourceRepositoryURI="https://elsewhere.example/app"),
    ],
)
def test_another_identity_than_the_one_that_is_named(wanted: IdentityPolicy) -> None:
    found = verdict(bundle(), wanted)
    assert not found.passed
    assert SAN in reasons(found)
    assert "wanted is" in reasons(found)


def test_the_right_name_vouched_for_by_the_wrong_issuer() -> None:
    found = verdict(bundle(certificate={"issuer": "https://evil.example"}), EXACT)
    assert not found.passed
    assert 'issuer is "https://evil.example"' in reasons(found)


def test_the_same_name_of_another_authority() -> None:
    found = verdict(bundle(THEIRS), EXACT)
    assert not found.passed
    assert "does not prove who signed it" in reasons(found)


def test_a_certificate_that_was_not_valid_when_the_log_says_that_it_signed() -> None:
    late = bundle(certificate={"start": SIGNED - timedelta(hours=2)})
    found = verdict(late, EXACT)
    assert not found.passed
    assert "bundle.chain" in reasons(found)


def test_without_a_trust_root_no_identity_owns_anything() -> None:
    assert not verdict(bundle(), EXACT, root=None).passed


def test_an_empty_constraint_is_refused() -> None:
    for document in ({"identity": "", "issuer": ISSUER}, {"identity": SAN}, {"issuer": ISSUER}, {}):
        with pytest.raises(Malformed):
            IdentityPolicy.from_json(document, "")


def test_nobody_who_is_named_is_nobody() -> None:
    assert not verdict(bundle()).passed


def test_a_layout_that_was_changed_after_it_was_signed() -> None:
    value, other = json.loads(bundle()), json.loads(bundle(layout=OTHER.layout()))
    value["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    assert not verdict(json.dumps(value).encode(), EXACT).passed


def test_the_bare_envelope_of_a_bundle_is_signed_by_nobody() -> None:
    assert not verdict(json.dumps(json.loads(bundle())["dsseEnvelope"]).encode(), EXACT).passed


def test_the_signature_of_a_file_is_no_layout() -> None:
    raw = as_bytes(keyless(OURS, seal(CHAIN.layout(), signer("owner"))))
    with pytest.raises(Malformed, match="the signature of a file"):
        verdict(raw, EXACT)


def test_a_statement_by_an_owner_is_no_layout() -> None:
    from tests.policy_chain import report

    with pytest.raises(Malformed, match="not a layout"):
        verdict(as_bytes(keyless(OURS, report())), EXACT)


def test_an_owner_who_is_revoked() -> None:
    for name in (SAN, f"{SAN} ({ISSUER})"):
        found = verdict(bundle(), EXACT, revoked=Revocations(identities=frozenset({name})))
        assert "is revoked" in reasons(found)
        assert not found.passed


# --- several owners ------------------------------------------------------------------------------------------------


def lines(*members: bytes) -> bytes:
    return b"\n".join(members) + b"\n"


def test_keys_and_identities_make_one_threshold() -> None:
    by_key = as_envelope(signer("owner"))
    both = lines(by_key, bundle())
    assert verdict(both, EXACT, keys=(key("owner"),)).passed
    assert verdict(lines(bundle(), by_key), EXACT, keys=(key("owner"),)).passed
    for one in (by_key, bundle()):
        assert not verdict(one, EXACT, keys=(key("owner"),)).passed
        assert verdict(one, EXACT, keys=(key("owner"),), need=1).passed


def as_envelope(who: Any) -> bytes:
    """The same bytes as in the bundles, signed with a key."""
    from navicert.envelope.document import add_signatures, open_document

    envelope = json.dumps(json.loads(bundle())["dsseEnvelope"]).encode()
    return add_signatures(open_document(envelope), who, replace=True)


def test_two_certificates_of_one_identity_count_once() -> None:
    anyone = IdentityPolicy(Wanted.matching(".+"), Wanted.exactly(ISSUER))
    twice = lines(bundle(), bundle(kind="hashedrekord/0.0.2"))
    assert not verdict(twice, EXACT, anyone).passed
    assert not verdict(twice, EXACT, anyone, need=2).passed
    assert "counts for another owner" in reasons(verdict(twice, EXACT, anyone))
    assert verdict(lines(bundle(), bundle(san=JANE)), EXACT, anyone, need=2).passed


def test_an_owner_who_is_described_twice_is_no_two_owners() -> None:
    assert Owners.of((), (EXACT, IdentityPolicy.exactly(SAN, ISSUER))).count == 1


def test_nobody_takes_the_place_of_an_owner_who_has_no_other() -> None:
    jane = IdentityPolicy.exactly(JANE, ISSUER)
    anyone = IdentityPolicy(Wanted.matching(".+"), Wanted.exactly(ISSUER))
    raw = lines(bundle(san=JANE), bundle())
    assert verdict(raw, anyone, jane).passed
    assert verdict(raw, jane, anyone).passed


def test_a_second_layout_in_the_file_that_the_owner_did_not_sign() -> None:
    for raw in (lines(bundle(), bundle(THEIRS, layout=OTHER.layout())), lines(bundle(layout=OTHER.layout()), bundle())):
        with pytest.raises(Malformed, match="different layouts"):
            verdict(raw, EXACT)


def test_lines_of_strangers_take_nothing_away_and_add_nothing() -> None:
    assert verdict(lines(bundle(THEIRS), bundle()), EXACT).passed
    assert not verdict(lines(bundle(THEIRS), bundle(san=JANE)), EXACT).passed


def test_more_lines_than_a_layout_may_have_signatures() -> None:
    one = bundle(THEIRS)
    with pytest.raises(Malformed, match="limit signatures"):
        verdict(lines(*[one] * (LOCAL.signatures + 1)), EXACT)


def test_no_owner_stands_for_two() -> None:
    anyone = IdentityPolicy(Wanted.matching(".+"), Wanted.exactly(ISSUER))
    assert len(standing_for((anyone, EXACT), (OURS.identity,))) == 1
    assert gather(CHAIN.policy(), []).exhibits == ()


def test_lines_that_are_metablocks_are_no_layout() -> None:
    """In a Metablock a signature is over what it says; which of several says what counts would be anybody's choice."""
    one = json.dumps(json.loads(seal(CHAIN.layout(), signer("owner"), form="metablock"))).encode()
    with pytest.raises(Malformed, match="of several lines is one of DSSE envelopes"):
        verdict(lines(one, one), EXACT)
    with pytest.raises(Malformed, match="of several lines is one of DSSE envelopes"):
        verdict(lines(bundle(), one), EXACT)


def test_a_file_of_several_lines_is_known_by_the_digest_of_all_of_it() -> None:
    one, both = bundle(), lines(bundle(), bundle(san=JANE))
    for raw in (one, both):
        policy = Owners.of((), (EXACT,)).open(raw, path="root.layout")
        assert policy.sealed.digest == sha256(raw)
    policy = Owners.of((), (EXACT,)).open(both, path="root.layout")
    assert len(policy.sealed.signatures) == 2


def test_whether_enough_signed_is_told_without_a_verdict() -> None:
    keyless_root = Keyless(TrustedRoot.read(OURS.root_bytes(), LOCAL), NOW)
    assert owned(Owners.of((), (EXACT,), keyless=keyless_root).open(bundle(), path="x"))
    assert not owned(Owners.of((), (EXACT,), keyless=keyless_root).open(bundle(THEIRS), path="x"))
    assert not owned(Owners.of((key("owner"),), (EXACT,), keyless=keyless_root).open(bundle(), path="x"))
    assert owned(Owners.of((key("owner"),), (EXACT,), need=1, keyless=keyless_root).open(bundle(), path="x"))
    assert not owned(Owners.of(()).open(bundle(), path="x"))
