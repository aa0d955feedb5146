"""Layouts that stand for a step, with their own keys and evidence.

Spec: in-toto v1.0 §4.3.2, §5.2 (5).
"""

from __future__ import annotations

from datetime import UTC, datetime

from vectors.generators.material import APP, OTHER, SOURCE, folder_of, link_of, metablock, name_of
from vectors.generators.vector import Vector, evidence_of, fails, of, passes

from navicert.testing import Chain, chain

SPEC = "in-toto v1.0 §5.2 (5): a sublayout is verified like a layout, with its own keys"
INNER_LINK = name_of("compile", "carol")


def _inner(**fields: object) -> Chain:
    """The chain below: Carol compiles."""
    return (
        chain()
        .having(form="metablock", **fields)
        .step(
            "compile",
            by="carol",
            command="make app",
            materials=["ALLOW src/*", "DISALLOW *"],
            products=["CREATE app", "DISALLOW *"],
        )
    )


def _linked(inner: Chain, app: bytes = APP) -> Chain:
    return inner.link("compile", command="make app", materials={"src/main.c": SOURCE}, products={"app": app})


def _outer() -> Chain:
    """The chain above: Bob may build, and delegates it."""
    return (
        chain()
        .having(form="metablock")
        .step(
            "build",
            by="bob",
            command="make app",
            materials=["ALLOW src/*", "DISALLOW *"],
            products=["CREATE app", "DISALLOW *"],
        )
    )


def sublayout() -> Vector:
    """Bob's layout stands for the step build; its one step holds."""
    return of(
        _outer().sublayout("build", _linked(_inner())),
        attack="none: the control of cases with sublayouts",
        spec=SPEC,
        in_toto="pass",
    )


def sublayout_expired() -> Vector:
    """The layout below ended before the moment that is judged for."""
    return of(
        _outer().sublayout("build", _linked(_inner(expires=datetime(2025, 12, 31, tzinfo=UTC)))),
        attack="an old delegation that is used again",
        spec=SPEC,
        in_toto="LayoutExpiredError",
        strict=fails("policy", "layout.expired", "expired on 2025-12-31"),
        control="sublayout",
    )


def sublayout_of_a_stranger() -> Vector:
    """The layout below is signed by Mallory, whose key nobody put anywhere."""
    name = name_of("build", "bob")
    made = _outer().sublayout("build", _linked(_inner()))
    return of(
        made,
        attack="a delegation by somebody who has nothing to delegate",
        spec=SPEC,
        in_toto="ThresholdVerificationError",
        evidence={**evidence_of(made), name: metablock(_inner().layout().to_json(), "mallory")},
        refused={name: "signature", f"{folder_of('build', 'bob')}/{INNER_LINK}": "signature"},
        strict=fails("signature", "step.threshold", "no valid signature"),
        control="sublayout",
    )


def sublayout_with_evidence_by_its_owner_only() -> Vector:
    """Bob may delegate build, but in his layout Carol is to compile; the link is his own."""
    return of(
        _outer().sublayout("build", _inner()),
        attack="whoever delegates does it after all, against the own layout",
        spec=SPEC,
        in_toto="ThresholdVerificationError",
        evidence={
            **evidence_of(_outer().sublayout("build", _inner())),
            f"{folder_of('build', 'bob')}/{INNER_LINK}": metablock(
                link_of("compile", materials={"src/main.c": SOURCE}, products={"app": APP}), "bob"
            ),
        },
        strict=fails("evidence", "step.threshold", "who may not sign for this step"),
        control="sublayout",
    )


def sublayout_without_evidence() -> Vector:
    """The layout below is there, and nothing of what it asks for."""
    return of(
        _outer().sublayout("build", _inner()),
        attack="a delegation taken for the work",
        spec=SPEC,
        in_toto="LinkNotFoundError",
        strict=fails("evidence", "step.threshold", "no evidence found"),
        control="sublayout",
    )


def sublayout_without_evidence_for_a_step_of_the_same_name() -> Vector:
    """The same where the step below is called build too, and Bob may perform it: his layout is no evidence of its own
    step, and does not contain itself either."""
    inner = chain().having(form="metablock").step("build", by="bob", materials=["ALLOW *"], products=["ALLOW *"])
    return of(
        _outer().sublayout("build", inner),
        attack="a delegation taken for the work",
        spec=SPEC,
        in_toto="LinkNotFoundError",
        strict=fails("evidence", "step.threshold", "stands for a step above this one"),
        control="sublayout",
    )


def sublayout_whose_rules_fail() -> Vector:
    """A step of the layout below made a file that its rules do not allow."""
    inner = _inner().link("compile", materials={"src/main.c": SOURCE}, products={"app": APP, "backdoor": OTHER})
    return of(
        _outer().sublayout("build", inner),
        attack="a violation one level down",
        spec=SPEC,
        in_toto="RuleVerificationError",
        strict=fails("rules", "rule.disallow", '"backdoor"'),
        control="sublayout",
    )


