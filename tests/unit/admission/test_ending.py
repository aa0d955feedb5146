"""What a pass rests on that ends: who is told, and when, and until when a pass is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.admission_world import pod, world
from tests.policy_chain import PolicyChain

from navicert.admission.decision import answer
from navicert.admission.ending import Ending, endings, notices
from navicert.crypto.signer import generate
from navicert.envelope.document import seal
from navicert.model.policy import read_policy_document
from navicert.verify.case import Policy

AT = datetime(2026, 10, 1, tzinfo=UTC)


def opened(chain: PolicyChain, signer: object = None) -> Policy:
    raw = seal(read_policy_document(chain.document), signer or chain.owner)  # type: ignore[arg-type]
    return Policy.open(raw, [chain.owner.key], path="root.layout")


def test_the_end_of_a_layout_and_of_each_key_of_a_functionary_is_known() -> None:
    chain = PolicyChain()
    chain.document["validity"] = {
        chain.bob.keyid: {"until": "2026-11-01T00:00:00Z"},
        chain.tess.keyid: {"from": "2026-01-01T00:00:00Z", "revoked": "2026-10-05T00:00:00Z"},
    }
    assert [(one.kind, one.name, one.at) for one in endings(opened(chain))] == [
        ("key", f"of functionary {chain.tess.key.short}", datetime(2026, 10, 5, tzinfo=UTC)),
        ("key", f"of functionary {chain.bob.key.short}", datetime(2026, 11, 1, tzinfo=UTC)),
        ("layout", "root.layout", datetime(2099, 1, 1, tzinfo=UTC)),
    ]


def test_what_its_owners_did_not_sign_says_nothing_of_when_anything_ends() -> None:
    assert endings(opened(PolicyChain(), generate())) == ()


def test_a_warning_comes_from_fourteen_days_before_and_not_earlier() -> None:
    end = Ending("key", "of functionary 12ab", AT + timedelta(days=14))
    assert list(notices([end], AT)) == []
    assert list(notices([end, end], AT + timedelta(seconds=1))) == [
        "key of functionary 12ab expires in 13 days: renew it"
    ]
    assert list(notices([end], AT + timedelta(days=20))) == ["key of functionary 12ab expires in 0 days: renew it"]


def test_the_soonest_end_is_told_first() -> None:
    found = [Ending("layout", "b", AT + timedelta(days=3)), Ending("key", "a", AT + timedelta(days=2))]
    assert [text.split()[0] for text in notices(found, AT)] == ["key", "layout"]


def test_a_pass_is_not_remembered_beyond_the_end_of_what_it_rests_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout goes on; a key of its functionaries ends in an hour, and the pass with it."""
    with world(tmp_path) as here:
        image = here.image()
        here.attest(image)
        soon = here.now + timedelta(hours=1)
        ends = (Ending("key", "of functionary 12ab", soon),)
        monkeypatch.setattr("navicert.admission.judge.endings", lambda policy: ends)
        decision = here.decide(pod(here.ref(image)))
        (ruling,) = decision.rulings
        assert (ruling.judgement.until, ruling.judgement.endings) == (soon, ends)
        assert "key of functionary 12ab expires in 0 days: renew it" in answer(decision, "1").warnings
