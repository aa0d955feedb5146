"""Each finding has an example that it is found in and a cure that it is gone with, and all are documented."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.openpgp_builder import pgp, public

from navicert.authoring.finding import CATALOGUE, Severity
from navicert.authoring.lint import lint, worst
from navicert.authoring.pattern import Effort
from navicert.authoring.policy import Policy, read_policy
from navicert.cli.layout_source import built_in_problem, expression_problem
from navicert.crypto.signer import generate
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.release import Release
from navicert.model.rule import Rule

HEAD = """\
name: my-app
version: 1
expires: 6 months
functionaries: {alice: alice.pub, bob: bob.pub}
"""
CHECKOUT = """\
- name: checkout
  by: alice
  materials: [DISALLOW *]
  products: [CREATE src/*, CREATE Dockerfile, DISALLOW *]
"""
BUILD = """\
- name: build
  by: bob
  materials: [MATCH src/* WITH PRODUCTS FROM checkout, DISALLOW *]
  products: [CREATE app.tar, CREATE report.json, DISALLOW *]
"""
LOOK = """\
- name: look
  run: navicert inspect json-none report.json --preset trivy --severity CRITICAL
  materials: [REQUIRE report.json, MATCH report.json WITH PRODUCTS FROM build, DISALLOW report.json]
"""


def whole(head=HEAD, steps=CHECKOUT + BUILD, inspections=""):
    text = f"{head}steps:\n{indent(steps, '  ')}"
    return text + (f"inspections:\n{indent(inspections, '  ')}" if inspections else "")


def build(**lists):
    """The whole with other rules for the step build, each list written one rule a line."""
    rules = {
        "materials": "MATCH src/* WITH PRODUCTS FROM checkout\nDISALLOW *",
        "products": "CREATE app.tar\nDISALLOW *",
    } | lists
    step = "- name: build\n  by: bob\n"
    for side, lines in rules.items():
        step += f"  {side}:\n" + "".join(f"    - {json.dumps(line)}\n" for line in dedent(lines).strip().splitlines())
    return whole(steps=CHECKOUT + step)


def look(run, materials="REQUIRE r.json\nMATCH r.json WITH PRODUCTS FROM build\nDISALLOW r.json"):
    lines = "".join(f"    - {json.dumps(line)}\n" for line in materials.splitlines())
    text = f"- name: look\n  run: {json.dumps(run)}\n  materials:\n{lines}"
    return build(products="CREATE r.json\nDISALLOW *").replace(
        "steps:", "inspections:\n" + indent(text, "  ") + "steps:"
    )


def replaced(text, old, new):
    assert old in text
    return text.replace(old, new)


GOOD = whole(inspections=LOOK)
ONE = generate()
WHEN = datetime(2027, 3, 1, tzinfo=UTC)

PASSED = "predicate.result == 'PASSED'"


def policy(*predicates):
    """A policy document whose step `build` requires these predicates, as fields in one line each."""
    return "type: policy\n" + whole(
        steps=CHECKOUT + BUILD + "  predicates:\n" + "".join(f"  - {{{predicate}}}\n" for predicate in predicates)
    )


def asked(name="tests", attributes=PASSED, **more):
    fields = {"name": name, "type": "test-result", "by": "alice", "attributes": attributes} | more
    return ", ".join(f"{key}: {json.dumps(value)}" for key, value in fields.items() if value is not None)


# id: what it is found in, and the same without it.
EXAMPLES = {
    "policy.unsound": (
        policy(asked("unit"), asked("again")),
        policy(asked("unit"), asked("again", by="bob")),
    ),
    "predicate.expression": (policy(asked(attributes="result == 1")), policy(asked())),
    "predicate.attribute-twice": (policy(asked(attributes=[PASSED, PASSED])), policy(asked())),
    "predicate.says-anything": (policy(asked(attributes=None)), policy(asked())),
    "layout.empty": (HEAD, GOOD),
    "release.missing": (replaced(GOOD, "version: 1\n", ""), GOOD),
    "expiry.missing": (replaced(GOOD, "expires: 6 months\n", ""), GOOD),
    "expiry.past": (replaced(GOOD, "6 months", "2027-03-01"), replaced(GOOD, "6 months", "2027-03-02")),
    "expiry.far": (replaced(GOOD, "6 months", "13 months"), replaced(GOOD, "6 months", "1 year")),
    "parameter.used": (build(products="CREATE app-{version}.tar\nDISALLOW *"), GOOD),
    "parameter.braces": (
        replaced(
            build(products="CREATE {name}\nDISALLOW *"), "by: bob\n", "by: bob\n    command: [awk, '{print $1}']\n"
        ),
        replaced(
            build(products="CREATE {name}\nDISALLOW *"), "by: bob\n", "by: bob\n    command: [a, '{{print $1}}']\n"
        ),
    ),
    "name.awkward": (
        replaced(GOOD, "name: checkout", "name: check out").replace("FROM checkout", "FROM 'check out'"),
        GOOD,
    ),
    "name.twins": (replaced(GOOD, "name: look", "name: Build"), GOOD),
    "key.unused": (replaced(GOOD, "{alice", "{carol: carol.pub, alice"), GOOD),
    "functionary.shared-key": (replaced(GOOD, "bob.pub", "alice.pub"), GOOD),
    "functionary.single": (replaced(replaced(GOOD, "by: bob", "by: alice"), ", bob: bob.pub", ""), GOOD),
    "threshold.unreachable": (
        replaced(replaced(GOOD, "by: bob", "by: bob\n    threshold: 2"), "bob: bob.pub", "bob: [bob.pub, carol.pub]"),
        replaced(GOOD, "by: bob", "by: [alice, bob]\n    threshold: 2"),
    ),
    "step.no-rules": (whole(steps=CHECKOUT + BUILD + "- {name: rest, by: bob}\n"), GOOD),
    "rules.open": (build(products="CREATE app.tar"), GOOD),
    "rule.wrong-list": (build(materials="CREATE a\nDISALLOW *"), build(materials="ALLOW a\nDISALLOW *")),
    "rule.unreachable": (
        build(products="ALLOW *.tar\nCREATE app.tar\nDISALLOW *"),
        build(products="CREATE app.tar\nALLOW *.tar\nDISALLOW *"),
    ),
    "rule.duplicate": (build(products="CREATE a\nCREATE a\nDISALLOW *"), build(products="CREATE a\nDISALLOW *")),
    "require.consumed": (
        build(products="CREATE *.tar\nREQUIRE app.tar\nDISALLOW *"),
        build(products="REQUIRE app.tar\nCREATE *.tar\nDISALLOW *"),
    ),
    "require.pattern": (
        build(products="REQUIRE *.tar\nCREATE *.tar\nDISALLOW *"),
        build(products="REQUIRE a.tar\nCREATE *.tar\nDISALLOW *"),
    ),
    "match.unknown-step": (build(materials="MATCH src/* WITH PRODUCTS FROM chekout\nDISALLOW *"), GOOD),
    "match.later-step": (
        replaced(GOOD, "[DISALLOW *]", "[MATCH app.tar WITH PRODUCTS FROM build, DISALLOW *]"),
        GOOD,
    ),
    "match.self": (
        build(materials="MATCH src/* WITH MATERIALS FROM build\nDISALLOW *"),
        build(products="MATCH src/* WITH MATERIALS FROM build\nDISALLOW *"),
    ),
    "match.not-produced": (
        build(materials="MATCH docs/* WITH PRODUCTS FROM checkout\nDISALLOW *"),
        build(materials="MATCH *.py WITH PRODUCTS FROM checkout\nDISALLOW *"),
    ),
    "match.not-required": (
        build(materials="MATCH Dockerfile WITH PRODUCTS FROM checkout\nDISALLOW *"),
        build(materials="REQUIRE Dockerfile\nMATCH Dockerfile WITH PRODUCTS FROM checkout\nDISALLOW *"),
    ),
    "match.prefix-twice": (
        build(materials="MATCH lib/* IN lib WITH PRODUCTS IN src FROM checkout\nDISALLOW *"),
        build(materials="MATCH * IN lib WITH PRODUCTS IN src FROM checkout\nDISALLOW *"),
    ),
    "match.let-through": (
        build(materials="MATCH src/* WITH PRODUCTS FROM checkout\nALLOW src/*\nDISALLOW *"),
        build(materials="MATCH src/* WITH PRODUCTS FROM checkout\nALLOW src/*.pyc\nDISALLOW *"),
    ),
    "pattern.not-normal": (build(products="CREATE ./app.tar\nDISALLOW *"), GOOD),
    "pattern.empty": (build(products="CREATE app[z-a]\nDISALLOW *"), GOOD),
    "pattern.caret": (build(products="CREATE [^a]*\nDISALLOW *"), build(products="CREATE [!a]*\nDISALLOW *")),
    "pattern.double-star": (build(products="CREATE out/**/x\nDISALLOW *"), build(products="CREATE out/*x\nDISALLOW *")),
    "pattern.backslash": (build(products="CREATE a\\*\nDISALLOW *"), build(products="CREATE a[*]\nDISALLOW *")),
    "pattern.open-bracket": (build(products="CREATE a[b\nDISALLOW *"), build(products="CREATE a[[]b\nDISALLOW *")),
    "pattern.braces": (build(products="CREATE {a,b}.tar\nDISALLOW *"), GOOD),
    "pattern.prefix": (build(materials="MATCH * IN l* WITH PRODUCTS FROM checkout\nDISALLOW *"), GOOD),
    "command.shell-words": (replaced(GOOD, "by: bob", "by: bob\n    command: make && make install"), GOOD),
    "inspection.no-run": (look([]), look("look r.json")),
    "inspection.built-in": (look("navicert inspect json-nothing r.json"), look("navicert inspect file-exists r.json")),
    "inspection.shell": (look(["sh", "-c", "look r.json"]), look("look r.json")),
    "inspection.inline-code": (look(["python3", "-c", "look('r.json')"]), look("python3 look.py r.json")),
    "inspection.passes-on-empty": (look("jq .findings r.json"), look("jq -e .ok r.json")),
    "inspection.unbound": (look("look r.json", "MATCH r.json WITH PRODUCTS FROM build"), look("look r.json")),
}
# What no draft can hold is shown in documents, below.
IN_DOCUMENTS = {
    *("key.unknown", "key.unusable", "key.private", "key.id", "key.gpg", "key.expires", "key.twice"),
    "lint.incomplete",
    "key.validity",  # tests/attacks/test_key_validity.py
    # test_lint_certificates.py
    *("certificate.unusable", "certificate.no-authority", "certificate.expires", "certificate.no-root"),
    *("certificate.unused", "constraint.nobody", "constraint.anybody"),
}


@pytest.fixture
def check(read_key, at):
    """The findings about a text of YAML or a layout."""

    def findings(given, **more):
        if isinstance(given, str):
            policy = read_policy(given.encode(), read_key, at, path="f.yaml")
        else:
            policy = Policy(given, Release(), given.expires, given=True, persons=more.pop("persons", {}))
        return lint(policy, at, built_in_problem, examine_expression=expression_problem, **more)

    return findings


def ids(findings):
    return [finding.id for finding in findings]


def only(findings, id):
    (found,) = (finding for finding in findings if finding.id == id)
    return found


def test_nothing_is_said_about_a_good_layout(check):
    assert check(GOOD) == ()


def test_identities_can_perform_steps_and_count_once_each(check):
    def signed(who, threshold=1):
        text = policy(asked(by="carol", threshold=threshold))
        return replaced(text, "{alice", f"{{carol: {who}, alice")

    one = "{identity: c@acme.example, issuer: https://acme.example}"
    many = "{identity: {matches: '.+@acme.example'}, issuer: https://acme.example}"
    assert "threshold.unreachable" not in ids(check(signed(one)))
    assert "threshold.unreachable" in ids(check(signed(one, threshold=2)))
    assert "threshold.unreachable" not in ids(check(signed(many, threshold=2)))
    hers = f"{{identities: [{one}, {one.replace('c@', 'd@')}]}}"
    assert "threshold.unreachable" in ids(check(signed(hers, threshold=2)))
    with_a_key = f"{{key: carol.pub, {one[1:]}"
    assert "threshold.unreachable" in ids(check(signed(with_a_key, threshold=2)))


def test_every_finding_has_an_example():
    assert EXAMPLES.keys() | IN_DOCUMENTS == CATALOGUE.keys()


@pytest.mark.parametrize("id", EXAMPLES)
def test_it_is_found_where_it_is_and_gone_where_it_was_cured(id, check):
    bad, cured = EXAMPLES[id]
    findings = check(bad)
    assert id in ids(findings)
    assert id not in ids(check(cured))
    found = next(finding for finding in findings if finding.id == id)
    assert found.severity is CATALOGUE[id][0]
    assert found.message
    assert "\n" not in found.message + found.remedy + found.place
    assert not found.message[0].isupper()
    assert not found.message.endswith(".")


@pytest.mark.parametrize("id", EXAMPLES)
def test_an_example_of_one_mistake_is_not_reported_as_many(id, check):
    bad, _ = EXAMPLES[id]
    others = [other.id for other in check(bad) if other.id != id and other.severity is not Severity.INFO]
    along = {
        "layout.empty": {"key.unused"},
        "inspection.no-run": set(),
        "functionary.shared-key": set(),
        "key.unused": set(),
        "pattern.prefix": {"pattern.not-normal"},
        "match.prefix-twice": {"match.not-produced"},
        "match.later-step": {"match.unknown-step"},
    }
    assert set(others) <= along.get(id, set())


def test_every_finding_is_documented_and_nothing_else():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "lint.md").read_text()
    assert re.findall(r"^### `([a-z.-]+)`", page, re.MULTILINE) == list(CATALOGUE)
    for id, (severity, _) in CATALOGUE.items():
        entry = page.split(f"### `{id}`\n", 1)[1].split("\n### ", 1)[0]
        assert f"*{severity.value}*" in entry
        for part in ("**Why.**", "**Instead.**"):
            assert part in entry, f"{id} lacks {part}"


def test_a_finding_knows_its_line_place_and_pointer(check):
    found = only(check(build(products="CREATE app.tar\nCREATE ./x\nDISALLOW *")), "pattern.not-normal")
    assert found.pointer == "/steps/1/expected_products/1"
    assert found.place == 'step "build", products rule 2 (CREATE ./x)'
    assert found.line == 17
    assert found.to_json() == {
        "id": "pattern.not-normal",
        "severity": "error",
        "message": found.message,
        "remedy": found.remedy,
        "place": found.place,
        "pointer": found.pointer,
        "line": 17,
    }


def test_errors_stop_and_warnings_only_where_it_is_strict(check):
    assert not worst(check(GOOD), strict=True)
    assert worst(check(EXAMPLES["match.unknown-step"][0]))
    warned = check(EXAMPLES["rules.open"][0])
    assert not worst(warned)
    assert worst(warned, strict=True)
    assert not worst(check(EXAMPLES["functionary.single"][0]), strict=True)


# --- order of rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "number", "text"),
    [
        ("ALLOW *\nDISALLOW *", 2, "it forbids nothing: rule 1 (ALLOW *) takes all"),
        ("ALLOW src/*\nDISALLOW src/secret", 2, "it forbids nothing: rule 1 (ALLOW src/*) takes all"),
        ("ALLOW a\nDISALLOW a\nDISALLOW *", 2, "it forbids nothing: rule 1 (ALLOW a) takes all"),
        ("ALLOW a*\nALLOW [!a]*\nDISALLOW ?*\nDISALLOW *", 3, "it forbids nothing: the rules before it take all"),
    ],
)
def test_a_ban_that_bans_nothing_is_an_error(check, rules, number, text):
    found = only(check(build(products=rules)), "rule.unreachable")
    assert found.severity is Severity.ERROR
    assert found.pointer == f"/steps/1/expected_products/{number - 1}"
    assert found.message.startswith(text)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("DISALLOW *\nCREATE app.tar", "it never applies: rule 1 (DISALLOW *) takes all"),
        ("DISALLOW src/*\nDISALLOW src/a\nDISALLOW *", "it never applies: rule 1 (DISALLOW src/*) takes all"),
        (
            "DISALLOW a\nALLOW b*\nDISALLOW a?\nALLOW a[bc]\nDISALLOW *",
            "it never applies: rule 3 (DISALLOW a?) takes all",
        ),
        ("CREATE src/*\nCREATE src/a\nDISALLOW *", "it never applies: CREATE rules before it have the same condition"),
        ("ALLOW a\nCREATE a\nDISALLOW *", "it never applies: rule 1 (ALLOW a) takes all"),
        (
            "MATCH * IN x WITH MATERIALS FROM build\nMATCH a IN x WITH MATERIALS FROM build\nDISALLOW *",
            "it never applies: MATCH rules before it",
        ),
    ],
)
def test_a_rule_that_gets_nothing_is_a_warning(check, rules, text):
    found = only(check(build(products=rules)), "rule.unreachable")
    assert found.severity is Severity.WARNING
    assert found.message.startswith(text)


@pytest.mark.parametrize(
    "rules",
    [
        "CREATE src/*\nMODIFY src/a\nDISALLOW *",
        "CREATE src/*\nALLOW src/a\nDISALLOW *",
        "MATCH * IN x WITH MATERIALS FROM build\nMATCH a IN y WITH MATERIALS FROM build\nDISALLOW *",
        "MATCH * WITH MATERIALS FROM build\nMATCH a WITH PRODUCTS FROM checkout\nDISALLOW *",
        "ALLOW {name}*\nALLOW a\nDISALLOW *",
        "ALLOW a*\nALLOW {name}\nDISALLOW *",
        "ALLOW [{x}]*\nALLOW x1\nDISALLOW *",
        "ALLOW [ab]\nALLOW [bc]\nDISALLOW *",
        "CREATE {name}\nCREATE {other}\nDISALLOW *",
        "REQUIRE *\nCREATE a\nDISALLOW *",
    ],
)
def test_a_rule_that_may_get_something_is_not_called_unreachable(check, rules):
    assert "rule.unreachable" not in ids(check(build(products=rules)))


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("ALLOW a*\nREQUIRE app\nDISALLOW *", 'rule 1 (ALLOW a*) may have taken "app" before'),
        ("DISALLOW app\nREQUIRE app\nDISALLOW *", 'rule 1 (DISALLOW app) forbids "app" before'),
        ("DISALLOW *\nREQUIRE app", 'rule 1 (DISALLOW *) forbids "app" before'),
        ("MATCH p IN a WITH MATERIALS FROM build\nREQUIRE a/p\nDISALLOW *", 'may have taken "a/p" before'),
        ("MATCH p IN a\\b WITH MATERIALS FROM build\nREQUIRE a/b/p\nDISALLOW *", 'may have taken "a/b/p" before'),
        ("CREATE {x}*\nREQUIRE {x}1\nDISALLOW *", 'may have taken "{x}1" before'),
    ],
)
def test_a_require_behind_what_takes_its_artifact_is_an_error(check, rules, text):
    assert text in only(check(build(products=rules)), "require.consumed").message


@pytest.mark.parametrize(
    "rules",
    [
        "REQUIRE app\nALLOW app\nDISALLOW *",
        "ALLOW b*\nREQUIRE app\nCREATE app\nDISALLOW *",
        "MATCH app IN a WITH MATERIALS FROM build\nREQUIRE app\nCREATE app\nDISALLOW *",
        "DELETE app\nREQUIRE app\nCREATE app\nDISALLOW *",  # reported as what it is
        "REQUIRE a\nREQUIRE b\nCREATE *\nDISALLOW *",
    ],
)
def test_a_require_before_all_that_could_take_its_artifact_is_fine(check, rules):
    assert "require.consumed" not in ids(check(build(products=rules)))


def test_allow_everything_is_said_of_the_list_and_not_of_each_match(check):
    findings = check(build(materials="MATCH src/* WITH PRODUCTS FROM checkout\nALLOW *"))
    assert "match.let-through" not in ids(findings)
    assert "materials (ALLOW * lets all through)" in only(findings, "rules.open").message


@pytest.mark.parametrize(
    "rules",
    [
        "ALLOW src/*\nMATCH src/* WITH PRODUCTS FROM checkout\nDISALLOW *",  # reported as unreachable
        "MATCH src/* WITH PRODUCTS FROM checkout\nDISALLOW src/*\nALLOW src/*\nDISALLOW *",
        "MATCH src/* WITH PRODUCTS FROM checkout\nALLOW src/[ab]\nDISALLOW *",
        "MATCH x1 IN src WITH PRODUCTS IN src FROM checkout\nALLOW src/[{x}]*\nDISALLOW *",
        "MATCH src/* WITH PRODUCTS FROM checkout\nCREATE src/*\nDISALLOW *",
    ],
)
def test_a_match_that_a_ban_waits_for_is_not_called_void(check, rules):
    assert "match.let-through" not in ids(check(build(materials=rules)))


def test_both_open_lists_of_a_step_are_one_finding(check):
    step = "- {name: s, by: bob, products: [CREATE a]}\n"
    message = only(check(whole(steps=CHECKOUT + step)), "rules.open").message
    assert message.endswith("materials (no rules), products (no final DISALLOW *)")


# --- matches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ("MATCH src/* WITH PRODUCTS FROM chekout", 'did you mean "checkout"?'),
        ("MATCH src/* WITH PRODUCTS FROM zzz", "name a step"),
    ],
)
def test_a_match_from_nowhere_is_answered_with_what_may_be_meant(check, rule, remedy):
    assert only(check(build(materials=f"{rule}\nDISALLOW *")), "match.unknown-step").remedy == remedy


def test_a_step_does_not_see_inspections_and_an_inspection_sees_both(check):
    text = replaced(GOOD, "MATCH src/* WITH PRODUCTS FROM checkout", "MATCH src/* WITH PRODUCTS FROM look")
    assert "is an inspection" in only(check(text), "match.unknown-step").message
    more = "- name: more\n  run: x\n  materials: [MATCH report.json WITH MATERIALS FROM look, DISALLOW *]\n"
    assert ids(check(whole(inspections=LOOK + more))) == ["match.not-required"]
    assert "match.later-step" in ids(check(whole(inspections=more + LOOK)))


def test_a_parameter_in_the_name_of_a_step_is_not_judged(check):
    findings = check(build(materials="MATCH src/* WITH PRODUCTS FROM {step}\nDISALLOW *"))
    assert ids(findings) == ["parameter.used"]


@pytest.mark.parametrize(
    "rule",
    [
        "MATCH docs/* WITH PRODUCTS FROM checkout",
        "MATCH * WITH PRODUCTS IN docs FROM checkout",
        "MATCH src WITH PRODUCTS FROM checkout",
        "MATCH src/* IN lib WITH PRODUCTS IN lib FROM checkout",
        "MATCH * WITH MATERIALS FROM checkout",
    ],
)
def test_a_match_for_what_the_other_step_may_not_have_is_an_error(check, rule):
    assert "match.not-produced" in ids(check(build(materials=f"{rule}\nDISALLOW *")))


@pytest.mark.parametrize(
    "rule",
    [
        "MATCH * WITH PRODUCTS FROM checkout",
        "MATCH * IN docs WITH PRODUCTS IN src FROM checkout",
        "MATCH {any}/x WITH PRODUCTS FROM checkout",
        "MATCH * WITH PRODUCTS IN {any} FROM checkout",
        "MATCH src/[z-a] WITH PRODUCTS FROM checkout",  # reported as what it is
    ],
)
def test_a_match_for_what_the_other_step_may_have_is_fine(check, rule):
    assert "match.not-produced" not in ids(check(build(materials=f"{rule}\nDISALLOW *")))


def test_an_open_list_may_hold_anything(check):
    open_list = replaced(EXAMPLES["match.not-produced"][0], "CREATE Dockerfile, DISALLOW *]", "CREATE Dockerfile]")
    assert "match.not-produced" not in ids(check(open_list))


def test_only_rules_that_let_something_through_permit_it(check):
    text = EXAMPLES["match.not-produced"][0]
    for rule in ("REQUIRE docs/a", "DISALLOW docs/*", "DELETE docs/*"):
        assert "match.not-produced" in ids(check(replaced(text, "[CREATE src/*", f"[{rule}, CREATE src/*")))
    for rule in ("MODIFY docs/*", "ALLOW docs/*", "MATCH * IN docs WITH PRODUCTS FROM build"):
        assert "match.not-produced" not in ids(check(replaced(text, "[CREATE src/*", f"[{rule}, CREATE src/*")))
    late = replaced(text, "Dockerfile, DISALLOW *]", "Dockerfile, DISALLOW *, ALLOW docs/*]")
    assert "match.not-produced" in ids(check(late))


# --- patterns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "./a",
        "./*",
        "a//b",
        "a/./b",
        "a/../b",
        "src/",
        "src/*/",
        "*//a",
        "*/./a",
        ".",
        "a/..",
        "file:./a",
        "..//a",
        "/a//*",
    ],
)
def test_patterns_for_paths_that_are_never_recorded_are_errors(check, pattern):
    if pattern in (".", "a/.."):
        pattern += "/x"
    found = only(check(build(products=f"CREATE {pattern}\nDISALLOW *")), "pattern.not-normal")
    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    "pattern",
    ["a", "../a", "../../a/*", "/abs/*", "/", "*", "a/.b", ".b/..c", "a..b", "https://x//y", "file:a", "dir:src", "*.",
     "a.*", "x://y", "..", "src/.*", "a/[.]/b", "foo:bar"],
)  # fmt: skip
def test_patterns_for_paths_that_may_be_recorded_are_fine(check, pattern):
    assert "pattern.not-normal" not in ids(check(build(products=f"CREATE {pattern}\nDISALLOW *")))


