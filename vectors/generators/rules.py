"""Artifact rules other than MATCH, each where it holds and where it does not.

Spec: in-toto v1.0 §4.3.3, §5.3: all artifacts start in a queue, and each rule in turn consumes some.
"""

from __future__ import annotations

from vectors.generators.step import judged
from vectors.generators.vector import PASS, Expected, Vector, fails, passes

OLD, NEW = b"old\n", b"new\n"
CLOSED = "DISALLOW *"


def _left(path: str) -> Expected:
    """A DISALLOW that found `path`."""
    return fails("rules", "rule.disallow", f'"{path}"')


ALLOW = "in-toto v1.0 §4.3.3: ALLOW consumes what its pattern matches"
CREATE = "in-toto v1.0 §4.3.3: CREATE consumes products that are no materials"
DELETE = "in-toto v1.0 §4.3.3: DELETE consumes materials that are no products"
MODIFY = "in-toto v1.0 §4.3.3: MODIFY consumes what is on both sides with different digests"
REQUIRE = "in-toto v1.0 §4.3.3: REQUIRE fails unless the artifact is in the queue"
DISALLOW = "in-toto v1.0 §4.3.3: DISALLOW fails if its pattern matches anything in the queue"
QUEUE = "in-toto v1.0 §5.3: rules are applied in their order, to what is left"


def rule_allow() -> Vector:
    """ALLOW takes the file out of the queue; nothing is left for DISALLOW."""
    return judged("none: the control of rule-disallow", ALLOW, materials=["ALLOW app", CLOSED], before={"app": OLD})


def rule_disallow() -> Vector:
    """A second file that no rule allows."""
    return judged(
        "a file that nobody expected",
        DISALLOW,
        _left("extra"),
        materials=["ALLOW app", CLOSED],
        before={"app": OLD, "extra": OLD},
        control="rule-allow",
    )


def rule_disallow_before_allow() -> Vector:
    """The prohibition stands first: what would be allowed later is still there."""
    return judged(
        "rules taken for a set, of which the best one applies",
        QUEUE,
        _left("app"),
        materials=[CLOSED, "ALLOW app"],
        before={"app": OLD},
        control="rule-allow",
    )


def rules_that_leave_something() -> Vector:
    """After the last rule whatever is left is allowed: so it is specified, and worth a warning."""
    return judged(
        "none: a list of rules that is not closed",
        "in-toto v1.0 §5.3: what no rule consumes is allowed",
        passes("layout.open-ended"),
        upstream=PASS,
        materials=["ALLOW app"],
        before={"app": OLD, "extra": OLD},
    )


def rule_create() -> Vector:
    """A product that was no material."""
    return judged(
        "none: the control of rule-create-of-a-material", CREATE, products=["CREATE app", CLOSED], after={"app": NEW}
    )


def rule_create_of_a_material() -> Vector:
    """The file was there before: it is not created."""
    return judged(
        "a file that is said to be built and was brought along",
        CREATE,
        _left("app"),
        products=["CREATE app", CLOSED],
        before={"app": NEW},
        after={"app": NEW},
        control="rule-create",
    )


def rule_create_in_materials() -> Vector:
    """No material is ever created by the step."""
    return judged(
        "a rule that can never hold taken for one that always does",
        CREATE,
        _left("app"),
        materials=["CREATE app", CLOSED],
        before={"app": NEW},
        control="rule-create",
    )


def rule_delete() -> Vector:
    """A material that is no product."""
    return judged(
        "none: the control of rule-delete-of-a-product", DELETE, materials=["DELETE key", CLOSED], before={"key": OLD}
    )


def rule_delete_of_a_product() -> Vector:
    """The file is still there afterwards."""
    return judged(
        "a secret that was to be removed and is shipped",
        DELETE,
        _left("key"),
        materials=["DELETE key", CLOSED],
        before={"key": OLD},
        after={"key": OLD},
        control="rule-delete",
    )


def rule_modify() -> Vector:
    """Before and after differ."""
    return judged(
        "none: the control of rule-modify-of-the-unchanged",
        MODIFY,
        products=["MODIFY version", CLOSED],
        before={"version": OLD},
        after={"version": NEW},
    )


def rule_modify_of_the_unchanged() -> Vector:
    """Before and after are the same."""
    return judged(
        "a step that did nothing",
        MODIFY,
        _left("version"),
        products=["MODIFY version", CLOSED],
        before={"version": OLD},
        after={"version": OLD},
        control="rule-modify",
    )


def rule_modify_with_another_algorithm() -> Vector:
    """Before by SHA-256, after by SHA-512: nothing says that the file changed. in-toto 3.1.0 compares the sets, which
    are not equal."""
    import hashlib

    return judged(
        "a change that is claimed by recording another algorithm",
        MODIFY,
        _left("version"),
        upstream=PASS,
        in_toto="pass",
        products=["MODIFY version", CLOSED],
        before={"version": {"sha256": hashlib.sha256(OLD).hexdigest()}},
        after={"version": {"sha512": hashlib.sha512(OLD).hexdigest()}},
        control="rule-modify",
    )


def rule_require() -> Vector:
    """The artifact is there."""
    return judged(
        "none: the control of rule-require-of-the-absent",
        REQUIRE,
        products=["REQUIRE report", "ALLOW *", CLOSED],
        after={"app": NEW, "report": NEW},
    )


def rule_require_of_the_absent() -> Vector:
    """The artifact is not there."""
    return judged(
        "a report that was never made",
        REQUIRE,
        fails("rules", "rule.require", '"report": is not there'),
        products=["REQUIRE report", "ALLOW *", CLOSED],
        after={"app": NEW},
        control="rule-require",
    )


def rule_require_after_consumption() -> Vector:
    """The artifact is there, and an earlier rule has consumed it: REQUIRE looks at the queue."""
    return judged(
        "none is known: the order of rules is part of their meaning",
        REQUIRE,
        fails("rules", "rule.require", "an earlier rule consumed it"),
        products=["ALLOW *", "REQUIRE report", CLOSED],
        after={"app": NEW, "report": NEW},
        control="rule-require",
    )


def rule_require_takes_no_pattern() -> Vector:
    """The name in REQUIRE is literal: report-* is the name of a file that is not there."""
    return judged(
        "a pattern where a name belongs",
        "in-toto v1.0 §4.3.3: REQUIRE names one artifact",
        fails("rules", "rule.require", '"report-*": is not there'),
        products=["REQUIRE report-*", "ALLOW *", CLOSED],
        after={"app": NEW, "report-1": NEW},
        control="rule-require",
    )


def rule_on_one_side_only() -> Vector:
    """Rules on materials say nothing about products: a second product is free, and the layout is not closed there."""
    return judged(
        "none: each list judges its own side",
        QUEUE,
        materials=["ALLOW app", CLOSED],
        before={"app": OLD},
        after={"app": OLD, "extra": NEW},
    )


def step_without_rules() -> Vector:
    """A step that may do anything: it passes, with a warning."""
    return judged(
        "none: a step that binds nothing is said aloud",
        "in-toto v1.0 §4.3.3: without rules every artifact is allowed",
        passes("step.no-rules"),
        upstream=PASS,
        before={"app": OLD},
        after={"app": NEW},
    )
