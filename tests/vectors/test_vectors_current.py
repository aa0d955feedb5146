"""The files in `vectors/` are what the generators make, and what the schema says they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from vectors import generate

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "vectors" / "cases").glob("*.json"))
SCHEMA = json.loads((ROOT / "vectors" / "schema.json").read_bytes())


def test_the_generators_make_these_bytes() -> None:
    assert generate.outdated() == []


def test_there_are_enough_of_them() -> None:
    assert len(PATHS) >= 70


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_case_has_the_form_of_the_schema(path: Path) -> None:
    case = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(case)
    assert case["name"] == path.stem
    assert case["expect"] == case["profiles"]["strict"]["expect"]
    assert set(case.get("refused", {})) <= set(case["evidence"])
    assert case["attack"].startswith("none") or case["expect"] != "pass"


def test_the_readme_describes_every_field_and_layer() -> None:
    text = (ROOT / "vectors" / "README.md").read_text()
    for name in (*SCHEMA["properties"], *SCHEMA["$defs"]["layer"]["enum"]):
        assert f"`{name}`" in text, name


def test_a_case_unpacks_with_nothing_but_python(tmp_path: Path) -> None:
    script, case = ROOT / "vectors" / "unpack.py", ROOT / "vectors" / "cases" / "inspection.json"
    subprocess.run([sys.executable, "-I", "-S", script, case, tmp_path / "out"], check=True, cwd=tmp_path)
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    link = next(iter(json.loads(case.read_bytes())["evidence"]))
    assert found == [f"evidence/{link}", "inspect/app", "owner-1.pub", "root.layout"]


def test_a_case_that_was_changed_by_hand_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = tmp_path / "cases"
    monkeypatch.setattr(generate, "HERE", tmp_path)
    monkeypatch.setattr(generate, "CASES", cases)
    monkeypatch.setattr(generate, "LIST", tmp_path / "CASES.md")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    changed = cases / "plain.json"
    changed.write_bytes(changed.read_bytes().replace(b'"expect": "pass"', b'"expect": "json"', 1))
    (cases / "expired.json").unlink()
    (cases / "stray.json").write_bytes(b"{}")
    assert generate.outdated() == ["cases/expired.json", "cases/plain.json", "cases/stray.json"]
    assert generate.main(["--check"]) == 1
