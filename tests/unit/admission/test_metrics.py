"""What is counted, and how Prometheus reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.admission_world import pod, review

from navicert.admission.decision import Decision, Ruling, conclude, refuse
from navicert.admission.ending import Ending
from navicert.admission.images import ImageUse
from navicert.admission.journal import line_of
from navicert.admission.judgement import Judgement, Standing, refused, unknown
from navicert.admission.metrics import Metrics
from navicert.admission.review import read_review
from navicert.admission.tally import OTHER, Tally
from navicert.oci.reference import Reference

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def decision(*judgements: Judgement, name: str = "app") -> Decision:
    use = ImageUse("container", name, "/spec/containers/0/image", "nginx", Reference.parse("nginx"))
    asked = read_review(json.dumps(review(pod("nginx"))).encode())
    return conclude(asked, [Ruling(use, None, one) for one in judgements], NOW)


def exposition(tally: Tally) -> str:
    return Metrics(tally, lambda: 7, lambda: NOW).exposition().decode()


def test_no_ruling_is_a_refusal():
    assert decision().reason == "image.unjudged"
    assert not decision().allowed


def test_decisions_are_counted_by_hook_outcome_and_reason():
    tally = Tally()
    for _ in range(3):
        tally.decision("verify", decision(refused("rule.disallow", "no")), 0.02, 0.015)
    tally.decision("mutate", decision(Judgement(Standing.PASSED)), 0.001, 0.0)
    text = exposition(tally)
    assert 'navicert_admission_decisions_total{hook="verify",outcome="denied",reason="rule.disallow"} 3.0' in text
    assert 'navicert_admission_decisions_total{hook="mutate",outcome="allowed",reason="verified"} 1.0' in text
    assert 'navicert_admission_seconds_bucket{hook="verify",le="0.025",phase="total"} 3.0' in text
    assert 'navicert_admission_seconds_bucket{hook="verify",le="0.01",phase="total"} 0.0' in text
    assert 'navicert_admission_seconds_count{hook="verify",phase="waiting"} 3.0' in text
    assert "navicert_verdicts 7.0" in text


def test_names_that_strangers_choose_are_bounded():
    tally = Tally()
    for number in range(1000):
        tally.judged(f"r{number}.example", "p", unknown("registry", "down", outage=True), 0.1)
        tally.expires("layout", f"p{number}", NOW)
    assert len(tally.registries) <= 201
    assert tally.registries[OTHER, "outage"].counts
    assert len(tally.expiries) <= 200


def test_what_expires_is_told_in_seconds_from_now():
    tally = Tally()
    tally.expires("certificate", "webhook", NOW + timedelta(hours=1))
    tally.judged("r.example", "all", Judgement(Standing.PASSED, expires=NOW - timedelta(seconds=5)), 0.1)
    text = exposition(tally)
    assert 'navicert_expiry_seconds{kind="certificate",name="webhook"} 3600.0' in text
    assert 'navicert_expiry_seconds{kind="layout",name="all"} -5.0' in text


def test_a_line_of_the_log_is_one_line_whatever_a_user_wrote():
    found = decision(refused("x", "y"), name='evil"\n{"fake": 1}\x1b[31m')
    line = line_of(found, "verify", "1", NOW, 0.0123)
    assert "\n" not in line
    assert "\x1b" not in line
    read = json.loads(line)
    assert (read["type"], read["outcome"], read["milliseconds"]) == ("navicert-decision/v1", "denied", 12.3)
    whole = json.loads(line_of(refuse(found.review, "object.malformed", "odd"), "verify", "1", NOW, 0))
    assert whole["cause"] == "object.malformed: odd"
    assert "rulings" in whole


def test_what_belongs_to_a_policy_that_is_gone_does_not_expire():
    tally = Tally()
    tally.expires("layout", "gone", NOW)
    tally.expires("key", "gone of owner 12ab", NOW)
    tally.expires("key", "shop/kept of owner 12ab", NOW)
    tally.expires("certificate", "webhook", NOW)
    tally.retain(["shop/kept"])
    assert set(tally.expiries) == {("key", "shop/kept of owner 12ab"), ("certificate", "webhook")}


def test_keys_that_a_pass_rests_on_are_counted_down_too():
    tally = Tally()
    ends = (Ending("key", "of functionary 12ab", NOW + timedelta(seconds=60)),)
    tally.judged("r.example", "all", Judgement(Standing.PASSED, endings=ends), 0.1)
    assert 'navicert_expiry_seconds{kind="key",name="all of functionary 12ab"} 60.0' in exposition(tally)


def test_since_when_policies_are_stale_is_counted():
    tally = Tally()
    text = Metrics(tally, lambda: 0, lambda: NOW, lambda: NOW - timedelta(seconds=90)).exposition().decode()
    assert "navicert_policies_stale_seconds 90.0" in text
    assert "navicert_policies_stale_seconds 0.0" in exposition(tally)
