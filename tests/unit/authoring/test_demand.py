"""Predicates as an author writes them."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from navicert.authoring.policy import read_policy
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.requirement import Requirement, Role
from navicert.model.terms import RunRule

HEAD = "name: app\nversion: 1\nexpires: 1 year\nfunctionaries: {alice: alice.pub, bob: bob.pub}\n"


@pytest.fixture
def read(read_key: Any, at: Any) -> Any:
    """The finished document of a text of YAML."""

    def finished(text: str, head: str = "type: policy\n" + HEAD) -> Layout:
        policy = read_policy((head + dedent(text)).encode(), read_key, at, path="p.yaml")
        return policy.finished()

    return finished


@pytest.fixture
def predicate(read: Any) -> Any:
    """What becomes of the fields of one predicate."""

    def one(fields: str) -> Requirement:
        layout = read(f"steps: [{{name: build, by: alice, predicates: [{{{fields}}}]}}]\n")
        assert layout.steps[0].name == "build"
        found = layout.steps[1].predicate
        assert found is not None
        return found

    return one


def test_a_short_name_means_all_versions(predicate: Any) -> None:
    made = predicate("type: vulns, by: bob")
    assert made.name == "vulns"
    assert made.types == ("https://in-toto.io/attestation/vulns/v0.2", "https://in-toto.io/attestation/vulns/v0.1")
    assert made.role is Role.INFORM


def test_a_uri_means_itself(predicate: Any) -> None:
    made = predicate('type: ["https://acme.example/x/v1", spdx], name: mine, by: bob')
    assert made.types == ("https://acme.example/x/v1", "https://spdx.dev/Document")


def test_provenance_transforms_unless_something_else_is_said(predicate: Any) -> None:
    assert predicate("type: provenance, by: bob").role is Role.TRANSFORM
    assert predicate("type: provenance, by: bob, role: inform").role is Role.INFORM
    assert predicate("type: [provenance, spdx], name: a, by: bob").role is Role.INFORM


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 minutes", 5400), ("1 day", 86400), ("2 weeks", 1209600), ("30 seconds", 30), ("1 Hour", 3600)],
)
def test_ages_in_words(predicate: Any, text: str, seconds: int) -> None:
    assert predicate(f"type: vulns, by: bob, max age: {text}").max_age == seconds


def test_rules_as_text_or_list(predicate: Any) -> None:
    made = predicate(
        "type: test-result, by: bob, subjects: MATCH * WITH PRODUCTS FROM build, attributes: predicate.a == 1"
    )
    assert [str(rule) for rule in made.subjects] == ["MATCH * WITH PRODUCTS FROM build"]
    assert [one.rule for one in made.attributes] == ["predicate.a == 1"]
    made = predicate(
        "type: test-result, by: bob, subjects: [[MATCH, '*', WITH, PRODUCTS, FROM, build]],"
        " attributes: ['predicate.a', {rule: predicate.b, if absent: pass}]"
    )
    assert len(made.subjects) == 1
    assert [one.optional for one in made.attributes] == [False, True]


def test_a_functionary_may_be_an_identity(read: Any) -> None:
    head = "type: policy\nname: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  alice: alice.pub\n"
    claims = "claims: {sourceRepositoryRef: {matches: 'v.+'}}"
    head += f"  ci: {{identity: ci@acme.example, issuer: https://acme.example, {claims}}}\n"
    layout = read("steps: [{name: a, by: alice, predicates: [{type: vulns, by: [alice, ci]}]}]\n", head=head)
    step = layout.steps[1]
    assert len(step.pubkeys) == 1
    (identity,) = step.identities
    assert (identity.san.text, identity.issuer.text) == ("ci@acme.example", "https://acme.example")
    assert identity.claims["sourceRepositoryRef"].accepts("v1")
    assert dict(layout.release.persons) == {"alice": step.pubkeys}


ONE, TWO = "{identity: a@acme.example, issuer: i}", "{identity: b@acme.example, issuer: i}"


@pytest.mark.parametrize(
    ("value", "keys", "names"),
    [
        (f"{{keys: bob.pub, identities: [{ONE}, {TWO}]}}", 1, ["a@acme.example", "b@acme.example"]),
        ("{key: bob.pub, identity: a@acme.example, issuer: i}", 1, ["a@acme.example"]),
        (f"{{identities: [{ONE}, {TWO}]}}", 0, ["a@acme.example", "b@acme.example"]),
    ],
)
def test_keys_and_identities_of_one_functionary_are_hers(read: Any, value: str, keys: int, names: list[str]) -> None:
    head = f"type: policy\nname: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  alice: alice.pub\n  bob: {value}\n"
    layout = read("steps: [{name: a, by: alice, predicates: [{type: vulns, by: [alice, bob]}]}]\n", head=head)
    step = layout.steps[1]
    assert len(step.pubkeys) == 1 + keys
    assert [one.san.text for one in step.identities] == names
    assert layout.terms is not None
    assert dict(layout.terms.identities) == {"bob": step.identities}
    assert ("bob" in layout.release.persons) == bool(keys)


def test_one_identity_alone_says_itself_who_counts(read: Any) -> None:
    for value in (ONE, f"{{identities: [{ONE}]}}"):
        head = f"type: policy\nname: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  ci: {value}\n"
        layout = read("steps: [{name: a, by: ci}]\n", head=head)
        assert layout.terms is not None
        assert layout.terms.identities == {}
        assert [one.san.text for one in layout.steps[0].identities] == ["a@acme.example"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{identities: []}", "no identity is listed"),
        (f"{{identities: {ONE}}}", "a list of identities"),
        (f"{{identities: [{ONE}], issuer: i}}", "as a list and beside it"),
        ("{keys: bob.pub, key: bob.pub, identity: a, issuer: i}", "written twice"),
        ("{keys: [], identity: a, issuer: i}", "has no key"),
        ("{keys: bob.pub, identity: a}", "issuer"),
        ("{keys: bob.pub, valid until: 2031-05-01, identity: a, issuer: i}", 'no field "valid until"'),
    ],
)
def test_what_is_half_an_identity_is_refused(read: Any, value: str, problem: str) -> None:
    head = f"type: policy\nname: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  bob: {value}\n"
    with pytest.raises(Malformed, match=problem) as caught:
        read("steps: [{name: a, by: bob}]\n", head=head)
    assert str(caught.value).startswith("p.yaml:6")


@pytest.mark.parametrize(
    "value", ["{identity: a}", "{issuer: b}", "{identity: '', issuer: b}", "{identity: a, issuer: b, x: c}"]
)
def test_an_identity_says_who_and_by_whose_word(read: Any, value: str) -> None:
    head = f"type: policy\nname: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  ci: {value}\n"
    with pytest.raises(Malformed) as caught:
        read("steps: [{name: a, by: ci}]\n", head=head)
    assert str(caught.value).startswith("p.yaml:6")


def test_an_identity_is_not_for_a_layout(read: Any) -> None:
    for value in ("{identity: a, issuer: b}", "{keys: bob.pub, identities: [{identity: a, issuer: b}]}"):
        head = f"name: app\nversion: 1\nexpires: 1 year\nfunctionaries:\n  ci: {value}\n"
        with pytest.raises(Malformed, match="not for a layout"):
            read("steps: [{name: a, by: ci}]\n", head=head)


def test_a_step_may_rest_on_a_predicate(read: Any) -> None:
    layout = read(
        """\
        target: build
        run: any
        steps:
          - name: build
            record: provenance
            products: [CREATE app, DISALLOW *]
            predicates:
              - {type: provenance, by: [alice, bob], threshold: 2}
              - {type: spdx, by: bob}
        """
    )
    build, sbom = layout.steps
    assert (build.name, sbom.name) == ("build", "build/spdx")
    assert build.predicate is not None
    assert build.threshold == 2
    assert len(build.pubkeys) == 2
    assert len(build.expected_products) == 2
    assert layout.terms is not None
    assert (layout.terms.target, layout.terms.run) == ("build", RunRule.ANY)


def test_the_only_predicate_of_a_step_that_nobody_performs_is_its_record(read: Any) -> None:
    layout = read("steps: [{name: build, predicates: [{type: provenance, by: bob}]}]\n")
    assert [step.name for step in layout.steps] == ["build"]


WRONG = {
    "by: bob": "without a type",
    "type: test-result": "nobody may sign",
    "type: test-result, by: carol": "no functionary",
    "type: test-reslt, by: bob": 'did you mean "test-result"',
    "type: link, by: bob": "a link is no predicate",
    'type: "https://a.example/x", by: bob': "without a name",
    "type: [], by: bob": "an empty word",
    "type: vulns, by: bob, role: both": "no such role",
    "type: vulns, by: bob, max age: soon": "not an age",
    "type: vulns, by: bob, max age: 0 days": "not an age",
    "type: vulns, by: bob, max age: 7": "not an age",
    "type: test-result, by: bob, max age: 7 days": "no telling how old",
    "type: vulns, by: bob, time: now": "a time without an age",
    "type: vulns, by: bob, threshold: 0": "number too small",
    "type: vulns, by: bob, subjects: ALLOW *": "is a MATCH",
    "type: vulns, by: bob, subjects: MATCH * WITH PRODUCTS FROM biuld": "does not exist",
    "type: vulns, by: bob, attributes: [{if absent: pass}]": "without its rule",
    "type: vulns, by: bob, attributes: [{rule: a, if absent: maybe}]": "not an answer",
    "type: vulns, by: bob, products: [DISALLOW *]": "which has none",
    "type: vulns, by: bob, atributes: []": 'did you mean "attributes"',
    "type: vulns, by: bob, types: vulns": "written twice",
}


@pytest.mark.parametrize("fields", WRONG)
def test_what_is_wrong_is_named(predicate: Any, fields: str) -> None:
    with pytest.raises(Malformed) as caught:
        predicate(fields)
    assert WRONG[fields] in str(caught.value)
    assert str(caught.value).startswith("p.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("steps: [{name: a, by: alice, predicates: [{type: vulns, by: bob}]}]\n", "predicates are not for a layout"),
        ("steps: [{name: a, record: x}]\n", '"record" is not for a layout'),
        ("target: a\nsteps: []\n", "is not for a layout"),
        ("run: any\nsteps: []\n", "is not for a layout"),
    ],
)
def test_a_classic_layout_cannot_say_it(read: Any, text: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem) as caught:
        read(text, head=HEAD)
    assert "type: policy" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("steps: [{name: a}]\n", "nobody performs"),
        ("steps: [{name: a, record: x, by: alice, predicates: []}]\n", "has a link for its record"),
        ("steps: [{name: a, record: x, predicates: [{type: vulns, by: bob}]}]\n", 'no predicate "x"'),
        ("steps: [{name: a, predicates: [{type: vulns, by: bob}, {type: spdx, by: bob}]}]\n", "is not said"),
        ("steps: [{name: a, command: x, predicates: [{type: provenance, by: bob}]}]\n", "nobody performs by himself"),
        ("steps: [{name: a, predicates: [{type: vulns, by: bob}]}]\n", "tied to nothing"),
        ("run: often\nsteps: []\n", "not a rule about runs"),
    ],
)
def test_steps_that_say_too_little_or_too_much(read: Any, text: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read(text)


@pytest.mark.parametrize("word", ["name: app\n", "version: 1\n"])
def test_name_and_version_are_required(read: Any, word: str) -> None:
    with pytest.raises(Malformed, match="a policy without a"):
        read("steps: [{name: a, by: alice}]\n", head="type: policy\n" + HEAD.replace(word, ""))


def test_another_type_is_refused(read: Any) -> None:
    with pytest.raises(Malformed, match="no such type"):
        read("steps: []\n", head="type: polcy\n" + HEAD)
    assert read("steps: [{name: a, by: alice}]\n", head="type: layout\n" + HEAD).terms is None
