"""What counts as an account of a build, and what was looked at and is none."""

from __future__ import annotations

from dataclasses import replace

from tests.sample_build import SampleBuild

from navicert.slsa.account import accounts_of
from navicert.slsa.attestation import Pool, Read


def test_a_summary_among_provenance_is_a_near_miss() -> None:
    inquiry = SampleBuild().inquiry()
    (good,), (summary, *_) = inquiry.pool.provenances, inquiry.pool.summaries
    accounts, misses = accounts_of(replace(inquiry, pool=Pool(provenances=(good, Read(summary.attestation)))))
    assert [account.read for account in accounts] == [good]
    assert [miss.reason for miss in misses] == ["is no provenance"]
