"""Levels as text and as JSON: the published schema holds, and nothing moves a terminal."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from tests.sample_build import SampleBuild

from navicert.report.json import render_object
from navicert.report.level import Scale, levels_document, render_levels
from navicert.slsa.assess import Assessment

SCHEMA = json.loads(resources.files("navicert.report").joinpath("schema/levels-v1.json").read_text("utf-8"))
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "json-output.md"


def scales(found: Assessment) -> list[Scale]:
    return [Scale(one.track, one.title, one.check, one.reached, one.declared) for one in found.ladders]


def document(found: Assessment) -> dict[str, object]:
    made = levels_document(found.verdict, scales(found), properties=found.properties, dependencies=found.dependencies)
    read: dict[str, object] = json.loads(render_object(made))
    return read


def text(found: Assessment, **more: bool) -> str:
    return render_levels(
        found.verdict, scales(found), properties=found.properties, dependencies=found.dependencies, width=100, **more
    )


def builds() -> dict[str, SampleBuild]:
    nothing, less, declared = SampleBuild(documents=[]), SampleBuild(), SampleBuild()
    nothing.documents = []
    less.line["level"] = 2
    declared.expectations["declared"] = {"service": "by contract"}
    declared.expectations["builders"] = []
    return {"all": SampleBuild(), "nothing": nothing, "less": less, "declared": declared}


@pytest.mark.parametrize("name", builds())
def test_what_is_printed_conforms_to_the_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document(builds()[name].assess()))


def test_every_field_is_in_the_schema_and_in_the_documentation() -> None:
    made = document(SampleBuild().assess())
    page = PAGE.read_text(encoding="utf-8")
    assert set(made) == set(SCHEMA["required"]) == set(SCHEMA["properties"])
    tracks = made["tracks"]
    assert isinstance(tracks, list)
    for track in tracks:
        assert set(track) == set(SCHEMA["$defs"]["track"]["required"])
        for requirement in track["requirements"]:
            assert list(requirement) == SCHEMA["$defs"]["requirement"]["required"]
    for name in (*made, *SCHEMA["$defs"]["track"]["required"], *SCHEMA["$defs"]["requirement"]["required"]):
        assert f"`{name}`" in page


def test_what_is_missing_is_named_with_its_reason_its_sentence_and_a_remedy() -> None:
    build = SampleBuild()
    build.line["level"] = 2
    shown = text(build.assess())
    assert "Build L2 (of Build L3)" in shown
    assert "SLSA v1.2 Build: Build L3 lacks" in shown
    assert "- builds are isolated: " in shown
    assert "asked for by SLSA v1.2 Build L3: Isolated" in shown
    assert "do: Use a builder that reaches level 3" in shown
    assert "SLSA v0.1, as evidenced: level 3 lacks" in shown


def test_every_line_fits_and_nothing_moves_a_terminal() -> None:
    build = SampleBuild()
    build.expected["builder"] = "https://evil.example/\x1b[2K\u202e" + "x" * 300
    for verbose in (False, True):
        shown = text(build.assess(), verbose=verbose)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        if not verbose:
            assert max(map(len, shown.splitlines())) <= 100


def test_verbose_lists_every_requirement_with_its_class() -> None:
    shown = text(SampleBuild().assess(), verbose=True)
    assert "met      provenance exists" in shown
    assert "[cryptographic]" in shown
    assert "note     Common – security" in shown


def test_a_caution_in_a_level_that_was_reached_is_said() -> None:
    build = SampleBuild()
    del build.expectations["images"]
    assert "warn  built as expected: nobody said what is expected" in text(build.assess())


def test_near_misses_are_named() -> None:
    build = SampleBuild()
    build.sign(0, build.mallory)
    assert "near miss: 0.intoto.json: claims to be https://ci.example/builder/v1" in text(build.assess())
