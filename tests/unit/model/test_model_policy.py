"""The policy document: read, written, and refused where it seems to demand what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.layout import Layout
from navicert.model.policy import policy_json, read_policy_document
from navicert.model.requirement import Requirement, Role
from navicert.model.terms import RunRule

TESTS = "https://in-toto.io/attestation/test-result/v0.1"
KEYS = {"aa" * 16: {"keytype": "ed25519"}, "bb" * 16: {"keytype": "ed25519"}}
ALICE, BOB = KEYS


def predicate(**more: object) -> dict[str, Any]:
    return {"name": "tests", "types": [TESTS], "role": "inform", "pubkeys": [BOB]} | more


def step(*predicates: object, **more: object) -> dict[str, Any]:
    return {"name": "build", "pubkeys": [ALICE], "predicates": list(predicates)} | more


def document(*steps: object, **more: object) -> dict[str, Any]:
    return {
        "_type": "navicert-policy/v1",
        "name": "app",
        "version": 3,
        "expires": "2030-01-01T00:00:00Z",
        "keys": KEYS,
        "steps": list(steps) or [step(predicate())],
    } | more


FULL = document(
    step(
        predicate(
            threshold=2,
            pubkeys=[ALICE, BOB],
            subjects=[["MATCH", "a*", "WITH", "PRODUCTS", "IN", "out", "FROM", "build"]],
            attributes=[{"rule": "predicate.a"}, {"rule": "predicate.b", "if_absent": "pass"}],
            max_age=60,
            time="predicate.when",
            expected_materials=[["ALLOW", "*"]],
        ),
        threshold=1,
        expected_command=["make"],
        attributes=[{"rule": "predicate.command == ['make']"}],
        expected_products=[["CREATE", "app"]],
    ),
    {
        "name": "pack",
        "record": "how",
        "predicates": [
            {"name": "how", "types": ["https://slsa.dev/provenance/v1"], "role": "transform", "pubkeys": [ALICE]}
        ],
        "expected_materials": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"]],
    },
    persons={"alice": [ALICE], "bob": [BOB]},
    target="pack",
    run="required",
    readme="what it is",
    inspect=[
        {"name": "look", "run": ["true"], "expected_materials": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "pack"]]}
    ],
)


class TestReading:
    def test_predicates_are_steps(self) -> None:
        layout = read_policy_document(FULL)
        assert [one.name for one in layout.steps] == ["build", "build/tests", "pack"]
        tests = layout.steps[1]
        assert (tests.threshold, tests.pubkeys) == (2, (ALICE, BOB))
        assert tests.predicate is not None
        assert tests.predicate.role is Role.INFORM
        assert tests.predicate.max_age == 60
        assert [one.optional for one in tests.predicate.attributes] == [False, True]
        pack = layout.steps[2]
        assert pack.predicate is not None
        assert pack.predicate.name == "how"
        assert pack.expected_materials

    def test_what_it_says_of_itself(self) -> None:
        layout = read_policy_document(FULL)
        assert layout.terms is not None
        assert (layout.release.name, layout.release.version) == ("app", 3)
        assert layout.release.person(BOB) == "bob"
        assert (layout.terms.target, layout.terms.run) == ("pack", RunRule.REQUIRED)

    def test_written_and_read_again_it_is_the_same(self) -> None:
        for value in (FULL, document()):
            layout = read_policy_document(value)
            assert read_policy_document(policy_json(layout)) == layout
            assert layout.to_json() == policy_json(layout)

    def test_a_classic_layout_is_none(self) -> None:
        layout = Layout.from_json({"expires": "2030-01-01T00:00:00Z", "steps": [], "inspect": []})
        assert layout.terms is None
        assert layout.to_json()["_type"] == "layout"
        with pytest.raises(ValueError, match="no policy document"):
            policy_json(layout)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another type": (document(_type="layout"), "not a policy"),
    "a later version": (document(_type="navicert-policy/v2"), "not a policy"),
    "no name": (document(name=""), "without a name"),
    "version 0": (document(version=0), "version below 1"),
    "version true": (document(version=True), "wrong type"),
    "unknown field": (document(extra=1), "unknown field in a policy"),
    "unknown field of a step": (document(step(extra=1)), "unknown field in a step"),
    "unknown field of a predicate": (document(step(predicate(extra=1))), "unknown field in a predicate"),
    "unknown field of an inspection": (document(inspect=[{"name": "a", "extra": 1}]), "unknown field in an inspection"),
    "a step without evidence": (document({"name": "build"}), "rests on nothing"),
    "no such key": (document(step(pubkeys=["cc" * 16])), "no such key"),
    "no such key of a predicate": (document(step(predicate(pubkeys=["cc" * 16]))), "no such key"),
    "no signer": (document(step(predicate(pubkeys=[]))), "nobody may sign"),
    "no type": (document(step(predicate(types=[]))), "no predicate type"),
    "an empty type": (document(step(predicate(types=[""]))), "not a predicate type"),
    "a type twice": (document(step(predicate(types=[TESTS, TESTS]))), "named twice"),
    "a link": (document(step(predicate(types=["https://in-toto.io/attestation/link/v0.3"]))), "a link is no predicate"),
    "no role": (document(step({**predicate(), "role": "decorate"})), "no such role"),
    "a slash in a name": (document(step(name="a/b")), "not a usable name"),
    "a slash in a predicate's name": (document(step(predicate(name="a/b"))), "not a usable name"),
    "two of one name": (document(step(predicate(), predicate(types=["u:v"]))), "two predicates of one name"),
    "two steps of one name": (document(step(), step()), "name used twice"),
    "an inspection named like a step": (document(inspect=[{"name": "build"}]), "name used twice"),
    "no such record": (document({"name": "a", "record": "x", "predicates": [predicate()]}), "no such predicate"),
    "signers at a step that rests on a predicate": (document(step(predicate(), record="tests")), "pubkeys of a step"),
    "attributes at a step that rests on a predicate": (
        document({"name": "a", "record": "tests", "predicates": [predicate()], "attributes": [{"rule": "1"}]}),
        "attributes of a step",
    ),
    "rules at a record": (
        document(
            {
                "name": "a",
                "record": "tests",
                "predicates": [predicate(role="transform", expected_products=[["ALLOW", "*"]])],
            }
        ),
        "rules at the record",
    ),
    "products of what informs": (
        document(step(predicate(expected_products=[["DISALLOW", "*"]]))),
        "which has none",
    ),
    "a MATCH from nowhere": (
        document(step(expected_materials=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "buidl"]])),
        "does not exist",
    ),
    "subjects from nowhere": (
        document(step(predicate(subjects=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "x"]]))),
        "does not exist",
    ),
    "subjects from itself": (
        document(step(predicate(subjects=[["MATCH", "*", "WITH", "MATERIALS", "FROM", "build/tests"]]))),
        "does not exist",
    ),
    "subjects from what informs": (
        document(
            step(
                predicate(),
                predicate(
                    name="b", types=["u:v"], subjects=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build/tests"]]
                ),
            )
        ),
        "what an informing predicate made",
    ),
    "an inspection from nowhere": (
        document(inspect=[{"name": "a", "expected_materials": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "x"]]}]),
        "does not exist",
    ),
    "subjects that are no MATCH": (document(step(predicate(subjects=[["ALLOW", "*"]]))), "is a MATCH"),
    "subjects with a prefix": (
        document(step(predicate(subjects=[["MATCH", "*", "IN", "a", "WITH", "PRODUCTS", "FROM", "build"]]))),
        "is a MATCH",
    ),
    "an attribute with more fields": (
        document(step(predicate(attributes=[{"rule": "1", "warn": "x"}]))),
        "unknown field",
    ),
    "an answer that is none": (document(step(predicate(attributes=[{"rule": "1", "if_absent": True}]))), "wrong type"),
    "an answer that is another": (document(step(predicate(attributes=[{"rule": "1", "if_absent": "x"}]))), "no"),
    "no rule": (document(step(predicate(attributes=[{}]))), '"rule" is missing'),
    "an age of nothing": (document(step(predicate(max_age=0, time="now"))), "not an age"),
    "an age of ages": (document(step(predicate(max_age=10**11, time="now"))), "not an age"),
    "an age without a time": (document(step(predicate(max_age=60))), "no telling how old"),
    "a time without an age": (document(step(predicate(time="now"))), "a time without an age"),
    "no such target": (document(target="x"), "no such step"),
    "a target that informs": (document(target="build/tests"), "makes no target"),
    "no such rule about runs": (document(run="sometimes"), "not a rule about runs"),
    "a person without a key": (document(persons={"a": []}), "person without a key"),
    "a person's key that is not there": (document(persons={"a": ["cc" * 16]}), "not in the policy"),
    "a key of two persons": (document(persons={"a": [ALICE], "b": [ALICE]}), "belongs to two persons"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    value, problem = REFUSED[name]
    with pytest.raises(Malformed, match=problem):
        read_policy_document(value)


@pytest.mark.parametrize("name", ["_type", "name", "version", "expires", "steps"])
def test_nothing_has_a_default_that_matters(name: str) -> None:
    value = document()
    del value[name]
    with pytest.raises(Malformed):
        read_policy_document(value)


def test_limits() -> None:
    tight = Limits(layout_keys=1)
    for value in (document(), document(step(predicate()), keys={}), document(step(), step(name="b"), keys={})):
        with pytest.raises(LimitExceeded):
            read_policy_document(value, limits=tight)
    with pytest.raises(LimitExceeded):
        read_policy_document(document(step(predicate(attributes=[{"rule": "1"}] * 3))), limits=Limits(attributes=2))
    with pytest.raises(Malformed, match="cel_bytes"):
        read_policy_document(document(step(predicate(attributes=[{"rule": "1" * 9}]))), limits=Limits(cel_bytes=8))


class TestToldApart:
    """Spec: two steps whose evidence could not be told apart are refused at load."""

    def alike(self, *steps: object) -> None:
        with pytest.raises(Malformed, match="could not be told apart"):
            read_policy_document(document(*steps))

    def test_the_same_predicate_twice(self) -> None:
        self.alike(step(predicate(), predicate(name="b")))

    def test_a_type_and_a_signer_in_common_are_enough(self) -> None:
        self.alike(step(predicate(), predicate(name="b", types=["u:v", TESTS], pubkeys=[ALICE, BOB])))

    def test_keys_of_one_person_are_one_signer(self) -> None:
        both = step(predicate(pubkeys=[ALICE]), predicate(name="b"))
        read_policy_document(document(both))
        with pytest.raises(Malformed, match="could not be told apart"):
            read_policy_document(document(both, persons={"anna": [ALICE, BOB]}))

    def test_another_pattern_over_the_same_list_is_not_enough(self) -> None:
        def about(pattern: str) -> list[list[str]]:
            return [["MATCH", pattern, "WITH", "PRODUCTS", "FROM", "build"]]

        self.alike(step(predicate(subjects=about("*")), predicate(name="b", subjects=about("a*"))))

    def test_two_builds_are_told_apart_by_what_they_made(self) -> None:
        read_policy_document(document(step(predicate()), step(predicate(), name="other")))

    def test_other_signers_and_other_types_are(self) -> None:
        read_policy_document(document(step(predicate(), predicate(name="b", pubkeys=[ALICE]))))
        read_policy_document(document(step(predicate(), predicate(name="b", types=["u:v"]))))

    def test_records_of_two_steps(self) -> None:
        how = {"name": "how", "types": ["https://slsa.dev/provenance/v1"], "role": "transform", "pubkeys": [ALICE]}
        one = {"name": "a", "record": "how", "predicates": [how]}
        self.alike(one, one | {"name": "b"})
        made = [{"name": name, "record": "how", "predicates": [how]} for name in "ab"]
        for item in made:
            item["expected_products"] = [["CREATE", str(item["name"])], ["DISALLOW", "*"]]
        read_policy_document(document(*made))


class TestTypes:
    def of(self, *types: str) -> Requirement:
        return Requirement("a", types, Role.INFORM)

    def test_exactly_as_written(self) -> None:
        assert self.of(TESTS).accepts(TESTS)
        assert not self.of(TESTS).accepts(TESTS.replace("v0.1", "v0.2"))
        assert not self.of(TESTS).accepts(TESTS.upper())
        assert not self.of("u:v").accepts("u:v/w")

    def test_versions_where_the_type_has_them_behind_it(self) -> None:
        spdx = self.of("https://spdx.dev/Document")
        assert spdx.accepts("https://spdx.dev/Document")
        assert spdx.accepts("https://spdx.dev/Document/v2.3")
        assert not spdx.accepts("https://spdx.dev/Document/evil")
        assert not spdx.accepts("https://spdx.dev/Documents")
        assert not self.of("https://spdx.dev/Document/v2.3").accepts("https://spdx.dev/Document/v3")
        assert not self.of("https://slsa.dev/provenance/v1").accepts("https://slsa.dev/provenance/v0.2")