@pytest.mark.parametrize(
    "rule",
    [
        "MATCH * IN ./lib WITH PRODUCTS IN src FROM checkout",
        "MATCH * IN lib// WITH PRODUCTS IN src FROM checkout",
        "MATCH * IN . WITH PRODUCTS IN src FROM checkout",
        "MATCH * IN lib WITH PRODUCTS IN ./src FROM checkout",
        "MATCH /* IN lib WITH PRODUCTS IN src FROM checkout",
    ],
)
def test_prefixes_for_paths_that_are_never_recorded_are_errors_and_said_once(check, rule):
    assert ids(check(build(materials=f"{rule}\nDISALLOW *"))).count("pattern.not-normal") == 1


@pytest.mark.parametrize("prefix", ["lib", "lib/", "a/b", "../lib", "/lib", "/"])
def test_other_prefixes_are_fine(check, prefix):
    rule = f"MATCH * IN {prefix} WITH PRODUCTS IN src FROM checkout"
    assert ids(check(build(materials=f"{rule}\nDISALLOW *"))) == []


def test_a_require_takes_its_word_literally(check):
    findings = check(build(products="REQUIRE a[^b\nCREATE *\nDISALLOW *"))
    assert ids(findings) == ["require.pattern"]
    assert "pattern.not-normal" in ids(check(build(products="REQUIRE ./a\nCREATE *\nDISALLOW *")))