def sublayout_whose_summary_breaks_a_rule_above() -> Vector:
    """The layout below allows what it made; the step above does not."""
    inner = (
        chain()
        .having(form="metablock")
        .step("compile", by="carol", materials=["ALLOW src/*", "DISALLOW *"], products=["CREATE *", "DISALLOW *"])
        .link("compile", materials={"src/main.c": SOURCE}, products={"app": APP, "extra": OTHER})
    )
    return of(
        _outer().sublayout("build", inner),
        attack="a delegation that allows itself more than was delegated",
        spec="in-toto v1.0 §5.2 (5): the summary of a sublayout is judged as the link of the step",
        in_toto="RuleVerificationError",
        strict=fails("rules", "rule.disallow", '"extra"'),
        control="sublayout",
    )


def sublayout_evidence_in_the_folder_above() -> Vector:
    """Carol's link lies beside the sublayout instead of in its folder. A folder is no evidence of anything; in-toto
    3.1.0 looks nowhere else."""
    made = _outer().sublayout("build", _inner())
    link = metablock(link_of("compile", materials={"src/main.c": SOURCE}, products={"app": APP}), "carol")
    return of(
        made,
        attack="none: stores without folders hold sublayouts too",
        spec="in-toto v1.0 §4.5: where links are kept is not fixed",
        in_toto="LinkNotFoundError",
        evidence={**evidence_of(made), INNER_LINK: link},
    )


def evidence_in_another_sublayouts_folder() -> Vector:
    """The link of build lies in the folder of a sublayout for it, and there is no sublayout."""
    name = f"{folder_of('build', 'bob')}/{name_of('build', 'bob')}"
    return of(
        _outer(),
        attack="evidence of one level used on another",
        spec=SPEC,
        in_toto="LinkNotFoundError",
        evidence={name: metablock(link_of(), "bob")},
        strict=fails("evidence", "step.threshold", "no evidence found"),
        control="plain",
    )


def sublayout_that_contains_itself() -> Vector:
    """The layout names its own owner as the functionary of its only step, and stands for that step itself, in every
    folder down to the tenth."""
    own = chain().having(form="metablock").step("build", by="owner", materials=["ALLOW *"], products=["ALLOW *"])
    raw = metablock(own.layout().to_json(), "owner")
    folder, name = folder_of("build", "owner"), name_of("build", "owner")
    return of(
        own,
        attack="a verification that never ends",
        spec=SPEC,
        in_toto="LinkNotFoundError",
        layout=raw,
        evidence={f"{folder}/" * depth + name: raw for depth in range(10)},
        strict=fails("evidence", "sublayout.repeated", "contains itself"),
        control="sublayout",
    )


def _nested(levels: int) -> Chain:
    inner = _linked(_inner())
    for level in range(levels - 1):
        above = (
            chain()
            .having(form="metablock", readme=f"level {level}")
            .step(
                f"level{level}",
                by="carol",
                command="make app",
                materials=["ALLOW *", "DISALLOW *"],
                products=["ALLOW *", "DISALLOW *"],
            )
        )
        inner = above.sublayout(f"level{level}", inner)
    return _outer().sublayout("build", inner)


def sublayouts_eight_deep() -> Vector:
    """Eight layouts, each standing for a step of the one above: more than anybody needs, and harmless."""
    return of(
        _nested(8),
        attack="none: a limit on depth must leave room",
        spec=SPEC,
        in_toto="pass",
    )


def sublayouts_forty_deep() -> Vector:
    """Forty layouts inside one another. Nothing in the format bounds them; a verifier must."""
    return of(
        _nested(40),
        attack="a small store that takes a verifier's stack or time",
        spec="Navicert: limit sublayout_depth",
        in_toto="pass",
        strict=fails("evidence", "sublayout.depth", "nested deeper than"),
        control="sublayouts-eight-deep",
    )


def sublayout_and_link_for_one_step() -> Vector:
    """Bob delegated build, Dave did it himself, and both report the same: two of two."""
    shared = (
        chain()
        .having(form="metablock")
        .step(
            "build",
            by=["bob", "dave"],
            threshold=2,
            command="make app",
            materials=["ALLOW src/*", "DISALLOW *"],
            products=["CREATE app", "DISALLOW *"],
        )
    )
    both = shared.sublayout("build", _linked(_inner()), by="bob").link(
        "build", by="dave", command="make app", materials={"src/main.c": SOURCE}, products={"app": APP}
    )
    return of(both, attack="none: a sublayout counts for whoever signed it", spec=SPEC, in_toto="pass", strict=passes())
