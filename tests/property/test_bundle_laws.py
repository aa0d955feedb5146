"""Bundles, laws: no damage makes a pass, and none makes anything but a verdict."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import DigestSet
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import NOW, signer
from navicert.testing.bundle import as_bytes, keyed, keyless
from navicert.testing.sigstore import PrivateSigstore
from navicert.verify.bundle import Judged, judge_bytes

OURS = PrivateSigstore()
ROOT = TrustedRoot.read(OURS.root_bytes())
APP = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab" * 32})),), "https://example.com/tested")
BOB = signer("bob").key
BUNDLES: list[dict[str, Any]] = [
    keyless(OURS, APP, stamped=True),
    keyless(OURS, APP, kind="intoto/0.0.2", version="0.1"),
    keyless(OURS, APP, kind="hashedrekord/0.0.2"),
    keyless(OURS, b"file"),
    keyed(OURS, APP, signer("bob"), kind="dsse/0.0.1", stamped=True),
]


def judged(raw: bytes) -> Judged:
    return judge_bytes(raw, ROOT, NOW, wanted=[OURS.policy], keys=[BOB], artifact=b"file")


def proves_less(result: Judged, before: Judged) -> bool:
    """Whether a pass says the same, by as many or fewer trusted times: a proof by a log or authority that nobody knows
    counts for nothing, and what others prove stands."""

    def said(one: Judged) -> tuple[object, ...]:
        return None if one.document is None else one.document.body, one.message, one.identity, one.key

    return said(result) == said(before) and set(result.times) <= set(before.times)


def leaves(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all texts in a JSON value."""
    if isinstance(value, dict):
        return [place for name, item in value.items() for place in leaves(item, (*trail, name))]
    if isinstance(value, list):
        return [place for i, item in enumerate(value) for place in leaves(item, (*trail, i))]
    return [trail]


class TestDamage:
    @pytest.mark.parametrize("number", range(len(BUNDLES)))
    @given(data=st.data())
    def test_no_byte_that_is_changed_makes_another_pass(self, number: int, data: st.DataObject) -> None:
        raw = bytearray(as_bytes(BUNDLES[number]))
        before = judged(bytes(raw))
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        result = judged(bytes(raw))
        # What nothing depends on may change (white space, unknown names, hints); what is proved may not.
        assert not result.passed or proves_less(result, before)

    @pytest.mark.parametrize("number", range(len(BUNDLES)))
    @given(data=st.data())
    def test_no_value_that_is_changed_makes_another_pass(self, number: int, data: st.DataObject) -> None:
        before = judged(as_bytes(BUNDLES[number]))
        copy = json.loads(as_bytes(BUNDLES[number]))
        *steps, last = data.draw(st.sampled_from(leaves(copy)))
        place = copy
        for step in steps:
            place = place[step]
        raw = decoded(place[last])
        flipped = st.integers(0, max(0, len(raw) * 8 - 1)).map(lambda bit: flip(raw, bit))
        junk = st.one_of(
            st.none(), st.integers(-2, 2**70), st.text(max_size=8), st.just([]), st.just({}), st.booleans()
        )
        place[last] = data.draw(st.one_of(flipped, junk) if raw else junk)
        result = judged(as_bytes(copy))
        assert not result.passed or proves_less(result, before)

    @given(st.binary(max_size=200))
    def test_whatever_comes_is_judged(self, raw: bytes) -> None:
        assert not judged(raw).passed

    @pytest.mark.parametrize("number", range(len(BUNDLES)))
    @given(data=st.data())
    def test_taking_something_away_never_helps(self, number: int, data: st.DataObject) -> None:
        damaged = json.loads(as_bytes(BUNDLES[number]))
        damaged["verificationMaterial"].get("certificate", {}).update(rawBytes="AAAA")
        damaged["verificationMaterial"].get("publicKey", {}).update(hint="ffff")
        for entry in damaged["verificationMaterial"].get("tlogEntries", []):
            entry["canonicalizedBody"] = "e30="
        *steps, last = data.draw(st.sampled_from(leaves(damaged)))
        place = damaged
        for step in steps:
            place = place[step]
        del place[last]
        assert not judged(as_bytes(damaged)).passed


def decoded(text: str) -> bytearray:
    try:
        return bytearray(base64.b64decode(text, validate=True))
    except ValueError:
        return bytearray()


def flip(raw: bytearray, bit: int) -> str:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return base64.b64encode(bytes(changed)).decode()
