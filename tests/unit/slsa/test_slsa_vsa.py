"""Verification summaries: the seven steps, each failing alone, and every legal value. Spec: verification_summary.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sample_build import AT, COMMIT, REPOSITORY, VERIFIER, VSA, Document, SampleBuild, statement, summary

from navicert.crypto.signer import MemorySigner
from navicert.digest import DigestSet, sha256
from navicert.errors import Malformed
from navicert.model.predicate.vsa import VerificationSummary
from navicert.model.statement import ResourceDescriptor
from navicert.slsa.attestation import Pool, Read
from navicert.slsa.expectation import Expectations
from navicert.slsa.vsa import (
    LAYOUT_VERIFIED,
    REPRODUCED,
    TWO_PARTY,
    UNEVALUATED,
    Summarised,
    highest,
    judge_summary,
    level_of,
    make_summary,
)
from navicert.verdict import Outcome

APP = {"sha256": sha256(b"the application\n").hex}
STEPS = ["signature", "subject", "type", "verifier", "resource", "result", "level"]


def judged(
    change: Callable[[Document], object] = lambda _: None,
    *,
    levels: list[str] | None = None,
    signer: str = "verifier",
    track: str = "build",
    **more: Any,
) -> Summarised:
    """A summary of `app`, changed, judged by the sample's verifiers."""
    build = SampleBuild()
    document = statement(VSA, summary(levels or ["SLSA_BUILD_LEVEL_3"], resource="pkg:generic/app"), dict(APP))
    change(document)
    who: MemorySigner | None = getattr(build, signer) if signer else None
    build.documents = [(document, who)]
    (one,) = build.attestations()
    read = Read(one, summary=VerificationSummary.from_json(one.statement.predicate, "", one.statement.predicate_type))
    fields = {"resources": ("pkg:generic/app",), "covers": lambda s: s.subjects[0].digests == DigestSet.of(APP), **more}
    expectations = Expectations.from_json(build.expectations, trusted="pinned")
    return judge_summary(read, verifiers=expectations.verifiers, track=track, at=AT, **fields)


def test_all_seven_steps_in_their_order() -> None:
    found = judged()
    assert [check.id.removeprefix("slsa.summary-") for check in found.check.children] == STEPS
    assert found.check.outcome is Outcome.PASS
    assert found.level == 3


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("signature", {"signer": ""}),
    ("subject", {"change": lambda d: d["subject"][0].update(digest={"sha256": "0" * 64})}),
    ("verifier", {"change": lambda d: d["predicate"]["verifier"].update(id="https://other.example")}),
    ("verifier", {"signer": "mallory"}),
    ("resource", {"change": lambda d: d["predicate"].update(resourceUri="pkg:generic/other")}),
    ("resource", {"change": lambda d: d["predicate"].update(resourceUri="PKG:generic/app")}),
    ("resource", {"resources": ()}),
    ("result", {"change": lambda d: d["predicate"].update(verificationResult="FAILED")}),
    ("level", {"levels": ["SLSA_BUILD_LEVEL_0"]}),
    ("level", {"levels": ["SLSA_BUILD_LEVEL_2"], "wanted": "SLSA_BUILD_LEVEL_3"}),
    ("level", {"levels": [UNEVALUATED]}),
    ("level", {"levels": ["FAILED", "SLSA_BUILD_LEVEL_3"]}),
    ("level", {"levels": ["SLSA_SOURCE_LEVEL_3"]}),
    ("level", {"levels": ["SLSA_LEVEL_3"]}),
    ("level", {"levels": ["NAVICERT_LAYOUT_VERIFIED"]}),
    ("level", {"wanted": REPRODUCED}),
]


@pytest.mark.parametrize(("step", "how"), WRONG, ids=[f"{step}-{i}" for i, (step, _) in enumerate(WRONG)])
def test_each_step_refuses_alone_and_the_rest_is_not_judged(step: str, how: dict[str, Any]) -> None:
    found = judged(**how)
    outcomes = [check.outcome for check in found.check.children]
    at = STEPS.index(step)
    assert outcomes == [Outcome.PASS] * at + [Outcome.FAIL] + [Outcome.SKIP] * (6 - at)
    assert (found.level, found.properties) == (0, frozenset())


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        (["SLSA_BUILD_LEVEL_3"], "SLSA_BUILD_LEVEL_1"),
        (["SLSA_BUILD_LEVEL_3"], "SLSA_BUILD_LEVEL_3"),
        (["SLSA_BUILD_LEVEL_1", REPRODUCED, "EXAMPLE_X"], "SLSA_BUILD_LEVEL_1"),
        (["SLSA_SOURCE_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_1"], "SLSA_BUILD_LEVEL_1"),
    ],
)
def test_a_level_includes_the_lower_ones_of_its_track(levels: list[str], wanted: str) -> None:
    assert judged(levels=levels, wanted=wanted).check.outcome is Outcome.PASS


