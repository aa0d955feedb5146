from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from tests.certificate_authority import NOW, new_root
from tests.certified_chain import ANY, ROOT_ID, by, judge, layout_of

from navicert.crypto.certificate_key import CertificateKey, CertificateRoots, authority_of, certified
from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, generate
from navicert.errors import Malformed, Refused

ROOT = new_root()


@pytest.mark.parametrize("kind", ["p384", "rsa", "ed25519"])
def test_keys_of_every_type_sign(kind):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = {
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": Ed25519PrivateKey.generate,
    }[kind]()
    assert judge(layout_of([ANY], {ROOT_ID: ROOT}), by(ROOT.issue(private=private))).passed


def test_a_key_of_another_type_is_malformed():
    holder = ROOT.issue(private=ed448.Ed448PrivateKey.generate())
    with pytest.raises(Malformed):
        CertificateKey.read(holder.pem)


def test_it_is_no_plain_key_and_equal_to_none():
    holder = ROOT.issue()
    key = CertificateKey.read(holder.pem, "ab" * 32)
    plain = Key.of(_material(holder), scheme=key.scheme)
    assert key != plain
    assert plain != key
    assert key == CertificateKey.read(holder.pem)
    assert key != CertificateKey.read(ROOT.issue(private=holder.private).pem)
    assert (key.id, key.fingerprint) == ("ab" * 32, plain.fingerprint)
    assert key.with_id("cd" * 32).certificate == key.certificate


def _material(holder):
    from navicert.crypto.material import describe

    return describe(holder.private.public_key())


def test_a_holder_is_the_same_with_every_certificate():
    one, other = (CertificateKey.read(ROOT.issue("jane", emails=["j@x"]).pem) for _ in range(2))
    assert one.principal == other.principal
    assert one.principal is not None
    assert str(one.principal) == "j@x"
    assert one.principal != CertificateKey.read(ROOT.issue("jane").pem).principal
    assert CertificateKey.read(ROOT.issue("").pem).principal is None


def test_only_the_first_certificate_is_the_holder_s():
    holder = ROOT.issue("jane")
    assert CertificateKey.read(holder.pem + ROOT.pem).names.common_names == ("jane",)


def test_a_certificate_for_another_scheme_is_refused():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    holder = ROOT.issue(private=private)
    assert certified(MemorySigner.of(private), holder.pem).sign(b"m")
    with pytest.raises(Refused, match="another key"):
        certified(MemorySigner.of(private, scheme="rsa-pkcs1v15-sha256"), holder.pem)
    with pytest.raises(Refused, match="another key"):
        certified(generate("ecdsa"), holder.pem)


@pytest.mark.parametrize(
    "value", [{}, {"keyval": None}, {"keyval": {}}, {"keyval": {"certificate": 1}}, {"keyval": {"certificate": ""}}]
)
def test_an_authority_is_one_certificate(value):
    with pytest.raises(Malformed, match="/rootcas"):
        authority_of(value, "/rootcas/a")
    with pytest.raises(Malformed, match="several certificates"):
        authority_of({"keyval": {"certificate": ROOT.pem + ROOT.pem}})


def test_a_way_to_each_root_that_vouches_is_found():
    issuing = ROOT.authority()
    twin = new_root("twin")
    cross = twin.authority("issuing CA", private=issuing.private)
    leaf = CertificateKey.read(issuing.issue().pem).holder
    read = [CertificateKey.read(one.pem).holder for one in (ROOT, twin, issuing, cross)]
    roots = CertificateRoots({"a": read[0], "b": read[1]}, tuple(read[2:]))
    chains, problem = roots.chains(leaf, NOW)
    assert (set(chains), problem) == ({"a", "b"}, "")
    assert all(len(chain) == 3 for chain in chains.values())
