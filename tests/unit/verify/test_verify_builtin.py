"""Built-in inspections: a report that lacks what is looked for proves nothing, and fails."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from navicert.errors import Malformed
from navicert.verify.builtin import BUILT_IN, CHECKS, PRESETS, SEVERITIES, is_built_in, run_built_in
from navicert.verify.foundation import Layers

TRIVY: dict[str, Any] = {
    "SchemaVersion": 2,
    "ArtifactName": "app",
    "Results": [
        {"Target": "os", "Vulnerabilities": [{"Severity": "LOW"}, {"Severity": "MEDIUM"}]},
        {"Target": "clean"},
        {"Target": "clean too", "Vulnerabilities": []},
        {"Target": "clean as well", "Vulnerabilities": None},
    ],
}
GRYPE: dict[str, Any] = {
    "descriptor": {"name": "grype"},
    "source": {"type": "image"},
    "matches": [{"vulnerability": {"severity": "Low"}}, {"vulnerability": {"severity": "Negligible"}}],
}
NO_CRITICAL = "json-none --preset trivy --severity CRITICAL --severity HIGH report.json"


def run(line: str, **files: object) -> tuple[int, str]:
    """Run `navicert inspect LINE` over files whose names have a `_` for each dot."""
    contents = {name.replace("_", "."): value for name, value in files.items()}

    def read(name: str) -> bytes:
        if name not in contents:
            raise Malformed("no such file", path=name)
        value = contents[name]
        return value if isinstance(value, bytes) else json.dumps(value).encode()

    def read_layers(place: str) -> Layers:
        raise Malformed("no such image", path=place)

    return run_built_in((*BUILT_IN, *shlex.split(line)), read, read_layers)


def test_a_built_in_inspection_is_named_by_its_first_two_words() -> None:
    assert is_built_in(["navicert", "inspect", "json-none"])
    assert is_built_in(["navicert", "inspect"])
    for words in (["navicert"], ["navicert", "verify"], ["/usr/bin/navicert", "inspect"], ["inspect"], []):
        assert not is_built_in(words)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "unknown built-in inspection"),
        ("sh -c true", "unknown built-in inspection"),
        ("json-none", "names no file"),
        ("file-exists", "names no file"),
        ("json-none report.json", "needs --path"),
        ("json-none --path a report.json", "needs --path"),
        ("json-none --value x report.json", "needs --path"),
        ("json-none --path a --path b --value x report.json", "given more than once"),
        ("json-none --path a --value x --verbose report.json", "unknown option"),
        ("json-all --preset trivy report.json", "unknown option"),
        ("file-exists --path a report.json", "unknown option"),
        ("json-none report.json --path", "needs a value"),
        ("json-none --path a --value x --severity HIGH report.json", "--severity needs --preset"),
        ("json-none --preset other --severity HIGH report.json", "unknown preset"),
        ("json-none --preset trivy report.json", "at least once"),
        ("json-none --preset trivy --severity SEVERE report.json", "SEVERE"),
        ("json-none --preset trivy --severity HIGH --path a report.json", "nothing else"),
        ("json-none --preset trivy --severity HIGH --value a report.json", "nothing else"),
        ("json-none --preset trivy --preset grype --severity HIGH report.json", "given more than once"),
        ("json-none --path 'a?' --value x report.json", "an empty report would pass"),
        ("json-none --path 'a[]?.b' --value x report.json", "an empty report would pass"),
        ("json-none --path '' --value x report.json", "not a path"),
        ("json-none --path a..b --value x report.json", "not a path"),
        ("json-none --path 'a[0]' --value x report.json", "not a path"),
        ("json-none --path 'a?[]' --value x report.json", "not a path"),
        ("json-none --path a --value x --require '' report.json", "not a path"),
    ],
)
def test_what_was_not_understood_is_not_passed(line: str, what: str) -> None:
    code, reason = run(line, report_json={"a": "y", "b": 1})
    assert code == 2
    assert what in reason


@pytest.mark.parametrize("check", ["json-none --path a --value x", "json-all --path a --value x", "file-exists"])
def test_a_file_that_is_not_there_is_not_passed(check: str) -> None:
    assert run(f"{check} missing.json")[0] == 2


@pytest.mark.parametrize("raw", [b"", b"not JSON", b'{"a": "x", "a": "y"}', b"\xff", b"[]", b'"x"'])
@pytest.mark.parametrize("check", ["json-none --path a --value x", "json-all --path a --value y"])
def test_a_report_that_cannot_be_read_is_not_passed(check: str, raw: bytes) -> None:
    assert run(f"{check} report.json", report_json=raw)[0] == 2


class TestJsonNone:
    @pytest.mark.parametrize(
        ("path", "report", "code"),
        [
            ("a", {"a": "good"}, 0),
            ("a", {"a": "bad"}, 1),
            ("a", {"a": None}, 2),
            ("a", {}, 2),
            ("a", {"a": {}}, 2),
            ("a", {"a": ["bad"]}, 2),
            ("a.b", {"a": {"b": "good"}}, 0),
            ("a.b", {"a": {"b": "bad"}}, 1),
            ("a.b", {"a": "bad"}, 2),
            ("a.b", {"a": {}}, 2),
            ("a[]", {"a": ["good", "fine"]}, 0),
            ("a[]", {"a": ["good", "bad"]}, 1),
            ("a[]", {"a": []}, 2),
            ("a[]", {"a": "bad"}, 2),
            ("a[].b", {"a": [{"b": "good"}, {"b": "bad"}]}, 1),
            ("a[].b", {"a": [{"b": "good"}, {}]}, 2),
            ("a[].b?", {"a": [{"b": "good"}, {}]}, 0),
            ("a[].b?", {"a": [{"b": "bad"}, {}]}, 1),
            ("a[].b[]?", {"a": [{"b": []}, {"b": ["good"]}]}, 0),
            ("a[].b[]?", {"a": [{"b": []}, {"b": ["bad"]}]}, 1),
            ("a[].b[]?", {"a": []}, 2),
            ("a[].b[]?.c", {"a": [{"b": [{"c": "bad"}]}]}, 1),
            ("a[].b[]?.c", {"a": [{"b": [{}]}]}, 2),
        ],
    )
    def test_no_value_may_be_listed_and_what_is_looked_for_must_be_there(
        self, path: str, report: object, code: int
    ) -> None:
        assert run(f"json-none --path '{path}' --value bad --value evil report.json", report_json=report)[0] == code

    @pytest.mark.parametrize(("value", "shown"), [(True, "true"), (False, "false"), (3, "3"), (1.5, "1.5")])
    def test_numbers_and_truth_values_are_compared_as_they_are_written(self, value: object, shown: str) -> None:
        assert run(f"json-none --path a --value {shown} r.json", r_json={"a": value})[0] == 1
        assert run("json-none --path a --value other r.json", r_json={"a": value})[0] == 0

    def test_letter_case_counts_without_a_preset(self) -> None:
        assert run("json-none --path a --value HIGH r.json", r_json={"a": "High"})[0] == 0

    def test_every_file_is_looked_at(self) -> None:
        good, bad = {"a": "good"}, {"a": "bad"}
        assert run("json-none --path a --value bad x.json y.json", x_json=good, y_json=good)[0] == 0
        assert run("json-none --path a --value bad x.json y.json", x_json=good, y_json=bad)[0] == 1
        assert run("json-none --path a --value bad x.json y.json", x_json=good)[0] == 2

    def test_what_is_required_must_be_there(self) -> None:
        line = "json-none --path 'a[]?' --value bad --require tool --require b[] r.json"
        assert run(line, r_json={"tool": "x", "b": [1]})[0] == 0
        for report in (
            {"b": [1]},
            {"tool": None, "b": [1]},
            {"tool": "x"},
            {"tool": "x", "b": []},
            {"tool": "x", "b": 1},
        ):
            assert run(line, r_json=report)[0] == 2

    def test_options_may_be_joined_to_their_values(self) -> None:
        assert run("json-none --path=a --value=b=c r.json", r_json={"a": "b=c"})[0] == 1

    def test_says_what_it_found(self) -> None:
        code, reason = run("json-none --path a[] --value bad r.json", r_json={"a": ["bad", "good", "bad"]})
        assert (code, reason) == (1, "r.json: 2 of 3 at a[] are bad")
        assert run("json-none --path a[] --value bad r.json", r_json={"a": ["good"]}) == (
            0, "1 values at a[] looked at, none of bad"
        )  # fmt: skip


class TestJsonAll:
    @pytest.mark.parametrize(
        ("report", "code"),
        [
            ({"a": ["ok", "fine"]}, 0),
            ({"a": ["ok", "bad"]}, 1),
            ({"a": []}, 2),
            ({}, 2),
            ({"a": None}, 2),
            ({"a": [None]}, 2),
        ],
    )
    def test_every_value_must_be_listed_and_there_must_be_one(self, report: object, code: int) -> None:
        assert run("json-all --path a[] --value ok --value fine r.json", r_json=report)[0] == code

    def test_nothing_selected_is_not_all(self) -> None:
        code, reason = run("json-all --path 'a[].b?' --value ok r.json", r_json={"a": [{}]})
        assert (code, reason) == (1, "r.json: a[].b? selects nothing")

    def test_says_what_differs(self) -> None:
        code, reason = run("json-all --path a[] --value ok r.json", r_json={"a": ["ok", "bad"]})
        assert (code, reason) == (1, "r.json: 1 of 2 at a[] differ, first 'bad'")
        assert run("json-all --path a[] --value ok r.json", r_json={"a": ["ok"]})[0] == 0


class TestPresets:
    def test_pass_a_report_with_nothing_listed(self) -> None:
        assert run(NO_CRITICAL, report_json=TRIVY)[0] == 0
        assert run("json-none --preset grype --severity high r.json", r_json=GRYPE)[0] == 0
        assert run("json-none --preset grype --severity high r.json", r_json={**GRYPE, "matches": []})[0] == 0

    @pytest.mark.parametrize("severity", ["CRITICAL", "critical", "High"])
    def test_find_what_is_listed_in_any_letter_case(self, severity: str) -> None:
        found = {**TRIVY, "Results": [*TRIVY["Results"], {"Vulnerabilities": [{"Severity": severity}]}]}
        assert run(NO_CRITICAL, report_json=found)[0] == 1
        found = {**GRYPE, "matches": [{"vulnerability": {"severity": severity}}]}
        assert run("json-none --preset grype --severity critical --severity high r.json", r_json=found)[0] == 1

    @pytest.mark.parametrize(
        "report",
        [
            {},
            {"SchemaVersion": 2, "ArtifactName": "app"},
            {**TRIVY, "Results": []},
            {**TRIVY, "Results": None},
            {**TRIVY, "SchemaVersion": None},
            {"Results": TRIVY["Results"]},
            {**TRIVY, "Results": [{"Vulnerabilities": [{"Title": "no severity"}]}]},
            {**TRIVY, "Results": [{"Vulnerabilities": {"Severity": "CRITICAL"}}]},
            {**TRIVY, "Results": [{"Vulnerabilities": [{"Severity": "VERY HIGH"}]}]},
            GRYPE,
        ],
    )
    def test_do_not_pass_what_is_no_report_of_a_scan(self, report: object) -> None:
        assert run(NO_CRITICAL, report_json=report)[0] == 2

    @pytest.mark.parametrize("missing", ["descriptor", "source", "matches"])
    def test_do_not_pass_a_grype_report_without_what_every_one_has(self, missing: str) -> None:
        report = {name: value for name, value in GRYPE.items() if name != missing}
        assert run("json-none --preset grype --severity high r.json", r_json=report)[0] == 2

    def test_know_their_tools(self) -> None:
        assert set(PRESETS) == {"trivy", "grype"}
        assert SEVERITIES[-1] == "CRITICAL"


class TestFileExists:
    def test_wants_every_file_with_something_in_it(self) -> None:
        assert run("file-exists a.txt b.txt", a_txt=b"x", b_txt=b"y")[0] == 0
        assert run("file-exists a.txt b.txt", a_txt=b"x", b_txt=b"") == (1, "b.txt: empty")
        assert run("file-exists a.txt b.txt", a_txt=b"x")[0] == 2


def test_every_check_has_its_options() -> None:
    for check in CHECKS:
        assert run(f"{check} --nonsense x f.json", f_json={})[1].startswith("unknown option --nonsense")


class TestImageBase:
    """`image-base` over images in files; over the target it is judged with the chain."""

    @staticmethod
    def over(line: str, **images: tuple[str, ...]) -> tuple[int, str]:
        def read(name: str) -> bytes:
            raise Malformed("no such file", path=name)

        def read_layers(place: str) -> Layers:
            return {"linux/amd64": images[place.removeprefix("oci:")]}

        return run_built_in([*BUILT_IN, "image-base", *shlex.split(line)], read, read_layers)

    def test_the_lowest_layers_must_be_those_of_a_base(self) -> None:
        a, b, c = (f"sha256:{letter * 64}" for letter in "abc")
        images = {"app": (a, b, c), "base": (a, b), "other": (b, a), "app2": (c, b)}
        assert self.over("oci:app --base oci:base", **images)[0] == 0
        assert self.over("oci:app --base oci:other --base oci:base", **images)[0] == 0
        assert self.over("oci:app --base oci:other", **images)[0] == 1
        assert self.over("oci:app2 --base oci:base", **images)[0] == 1
        assert self.over(f"oci:app --base {a}", **images)[0] == 1

    def test_the_target_is_not_known_here(self) -> None:
        code, reason = self.over("target --base materials:build/base")
        assert code == 2
        assert "the target is known only where a chain is judged" in reason


def test_an_option_that_is_none_is_answered_with_those_that_are() -> None:
    assert run("image-base target --bse x")[1].endswith("unknown option --bse of image-base (expected --base)")
    assert run("file-exists a --base x")[1].endswith("unknown option --base of file-exists (expected none)")
