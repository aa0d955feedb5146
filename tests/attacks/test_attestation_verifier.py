"""What attestation-verifier lets through, in its own layouts as `navicert layout import` reads them.

Each test stands for one limit of that prototype: what it parses and never judges, and where it decides by something
that nobody signed.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from textwrap import indent

import pytest
from tests.policy_chain import APP, AT, PROVENANCE, TEST_RESULT, cause, checks, digest, report, statement

from navicert.authoring.dialect import Imported, import_layout
from navicert.authoring.yaml import read_yaml
from navicert.cli.main import main
from navicert.crypto.signer import MemorySigner, generate
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.policy import read_policy_document
from navicert.model.statement import Statement
from navicert.store import Piece, PieceSource
from navicert.store.gather import gather
from navicert.verdict import Verdict
from navicert.verify.case import Case, Policy
from navicert.verify.evaluate import verify

LINK = "https://in-toto.io/attestation/link/v0.3"
OWNER, BOB, TESS = generate(), generate(), generate()
FOO = {"name": "foo", "digest": digest(b"foo")}
BIN = {"name": "bin/foo", "digest": digest(APP)}


def functionary(signer: MemorySigner) -> str:
    value = signer.key.to_json()
    public = value["keyval"]["public"]  # type: ignore[index]
    return (
        f"  {signer.keyid}:\n    keyType: {value['keytype']}\n    scheme: {value['scheme']}\n"
        f"    keyIDHashAlgorithms: [sha256, sha512]\n    keyVal: {{public: {json.dumps(public)}}}\n"
        f"    keyID: {signer.keyid}\n"
    )


def predicate(type: str, *rules: str, by: MemorySigner = BOB, flags: str = "", threshold: int = 0) -> str:
    attributes = "".join(f"      - rule: {json.dumps(rule)}\n{flags}" for rule in rules)
    text = f"  - predicateType: {type}\n    functionaries: [{by.keyid}]\n"
    text += f"    threshold: {threshold}\n" if threshold else ""
    return text + (f"    expectedAttributes:\n{attributes}" if rules else "")


def step(name: str, predicates: str, materials: str = "", products: str = "") -> str:
    text = f"- name: {name}\n"
    text += f"  expectedMaterials: [{materials}]\n" if materials else ""
    text += f"  expectedProducts: [{products}]\n" if products else ""
    return text + f"  expectedPredicates:\n{predicates}"


CLONE = step("clone", predicate(LINK), "DISALLOW *", "CREATE foo, DISALLOW *")
FROM_CLONE = "MATCH foo WITH products FROM clone, DISALLOW *"
TEST = step("test", predicate(TEST_RESULT, "predicate.result == 'PASSED'", by=TESS), FROM_CLONE)
BUILD = step("build", predicate(PROVENANCE), FROM_CLONE, "CREATE bin/foo, DISALLOW *")


def layout(*steps: str, more: str = "") -> str:
    head = f'expires: "2100-01-01T00:00:00Z"\nfunctionaries:\n{functionary(BOB)}{functionary(TESS)}'
    return f"{head}steps:\n{''.join(indent(step, '  ') for step in steps) if steps else '  []'}\n{more}"


def imported(text: str) -> Imported:
    return import_layout(read_yaml(text.encode(), path="layout.yml"), name="app", path="layout.yml")


def judge(
    text: str, *documents: bytes, names: list[str] | None = None, parameters: dict[str, str] | None = None
) -> Verdict:
    raw = seal(read_policy_document(imported(text).document), OWNER)
    policy = Policy.open(raw, [OWNER.key])
    pieces = [
        Piece(f"document {number}", raw, step_hint=None if names is None else names[number])
        for number, raw in enumerate(documents)
    ]
    found = gather(policy, [PieceSource(pieces)])
    return verify(Case(policy, AT, found.exhibits, found.refused, parameters=parameters))


def link(name: str = "clone", *subjects: object, **more: object) -> bytes:
    return seal(statement(LINK, {"name": name, "materials": []} | more, *(subjects or (FOO,))), BOB)


def provenance(*subjects: object, dependency: object = FOO, signer: MemorySigner = BOB) -> bytes:
    definition = {"buildType": "https://b.example", "externalParameters": {}, "resolvedDependencies": [dependency]}
    claim = {"buildDefinition": definition, "runDetails": {"builder": {"id": "https://ci.example"}}}
    return seal(statement(PROVENANCE, claim, *(subjects or (BIN,))), signer)


def result(outcome: str = "PASSED", *subjects: object, **more: object) -> bytes:
    return seal(report(outcome, *(subjects or (FOO,)), **more), TESS)


def test_the_honest_chain_passes() -> None:
    assert judge(layout(CLONE, TEST, BUILD), link(), result(), provenance()).passed


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_every_step_is_needed(missing: int) -> None:
    documents = [link(), result(), provenance()]
    del documents[missing]
    assert not judge(layout(CLONE, TEST, BUILD), *documents).passed


class TestLimits:
    def test_1_a_layout_that_nobody_signed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("layout.yml").write_text(layout(CLONE))
        Path("owner.pub").write_bytes(OWNER.key.public_pem())
        assert main(["layout", "import", "layout.yml", "-o", "policy.json"]) == 0
        for name in ("layout.yml", "policy.json"):
            assert main(["verify", "--layout", name, "--owner", "owner.pub"]) == 2
        assert main(["keygen", "mine"]) == 0
        assert main(["layout", "sign", "policy.json", "--key", "mine", "-o", "root.layout"]) == 0
        assert main(["verify", "--layout", "root.layout", "--owner", "owner.pub"]) == 1

    def test_2_subjects_that_are_never_judged(self) -> None:
        subjects = f"subjects:\n  - subject: [foo]\n    expectedPredicates:\n{indent(predicate(TEST_RESULT), '    ')}"
        with pytest.raises(Malformed, match="never judges them"):
            imported(layout(more=subjects))

    def test_2_a_layout_without_steps(self) -> None:
        text = layout(CLONE).split("steps:")[0] + "steps: []\n"
        assert cause(judge(text)).id == "layout.empty"

    def test_2_inspections_are_run(self) -> None:
        inspection = "inspections:\n  - name: look\n    command: 'true'\n"
        verdict = judge(layout(CLONE, more=inspection), link())
        assert not verdict.passed  # nobody asked for commands to be run here, and that is no pass
        assert checks(verdict, "inspection.run")

    @pytest.mark.parametrize("field", ["predicates: [a]", "expectedAttributes: [{rule: 'true'}]"])
    def test_2_what_inspections_are_never_asked(self, field: str) -> None:
        with pytest.raises(Malformed, match="never judges them"):
            imported(layout(CLONE, more=f"inspections:\n  - name: look\n    command: 'true'\n    {field}\n"))

    def test_2_a_sublayout_is_judged(self) -> None:
        """A layout in place of the link has to hold itself: an empty one stands for nothing."""
        from navicert.model.layout import Layout
        from navicert.timestamp import parse_timestamp

        below = seal(Layout(parse_timestamp("2100-01-01T00:00:00Z")), BOB)
        assert not judge(layout(CLONE), below, names=["clone"]).passed

    @pytest.mark.parametrize("flag", [True, False])
    def test_3_a_claim_that_is_absent(self, flag: bool) -> None:
        flags = f"        allowIfNoClaim: {str(flag).lower()}\n"
        text = layout(
            CLONE, step("test", predicate(TEST_RESULT, "predicate.coverage > 80", by=TESS, flags=flags), FROM_CLONE)
        )
        assert judge(text, link(), result()).passed is flag
        assert judge(text, link(), result(coverage=90)).passed
        others: list[object] = [10, "ninety", None, [], {"a": 1}]
        for wrong in others:
            assert not judge(text, link(), result(coverage=wrong)).passed

    def test_3_any_other_error_fails_whatever_the_flag_says(self) -> None:
        for rule in (
            "1 / 0 == 1",
            "predicate.result > 3",
            "size(predicate.result.x) == 0",
            "predicate.passedTests[7] == ''",
        ):
            text = layout(
                CLONE,
                step("test", predicate(TEST_RESULT, rule, by=TESS, flags="        allowIfNoClaim: true\n"), FROM_CLONE),
            )
            assert not judge(text, link(), result(passedTests=[])).passed

    def test_3_a_rule_that_only_warns_is_a_demand(self) -> None:
        flags = "        warn: true\n"
        text = layout(
            CLONE, step("test", predicate(TEST_RESULT, "predicate.result == 'X'", by=TESS, flags=flags), FROM_CLONE)
        )
        assert not judge(text, link(), result()).passed
        assert any("no rule only warns" in note for note in imported(text).notes)

    def test_4_a_parameter_that_is_an_expression(self) -> None:
        text = layout(
            CLONE, step("test", predicate(TEST_RESULT, "predicate.commit == '{commit}'", by=TESS), FROM_CLONE)
        )
        assert judge(text, link(), result(commit="abc"), parameters={"commit": "abc"}).passed
        for value in ("x' || 'a' == 'a", "' || true || '", "{commit}", "{a}", "abc\\"):
            assert not judge(text, link(), result(commit="abc"), parameters={"commit": value}).passed

    def test_4_parameters_that_name_each_other_end(self) -> None:
        text = layout(CLONE, step("test", predicate(TEST_RESULT, "predicate.commit == '{a}'", by=TESS), FROM_CLONE))
        parameters = {"a": "{b}", "b": "{a}"}
        assert judge(text, link(), result(commit="{b}"), parameters=parameters).passed
        assert not judge(text, link(), result(commit="{a}"), parameters=parameters).passed

    def test_4_a_placeholder_outside_of_a_string_is_refused(self) -> None:
        with pytest.raises(Malformed, match="outside of a string"):
            imported(layout(step("test", predicate(TEST_RESULT, "predicate.n > {n}", by=TESS), FROM_CLONE), CLONE))

    def test_4_a_placeholder_within_a_string(self) -> None:
        text = layout(
            CLONE, step("test", predicate(TEST_RESULT, "predicate.ref == 'refs/{kind}/{name-1}'", by=TESS), FROM_CLONE)
        )
        parameters = {"kind": "tags", "name-1": "v1"}
        assert judge(text, link(), result(ref="refs/tags/v1"), parameters=parameters).passed
        assert not judge(text, link(), result(ref="refs/heads/v1"), parameters=parameters).passed

    def test_5_a_second_attestation_of_the_type_overwrites_nothing(self) -> None:
        text = layout(CLONE, TEST)
        documents = [link(), result(), result("FAILED"), result("PASSED", {"name": "foo", "digest": digest(b"x")})]
        for order in itertools.permutations(documents):
            assert judge(text, *order).passed
        assert not judge(text, documents[0], *documents[2:]).passed

    def test_6_a_link_that_was_renamed_into_another_step(self) -> None:
        other = step("fetch", predicate(LINK), "", "CREATE foo, DISALLOW *")
        verdict = judge(layout(CLONE, other), link(), link(), names=["clone", "fetch"])
        assert cause(verdict).subject == "fetch"
        assert any("signed for another step" in miss.reason for miss in checks(verdict, "evidence.near-miss"))

    def test_6_a_file_name_gives_no_step(self) -> None:
        assert judge(layout(CLONE, TEST), link(), result(), names=["what", "ever"]).passed

    def test_7_uris_are_compared_as_they_are_written(self) -> None:
        source = {"name": "https://git.example/a.git", "digest": digest(b"s")}
        text = layout(
            step(
                "build",
                predicate(PROVENANCE),
                "ALLOW https://git.example/a.git, DISALLOW *",
                "CREATE bin/foo, DISALLOW *",
            )
        )
        assert judge(text, provenance(dependency=source)).passed
        assert not judge(text, provenance(dependency=source | {"name": "https:/git.example/a.git"})).passed

    def test_7_unknown_fields_of_a_statement_stop_nothing(self) -> None:
        value = {**report("PASSED", FOO).to_json(), "later": {"field": 1}}
        assert judge(layout(CLONE, TEST), link(), seal(Statement.from_json(value), TESS)).passed

    def test_7_a_threshold_counts_signers_and_not_documents(self) -> None:
        text = layout(CLONE, step("test", predicate(TEST_RESULT, by=TESS, threshold=2), FROM_CLONE))
        assert not judge(text, link(), result(), result(note="again")).passed

    def test_7_claims_of_one_step_are_not_mixed(self) -> None:
        """A MATCH sees what one report says, never the files of one with the digests of another."""
        text = layout(
            step("build", predicate(PROVENANCE), "", "CREATE *"), TEST.replace("clone", "build").replace("foo", "*")
        )
        a, b = ({"name": name, "digest": digest(name.encode())} for name in "ab")
        assert judge(text, provenance(a, b), result("PASSED", a, b)).passed
        assert not judge(text, provenance(a), provenance(b), result("PASSED", a, b)).passed


class TestDialect:
    def test_attributes_of_a_link(self) -> None:
        rule = "predicate.command == ['git', 'clone']"
        text = layout(step("clone", predicate(LINK, rule), "DISALLOW *", "CREATE foo, DISALLOW *"))
        assert judge(text, link(command=["git", "clone"])).passed
        verdict = judge(text, link(command=["curl"]))
        assert not verdict.passed
        assert any("is false" in miss.reason for miss in checks(verdict, "evidence.near-miss"))
        assert not judge(text, link()).passed

    def test_an_older_form_with_one_predicate(self) -> None:
        signers = f"  functionaries: [{BOB.keyid}]\n"
        old = f"- name: clone\n  expectedPredicateType: {LINK}\n{signers}  expectedProducts: [CREATE foo]\n"
        assert judge(layout(old), link()).passed

    def test_several_predicates_of_one_step(self) -> None:
        both = predicate(PROVENANCE) + predicate(TEST_RESULT, by=TESS)
        text = layout(step("build", both, "ALLOW *", "CREATE bin/foo, DISALLOW *"))
        assert judge(text, provenance(), result("PASSED", BIN)).passed
        assert not judge(text, provenance()).passed
        other = {"name": "bin/foo", "digest": digest(b"other")}
        assert not judge(text, provenance(), result("PASSED", other)).passed

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (layout(step("a", predicate(LINK) + predicate(LINK))), "two links for one step"),
            (layout("- name: a\n"), "demands no evidence"),
            (layout(f"- name: a\n  functionaries: [{BOB.keyid}]\n"), "without a predicate type"),
            (layout(step("a", f"  - predicateType: {LINK}\n")), "nobody may sign"),
            (layout(step("a", predicate(LINK).replace(BOB.keyid, "ab" * 32))), "no such key"),
            (layout(step("a", predicate(LINK)).replace("- name: a", "- name: ../a")), "not a usable name"),
            (layout(step("a", predicate(LINK), "MATCH foo FROM b")), "not a MATCH rule"),
            (layout(step("a", predicate(LINK), "MATCH foo WITH products FROM b")), "does not exist"),
            (
                layout(CLONE, step("t", predicate(TEST_RESULT), FROM_CLONE, "DISALLOW *")),
                "which no predicate of it has",
            ),
            (layout(CLONE, step("t", predicate(TEST_RESULT), "ALLOW *")), "tied to nothing"),
            (layout(step("a", predicate(LINK, "predicate.a")), more="extra: 1\n"), 'no field "extra"'),
            (layout(CLONE).replace('expires: "2100-01-01T00:00:00Z"\n', ""), "when it expires"),
            (layout(CLONE).replace("2100-01-01T00:00:00Z", "tomorrow"), "not a timestamp"),
            (layout(CLONE).replace(f"keyID: {BOB.keyid}", f"keyID: {TESS.keyid}"), "under the id of another"),
            (layout(CLONE).replace("keyVal: {public:", "keyVal: {identity: a@b.example, public:", 1), "an identity"),
            (layout(step("a", predicate(LINK, "1", flags="        allowIfNoClaim: yes\n"))), "not a truth value"),
        ],
    )
    def test_what_cannot_be_imported(self, text: str, problem: str) -> None:
        with pytest.raises(Malformed, match=problem) as caught:
            imported(text)
        assert "layout.yml" in str(caught.value)

    def test_the_command_of_a_step_without_a_link_is_told(self) -> None:
        text = layout(CLONE, TEST.replace("- name: test\n", "- name: test\n  command: make test\n"))
        assert any("is left out" in note for note in imported(text).notes)

    def test_it_is_written_for_layout_sign(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source = tmp_path / "layout.yml"
        source.write_text(layout(CLONE, TEST, BUILD))
        assert main(["layout", "import", str(source), "-o", str(tmp_path / "p.json"), "--name", "mine"]) == 0
        value = json.loads((tmp_path / "p.json").read_text())
        assert (value["name"], value["version"], value["_type"]) == ("mine", 1, "navicert-policy/v1")
        assert main(["layout", "import", str(source), "-o", str(tmp_path / "p.json")]) == 2
        assert main(["layout", "lint", str(tmp_path / "p.json")]) == 0
        assert capsys.readouterr().err