def test_two_stars_at_the_end_do_no_harm(check):
    assert only(check(build(products="CREATE src/**\nDISALLOW *")), "pattern.double-star").severity is Severity.INFO


def test_an_empty_pattern_matches_nothing(check):
    assert "pattern.empty" in ids(check(build(products="CREATE ''\nDISALLOW *")))


# --- parameters ----------------------------------------------------------------------------------------------------


def test_parameters_are_listed_once_each(check):
    text = build(products="CREATE {b}/{a}\nALLOW {a}\nDISALLOW *")
    assert only(check(text), "parameter.used").message.endswith("parameters: b, a")


def test_braces_only_matter_where_parameters_are_used(check):
    text = replaced(GOOD, "by: bob\n", "by: bob\n    command: [find, '{}', '}']\n")
    findings = [finding for finding in check(text) if finding.id == "parameter.braces"]
    assert [finding.severity for finding in findings] == [Severity.INFO, Severity.INFO]
    long = replaced(GOOD, "by: bob\n", f"by: bob\n    command: ['{{{'x' * 200}']\n")
    assert len(only(check(long), "parameter.braces").message) < 150


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def layout(read_key, at):
    """The good layout in its own form."""
    return read_policy(GOOD.encode(), read_key, at).finished()


def without(findings):
    """The ids but for what a layout without a name, and a chain by one person, always have."""
    return [id for id in ids(findings) if id not in ("release.missing", "functionary.single")]


