"""Inspections: commands that the verifier runs in a folder with the files to inspect (`files`).

Spec: in-toto v1.0 §4.3.4, §5.2 (10, 11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from vectors.generators.material import APP, OTHER, PLAIN
from vectors.generators.vector import PASS, Expected, Vector, fails, of

from navicert.model.layout import Inspection
from navicert.testing import Rules, rules

SPEC = "in-toto v1.0 §5.2 (10): inspections are run, and must return 0"
RULES = "in-toto v1.0 §5.2 (11): the rules of inspections are applied"
TIED: Rules = ("MATCH app WITH PRODUCTS FROM build", "DISALLOW *")


def _inspected(
    attack: str,
    run: Sequence[str],
    *,
    materials: Rules = TIED,
    products: Rules = (),
    files: Mapping[str, bytes] | None = None,
    strict: Expected = PASS,
    in_toto: str = "pass",
    spec: str = SPEC,
    control: str = "",
) -> Vector:
    made = PLAIN.having(inspections=(Inspection("look", tuple(run), rules(materials), rules(products)),))
    given = {"app": APP} if files is None else dict(files)
    return of(made, attack=attack, spec=spec, in_toto=in_toto, strict=strict, files=given, control=control)


def inspection() -> Vector:
    """The command returns 0, and what it looked at is what the step made."""
    return _inspected("none: the control of cases about inspections", ["test", "-s", "app"])


def inspection_that_fails() -> Vector:
    """The command returns 1."""
    return _inspected(
        "a finding that is ignored",
        ["test", "-d", "app"],
        strict=fails("inspection", "inspection.run", "returned 1"),
        in_toto="BadReturnValueError",
        control="inspection",
    )


def inspection_without_command() -> Vector:
    """There is nothing to run."""
    return _inspected(
        "absence of a result taken for a good one",
        [],
        strict=fails("inspection", "inspection.run", "names no command"),
        in_toto="BadReturnValueError",
        control="inspection",
    )


def inspection_of_another_file() -> Vector:
    """What lies in the folder is not what the step made: a rule ties the two, and fails."""
    return _inspected(
        "a clean file shown to the inspection instead of the one that is used",
        ["test", "-s", "app"],
        files={"app": OTHER},
        strict=fails("rules", "rule.match-unsatisfied", '"app" differs'),
        in_toto="RuleVerificationError",
        spec=RULES,
        control="inspection",
    ).having(upstream=fails("rules", "rule.disallow", '"app"'))


def inspection_that_leaves_a_file() -> Vector:
    """The command makes a file that the rules on its products do not allow."""
    return _inspected(
        "an inspection that changes what it looks at",
        ["touch", "left"],
        products=["ALLOW app", "DISALLOW *"],
        strict=fails("rules", "rule.disallow", '"left"'),
        in_toto="RuleVerificationError",
        spec=RULES,
        control="inspection",
    )


def inspection_of_nothing() -> Vector:
    """The folder is empty, and the rule asks for the file."""
    return _inspected(
        "an inspection that looked at nothing",
        ["true"],
        materials=["REQUIRE app", *TIED],
        files={".keep": b""},
        strict=fails("rules", "rule.require", '"app": is not there'),
        in_toto="RuleVerificationError",
        spec=RULES,
        control="inspection",
    )


BUILT_IN = "Navicert: a report that lacks what is looked for proves nothing"
NO_CRITICAL = ("navicert", "inspect", "json-none", "scan.json", "--preset", "trivy", "--severity", "CRITICAL")


def _report(
    attack: str, report: object, *, strict: Expected = PASS, in_toto: str = "pass", control: str = ""
) -> Vector:
    return _inspected(
        attack,
        NO_CRITICAL,
        materials=["MATCH app WITH PRODUCTS FROM build", "ALLOW scan.json", "DISALLOW *"],
        files={"app": APP, "scan.json": json.dumps(report).encode()},
        strict=strict,
        in_toto=in_toto,
        spec=BUILT_IN,
        control=control,
    )


CLEAN = {
    "SchemaVersion": 2,
    "ArtifactName": "app",
    "Results": [{"Target": "app", "Vulnerabilities": [{"Severity": "LOW"}]}],
}


def report_without_findings() -> Vector:
    """A scan report that is one, with nothing critical in it."""
    return _report("none: the control of cases about reports", CLEAN)


def report_with_a_finding() -> Vector:
    """One critical vulnerability."""
    return _report(
        "a known hole that is shipped",
        {**CLEAN, "Results": [{"Target": "app", "Vulnerabilities": [{"Severity": "CRITICAL"}]}]},
        strict=fails("inspection", "inspection.run", "CRITICAL"),
        in_toto="BadReturnValueError",
        control="report-without-findings",
    )


def report_that_is_empty() -> Vector:
    """An object without anything in it: nothing was scanned."""
    return _report(
        "a scanner that broke taken for one that found nothing",
        {},
        strict=fails("inspection", "inspection.run", "selects nothing"),
        in_toto="BadReturnValueError",
        control="report-without-findings",
    )


def report_with_no_results() -> Vector:
    """The scanner ran, and knew nothing of what it was given."""
    return _report(
        "a scan of nothing taken for one that found nothing",
        {"SchemaVersion": 2, "ArtifactName": "app", "Results": []},
        strict=fails("inspection", "inspection.run", "selects nothing"),
        in_toto="BadReturnValueError",
        control="report-without-findings",
    )
