"""A draft is what the author wrote, and every mistake in it is answered with file, line and pointer."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.authoring.draft import Draft, read_draft
from navicert.authoring.expiry import Expiry
from navicert.authoring.functionary import Functionary
from navicert.authoring.node import of_json
from navicert.authoring.yaml import read_yaml
from navicert.errors import Malformed
from navicert.limits import LOCAL

WHOLE = """\
name: my-app
version: 3
expires: 6 months
readme: |
  Who builds my-app,
  and how.
functionaries:
  alice: keys/alice.pub
  bob: [keys/bob-laptop.pub, keys/bob-ci.pub]
steps:
  - name: checkout
    by: alice
    command: git clone https://git.example/my-app 'my app'
    products:
      - create src/*
      - DISALLOW *
  - name: build
    by: [alice, bob]
    threshold: 2
    command: [make, -C, src]
    materials:
      - MATCH src/* WITH PRODUCTS FROM checkout
      - [disallow, "*"]
inspections:
  - name: look
    run: file-check app
    expected_materials: [REQUIRE app]
"""


def draft(text, **limits):
    return read_draft(read_yaml(text.encode()), path="f.yaml", limits=replace(LOCAL, **limits))


def step(text):
    return draft(f"functionaries: {{alice: a.pub}}\nsteps:\n  - {{name: build, by: alice, {text}}}\n")


def test_everything_is_read():
    found = draft(WHOLE)
    assert (found.name, found.version, found.expires) == ("my-app", 3, Expiry(None, 6))
    assert found.readme == "Who builds my-app,\nand how."
    assert found.functionaries == (
        Functionary("alice", ("keys/alice.pub",), 8),
        Functionary("bob", ("keys/bob-laptop.pub", "keys/bob-ci.pub"), 9),
    )
    assert found.key_files == ("keys/alice.pub", "keys/bob-laptop.pub", "keys/bob-ci.pub")
    checkout, build = found.steps
    assert checkout.step.expected_command == ("git", "clone", "https://git.example/my-app", "my app")
    assert [str(rule) for rule in checkout.step.expected_products] == ["CREATE src/*", "DISALLOW *"]
    assert (checkout.step.threshold, checkout.by, checkout.step.pubkeys) == (1, ("alice",), ())
    assert (build.step.threshold, build.by) == (2, ("alice", "bob"))
    assert build.step.expected_command == ("make", "-C", "src")
    assert [str(rule) for rule in build.step.expected_materials] == [
        "MATCH src/* WITH PRODUCTS FROM checkout",
        "DISALLOW *",
    ]
    (look,) = found.inspections
    assert (look.name, look.run, str(look.expected_materials[0])) == ("look", ("file-check", "app"), "REQUIRE app")


def test_lines_of_the_file_are_known_for_places_in_the_layout():
    lines = draft(WHOLE).lines
    assert lines["/expires"] == 3
    assert lines["/steps/1"] == 17
    assert lines["/steps/1/threshold"] == 19
    assert lines["/steps/1/expected_materials/1"] == 23
    assert lines["/inspect/0/run"] == 26


def test_the_same_as_json_gives_the_same_draft():
    text = '{"name": "x", "version": 1, "functionaries": {"a": "a.pub"}, "steps": [{"name": "s", "by": ["a"]}]}'
    by_json = read_draft(of_json(__import__("json").loads(text)), path="f.yaml")
    assert replace(draft(text), lines={}).steps[0].step == by_json.steps[0].step
    assert by_json.version == 1


def test_names_of_in_toto_are_understood_as_well():
    found = draft(
        "functionaries: {a: a.pub}\nsteps:\n - name: s\n   functionaries: a\n   expected_command: [x]\n"
        "   expected_materials: [ALLOW a]\n   expected_products: [ALLOW b]\ninspect:\n - {name: i, run: [y]}\n"
    )
    assert found.steps[0].step.expected_command == ("x",)
    assert str(found.steps[0].step.expected_products[0]) == "ALLOW b"
    assert found.inspections[0].run == ("y",)


@pytest.mark.parametrize("text", ["{}", "name:", "steps:\ninspections:\nreadme:\nexpires:\nversion:\nfunctionaries:"])
def test_what_is_left_out_is_nothing(text):
    assert draft(text) == Draft("f.yaml")


@pytest.mark.parametrize("name", ["on", "yes", "null-ish", "2024", "1.0", "2031-05-01", "0x1"])
def test_a_step_or_person_may_be_called_what_yaml_takes_for_something_else(name):
    found = draft(f"functionaries: {{{name}: {name}}}\nsteps:\n - {{name: {name}, by: {name}, command: [{name}]}}\n")
    assert found.steps[0].step.name == found.steps[0].by[0] == found.functionaries[0].files[0] == name
    assert found.steps[0].step.expected_command == (name,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "f.yaml:1: /: wrong type (expected a layout, got a list)"),
        ("steps", "f.yaml:1: /: wrong type (expected a layout, got 'steps')"),
        ("stps: []", 'f.yaml:1: /stps: no field "stps" in a layout – did you mean "steps"?'),
        ("keys: {}", 'f.yaml:1: /keys: no field "keys" in a layout – there are authorities,'),
        ("steps: {}", "f.yaml:1: /steps: wrong type (expected a list of steps, got fields)"),
        ("inspections: x", "f.yaml:1: /inspections: wrong type (expected a list of inspections, got 'x')"),
        ("steps:\n - x", "f.yaml:2: /steps/0: wrong type (expected a step, got 'x')"),
        ("steps: [{by: a}]", "/steps/0: it has no name"),
        ("steps: [{name: , by: a}]", "/steps/0/name: nothing is written here (expected a name)"),
        ("steps: [{name: a/b}]", "f.yaml:1: /steps/0/name: not a usable name"),
        ("steps: [{name: ../x}]", "f.yaml:1: /steps/0/name: not a usable name"),
        ("steps: [{name: a}]", '/steps/0: nobody performs step "a" – name functionaries'),
        ("steps: [{name: a, by: }]", '/steps/0: nobody performs step "a" – name functionaries'),
        ("steps: [{name: a, by: bob}]", '/steps/0/by: no functionary "bob" – declare it under functionaries'),
        (
            "functionaries: {bobby: b}\nsteps: [{name: a, by: bob}]",
            'f.yaml:2: /steps/0/by: no functionary "bob" – did you mean "bobby"?',
        ),
        ("steps: [{name: a, by: {b: c}}]", "/steps/0/by: wrong type"),
        ("version: 0", "f.yaml:1: /version: number too small (expected at least 1, got 0)"),
        ("version: '1'", "f.yaml:1: /version: not a whole number (expected a number from 1, got '1')"),
        ("version: 1.0", "f.yaml:1: /version: not a whole number"),
        ("version: [1]", "f.yaml:1: /version: not a whole number (expected a number from 1, got a list)"),
        ('name: "a\\nb"', "f.yaml:1: /name: the name is not usable (expected one line of up to 200 characters"),
        ("name: '  '", "f.yaml:1: /name: the name is not usable"),
        ("name: []", "f.yaml:1: /name: wrong type"),
        ("expires: soon", "f.yaml:1: /expires: not a time of expiry"),
        ("expires: [1]", "f.yaml:1: /expires: wrong type (expected a time of expiry, got a list)"),
        ("readme: [1]", "f.yaml:1: /readme: wrong type"),
        ("readme: 'navicert: {}'", 'f.yaml:1: /readme: the last line of the readme begins with "navicert:"'),
        ("functionaries: [a]", "f.yaml:1: /functionaries: wrong type (expected names with key files, got a list)"),
        ("functionaries: {a: }", 'f.yaml:1: /functionaries/a: functionary "a" has no key'),
        ("functionaries: {a: []}", 'f.yaml:1: /functionaries/a: functionary "a" has no key'),
        ("functionaries: {a: ['']}", "f.yaml:1: /functionaries/a: an empty word"),
        ("functionaries: {a: {b: c}}", "f.yaml:1: /functionaries/a: wrong type"),
        ("functionaries: {a: [[b]]}", "f.yaml:1: /functionaries/a/0: wrong type"),
        ('functionaries: {"": a}', "/functionaries/: the name of a functionary is not usable"),
        ('functionaries: {"a\\tb": a}', "the name of a functionary is not usable"),
        ("inspections: [{run: x}]", "f.yaml:1: /inspections/0: it has no name"),
        ("inspections: [{name: a, threshold: 1}]", 'no field "threshold" in an inspection'),
        ("inspections: [{name: a, run: {}}]", "/inspections/0/run: wrong type (expected a command, or the list"),
        ("inspections: [{name: a, run: [[]]}]", "/inspections/0/run/0: wrong type (expected a word of the command"),
        ('inspections: [{name: a, run: "echo \'a"}]', "/inspections/0/run: a quotation in this command does not end"),
        ("inspections: [{name: a}, {name: a}]", 'f.yaml:1: /inspect/1/name: the name "a" is used twice'),
    ],
)
def test_mistakes_are_answered_with_file_line_and_pointer(text, message):
    with pytest.raises(Malformed) as caught:
        draft(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("f.yaml:1: ") or "\n" in text
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("threshold: 0", "f.yaml:3: /steps/0/threshold: number too small"),
        ("threshold: '1'", "f.yaml:3: /steps/0/threshold: not a whole number"),
        ("treshold: 1", 'no field "treshold" in a step – did you mean "threshold"?'),
        ("functionaries: alice", 'field "by" is written twice, under two spellings'),
        ("products: {}", "f.yaml:3: /steps/0/products: wrong type (expected a list of rules, got fields)"),
        ("products: [ALLOW]", "f.yaml:3: /steps/0/products/0: a rule of one word"),
        ("products: [[ALLOW]]", "f.yaml:3: /steps/0/products/0: ALLOW rule has 1 words"),
        ("products: [[]]", "f.yaml:3: /steps/0/products/0: not an artifact rule"),
        ("products: [[ALLOW, [a]]]", "f.yaml:3: /steps/0/products/0/1: wrong type (expected a word of the rule"),
        ("products: [ALLOW a: b]", "f.yaml:3: /steps/0/products/0: wrong type (expected a rule, such as"),
        ("products: [~]", "f.yaml:3: /steps/0/products/0: nothing is written here (expected a rule)"),
        ("materials: [MATCH a WITH PRODUCT FROM b]", "f.yaml:3: /steps/0/materials/0: not a MATCH rule"),
        ("name: x", 'field "name" is written twice'),
    ],
)
def test_mistakes_in_a_step_are_answered_too(text, message):
    with pytest.raises(Malformed) as caught:
        step(text)
    assert message in str(caught.value)


def test_a_step_and_an_inspection_of_one_name_are_refused():
    with pytest.raises(Malformed, match=r"f\.yaml:3: /inspect/0/name: the name .a. is used twice"):
        draft("functionaries: {a: b}\nsteps: [{name: a, by: a}]\ninspections: [{name: a}]")


def test_how_many_there_may_be_is_bounded():
    with pytest.raises(Malformed, match="limit layout_keys"):
        draft("functionaries: {a: a, b: b}", layout_keys=1)
    with pytest.raises(Malformed, match="limit layout_keys"):
        draft("inspections: [{name: a}, {name: b}]", layout_keys=1)
    with pytest.raises(Malformed, match="limit rules"):
        draft("inspections: [{name: a, materials: [ALLOW a, ALLOW b]}]", rules=1)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["ALLOW a", "1 day"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("name version expires by steps run materials inspections".split()), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_any_value_gives_a_draft_or_malformed(value):
    with contextlib.suppress(Malformed):
        assert isinstance(read_draft(of_json(value), path="f.yaml"), Draft)
