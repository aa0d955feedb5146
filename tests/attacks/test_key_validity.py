"""Keys that count for a time: what a key that was exchanged, or taken by somebody, may no longer bring about."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.attacks.test_timestamps import CLOCK, LATER, TRUSTED, stamped
from tests.certificate_authority import DAY, NOW, Holder, new_root
from tests.certified_chain import judge, link
from tests.checks import misses

from navicert.authoring.finding import CATALOGUE
from navicert.authoring.lint import lint
from navicert.authoring.policy import read_policy
from navicert.crypto.signer import generate
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.policy import read_policy_document
from navicert.report.document import SeenDocument, render_document
from navicert.timestamp import format_timestamp
from navicert.verdict import Verdict

BOB, CAROL = generate(), generate()
SINCE, UNTIL, REVOKED = NOW - 10 * DAY, NOW + 10 * DAY, NOW + 5 * DAY


def document(validity: object, **more: object) -> dict[str, object]:
    """A policy with one step, by Bob or Carol."""
    keys = {one.keyid: one.key.to_json() for one in (BOB, CAROL)}
    step = {"name": "build", "threshold": 1, "pubkeys": list(keys), "expected_products": [["ALLOW", "*"]]}
    return {
        "_type": "navicert-policy/v1",
        "name": "app",
        "version": 1,
        "expires": "2099-01-01T00:00:00Z",
        "keys": keys,
        "steps": [{**step, "expected_materials": [["DISALLOW", "*"]]}],
        "validity": validity,
        **more,
    }


def policy(**bounds: str) -> Layout:
    """The policy in which Bob's key has these bounds."""
    return read_policy_document(document({BOB.keyid: bounds}))


WINDOW = {"from": format_timestamp(SINCE), "until": format_timestamp(UNTIL)}


def judged(layout: Layout, raw: bytes, **more: Any) -> Verdict:
    return judge(layout, [raw], **{"timestamping": [TRUSTED], **more})


def signed() -> bytes:
    return seal(link(), BOB)


def test_a_key_counts_in_its_time():
    layout = policy(**WINDOW)
    for at, passes in ((SINCE, True), (UNTIL, True), (SINCE - DAY, False), (UNTIL + timedelta(seconds=1), False)):
        assert judged(layout, signed(), at=at).passed is passes, at
    assert judged(layout, seal(link(), CAROL), at=LATER).passed


def test_a_signature_from_within_the_time_of_a_key_counts_for_ever():
    layout = policy(**WINDOW)
    raw = stamped(signed(), NOW)
    assert judged(layout, raw, at=LATER).passed
    assert not judged(layout, raw, at=LATER, timestamping=[]).passed
    assert not judged(layout, signed(), at=LATER).passed


def test_attack_a_copy_without_its_timestamp_beside_the_one_that_has_it():
    """Whoever may add files takes nothing away by adding: whichever copy is looked at first."""
    layout = policy(**WINDOW)
    for minutes in range(6):
        raw = stamped(signed(), NOW + timedelta(minutes=minutes))
        for others in ([signed()], [stamped(signed(), UNTIL + DAY)], [stamped(signed(), NOW, message=b"another")]):
            for order in ([raw, *others], [*others, raw]):
                assert judge(layout, order, at=LATER, timestamping=[TRUSTED]).passed
            assert not judge(layout, others, at=LATER, timestamping=[TRUSTED]).passed


def test_attack_a_signature_from_after_the_time_of_a_key():
    verdict = judged(policy(**WINDOW), stamped(signed(), UNTIL + DAY), at=LATER)
    assert not verdict.passed
    assert any("does not count for it (valid from 2026-05-22" in reason for reason in misses(verdict))


def test_attack_a_signature_with_a_key_that_was_taken():
    layout = policy(revoked=format_timestamp(REVOKED))
    assert judged(layout, stamped(signed(), REVOKED - DAY), at=LATER).passed
    assert not judged(layout, stamped(signed(), REVOKED), at=LATER).passed
    assert not judged(layout, stamped(signed(), REVOKED + DAY), at=LATER).passed
    assert not judged(layout, signed(), at=LATER).passed


def test_attack_a_timestamp_by_whoever_took_the_key():
    own = new_root("TSA root", since=NOW - 100 * DAY, until=NOW + 1000 * DAY)
    layout = policy(revoked=format_timestamp(REVOKED))
    assert not judged(layout, stamped(signed(), REVOKED - DAY, Holder(own.certificate, own.private)), at=LATER).passed
    assert CLOCK.certificate != own.certificate


