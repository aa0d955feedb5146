from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from tests.certificate_authority import DAY, NOW, new_root
from tests.certified_chain import ANY, ROOT_ID, authority, layout_of

from navicert.authoring.finding import CATALOGUE, Finding, Severity
from navicert.authoring.lint import lint
from navicert.authoring.policy import Policy
from navicert.model.layout import Layout
from navicert.model.release import Release

ROOT = new_root(until=datetime(2100, 1, 1, tzinfo=NOW.tzinfo))
GOOD = {**ANY, "uris": ["spiffe://example.com/build"]}


def check(layout: Layout, at: datetime = NOW) -> dict[str, Finding]:
    policy = Policy(layout, Release(), layout.expires, given=True, persons={})
    return {finding.id: finding for finding in lint(policy, at, lambda _: "")}


def test_nothing_is_said_about_certificates_that_may_sign():
    said = check(layout_of([GOOD], {ROOT_ID: ROOT}, intermediates=[ROOT.authority(until=NOW + 90_000 * DAY)]))
    assert not [id for id in said if id.startswith(("certificate.", "constraint.", "threshold.", "functionary."))]


LEAF = ROOT.issue(until=datetime(2100, 1, 1, tzinfo=NOW.tzinfo))
UNREADABLE = replace(layout_of([GOOD], {ROOT_ID: ROOT}), rootcas={ROOT_ID: {"keyval": {"certificate": "text"}}})


@pytest.mark.parametrize(
    ("id", "layout", "said"),
    [
        ("certificate.unusable", UNREADABLE, "not certificates in PEM"),
        ("certificate.no-authority", layout_of([GOOD], {ROOT_ID: LEAF}), "CN=builder may not issue certificates"),
        ("certificate.expires", layout_of([GOOD], {ROOT_ID: new_root()}), "is valid until 2026-06-02T12:00:00Z, and"),
        ("certificate.no-root", layout_of([GOOD], {}), "no root that vouches for any"),
        ("certificate.unused", layout_of([], {ROOT_ID: ROOT}), "no step is performed by holders"),
        ("constraint.nobody", layout_of([{**GOOD, "roots": []}], {ROOT_ID: ROOT}), "it names no root"),
        ("constraint.nobody", layout_of([{**GOOD, "roots": ["cd" * 32]}], {ROOT_ID: ROOT}), "none of its roots"),
        ("constraint.nobody", layout_of([{**GOOD, "ou": ["x"]}], {ROOT_ID: ROOT}), '"ou" is no field of it'),
        ("constraint.anybody", layout_of([ANY], {ROOT_ID: ROOT}), "whoever has any certificate"),
    ],
)
def test_what_is_wrong_with_certificates_is_said(id, layout, said):
    finding = check(layout)[id]
    assert said in finding.message
    assert finding.severity is CATALOGUE[id][0]


def test_an_authority_that_has_expired_is_an_error():
    found = check(layout_of([GOOD], {ROOT_ID: new_root()}), NOW + 3 * DAY)["certificate.expires"]
    assert found.severity is Severity.ERROR


def test_a_step_for_holders_of_certificates_lacks_no_functionary():
    assert "threshold.unreachable" not in check(layout_of([GOOD], {ROOT_ID: ROOT}, threshold=3))


def test_an_authority_is_written_as_in_toto_golang_does():
    assert authority(ROOT)["keyval"] == {"public": "", "certificate": ROOT.pem}
