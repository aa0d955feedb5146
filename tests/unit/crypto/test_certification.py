"""Ways from a certificate up to an authority."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from navicert.crypto.certificate import CODE_SIGNING, Certificate
from navicert.crypto.certification import CertificateAuthority, Certified, Window, certify, find_way
from navicert.model.moment import TrustedTime
from navicert.testing import NOW, key
from navicert.testing.sigstore import SIGNED, PrivateSigstore, der, private_key

OURS = PrivateSigstore()
WINDOW = Window(OURS.start)
LEAF = Certificate.read(der(OURS.certificate(private_key("someone"))))
BETWEEN, ROOT = Certificate.read(der(OURS.between)), Certificate.read(der(OURS.ca))
AUTHORITY = CertificateAuthority("ours", (BETWEEN, ROOT), WINDOW)
TIME = TrustedTime(SIGNED, "log", "rekor")


def test_a_way_goes_from_the_leaf_to_the_anchor() -> None:
    assert find_way(LEAF, [AUTHORITY], SIGNED, CODE_SIGNING).chain == (LEAF, BETWEEN, ROOT)


def test_no_authority_no_way() -> None:
    assert "names no certificate authority" in find_way(LEAF, [], SIGNED, CODE_SIGNING).problem


def test_of_several_authorities_any_that_held_will_do() -> None:
    later = CertificateAuthority("later", AUTHORITY.chain, Window(SIGNED + timedelta(seconds=1)))
    assert find_way(LEAF, [later, AUTHORITY], SIGNED, CODE_SIGNING).chain
    assert "later held from" in find_way(LEAF, [later], SIGNED, CODE_SIGNING).problem


def test_a_window_includes_both_ends() -> None:
    window = Window(SIGNED, NOW)
    assert window.holds(SIGNED)
    assert window.holds(NOW)
    assert not window.holds(SIGNED - timedelta(microseconds=1))
    assert not window.holds(NOW + timedelta(microseconds=1))
    assert str(window) == "from 2025-12-02T00:00:00Z until 2026-01-01T00:00:00Z"


def test_an_anchor_need_not_have_signed_itself() -> None:
    assert find_way(LEAF, [CertificateAuthority("ours", (BETWEEN,), WINDOW)], SIGNED, CODE_SIGNING).chain == (
        LEAF,
        BETWEEN,
    )


def test_certificates_that_all_sign_each_other_end_the_search() -> None:
    # All of one name, each signed by every other: more ways than anybody can walk, and none of them leads up.
    keys = [private_key(f"mesh {i}", "P-384") for i in range(6)]
    name = OURS.between.subject.rfc4514_string().removeprefix("CN=")
    tops = [OURS.authority(name, one) for one in keys]
    mesh = [OURS.authority(name, one, by=(top, other)) for one in keys for other, top in zip(keys, tops, strict=True)]
    leaf = Certificate.read(der(OURS.certificate(private_key("x"), by=(tops[0], keys[0]))))
    began = time.monotonic()
    way = find_way(leaf, [AUTHORITY], SIGNED, CODE_SIGNING, [Certificate.read(der(one)) for one in mesh])
    assert way.chain == ()
    assert time.monotonic() - began < 60  # all ways would take years


def test_who_is_certified_was_so_at_every_time() -> None:
    certified, found = certify(LEAF, [AUTHORITY], [TIME])
    assert certified is not None
    assert (certified.identity, certified.times) == (OURS.identity, (TIME,))
    assert found[0][1].chain == certified.chain
    late = TrustedTime(NOW, "timestamp", "tsa")
    assert certify(LEAF, [AUTHORITY], [TIME, late])[0] is None
    assert certify(LEAF, [AUTHORITY], []) == (None, ())


def test_nobody_is_certified_by_hand() -> None:
    with pytest.raises(TypeError, match="certify only"):
        Certified(key("bob"), OURS.identity, (TIME,), (), object())  # type: ignore[arg-type]