def test_a_step_with_a_key_that_the_layout_lacks_is_an_error(check, layout):
    build = replace(layout.steps[1], pubkeys=("a" * 64,))
    findings = check(replace(layout, steps=(layout.steps[0], build)))
    assert without(findings) == ["key.unused", "key.unknown", "threshold.unreachable"]
    assert only(findings, "key.unknown").place == 'step "build"'
    assert only(findings, "threshold.unreachable").message == "nobody can perform it, and 1 must agree"


def test_a_key_that_cannot_be_read_is_an_error(check, layout):
    (alice, bob) = layout.keys
    findings = check(replace(layout, keys={alice: layout.keys[alice], bob: {"keytype": "dsa"}}))
    assert without(findings) == ["key.unusable", "threshold.unreachable"]


def test_a_gpg_key_is_told_of_and_warned_of_where_it_ends_before_the_layout(check, layout):
    fingerprint = pgp("alice").fingerprint
    key = public(pgp("alice"), pgp("sub")).to_json()
    step = replace(layout.steps[0], pubkeys=(pgp("sub").fingerprint,))

    def findings(**more):
        return check(replace(layout, keys={**layout.keys, fingerprint: {**key, **more}}, steps=(step, layout.steps[1])))

    def about_keys(**more):
        return [id for id in ids(findings(**more)) if id in ("key.gpg", "key.expires")]

    assert about_keys() == ["key.gpg"]
    assert fingerprint in only(findings(), "key.gpg").remedy
    assert about_keys(validity_period=60) == ["key.gpg", "key.expires"]
    assert "counts until 2023-11-14T22:14:20Z" in only(findings(validity_period=60), "key.expires").message
    assert about_keys(validity_period=2**32 - 1) == ["key.gpg"]


