"""Removing evidence never raises a level, and never turns a refusal into a pass.

Spec: in-toto attestation framework, spec/v1/README.md (monotonic principle).
"""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sample_build import SampleBuild

ALL = SampleBuild()


def build() -> SampleBuild:
    """The sample with documents that contradict each other beside it, in some order."""
    made = SampleBuild(
        builder=ALL.builder,
        verifier=ALL.verifier,
        monitor=ALL.monitor,
        alice=ALL.alice,
        bob=ALL.bob,
        mallory=ALL.mallory,
    )
    other = copy.deepcopy(made.documents[0][0])
    other["predicate"]["buildDefinition"]["buildType"] = "https://other.example"
    made.add(other, made.builder)
    forged = copy.deepcopy(made.documents[0][0])
    made.add(forged, made.mallory)
    failed = copy.deepcopy(made.documents[1][0])
    failed["predicate"]["verificationResult"] = "FAILED"
    made.add(failed, made.verifier)
    made.sign(3, made.bob)
    return made


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(0, 6)),
    st.sets(st.integers(0, 6)),
    st.dictionaries(st.sampled_from(["build", "source", "table", "declared"]), st.integers(1, 3)),
)
def test_less_evidence_is_never_more(first: set[int], second: set[int], require: dict[str, int]) -> None:
    less, more = build(), build()
    more.documents = [one for number, one in enumerate(more.documents) if number in first | second]
    less.documents = [one for number, one in enumerate(less.documents) if number in first]
    less.require = more.require = require
    small, large = less.assess(), more.assess()
    for below, above in zip(small.ladders, large.ladders, strict=True):
        assert below.reached <= above.reached
    assert large.verdict.passed or not small.verdict.passed
