"""What the profile UPSTREAM keeps of rules that fail, so that upstream's words can be said."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.model.rule import Rule
from navicert.record.redaction import REDACTED, Redaction
from navicert.testing import chain
from navicert.verify.evaluate import evaluate
from navicert.verify.parameters import NoValue, fill_in
from navicert.verify.profile import Profile


def facts(profile: Profile) -> dict[str, object]:
    made = (
        chain()
        .step("build", by="bob", products=["create app", "DISALLOW evil*", "DISALLOW *"])
        .link("build", products={"evil": b"e", "app": b"a", "other": b"o"})
    )
    verdict = evaluate(made.case(profile=profile))
    (check,) = [check for _, check in verdict.root.walk() if check.id == "step.products"]
    return dict(check.facts)


def test_the_course_of_rules_that_fail_is_told_in_the_words_of_the_layout():
    told = facts(Profile.UPSTREAM)
    assert told["side"] == "products"
    assert told["failed"] == 1
    assert sorted(told["products"]) == ["app", "evil", "other"]  # type: ignore[call-overload]  # a list
    assert [consumed for _, consumed in told["rules"]] == [["app"], [], []]  # type: ignore[attr-defined]  # a list


def test_strict_tells_no_course():
    assert "failed" not in facts(Profile.STRICT)


def test_a_rule_remembers_how_it_was_spelled_and_is_equal_all_the_same():
    rule = Rule.parse(["match", "a", "with", "Products", "FROM", "b"])
    assert rule.spelling == ("match", "a", "with", "Products", "FROM", "b")
    assert rule == Rule.parse(rule.pack())
    assert hash(rule) == hash(Rule.parse(rule.pack()))


def test_a_placeholder_without_a_value_says_which():
    with pytest.raises(NoValue) as raised:
        fill_in("{there}{missing}", {"there": "x"}, "step")
    assert raised.value.name == "missing"
    assert isinstance(raised.value, Malformed)


def test_nothing_known_is_removed_where_that_was_said():
    environment = {"API_TOKEN": "hunter2hunter2"}
    assert Redaction(environment)("hunter2hunter2") == REDACTED
    assert Redaction(environment, known=False)("hunter2hunter2") == "hunter2hunter2"
    assert Redaction(environment, ["hun"], known=False)("hunter") == f"{REDACTED}ter"