def test_a_private_key_in_a_layout_is_an_error(check, layout):
    (alice, bob) = layout.keys
    value = {**layout.keys[bob], "keyval": {**layout.keys[bob]["keyval"], "private": "00" * 32}}
    findings = check(replace(layout, keys={alice: layout.keys[alice], bob: value}))
    assert without(findings) == ["key.private", "threshold.unreachable"]
    empty = {**layout.keys[bob], "keyval": {**layout.keys[bob]["keyval"], "private": ""}}
    assert without(check(replace(layout, keys={alice: layout.keys[alice], bob: empty}))) == []


def test_a_key_under_an_id_that_it_does_not_answer_to_is_found(check, layout, signers):
    (alice, bob) = layout.keys
    step = replace(layout.steps[1], pubkeys=("b" * 64,))
    keys = {alice: layout.keys[alice], "b" * 64: {**layout.keys[bob], "keyid": "b" * 64}}
    findings = check(replace(layout, keys=keys, steps=(layout.steps[0], step)))
    assert without(findings) == ["key.id"]
    assert signers["bob"].keyid[:8] in only(findings, "key.id").message
    inner = {alice: layout.keys[alice], bob: {**layout.keys[bob], "keyid": alice}}
    assert alice[:8] in only(check(replace(layout, keys=inner)), "key.id").message
    for id in (signers["bob"].key.legacy_id, signers["bob"].key.modern_id):
        keys = {alice: layout.keys[alice], id: signers["bob"].key.with_id(id).to_json()}
        step = replace(layout.steps[1], pubkeys=(id,))
        assert without(check(replace(layout, keys=keys, steps=(layout.steps[0], step)))) == []


