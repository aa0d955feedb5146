from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from navicert.crypto import point

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SMALL = sorted(point._SMALL_ORDER)


def encoded(y: int, *, sign: bool = False) -> bytes:
    return (y | (sign << 255)).to_bytes(32, "little")


def test_an_honest_key_has_no_weakness(signers):
    raw = signers["ed25519"].key.material[-32:]
    assert point.weakness(raw) == ""


@pytest.mark.parametrize("y", SMALL)
@pytest.mark.parametrize("sign", [False, True])
def test_points_of_small_order_are_weak_with_either_sign(y, sign):
    assert "small order" in point.weakness(encoded(y, sign=sign))


@pytest.mark.parametrize("y", [P, P + 1, 2**255 - 1])
def test_a_second_encoding_of_a_point_is_weak(y):
    assert "canonical" in point.weakness(encoded(y))


@pytest.mark.parametrize("y", [2, P - 2, SMALL[2] + 1])
def test_neighbours_of_weak_points_are_not(y):
    assert point.weakness(encoded(y)) == ""


def test_the_listed_points_are_all_whose_order_divides_eight():
    # Order 1 and 2: x = 0, so y² = 1. Order 4: the double has x = 0 and y = -1, so y = 0. Order 8: the double has
    # y = 0, so x² + y² = 0; with the curve equation, d·y⁴ + 2·y² - 1 = 0, whose two square roots differ by the sign.
    order_8 = [y for y in SMALL if y not in (0, 1, P - 1)]
    assert len(SMALL) == 5
    assert sum(order_8) == P
    for y in order_8:
        assert (D * pow(y, 4, P) + 2 * y * y - 1) % P == 0


def test_the_library_alone_would_accept_a_forgery_under_a_weak_point():
    # Why `weakness` exists: R = identity, S = 0 "signs" everything for the key that is the identity.
    identity = encoded(1)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"any message")
