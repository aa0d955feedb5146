"""Signatures that are judged for the moment at which they existed: what no timestamp may bring about."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.certificate_authority import DAY, NOW, Holder, new_root
from tests.certified_chain import ANY, HOUR, ROOT_ID, by, judge, layout_of
from tests.checks import misses

from navicert.crypto.certification import authority_of_pem
from navicert.testing.timestamp_authority import TimestampAuthority
from navicert.verdict import Verdict
from navicert.verify.case import Revocations
from navicert.verify.profile import Profile

LONG: dict[str, Any] = {"since": NOW - 100 * DAY, "until": NOW + 1000 * DAY}
ROOT = new_root(**LONG)
TSA_ROOT = new_root("TSA root", **LONG)
STAMPING: dict[str, Any] = {"purposes": [ExtendedKeyUsageOID.TIME_STAMPING], "purposes_critical": True}
CLOCK = TSA_ROOT.issue("clock", **LONG, **STAMPING)
TRUSTED = authority_of_pem(CLOCK.pem + TSA_ROOT.pem, "tsa")
LATER = NOW + 30 * DAY
"""When the certificate has long expired."""


def stamped(raw: bytes, moment: datetime, clock: Holder = CLOCK, message: bytes | None = None) -> bytes:
    """The envelope, its first signature timestamped by `clock`."""
    document: Any = json.loads(raw)
    signature = document["signatures"][0]
    about = base64.b64decode(signature["sig"]) if message is None else message
    token = TimestampAuthority(clock.certificate, clock.private).respond(about, moment)
    signature.setdefault("timestamps", []).append({"type": "tsp", "data": base64.b64encode(token).decode()})
    return json.dumps(document).encode()


def signed(holder: Holder | None = None) -> bytes:
    """A link whose signer's certificate is valid around `NOW`."""
    (raw,) = by(holder or ROOT.issue(since=NOW - HOUR, until=NOW + HOUR), form="dsse")
    return raw


def judged(raw: bytes, at: datetime = LATER, **more: Any) -> Verdict:
    """The verdict of who believes the authority."""
    return judge(layout_of([ANY], {ROOT_ID: ROOT}), [raw], at=at, **{"timestamping": [TRUSTED], **more})


@pytest.mark.parametrize("profile", list(Profile))
def test_a_certificate_counts_for_when_it_signed(profile):
    raw = stamped(signed(), NOW)
    assert judged(raw, profile=profile).passed
    assert not judged(raw, profile=profile, timestamping=[]).passed
    assert not judged(signed(), profile=profile).passed


def test_attack_a_timestamp_before_or_after_the_certificate_was_valid():
    for moment in (NOW - 2 * HOUR, NOW + 2 * HOUR):
        verdict = judged(stamped(signed(), moment))
        assert not verdict.passed
        assert any("it was valid from" in reason for reason in misses(verdict))


def test_attack_a_timestamp_of_another_signature():
    assert not judged(stamped(signed(), NOW, message=b"another")).passed
    first, second = signed(), signed()
    moved = json.loads(second)
    moved["signatures"][0]["timestamps"] = json.loads(stamped(first, NOW))["signatures"][0]["timestamps"]
    assert not judged(json.dumps(moved).encode()).passed


def test_attack_a_timestamp_by_nobody_who_is_believed():
    other_root = new_root("TSA root", **LONG)
    assert not judged(stamped(signed(), NOW, other_root.issue("clock", **LONG, **STAMPING))).passed
    assert not judged(stamped(signed(), NOW, ROOT.issue("clock", **LONG, **STAMPING))).passed


@pytest.mark.parametrize(
    "more",
    [
        {"purposes": [ExtendedKeyUsageOID.CODE_SIGNING]},
        {"purposes": [ExtendedKeyUsageOID.TIME_STAMPING]},
        {"purposes": [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING], "purposes_critical": True},
        {**STAMPING, "until": NOW - HOUR},
    ],
)
def test_attack_a_certificate_that_is_not_for_timestamps(more):
    clock = TSA_ROOT.issue("clock", **{**LONG, **more})
    believed = [authority_of_pem(TSA_ROOT.pem, "tsa")]
    assert judged(stamped(signed(), NOW), timestamping=believed).passed
    assert not judged(stamped(signed(), NOW, clock), timestamping=believed).passed


def test_attack_a_timestamp_from_the_future():
    """What did not exist yet at the moment that is judged for proves nothing about it."""
    holder = ROOT.issue(since=NOW + DAY, until=NOW + 2 * DAY)
    raw = stamped(signed(holder), NOW + DAY + HOUR)
    assert not judged(raw, at=NOW).passed
    assert judged(raw, at=LATER).passed


def test_attack_a_timestamp_in_the_name_of_an_identity_that_is_revoked():
    raw = stamped(signed(), NOW)
    assert not judged(raw, revoked=Revocations(identities=frozenset({"builder"}))).passed


def test_a_further_timestamp_takes_nothing_away():
    raw = stamped(stamped(signed(), NOW + 2 * HOUR), NOW)
    assert judged(raw).passed
    assert judged(stamped(signed(), NOW + 2 * HOUR), at=NOW).passed


@pytest.mark.parametrize(
    "timestamps",
    [None, "text", {}, [None], [{"type": "tsp"}], [{"type": "tsp", "data": "?"}], [{"type": "tsp", "data": "AAAA"}]],
)
def test_attack_something_else_in_the_place_of_timestamps(timestamps):
    document = json.loads(stamped(signed(), NOW))
    document["signatures"][0]["timestamps"] = timestamps
    assert not judged(json.dumps(document).encode()).passed


def test_attack_more_timestamps_than_anybody_attaches():
    document = json.loads(stamped(signed(), NOW))
    odd = {"type": "tsp", "data": "AAAA"}
    document["signatures"][0]["timestamps"] = [odd] * 100 + document["signatures"][0]["timestamps"]
    assert not judged(json.dumps(document).encode()).passed


def test_whose_timestamps_are_believed_is_part_of_the_policy():
    raw = stamped(signed(), NOW)
    assert judged(raw).policy != judged(raw, timestamping=[]).policy
