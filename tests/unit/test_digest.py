"""Digests: what may decide that two artifacts are the same."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from navicert.digest import RECORDABLE, SELF_ONLY, STRONG, Digest, DigestSet, sha256
from navicert.errors import Malformed

A, B = "a" * 64, "b" * 64


def test_a_digest_is_an_algorithm_and_its_hex_form() -> None:
    digest = sha256(b"abc")
    assert str(digest) == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"
    assert Digest.parse(str(digest)) == digest
    assert Digest.parse(f"sha256:{A.upper()}") == Digest("sha256", A)


@pytest.mark.parametrize("hidden", [(), ("_sha256", "_sha2")], ids=["built-in", "none-built-in"])
def test_it_is_the_same_digest_whoever_computes_it(hidden: tuple[str, ...]) -> None:
    code = (
        "import sys; SIZES = 0, 1, 55, 56, 64, 4097, 16384, 16385, 50000\n"
        "[sys.modules.setdefault(name, None) for name in sys.argv[1:]]\n"
        "from navicert.digest import sha256_hex\n"
        "data = [bytes(range(256)) * (n // 256) + bytes(n % 256) for n in SIZES]\n"
        "before = [sha256_hex(one) for one in data[:-2]]\n"
        "print('_hashlib' in sys.modules)\n"
        "import hashlib\n"
        "assert [sha256_hex(one) for one in data] == [hashlib.sha256(one).hexdigest() for one in data]\n"
        "assert before == [hashlib.sha256(one).hexdigest() for one in data[:-2]]\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, *hidden], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(bool(hidden))]


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", A, f"sha256:{A[1:]}", f"sha256:{A}0", f"SHA256:{A}", f"md5:{'a' * 32}", f"sha512:{A}",
     "sha256:" + "g" * 64, f"sha256: {A[1:]}", f" sha256:{A}", f"gitCommit:{'a' * 40}", f"sha256:{A[2:]}é"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a digest"):
        Digest.parse(text)


def test_lengths_of_strong_algorithms_are_those_that_they_really_have() -> None:
    for name, length in STRONG.items():
        assert len(hashlib.new(name).hexdigest()) == length
    assert set(RECORDABLE) == set(STRONG)


@pytest.mark.parametrize("value", [{}, {"sha256": A}, {"weird-alg.1": "0"}, {"sha256": A.upper(), "md5": "00"}])
def test_a_digest_set_is_kept_as_received(value: dict[str, str]) -> None:
    assert DigestSet.from_json(value, "").to_json() == value


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "/d"),
        (None, "/d"),
        ("sha256", "/d"),
        ({"sha256": ""}, "/d/sha256"),
        ({"sha256": "xyz"}, "/d/sha256"),
        ({"sha256": None}, "/d/sha256"),
        ({"sha256": f"{A}\n"}, "/d/sha256"),
        ({"": A}, "/d"),
        ({"a b": A}, "/d"),
        ({"x" * 65: A}, "/d"),
        ({"ünicode": A}, "/d"),
    ],
)
def test_an_odd_digest_set_is_refused_where_it_stands(value: object, where: str) -> None:
    with pytest.raises(Malformed) as caught:
        DigestSet.from_json(value, "/d")
    assert caught.value.pointer == where


def test_an_attestation_may_carry_ids_that_are_no_digests_and_they_decide_nothing() -> None:
    image = DigestSet.from_json({"arn": "arn:aws:ec2::image/ami-1"}, "", opaque=True)
    assert image.to_json() == {"arn": "arn:aws:ec2::image/ami-1"}
    assert not image.agrees(image)
    assert not image.decides
    for odd in ({"arn": ""}, {"arn": 1}, {"arn": "x" * 4097}, {"sha1": "xyz"}, {"gitCommit": "main"}):
        with pytest.raises(Malformed):
            DigestSet.from_json(odd, "", opaque=True)
    with pytest.raises(Malformed):
        DigestSet.from_json({"arn": "arn:aws:ec2::image/ami-1"}, "")  # a link has nothing but digests


def agrees(left: dict[str, str], right: dict[str, str]) -> bool:
    one, other = DigestSet.of(left), DigestSet.of(right)
    assert one.agrees(other) == other.agrees(one)
    return one.agrees(other)


def differs(left: dict[str, str], right: dict[str, str]) -> bool:
    one, other = DigestSet.of(left), DigestSet.of(right)
    assert one.differs(other) == other.differs(one)
    return one.differs(other)


SAME = [
    ({"sha256": A}, {"sha256": A}),
    ({"sha256": A}, {"sha256": A.upper()}),
    ({"sha256": A}, {"sha256": A, "sha512": A + A}),
    ({"sha256": A, "md5": "00"}, {"sha256": A, "md5": "00"}),
    ({"sha256": A, "md5": "00"}, {"sha256": A, "sha1": "00"}),
    ({"gitCommit": "a" * 40}, {"gitCommit": "a" * 40}),
    ({"gitTree": A}, {"gitTree": A}),
]
OTHER = [
    ({"sha256": A}, {"sha256": B}),
    ({"sha256": A, "sha512": A + A}, {"sha256": A, "sha512": B + B}),
    ({"sha256": A, "md5": "00"}, {"sha256": A, "md5": "11"}),
    ({"gitCommit": "a" * 40}, {"gitCommit": "b" * 40}),
]
UNKNOWN: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({}, {"sha256": A}),
    ({"sha256": A}, {"sha512": A + A}),
    ({"md5": "00"}, {"md5": "00"}),
    ({"sha1": "00"}, {"sha1": "11"}),
    ({"SHA256": A}, {"SHA256": A}),
    ({"sha256": "ab"}, {"sha256": "ab"}),
    ({"gitCommit": "a" * 40}, {"gitTree": "a" * 40}),
    ({"gitCommit": A}, {"sha256": A}),
    ({"gitCommit": "abc1234"}, {"gitCommit": "abc1234"}),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_content_is_the_same_by_a_common_digest_that_decides(left: dict[str, str], right: dict[str, str]) -> None:
    assert agrees(left, right)
    assert not differs(left, right)


@pytest.mark.parametrize(("left", "right"), OTHER)
def test_content_is_another_by_any_common_digest(left: dict[str, str], right: dict[str, str]) -> None:
    assert not agrees(left, right)
    assert differs(left, right)


@pytest.mark.parametrize(("left", "right"), UNKNOWN)
def test_without_a_common_digest_that_decides_nothing_is_said(left: dict[str, str], right: dict[str, str]) -> None:
    assert not agrees(left, right)
    assert not differs(left, right)


def test_equality_is_that_of_the_sets() -> None:
    assert DigestSet.of({"sha256": A, "md5": "00"}) == DigestSet.of([("sha256", A), ("md5", "00")])
    assert DigestSet.of({"sha256": A}) != DigestSet.of({"sha256": A.upper()})
    assert DigestSet.of({}) == DigestSet.of({})


def test_strong_digests_are_those_of_a_known_algorithm_and_its_length() -> None:
    mixed = DigestSet.of({"sha256": A.upper(), "sha512": A, "md5": "00", "gitCommit": "a" * 40})
    assert mixed.strong == (Digest("sha256", A),)


def test_a_digest_set_shows_what_it_holds() -> None:
    assert str(DigestSet.of({"sha256": A, "md5": "00"})) == f"md5:00 sha256:{A}"
    assert str(DigestSet.of({})) == "(no digest)"
    assert "gitTree" in SELF_ONLY