def test_one_key_under_two_ids_counts_once(check, layout, signers):
    alice = signers["alice"].key
    keys = {id: alice.with_id(id).to_json() for id in (alice.modern_id, alice.legacy_id)}
    step = replace(layout.steps[0], pubkeys=tuple(keys), threshold=2)
    findings = check(replace(layout, keys=keys, steps=(step,), inspections=()))
    assert without(findings) == ["key.twice", "threshold.unreachable"]
    assert only(findings, "threshold.unreachable").message == "one person can perform it, and 2 must agree"


def test_two_persons_with_one_key_under_two_ids_are_found(check, layout, signers):
    alice = signers["alice"].key
    keys = {id: alice.with_id(id).to_json() for id in (alice.modern_id, alice.legacy_id)}
    step = replace(layout.steps[0], pubkeys=tuple(keys), threshold=2)
    persons = {"alice": (alice.modern_id,), "mallory": (alice.legacy_id,)}
    findings = check(replace(layout, keys=keys, steps=(step,), inspections=()), persons=persons)
    assert without(findings) == ["functionary.shared-key", "key.twice"]
    assert '"alice" and "mallory" have one key' in findings[1].message


def test_a_spare_key_of_somebody_who_works_is_not_unused(check, layout, signers):
    carol = signers["carol"].key
    keys = {**layout.keys, carol.id: carol.to_json()}
    findings = check(replace(layout, keys=keys), persons={"bob": (signers["bob"].keyid, carol.id)})
    assert without(findings) == []


def test_somebody_who_does_nothing_is_named_once_whatever_she_has(check):
    text = replaced(GOOD, "{alice", "{carol: [carol.pub, owner.pub], alice")
    assert only(check(text), "key.unused").place == 'functionary "carol"'


