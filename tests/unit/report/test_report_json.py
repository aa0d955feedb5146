"""The verdict as JSON: the published schema holds, the order is fixed, and it can be read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample_chain import SampleChain

from navicert.digest import Digest, sha256
from navicert.errors import Malformed
from navicert.model.layout import Inspection
from navicert.report.json import TYPE, from_json, render_json, render_object, to_json
from navicert.strictjson import loads
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, failed, note, passed, skipped

SCHEMA = json.loads(resources.files("navicert.report").joinpath("schema/verdict-v1.json").read_text("utf-8"))
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "json-output.md"

CHAINS = {
    "passed": SampleChain(failing=[1]),
    "changed": SampleChain(steps=5, tampered=[2, 4], smuggled="evil"),
    "missing": SampleChain(missing=[0], stranger=[2]),
    "error": SampleChain(inspections=(Inspection("look", ("true",)),)),
}


def verdict(*children: Check) -> Verdict:
    return Verdict(all_of("verdict", "", children), datetime(2026, 1, 1, tzinfo=UTC), sha256(b"policy"))


def read(judged: Verdict) -> Verdict:
    return from_json(json.loads(render_json(judged)))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_what_is_printed_conforms_to_the_schema(chain: SampleChain) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(render_json(chain.verdict())))


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_field_is_in_the_schema_and_in_the_documentation(chain: SampleChain) -> None:
    document = to_json(chain.verdict())
    page = PAGE.read_text(encoding="utf-8")
    assert set(document) == set(SCHEMA["required"]) == set(SCHEMA["properties"])
    check = SCHEMA["$defs"]["check"]
    for entry in document["checks"]:  # type: ignore[attr-defined]
        assert list(entry) == check["required"] == list(check["properties"])
    for name in (*document, *check["required"]):
        assert f"| `{name}` |" in page


def test_fields_stand_in_a_fixed_order() -> None:
    assert list(to_json(SampleChain().verdict())) == [
        "type", "outcome", "passed", "at", "policy", "inputs", "first_cause", "causes", "counts", "checks", "summary",
    ]  # fmt: skip
    facts = to_json(verdict(failed("x", "", "", facts={"b": 1, "a": 2})))["checks"][1]["facts"]  # type: ignore[index]
    assert list(facts) == ["a", "b"]


def test_a_pass_carries_its_summary_and_a_failure_none() -> None:
    good, bad = to_json(SampleChain().verdict()), to_json(SampleChain(missing=[1]).verdict())
    assert good["summary"]["_type"] == "link"  # type: ignore[index]
    assert bad["summary"] is None


def test_the_outcome_is_said_three_times_alike() -> None:
    document = to_json(SampleChain(stranger=[1]).verdict())
    assert (document["type"], document["outcome"], document["passed"]) == (TYPE, "fail", False)
    assert document["checks"][0]["outcome"] == "fail"  # type: ignore[index]
    assert document["first_cause"] == document["causes"][0]  # type: ignore[index]


def test_causes_are_paths_of_checks() -> None:
    document = to_json(SampleChain(steps=5, tampered=[2], stranger=[4]).verdict())
    paths = [check["path"] for check in document["checks"]]  # type: ignore[attr-defined]
    assert document["causes"]
    assert set(document["causes"]) <= set(paths)  # type: ignore[call-overload]


def test_a_verdict_that_passed_has_no_first_cause() -> None:
    document = to_json(SampleChain().verdict())
    assert (document["first_cause"], document["causes"]) == (None, [])


def test_a_note_has_no_outcome() -> None:
    assert to_json(verdict(passed("x", ""), note("n", "", "")))["checks"][2]["outcome"] is None  # type: ignore[index]


def test_facts_become_json_whatever_they_are() -> None:
    odd = {"digest": Digest("sha256", "ab"), "set": {"b", "a"}, "tuple": (1, None, True, 1.5), "map": {"x": {1: "y"}}}
    text = render_json(verdict(failed("x", "", "", facts=odd)))
    assert json.loads(text)["checks"][1]["facts"] == {
        "digest": "sha256:ab", "map": {"x": {"1": "y"}}, "set": ["a", "b"], "tuple": [1, None, True, 1.5],
    }  # fmt: skip


def test_file_names_that_are_no_text_are_printed_escaped_so_that_strict_readers_take_them() -> None:
    document = loads(render_json(verdict(failed("x", "a\udcff", "why"))).encode())
    assert document["checks"][1]["subject"] == "a\\udcff"  # type: ignore[index]


@given(st.text(), st.text())
def test_the_text_is_ascii_without_control_characters(subject: str, reason: str) -> None:
    text = render_json(verdict(failed("x", subject, reason, facts={subject: reason})))
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    json.loads(text)


def test_an_object_ends_in_a_line_feed() -> None:
    assert render_object({"a": "\x7f"}) == '{\n  "a": "\\u007f"\n}\n'


# --- reading back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_what_was_printed_is_read_back_as_it_was(chain: SampleChain) -> None:
    judged = chain.verdict()
    again = read(judged)
    assert to_json(again) == {**to_json(judged), "summary": None}
    assert [check.outcome for _, check in again.root.walk() if not check.is_note] == [
        check.outcome for _, check in judged.root.walk() if not check.is_note
    ]


def test_outcomes_of_groups_are_worked_out_and_not_believed() -> None:
    document = to_json(verdict(failed("x", "", "broken")))
    document["outcome"] = document["checks"][0]["outcome"] = "pass"  # type: ignore[index]
    assert from_json(document).outcome is Outcome.FAIL


def test_a_tree_of_many_shapes_is_read_back() -> None:
    tree = verdict(
        all_of("a", "", (at_least(1, "b", "", (passed("c", ""), all_of("d", "", ()))),), "why"),
        note("n", "", "note"),
        skipped("s", "", "later", cause="verdict/a"),
        all_of("e", "", (passed("f", ""),)),
    )
    assert read(tree).root == tree.root


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"type": "navicert-verdict/v2"}, "/type"),
        ({"type": None}, "/type"),
        ({"checks": []}, "/checks"),
        ({"checks": {}}, "/checks"),
        ({"checks": [1]}, "/checks/0"),
        ({"inputs": None}, "/inputs"),
        ({"at": 1}, "/at"),
        ({"policy": None}, "/policy"),
    ],
)
def test_what_is_no_verdict_is_refused_with_its_place(change: dict[str, object], where: str) -> None:
    document = {**to_json(SampleChain().verdict()), **change}
    with pytest.raises(Malformed) as caught:
        from_json(document)
    assert caught.value.pointer == where


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"depth": None}, "/checks/1/depth"),
        ({"depth": True}, "/checks/1/depth"),
        ({"depth": -1}, "/checks/1/depth"),
        ({"depth": 0}, "/checks/1/depth"),
        ({"depth": 2}, "/checks/1/depth"),
        ({"need": "1"}, "/checks/1/need"),
        ({"cause": 1}, "/checks/1/cause"),
        ({"outcome": "good"}, "/checks/1/outcome"),
        ({"outcome": "skip"}, "/checks/1"),
        ({"id": 1}, "/checks/1/id"),
        ({"facts": []}, "/checks/1/facts"),
    ],
)
def test_a_check_that_is_none_is_refused_with_its_place(change: dict[str, object], where: str) -> None:
    document = to_json(verdict(passed("x", ""), passed("y", "")))
    document["checks"][1].update(change)  # type: ignore[index]
    with pytest.raises(Malformed) as caught:
        from_json(document)
    assert caught.value.pointer == where


def test_a_root_below_itself_is_refused() -> None:
    document = to_json(verdict(passed("x", "")))
    document["checks"][0]["depth"] = 1  # type: ignore[index]
    with pytest.raises(Malformed, match="do not form a tree"):
        from_json(document)


def test_a_leaf_with_children_is_refused() -> None:
    document = to_json(verdict(all_of("a", "", (passed("b", ""),))))
    document["checks"][1]["need"] = None  # type: ignore[index]
    with pytest.raises(Malformed, match="a leaf has no children"):
        from_json(document)


def test_a_tree_deeper_than_any_real_one_is_refused_and_does_not_exhaust_the_stack() -> None:
    document = to_json(verdict())
    document["checks"] = [{**document["checks"][0], "depth": depth} for depth in range(5000)]  # type: ignore[index]
    with pytest.raises(Malformed, match="do not form a tree"):
        from_json(document)


def test_a_bad_moment_is_refused() -> None:
    document = {**to_json(SampleChain().verdict()), "at": "yesterday"}
    with pytest.raises(Malformed, match="not a timestamp"):
        from_json(document)