def test_a_key_id_is_a_hint_and_decides_nothing() -> None:
    # The verifier signs under whatever id it likes.
    build = SampleBuild()
    build.verifier = build.verifier.with_id("0" * 64)
    document = statement(VSA, summary(["SLSA_BUILD_LEVEL_3"], resource="pkg:generic/app"), dict(APP))
    build.documents = [(document, build.verifier)]
    pool = Pool.of(build.attestations())
    expectations = Expectations.from_json(build.expectations, trusted="pinned")
    found = judge_summary(
        pool.summaries[0],
        verifiers=expectations.verifiers,
        resources=("pkg:generic/app",),
        covers=lambda _: True,
        track="build",
        at=AT,
    )
    assert found.level == 3


def test_a_verifier_is_trusted_up_to_its_own_level() -> None:
    build = SampleBuild()
    build.expectations["verifiers"][0]["source"] = 2
    found = build.assess()
    assert found.source.reached == 2


def test_a_verifier_is_trusted_for_its_own_resources() -> None:
    build = SampleBuild()
    build.expectations["verifiers"][0]["resource"] = "git+https://git.example/ap"
    assert build.assess().source.reached == 0
    build.expectations["verifiers"][0]["resource"] = f"git+{REPOSITORY}"
    assert build.assess().source.reached == 3


def test_a_property_counts_only_of_a_verifier_that_may_vouch_for_it() -> None:
    build = SampleBuild()
    build.source_summary["verifiedLevels"] = ["SLSA_SOURCE_LEVEL_3", TWO_PARTY]
    assert TWO_PARTY in build.assess().properties
    build.expectations["verifiers"][0]["properties"] = []
    assert TWO_PARTY not in build.assess().properties


@pytest.mark.parametrize(
    ("value", "track", "level"),
    [
        ("SLSA_BUILD_LEVEL_3", "build", 3),
        ("SLSA_BUILD_LEVEL_0", "build", 0),
        ("SLSA_BUILD_LEVEL_3", "source", None),
        ("SLSA_BUILD_LEVEL_UNEVALUATED", "build", None),
        ("SLSA_SOURCE_TWO_PARTY_REVIEWED", "source", None),
        ("SLSA_BUILD_LEVEL_3x", "build", None),
        ("xSLSA_BUILD_LEVEL_3", "build", None),
        ("SLSA_BUILD_LEVEL_٣", "build", None),
        ("slsa_build_level_3", "build", None),
        ("SLSA_LEVEL_3", "build", None),
    ],
)
def test_the_level_that_a_value_states(value: str, track: str, level: int | None) -> None:
    assert level_of(value, track) == level
    assert highest([value], track) == (level or 0)


# --- making one ----------------------------------------------------------------------------------------------------


def made(**more: Any) -> Any:
    fields: dict[str, Any] = {
        "subjects": (ResourceDescriptor("app", digests=DigestSet.of(APP)),),
        "verifier_id": VERIFIER,
        "version": "1",
        "resource": "pkg:generic/app",
        "policy": ResourceDescriptor(uri="expect.yaml"),
        "at": datetime(2026, 10, 1, tzinfo=UTC),
        "levels": ("SLSA_BUILD_LEVEL_3",),
        "inputs": [sha256(b"2"), sha256(b"1"), sha256(b"1")],
        **more,
    }
    return make_summary(**fields)


def test_what_is_made_is_what_is_read() -> None:
    written = made(dependencies={"SLSA_BUILD_LEVEL_1": 2})
    read = VerificationSummary.from_json(written.predicate, "", written.predicate_type)
    assert (read.verifier_id, read.result, read.levels) == (VERIFIER, "PASSED", ("SLSA_BUILD_LEVEL_3",))
    assert len(read.input_attestations) == 2
    assert (read.dependency_levels, read.slsa_version) == ({"SLSA_BUILD_LEVEL_1": 2}, "1.2")


@pytest.mark.parametrize("levels", [(UNEVALUATED, LAYOUT_VERIFIED), (REPRODUCED, TWO_PARTY), ("SLSA_SOURCE_LEVEL_4",)])
def test_every_value_that_slsa_defines_may_be_written(levels: tuple[str, ...]) -> None:
    assert made(levels=levels).predicate["verifiedLevels"] == list(levels)


@pytest.mark.parametrize("level", ["SLSA_BUILD_LEVEL_4", "SLSA_LAYOUT_VERIFIED", "SLSA_BUILD_LEVEL_9"])
def test_nothing_of_our_own_looks_like_one_of_slsas(level: str) -> None:
    with pytest.raises(Malformed, match="SLSA's own"):
        made(levels=(level,))


def test_a_failure_stands_alone() -> None:
    written = made(levels=("FAILED",))
    assert written.predicate["verificationResult"] == "FAILED"
    with pytest.raises(Malformed, match="a level beside a failure"):
        made(levels=("SLSA_BUILD_LEVEL_3", "FAILED"))


def test_a_summary_of_nothing_is_none() -> None:
    for change in ({"subjects": ()}, {"subjects": (ResourceDescriptor("app"),)}, {"levels": ()}):
        with pytest.raises(Malformed):
            made(**change)


def test_the_source_summary_of_the_sample_is_of_its_commit() -> None:
    assert COMMIT[:12] in SampleBuild().assess().source.check.reason
