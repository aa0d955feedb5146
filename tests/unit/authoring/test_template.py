"""The first layout is read back, and lint has nothing to say about it."""

import pytest

from navicert.authoring.draft import read_draft
from navicert.authoring.finding import Severity
from navicert.authoring.lint import lint
from navicert.authoring.policy import read_policy
from navicert.authoring.template import first_layout
from navicert.authoring.yaml import read_yaml
from navicert.errors import Malformed

ONE = {"alice": ["alice.pub"]}


def by(text):
    return [item.by for item in read_draft(read_yaml(text.encode())).steps]


@pytest.mark.parametrize(
    ("steps", "people"),
    [
        (["build"], ONE),
        (["build", "scan"], {"alice": ["alice.pub", "carol.pub"], "bob": ["bob.pub"]}),
        (["a", "b", "c", "d"], {"alice": ["alice.pub"], "bob": ["bob.pub"]}),
    ],
)
def test_lint_has_nothing_to_say(steps, people, read_key, at):
    policy = read_policy(first_layout("my-app", steps, people).encode(), read_key, at)
    assert [f for f in lint(policy, at, lambda run: "") if f.severity is not Severity.INFO] == []
    assert [step.name for step in policy.finished().steps] == steps


def test_the_last_persons_perform_a_step_each():
    three = {name: [f"{name}.pub"] for name in ("alice", "bob", "carol")}
    assert by(first_layout("x", ["a", "b", "c", "d"], three)) == [("alice",), ("alice",), ("bob",), ("carol",)]
    assert by(first_layout("x", ["a"], three)) == [("alice", "bob", "carol")]
    assert by(first_layout("x", ["a", "b"], three)) == [("alice",), ("bob", "carol")]


@pytest.mark.parametrize(
    "word", ["on", "my step", "a'b", 'a"b', "#x", "é", "a: b", "x ", "*", "-", "2031-05-01", "~", "a,b"]
)
def test_names_of_any_kind_are_quoted_as_they_need(word):
    draft = read_draft(read_yaml(first_layout(word, ["first", word], {word: [word]}).encode()))
    assert draft.name == draft.steps[1].step.name == draft.functionaries[0].name == draft.key_files[0] == word


def test_a_step_of_a_name_with_both_quotes_is_matched_by_a_list_of_words():
    draft = read_draft(read_yaml(first_layout("x", ["a'\"b", "next"], ONE).encode()))
    assert draft.steps[1].step.expected_materials[0].step == "a'\"b"


@pytest.mark.parametrize("steps", [[], ["a", "a"], ["a/b"], [".a"], [""]])
def test_steps_that_no_layout_can_have_are_refused(steps):
    with pytest.raises(Malformed):
        first_layout("x", steps, ONE)


def test_a_layout_that_nobody_performs_is_refused():
    with pytest.raises(Malformed, match="somebody to perform them"):
        first_layout("x", ["a"], {})