def test_attack_the_same_key_under_another_id_has_no_bounds():
    other = "ab" * 32
    keys = {BOB.keyid: BOB.key.to_json(), other: BOB.key.to_json() | {"keyid": other}}
    changed = document({BOB.keyid: WINDOW}, keys=keys)
    changed["steps"][0]["pubkeys"] = [other]  # type: ignore[index]
    layout = read_policy_document(changed)
    assert not judged(layout, signed(), at=LATER).passed


def test_evidence_that_is_left_out_makes_nothing_count():
    """Whoever takes away a timestamp gains nothing."""
    layout = policy(**WINDOW)
    for moment in (SINCE - DAY, NOW, UNTIL + DAY):
        for at in (NOW, LATER):
            with_one, without = judged(layout, stamped(signed(), moment), at=at), judged(layout, signed(), at=at)
            assert with_one.passed or not without.passed


@pytest.mark.parametrize(
    "validity",
    [
        [],
        {"ab" * 32: WINDOW},
        {BOB.keyid: {}},
        {BOB.keyid: None},
        {BOB.keyid: {"until": "tomorrow"}},
        {BOB.keyid: {"until": None}},
        {BOB.keyid: {"to": WINDOW["until"]}},
        {BOB.keyid: {"from": WINDOW["until"], "until": WINDOW["from"]}},
        {BOB.keyid: {"from": WINDOW["until"], "until": WINDOW["until"]}},
    ],
)
def test_attack_bounds_that_bound_nothing(validity):
    with pytest.raises(Malformed, match="/validity"):
        read_policy_document(document(validity))


def test_what_was_read_is_what_is_written():
    bounds = {BOB.keyid: {**WINDOW, "revoked": format_timestamp(REVOKED)}}
    layout = read_policy_document(document(bounds))
    assert layout.to_json()["validity"] == bounds
    assert read_policy_document(layout.to_json()) == layout
    assert "validity" not in read_policy_document({**document({}), "validity": {}}).to_json()


YAML = """
type: policy
name: app
version: 1
expires: 2099-01-01
functionaries:
  bob:
    keys: bob.pub
    valid from: 2026-05-01
    valid until: 2026-06-11T12:00:00Z
    revoked: 2026-06-06
steps:
  - name: build
    by: bob
    materials: [DISALLOW *]
    products: [ALLOW *]
"""


def test_it_is_written_beside_the_keys_of_a_functionary():
    found = read_policy(YAML.encode(), lambda _: BOB.key, NOW, path="p.yaml").finished()
    assert found.terms is not None
    (validity,) = found.terms.validity.values()
    assert str(validity) == "valid from 2026-05-01T00:00:00Z, until 2026-06-11T12:00:00Z, revoked 2026-06-06T00:00:00Z"
    assert json.dumps(found.to_json())
    raw = seal(link(), BOB)
    assert judged(found, raw, at=NOW).passed
    assert not judged(found, raw, at=LATER).passed


def test_lint_says_what_it_takes():
    found = lint(read_policy(YAML.encode(), lambda _: BOB.key, NOW, path="p.yaml"), NOW, lambda _: "")
    (said,) = (finding for finding in found if finding.id == "key.validity")
    assert said.severity is CATALOGUE["key.validity"][0]
    assert said.message.startswith(
        "it is valid from 2026-05-01T00:00:00Z, until 2026-06-11T12:00:00Z, revoked 2026-06-06"
    )


def test_show_prints_it():
    layout = policy(**WINDOW)
    text = render_document(SeenDocument("p", "dsse", "sha256:" + "ab" * 32, layout), NOW, everything=True)
    assert "valid from 2026-05-22T12:00:00Z, until 2026-06-11T12:00:00Z" in text


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("type: policy\n", "", "not for a layout"),
        ("keys: bob.pub", "files: bob.pub", "no field"),
        ("    keys: bob.pub\n", "", "not a functionary with times"),
        ("2026-05-01", "yesterday", "2031-05-01"),
        ("2026-06-11T12:00:00Z", "2026-04-01", "never valid"),
    ],
)
def test_attack_times_of_a_functionary_that_are_passed_over(old, new, why):
    assert old in YAML
    with pytest.raises(Malformed, match=why):
        read_policy(YAML.replace(old, new, 1).encode(), lambda _: BOB.key, NOW, path="p.yaml")
