"""Functionaries by certificate: what no certificate, however it was made, may bring about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.certificate_authority import DAY, NOW, Holder, new_root
from tests.certified_chain import ANY, ROOT_ID, by, judge, layout_of, link, signer_of, with_certificate
from tests.checks import misses, only

from navicert.crypto.certificate import Certificate
from navicert.crypto.der import Reader, read_one
from navicert.crypto.signer import MemorySigner, generate
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.testing.timestamp_authority import sequence, tlv
from navicert.verdict import Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Revocations
from navicert.verify.profile import Profile

ROOT = new_root()
OTHER = new_root("root CA")  # of the same name
PROFILES = pytest.mark.parametrize("profile", list(Profile))


def judged(holder: Holder, *intermediates: Holder, root: Holder = ROOT, **more: Any) -> Verdict:
    """The verdict on a link by `holder`, where anybody with a certificate may sign."""
    return judge(layout_of([ANY], {ROOT_ID: root}, intermediates=intermediates), by(holder), **more)


def refused(verdict: Verdict, why: str) -> None:
    """`verdict` did not pass, and says why."""
    assert not verdict.passed
    assert any(why in reason for reason in misses(verdict)), misses(verdict)


# --- what is right passes ------------------------------------------------------------------------------------------


@PROFILES
@pytest.mark.parametrize("form", ["metablock", "dsse"])
def test_whoever_has_a_certificate_of_the_root_may_sign(profile, form):
    layout = layout_of([ANY], {ROOT_ID: ROOT})
    verdict = judge(layout, by(ROOT.issue(), form=form), profile=profile)
    assert verdict.passed
    assert only(verdict, "link.signature").subject == "builder"


def test_intermediate_authorities_of_the_layout_lead_to_its_root():
    first = ROOT.authority("first")
    second = first.authority("second")
    assert judged(second.issue(), first, second).passed


@pytest.mark.parametrize(
    "purposes",
    [None, (ExtendedKeyUsageOID.CODE_SIGNING,), (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)],
)
def test_certificates_of_people_and_of_workloads_sign(purposes):
    assert judged(ROOT.issue(purposes=purposes)).passed
    assert judged(ROOT.issue(usage=None)).passed


def test_the_field_of_the_proposal_is_read_too():
    (raw,) = by(holder := ROOT.issue())
    assert judge(layout_of([ANY], {ROOT_ID: ROOT}), [with_certificate(raw, holder.pem, "certificate")]).passed


# --- chains --------------------------------------------------------------------------------------------------------


@PROFILES
def test_attack_a_certificate_that_is_signed_by_itself(profile):
    itself = new_root("builder", ca=False, usage="digital_signature")
    refused(judged(itself, profile=profile), "no valid signature by a key or certificate of the layout")


def test_attack_a_self_signed_certificate_as_root_and_functionary():
    itself = new_root("builder", ca=False, usage="digital_signature")
    refused(judged(itself, root=itself), "no valid signature by a key or certificate of the layout")


@PROFILES
def test_attack_a_root_of_the_same_name(profile):
    refused(judged(OTHER.issue(), profile=profile), "no valid signature by a key or certificate of the layout")
    layout = layout_of([ANY], {ROOT_ID: ROOT}, intermediates=[OTHER])
    assert not judge(layout, by(OTHER.issue()), profile=profile).passed


def test_attack_a_holder_issues_certificates():
    holder = ROOT.issue("holder")
    refused(judged(holder.issue("eve"), holder), "the certificate of CN=holder may not issue certificates")
    no_constraints = ROOT.issue("old", ca=None, usage=None)
    refused(judged(no_constraints.issue("eve"), no_constraints), "may not issue certificates")


def test_attack_an_authority_that_may_not_sign_certificates():
    issuing = ROOT.authority(usage="digital_signature")
    refused(judged(issuing.issue("eve"), issuing), "may not issue certificates")


def test_attack_an_authority_below_one_that_may_have_none():
    root = new_root(path_length=0)
    issuing = root.authority()
    assert judged(root.issue(), root=root).passed
    refused(judged(issuing.issue("eve"), issuing, root=root), "may not stand so far above")


def test_attack_an_authority_signs_itself():
    issuing = ROOT.authority()
    assert judged(ROOT.issue(), issuing).passed
    refused(judged(ROOT.authority(usage="digital_signature", purposes=None)), "it is the certificate of an authority")


def test_attack_an_extra_intermediate_comes_with_the_signature():
    """Whoever signs must not bring the authorities too: the layout names them."""
    issuing = ROOT.authority()
    holder = issuing.issue()
    (raw,) = by(holder)
    assert not judge(layout_of([ANY], {ROOT_ID: ROOT}), [raw]).passed
    assert not judge(layout_of([ANY], {ROOT_ID: ROOT}), [with_certificate(raw, holder.pem + issuing.pem)]).passed
    assert judged(holder, issuing).passed


def test_attack_an_intermediate_that_leads_elsewhere_stands_beside_the_right_one():
    issuing = ROOT.authority()
    twin = OTHER.authority(private=issuing.private)
    assert judged(issuing.issue(), twin, issuing).passed
    refused(judged(issuing.issue(), twin), "no valid signature by a key or certificate of the layout")


@pytest.mark.parametrize(
    "more", [{"since": NOW - 3 * DAY, "until": NOW - DAY}, {"since": NOW + DAY, "until": NOW + 2 * DAY}]
)
@PROFILES
def test_attack_a_certificate_out_of_its_time(more, profile):
    refused(judged(ROOT.issue(**more), profile=profile), "it was valid from")
    issuing = ROOT.authority(**more)
    refused(judged(issuing.issue(), issuing, profile=profile), "was not valid at 2026-06-01T12:00:00Z")
    root = new_root(**more)
    refused(judged(root.issue(), root=root, profile=profile), "was not valid at 2026-06-01T12:00:00Z")


def test_a_certificate_is_judged_for_the_moment_that_is_asked_about():
    holder = ROOT.issue(since=NOW - timedelta(hours=2), until=NOW - timedelta(hours=1))
    assert judged(holder, at=NOW - timedelta(hours=1)).passed
    assert not judged(holder, at=NOW - timedelta(minutes=59)).passed


@pytest.mark.parametrize("usage", ["key_encipherment", "crl_sign"])
def test_attack_a_key_that_may_not_sign(usage):
    refused(judged(ROOT.issue(usage=usage)), "its key may not sign (key usage)")


@pytest.mark.parametrize("purpose", [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING])
def test_attack_a_certificate_for_another_purpose(purpose):
    refused(judged(ROOT.issue(purposes=[purpose])), "it is for other purposes")
    issuing = ROOT.authority(purposes=[purpose])
    refused(judged(issuing.issue(), issuing), "is for other purposes")


def test_attack_a_critical_extension_that_nobody_understands():
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)
    refused(judged(ROOT.issue(extensions=[odd])), "critical extension that is not understood, 1.2.3.4.5")
    issuing = ROOT.authority(extensions=[odd])
    refused(judged(issuing.issue(), issuing), "critical extension that is not understood, 1.2.3.4.5")


def test_attack_names_that_an_authority_may_not_give_out():
    permitted = x509.NameConstraints([x509.UniformResourceIdentifier("example.com"), x509.DNSName("example.com")], None)
    for critical in (True, False):
        issuing = ROOT.authority(extensions=[(permitted, critical)])
        good = issuing.issue(uris=["spiffe://example.com/builder"], dns=["ci.example.com"])
        assert judged(good, issuing).passed
        evil: list[dict[str, Any]] = [
            {"uris": ["spiffe://evil.com/builder"]},
            {"uris": ["spiffe://example.com.evil.com/builder"]},
            {"uris": ["spiffe://example.com/a", "spiffe://evil.com/b"]},
            {"uris": ["urn:builder"]},
            {"dns": ["evil.com"]},
            {"dns": ["evilexample.com"]},
        ]
        for names in evil:
            refused(judged(issuing.issue(**names), issuing), "may not vouch for")
        below = issuing.authority("below")
        refused(judged(below.issue(dns=["evil.com"]), issuing, below), "may not vouch for")


def test_attack_names_that_an_authority_was_forbidden():
    forbidden = [x509.DNSName("secret.example.com"), x509.RFC822Name("boss@example.com"), x509.RFC822Name(".bank.com")]
    issuing = ROOT.authority(extensions=[(x509.NameConstraints(None, forbidden), True)])
    assert judged(issuing.issue(dns=["ci.example.com"], emails=["jane@example.com"]), issuing).passed
    assert judged(issuing.issue(emails=["jane@bank.com"]), issuing).passed
    evil: list[dict[str, Any]] = [
        {"dns": ["secret.example.com"]},
        {"dns": ["a.SECRET.example.com"]},
        {"emails": ["boss@EXAMPLE.com"]},
        {"emails": ["jane@a.bank.com"]},
    ]
    for names in evil:
        refused(judged(issuing.issue(**names), issuing), "may not vouch for")


def test_attack_a_distinguished_name_outside_of_what_an_authority_may_give_out():
    from tests.certificate_authority import name_of

    inside = x509.NameConstraints([x509.DirectoryName(name_of("", ["Example"]))], None)
    issuing = ROOT.authority(extensions=[(inside, True)])
    assert judged(issuing.issue(organizations=["Example"]), issuing).passed
    refused(judged(issuing.issue(organizations=["Evil"]), issuing), "may not vouch for")
    refused(judged(issuing.issue(), issuing), "may not vouch for")


# --- constraints ---------------------------------------------------------------------------------------------------

NONE: dict[str, Any] = {"common_name": "", "dns_names": [], "emails": [], "organizations": [], "uris": [], "roots": []}
NAMES: dict[str, Any] = {"organizations": ["Example"], "uris": ["spiffe://example.com/build"], "emails": ["b@x.org"]}
EXACT = {
    "common_name": "builder",
    "dns_names": [],
    "emails": ["b@x.org"],
    "organizations": ["Example"],
    "uris": ["spiffe://example.com/build"],
    "roots": [ROOT_ID],
}


@PROFILES
def test_a_constraint_names_all_that_a_certificate_says(profile):
    assert judge(layout_of([EXACT], {ROOT_ID: ROOT}), by(ROOT.issue(**NAMES)), profile=profile).passed


@PROFILES
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"common_name": "other"}, "its common name"),
        ({"common_name": ""}, "its common name"),
        ({"common_name": "Builder"}, "its common name"),
        ({"common_name": "build*"}, "its common name"),
        ({"dns_names": ["ci.example.com"]}, "its DNS names: none"),
        ({"emails": []}, "its e-mail addresses"),
        ({"emails": [""]}, "its e-mail addresses"),
        ({"emails": ["b@x.org", "c@x.org"]}, "its e-mail addresses"),
        ({"emails": ["*", "b@x.org"]}, "its e-mail addresses"),
        ({"organizations": None}, "its organisations"),
        ({"uris": ["spiffe://example.com/*"]}, "its URIs"),
        ({"roots": []}, "it comes from the root"),
        ({"roots": ["cd" * 32]}, "it comes from the root"),
        ({"roots": [""]}, "it comes from the root"),
        ({"trustBundleIds": ["*"]}, 'asks for "trustBundleIds", which cannot be checked here'),
    ],
)
def test_attack_a_constraint_that_is_not_met_exactly(change, why, profile):
    layout = layout_of([{**EXACT, **change}], {ROOT_ID: ROOT})
    refused(judge(layout, by(ROOT.issue(**NAMES)), profile=profile), why)


@pytest.mark.parametrize("missing", sorted(EXACT.keys() - {"dns_names"}))
def test_attack_a_constraint_that_says_nothing_of_a_field_accepts_it(missing):
    constraint = {name: value for name, value in EXACT.items() if name != missing}
    assert not judge(layout_of([constraint], {ROOT_ID: ROOT}), by(ROOT.issue(**NAMES))).passed


@PROFILES
@pytest.mark.parametrize("constraints", [[], [NONE], [{}]])
def test_attack_an_empty_list_of_constraints_accepts_everybody(constraints, profile):
    assert not judge(layout_of(constraints, {ROOT_ID: ROOT}), by(ROOT.issue()), profile=profile).passed


def test_attack_a_certificate_that_names_nobody_meets_a_constraint_that_asks_for_nothing():
    holder = ROOT.issue("")
    assert not judge(layout_of([NONE], {ROOT_ID: ROOT}), by(holder)).passed
    verdict = judge(layout_of([{**NONE, "roots": ["*"]}], {ROOT_ID: ROOT}), by(holder))
    assert verdict.passed  # it says so: none of these names, and whichever root


def test_one_constraint_of_several_is_enough_but_all_of_it():
    other = {**EXACT, "common_name": "other"}
    assert judge(layout_of([other, EXACT], {ROOT_ID: ROOT}), by(ROOT.issue(**NAMES))).passed
    halves = [{**EXACT, "emails": []}, {**EXACT, "organizations": []}]
    assert not judge(layout_of(halves, {ROOT_ID: ROOT}), by(ROOT.issue(**NAMES))).passed


def test_attack_a_certificate_that_says_a_name_twice():
    holder = ROOT.issue(**{**NAMES, "emails": ["b@x.org", "b@x.org"]})
    assert not judge(layout_of([EXACT], {ROOT_ID: ROOT}), by(holder)).passed


def test_attack_a_root_that_vouches_for_another_step():
    second = new_root("second")
    roots = {ROOT_ID: ROOT, "cd" * 32: second}
    constraint = {**ANY, "roots": ["cd" * 32]}
    assert judge(layout_of([constraint], roots), by(second.issue())).passed
    refused(judge(layout_of([constraint], roots), by(ROOT.issue())), "it comes from the root")


def test_attack_constraints_without_roots():
    assert not judge(layout_of([ANY], {}), by(ROOT.issue())).passed


# --- signatures and counting ---------------------------------------------------------------------------------------


@PROFILES
def test_attack_the_certificate_of_somebody_else(profile):
    layout = layout_of([ANY], {ROOT_ID: ROOT})
    (raw,) = by(ROOT.issue("eve's own", until=NOW - timedelta(hours=1)))
    assert not judge(layout, [with_certificate(raw, ROOT.issue("builder").pem)], profile=profile).passed
    stranger = seal(link(), generate(), form="metablock")
    assert not judge(layout, [with_certificate(stranger, ROOT.issue().pem)], profile=profile).passed


@pytest.mark.parametrize("pem", [None, "", "text", 5, ["a"], "-----BEGIN CERTIFICATE-----\n"])
def test_attack_something_else_in_the_place_of_the_certificate(pem):
    (raw,) = by(ROOT.issue())
    assert not judge(layout_of([ANY], {ROOT_ID: ROOT}), [with_certificate(raw, pem)]).passed


def test_attack_a_key_in_the_place_of_the_certificate():
    (raw,) = by(holder := ROOT.issue())
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = holder.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert not judge(layout_of([ANY], {ROOT_ID: ROOT}), [with_certificate(raw, public + holder.pem)]).passed


@PROFILES
def test_attack_one_holder_with_two_certificates_counts_twice(profile):
    layout = layout_of([ANY], {ROOT_ID: ROOT}, threshold=2)
    verdict = judge(layout, by(ROOT.issue("jane"), ROOT.issue("jane")), profile=profile)
    assert not verdict.passed
    assert only(verdict, "step.threshold").reason.startswith("1 of 2")
    assert judge(layout, by(ROOT.issue("jane"), ROOT.issue("joe")), profile=profile).passed


@PROFILES
def test_attack_one_key_with_two_names_counts_twice(profile):
    layout = layout_of([ANY], {ROOT_ID: ROOT}, threshold=2)
    jane = ROOT.issue("jane")
    alias = ROOT.issue("janet", private=jane.private)
    verdict = judge(layout, by(jane, alias), profile=profile)
    assert not verdict.passed
    assert only(verdict, "step.threshold").facts["found"] == 1


def test_attack_one_key_passes_with_its_other_certificate_for_the_first_holder():
    authority = Authority.of(layout_of([ANY], {ROOT_ID: ROOT}))
    jane = ROOT.issue("jane")
    alias = ROOT.issue("janet", private=jane.private)
    first, second = (authority.principal(signer_of(holder).key) for holder in (jane, alias))
    assert first != second
    assert ("jane" in str(first), "janet" in str(first), "janet" in str(second)) == (True, False, True)


def test_attack_evidence_that_is_left_out_makes_two_of_one():
    layout = layout_of([ANY], {ROOT_ID: ROOT}, threshold=2)
    jane = ROOT.issue("jane")
    signed = by(jane, ROOT.issue("janet", private=jane.private), ROOT.issue("jane"))
    # Two keys and two names: whoever took them for one person would have to be told so by the policy.
    assert judge(layout, signed).passed
    for left_out in range(3):
        rest = [raw for index, raw in enumerate(signed) if index != left_out]
        assert judge(layout, rest).passed is (left_out == 0)


@PROFILES
def test_attack_a_key_of_the_layout_counts_once_more_by_its_certificate(profile):
    holder = ROOT.issue("jane")
    plain = MemorySigner.of(holder.private)
    layout = layout_of([ANY], {ROOT_ID: ROOT}, threshold=2, keys=[plain])
    signed = [seal(link(), plain, form="metablock"), *by(holder)]
    verdict = judge(layout, signed, profile=profile)
    assert not verdict.passed
    assert judge(layout, [*signed, *by(ROOT.issue("joe"))], profile=profile).passed


@PROFILES
def test_a_key_and_a_certificate_agree(profile):
    """Where in-toto-golang, having met a link by a key, no longer looks at certificates."""
    plain = generate()
    layout = layout_of([ANY], {ROOT_ID: ROOT}, threshold=2, keys=[plain])
    signed = [seal(link(), plain, form="metablock"), *by(ROOT.issue())]
    assert judge(layout, signed, profile=profile).passed


@PROFILES
def test_attack_a_certificate_signs_for_a_step_that_only_names_keys(profile):
    plain = generate()
    layout = layout_of([], {ROOT_ID: ROOT}, keys=[plain])
    refused(judge(layout, by(ROOT.issue()), profile=profile), "no certificate may sign for this step")


def test_a_certificate_is_denied_at_once():
    issuing = ROOT.authority()
    holder = issuing.issue("jane", emails=["jane@x.org"])
    assert judged(holder, issuing).passed
    key = signer_of(holder).key
    denials = [
        Revocations(digests=frozenset({f"sha256:{fingerprint(holder)}"})),
        Revocations(digests=frozenset({f"sha256:{fingerprint(issuing)}"})),
        Revocations(digests=frozenset({f"sha256:{fingerprint(ROOT)}"})),
        Revocations(keys=frozenset({key.fingerprint})),
        Revocations(keys=frozenset({signer_of(issuing).key.fingerprint})),
        Revocations(identities=frozenset({"jane@x.org"})),
        Revocations(identities=frozenset({"jane"})),
    ]
    for revoked in denials:
        refused(judged(holder, issuing, revoked=revoked), "revoked")
    assert judged(holder, issuing, revoked=Revocations(identities=frozenset({"joe"}))).passed


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_attack_a_revoked_certificate_written_in_another_way(curve):
    """An ECDSA signature has a twin that anybody can work out: the certificate with it has another digest."""
    root = new_root(private=ec.generate_private_key(curve))
    issuing = root.authority(private=ec.generate_private_key(curve))
    holder = issuing.issue("jane")
    twin = Holder(twin_of(holder, curve), holder.private)
    assert fingerprint(twin) != fingerprint(holder)
    assert judged(twin, issuing, root=root).passed
    for one, other in ((holder, twin), (twin, holder)):
        revoked = Revocations(digests=frozenset({f"sha256:{fingerprint(one)}"}))
        refused(judged(other, issuing, root=root, revoked=revoked), "revoked")
    authority = Revocations(digests=frozenset({f"sha256:{fingerprint(issuing)}"}))
    above = Holder(twin_of(issuing, curve), issuing.private)
    refused(judged(holder, above, root=root, revoked=authority), "revoked")


def twin_of(holder: Holder, curve: ec.EllipticCurve) -> x509.Certificate:
    """The certificate of `holder` with (r, n - s) for the signature (r, s)."""
    raw = holder.certificate.public_bytes(Encoding.DER)
    r, s = decode_dss_signature(holder.certificate.signature)
    parts = Reader(read_one(raw, "certificate").content, "certificate")
    body = parts.next().raw + parts.next().raw
    return x509.load_der_x509_certificate(
        sequence(body, tlv(0x03, b"\0" + encode_dss_signature(r, curve.group_order - s)))
    )


def test_attack_a_certificate_whose_signature_has_bits_to_spare():
    """The last bits of a signature that ends in zeros can be declared unused: the same certificate, another digest."""
    while True:
        holder = ROOT.issue("jane")
        signature = holder.certificate.signature
        if signature[-1] & 1 == 0:
            break
    raw = holder.certificate.public_bytes(Encoding.DER)
    changed = raw[: -len(signature) - 1] + b"\x01" + signature
    with pytest.raises(Malformed, match="whole bytes"):
        Certificate.read(changed)


def fingerprint(holder: Holder) -> str:
    return holder.certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize("pem", ["", "text", 5, None])
def test_attack_a_root_that_cannot_be_read(pem):
    layout = layout_of([ANY], {ROOT_ID: ROOT})
    broken = replace(layout, rootcas={ROOT_ID: {"keyval": {"certificate": pem}}})
    with pytest.raises(Malformed, match="rootcas"):
        judge(broken, by(ROOT.issue()))


def test_attack_more_certificates_than_anybody_attaches():
    import json

    (raw,) = by(holder := ROOT.issue())
    document = json.loads(raw)
    document["signatures"] = [{"keyid": f"{i:064x}", "sig": "00", "cert": holder.pem} for i in range(40)] + document[
        "signatures"
    ]
    assert not judge(layout_of([ANY], {ROOT_ID: ROOT}), [json.dumps(document).encode()]).passed