def test_a_key_of_nobody_that_is_unused_is_found_once(check, layout, signers):
    carol = signers["carol"].key
    keys = {**layout.keys, carol.id: carol.to_json()}
    assert only(check(replace(layout, keys=keys)), "key.unused").place == f"key {carol.short}"


def test_the_number_of_persons_is_said(check):
    text = replaced(GOOD, "by: bob", "by: [alice, bob]\n    threshold: 3")
    assert only(check(text), "threshold.unreachable").message == "2 persons can perform it, and 3 must agree"


def test_a_person_with_two_keys_of_a_shared_pair_is_named_once(check):
    text = replaced(
        GOOD, "{alice: alice.pub, bob: bob.pub}", "{alice: alice.pub, bob: bob.pub, eve: [bob.pub, bob.pub]}"
    )
    assert ids(check(text)).count("functionary.shared-key") == 1


# --- inspections ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        ["sh", "x.sh"], ["/bin/bash", "-ec", "x"], ["env", "A=1", "-i", "bash", "x"], ["busybox", "sh"],
        ["pwsh", "-c", "x"], ["timeout", "-k", "5", "10", "sh", "x"], ["nice", "env", "zsh"], ["cmd.exe", "/c", "x"],
    ],
)  # fmt: skip
def test_shells_are_recognised(check, run):
    assert "inspection.shell" in ids(check(look(run)))


@pytest.mark.parametrize(
    "run",
    [
        ["python", "-c", "1"],
        ["/usr/bin/python3.11", "-Bc1", "-c", "1"],
        ["perl", "-e1"],
        ["awk", "{{1}}"],
        ["node", "--eval", "1"],
    ],
)
def test_programs_in_the_command_line_are_recognised(check, run):
    assert "inspection.inline-code" in ids(check(look(run)))


@pytest.mark.parametrize(
    "run", [["look"], ["python3", "x.py"], ["sha256sum", "-c", "r.json"], ["env"], ["bashful", "-c", "x"]]
)
def test_other_programs_are_not_taken_for_shells(check, run):
    assert ids(check(look(run))) == []


@pytest.mark.parametrize(
    "run",
    [
        [
            "python",
            "-c",
            "import json,sys; r=json.load(open('r.json')); sys.exit(any(v['x'] for v in r.get('vulns', [])))",
        ],
        ["python", "-c", "sys.exit(bool(r['v'] or []))"],
        ["python", "-c", "sys.exit(not all(v['ok'] for v in r['vs']))"],
        ["node", "-e", "process.exit((r.v ?? []).length)"],
        ["node", "-e", "process.exit(r.v.some(x => x.bad))"],
        ["sh", "-c", "! grep -q CRITICAL r.json"],
        ["sh", "-c", "cat r.json | grep -qv CRITICAL"],
        ["grep", "-L", "CRITICAL", "r.json"],
        ["bash", "-c", "check r.json || true"],
        ["bash", "-c", "check r.json; exit 0"],
        ["jq", ".x", "r.json"],
        ["jq", "-e", ".findings | length == 0", "r.json"],
        ["jq", "-e", "[.Results[]?.Vulnerabilities[]?] | any(.x) | not", "r.json"],
        ["jq", "-e", ".findings // [] | length", "r.json"],
        ["bash", "-c", "jq -e '.r[] | select(.s)' r.json"],
    ],
)
def test_idioms_that_pass_on_an_empty_report_are_guessed(check, run):
    found = only(check(look(run)), "inspection.passes-on-empty")
    assert "this is a guess" in found.message
    assert "navicert inspect json-none" in found.remedy


@pytest.mark.parametrize(
    "run",
    [
        ["grep", "-q", "^OK$", "r.json"],
        ["jq", "-e", ".ok == true", "r.json"],
        ["jq", "--exit-status", ".ok", "r.json"],
        ["python", "-c", "assert json.load(open('r.json'))['ok'] is True"],
        ["trivy", "image", "--exit-code", "1"],
        ["look", "any(x)"],
    ],
)
def test_commands_that_need_something_to_be_there_are_not_suspected(check, run):
    assert "inspection.passes-on-empty" not in ids(check(look(run)))


@pytest.mark.parametrize(
    "run",
    [
        "navicert inspect",
        "navicert inspect json-none",
        "navicert inspect json-none r.json",
        "navicert inspect json-none r.json --preset clair --severity CRITICAL",
        "navicert inspect json-none r.json --preset trivy",
        "navicert inspect json-none r.json --preset trivy --severity BAD",
        "navicert inspect json-all r.json --path a",
        "navicert inspect file-exists",
        "navicert inspect file-exists --deep r.json",
        "navicert inspect image-base",
        "navicert inspect image-base target",
        "navicert inspect image-base target --base base",
        "navicert inspect image-base target --base oci:base",
        "navicert inspect image-base oci:app --base materials:build/base",
    ],
)
def test_built_in_inspections_are_checked_by_the_code_that_runs_them(check, run):
    assert "inspection.built-in" in ids(check(look(run)))


@pytest.mark.parametrize(
    "run",
    [
        "navicert inspect json-none r.json --preset grype --severity HIGH --severity=CRITICAL",
        "navicert inspect json-all --path a.b --value=c r.json",
        "navicert inspect file-exists r.json",
    ],
)
def test_built_in_inspections_that_are_called_rightly_are_fine(check, run):
    assert ids(check(look(run))) == []


@pytest.mark.parametrize(
    "materials",
    [
        "ALLOW r.json",
        "DISALLOW *",
        "MATCH r.json WITH PRODUCTS FROM build",
        "DISALLOW r.json\nMATCH r.json WITH PRODUCTS FROM build",
        "REQUIRE r.json\nMATCH r.json WITH PRODUCTS FROM build\nDISALLOW s.json",
        "REQUIRE r.json\nMATCH r.json WITH PRODUCTS FROM build\nALLOW r.json\nDISALLOW x",
        "MATCH s.json WITH PRODUCTS FROM build\nDISALLOW *",
    ],
)
def test_an_inspected_report_that_could_be_any_file_is_found(check, materials):
    found = only(check(look("navicert inspect file-exists r.json", materials)), "inspection.unbound")
    assert found.message.startswith('nothing ties "r.json" to a step')


