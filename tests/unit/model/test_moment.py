"""Moments that somebody vouches for."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.model.moment import TrustedTime


def test_people_see_the_moment_and_who_vouches_for_it() -> None:
    moment = TrustedTime(datetime(2026, 3, 1, 12, tzinfo=UTC), "log", "rekor.sigstore.dev")
    assert str(moment) == "2026-03-01T12:00:00Z by rekor.sigstore.dev"