@pytest.mark.parametrize(
    "materials",
    [
        "REQUIRE r.json\nMATCH r.json WITH PRODUCTS FROM build\nDISALLOW *",
        "REQUIRE r.json\nMATCH *.json WITH PRODUCTS FROM build\nALLOW x\nDISALLOW *.json",
    ],
)
def test_an_inspected_report_that_is_a_steps_product_is_fine(check, materials):
    assert ids(check(look("navicert inspect file-exists r.json", materials))) == []


def test_every_file_of_a_built_in_inspection_has_to_be_tied(check):
    materials = "REQUIRE r.json\nMATCH r.json WITH PRODUCTS FROM build\nDISALLOW *"
    found = only(check(look("navicert inspect file-exists r.json s.json", materials)), "inspection.unbound")
    assert '"s.json"' in found.message
    assert '"r.json"' not in found.message


def test_the_target_needs_no_rule_because_it_is_bound_by_itself(check):
    assert ids(check(look("navicert inspect image-base target --base materials:build/base", "DISALLOW *"))) == []


def test_images_in_files_have_to_be_tied_the_base_as_well(check):
    run = "navicert inspect image-base oci:app:1.0 --base=oci-archive:base.tar"
    found = only(check(look(run, "MATCH app/* WITH PRODUCTS FROM build\nDISALLOW *")), "inspection.unbound")
    assert '"base.tar"' in found.message
    assert "app/" not in found.message
    tied = "REQUIRE base.tar\nMATCH base.tar WITH PRODUCTS FROM build\nMATCH app/* WITH PRODUCTS FROM build\nDISALLOW *"
    assert "inspection.unbound" not in ids(check(look(run, tied)))


# --- as a whole ----------------------------------------------------------------------------------------------------


def test_a_layout_with_very_many_rules_is_looked_at_in_reasonable_time_and_says_what_was_left_out(check, layout):
    rules = tuple(Rule.parse(["ALLOW", f"*{i}?{i}*"]) for i in range(2000))
    step = replace(layout.steps[0], expected_products=rules)
    assert "lint.incomplete" in ids(check(replace(layout, steps=(step,), inspections=())))
    for steps in range(5):
        assert "lint.incomplete" in ids(check(layout, effort=Effort(steps)))
    assert "lint.incomplete" in ids(check(EXAMPLES["require.consumed"][0], effort=Effort(0)))
    assert "lint.incomplete" not in ids(check(layout))


def test_thousands_of_plain_rules_are_compared_completely(check, layout):
    plain = [Rule.parse(["ALLOW", f"src/{i}.py"]) for i in range(5000)]
    rules = (
        *plain,
        Rule.parse(["ALLOW", "src/7.pyc"]),
        Rule.parse(["CREATE", "src/7.py"]),
        Rule.parse(["DISALLOW", "*"]),
    )
    step = replace(layout.steps[0], expected_products=rules)
    findings = check(replace(layout, steps=(step,), inspections=()))
    assert [f.pointer for f in findings if f.id == "rule.unreachable"] == ["/steps/0/expected_products/5001"]
    assert "lint.incomplete" not in ids(findings)


def test_what_matches_without_a_require_is_named_up_to_a_number(check):
    rules = "\n".join(f"MATCH src/{i} WITH PRODUCTS FROM checkout" for i in range(7))
    assert "src/4 and 2 more: " in only(check(build(materials=f"{rules}\nDISALLOW *")), "match.not-required").message


def test_long_rules_are_cut_in_places(check):
    found = only(check(build(products=f"CREATE ./{'x' * 5000}\nDISALLOW *")), "pattern.not-normal")
    assert len(found.place) < 150


texts = st.text("ab*?[]!^{}/.\\ ", max_size=8)
rules = st.one_of(
    st.tuples(st.sampled_from("CREATE DELETE MODIFY ALLOW DISALLOW REQUIRE".split()), texts).map(list),
    st.tuples(texts, st.sampled_from(["MATERIALS", "PRODUCTS"]), st.sampled_from(["a", "b", "c", "{x}"])).map(
        lambda t: ["MATCH", t[0], "WITH", t[1], "FROM", t[2]]
    ),
    st.tuples(texts, texts, texts, st.sampled_from(["a", "b"])).map(
        lambda t: ["MATCH", t[0], "IN", t[1], "WITH", "PRODUCTS", "IN", t[2], "FROM", t[3]]
    ),
)
lists = st.lists(rules.map(Rule.parse), max_size=5).map(tuple)
commands = st.lists(texts | st.sampled_from(["sh", "-c", "jq", "navicert", "inspect", "json-none"]), max_size=4).map(
    tuple
)


@given(lists, lists, lists, lists, commands)
@settings(max_examples=300)
def test_any_layout_is_looked_at_without_failing_and_always_with_the_same_answer(m, p, m2, p2, command):
    key = ONE.key
    made = Layout(
        WHEN,
        steps=(Step("a", 1, (key.id,), command, m, p), Step("b", 1, (key.id,))),
        inspections=(Inspection("c", command, m2, p2),),
        keys={key.id: key.to_json()},
    )
    policy = Policy(made, Release(), made.expires, given=True)
    findings = lint(policy, made.expires, built_in_problem)
    assert findings == lint(policy, made.expires, built_in_problem)
    assert {finding.id for finding in findings} <= CATALOGUE.keys()
