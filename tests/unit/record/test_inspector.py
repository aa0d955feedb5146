"""Inspections run on copies."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder, config_json, entries_of, tagged, tar_of

from navicert.model.layout import Inspection
from navicert.record.inspector import ProcessInspector
from navicert.record.process import NOWHERE
from navicert.resolve import image
from navicert.verify.case import InspectionResult


def inspect(source: Path, *run: str, **options: object) -> InspectionResult:
    with ProcessInspector(str(source), output=NOWHERE, **options) as inspector:  # type: ignore[arg-type]
        return inspector.inspect(Inspection("look", run))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "d").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "d/tool").write_text("#!/bin/sh\necho hello\n")
    (folder / "d/tool").chmod(0o4755)
    return folder


def test_materials_and_products_are_the_files_before_and_after(source):
    result = inspect(source, "sh", "-c", "echo b > b; rm a; echo said; exit 3")
    assert result.problem == ""
    assert result.return_value == 3
    assert list(result.materials) == ["a", "d/tool"]
    assert list(result.products) == ["b", "d/tool"]
    assert result.output == "said\n"


def test_the_source_is_not_changed(source):
    inspect(source, "sh", "-c", "rm -rf a d; touch new")
    assert sorted(path.name for path in source.iterdir()) == ["a", "d"]
    assert (source / "a").read_text() == "a"


def test_a_hard_link_cannot_reach_the_source(source):
    inspect(source, "sh", "-c", "echo changed > a")
    assert (source / "a").read_text() == "a"


def test_copies_can_be_executed_but_not_as_somebody_else(source):
    result = inspect(source, "sh", "-c", "./d/tool; stat -c %a d/tool")
    assert result.output == "hello\n755\n"
    assert stat.S_IMODE(os.stat(source / "d/tool").st_mode) == 0o4755


def test_inspections_share_the_folder_which_is_removed_at_the_end(source):
    with ProcessInspector(str(source), output=NOWHERE) as inspector:
        where = inspector.inspect(Inspection("one", ("sh", "-c", "pwd; touch unpacked"))).output.strip()
        second = inspector.inspect(Inspection("two", ("navicert", "inspect", "file-exists", "a")))
        assert "unpacked" in second.materials
        assert where != str(source)
        assert os.path.isdir(where)
    assert not os.path.exists(where)


def test_the_command_reads_nothing_from_us(source):
    assert inspect(source, "cat").return_value == 0


@pytest.mark.parametrize(
    ("run", "problem"),
    [((), "names no command"), (("no-such-program",), "command not found"), (("./a",), "cannot be executed")],
)
def test_what_cannot_be_run_is_a_problem(source, run, problem):
    result = inspect(source, *run)
    assert problem in result.problem
    assert result.return_value is None


def test_an_inspection_that_takes_too_long_is_a_problem(source):
    assert "still running" in inspect(source, "sleep", "60", timeout=0.2).problem


def test_a_folder_that_is_not_there_is_a_problem(tmp_path):
    assert "no such folder" in inspect(tmp_path / "nothing", "true").problem
    assert "no such folder" in inspect(tmp_path / "nothing", "navicert", "inspect", "file-exists", "a").problem


@pytest.mark.parametrize("run", [("true",), ("navicert", "inspect", "file-exists", "a")])
@pytest.mark.parametrize("kind", ["file", "folder", "absolute"])
def test_a_link_that_leads_out_is_a_problem_and_not_a_way_out(source, tmp_path, run, kind):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    target = {"file": "../outside/secret", "folder": "../outside", "absolute": str(tmp_path / "outside/secret")}[kind]
    (source / "way").symlink_to(target)
    result = inspect(source, *run)
    assert "leads out of the folder" in result.problem
    assert result.return_value is None


def test_links_inside_are_copied_as_what_they_lead_to(source):
    (source / "same").symlink_to("a")
    (source / "again").symlink_to("d")
    (source / "d/up").symlink_to("..")
    (source / "broken").symlink_to("nothing")
    result = inspect(source, "find", ".", "-type", "l")
    assert result.output == ""
    assert list(result.materials) == ["a", "again/tool", "d/tool", "same"]


def test_built_in_inspections_need_no_process(source, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    (source / "report.json").write_text(json.dumps({"findings": [{"level": "LOW"}]}))
    run = ("navicert", "inspect", "json-none", "report.json", "--path", "findings[].level", "--value", "HIGH")
    result = inspect(source, *run)
    assert (result.return_value, result.problem) == (0, "")
    assert result.materials == result.products
    assert "report.json" in result.materials


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "nothing", "d"])
def test_a_built_in_inspection_reads_only_files_of_the_folder(source, tmp_path, name):
    (tmp_path / "outside").write_text("x")
    result = inspect(source, "navicert", "inspect", "file-exists", name)
    assert result.return_value != 0


def write_image(path: Path, count: int, *, tag: str = "") -> None:
    """An OCI layout with an image of the first `count` of three layers."""
    builder = LayoutBuilder(path)
    made = [builder.layer({"a": bytes([number])}) for number in range(count)]
    manifest = builder.manifest(config_json([diff_id for _, diff_id in made]), [layer for layer, _ in made])
    builder.contents(tagged(manifest, tag) if tag else manifest)


IMAGE_BASE = ("navicert", "inspect", "image-base")


def test_the_base_of_an_image_is_looked_at_in_files(tmp_path):
    write_image(tmp_path / "app", 3, tag="1.0")
    write_image(tmp_path / "base", 2)
    result = inspect(tmp_path, *IMAGE_BASE, "oci:app:1.0", "--base", "oci:base")
    assert (result.problem, result.return_value) == ("", 0)
    assert result.output == "linux/amd64: the lowest 2 of 3 layers are oci:base"
    assert "app/index.json" in result.materials
    result = inspect(tmp_path, *IMAGE_BASE, "oci:base", "--base", "oci:app")
    assert (result.return_value, result.output) == (1, "linux/amd64: its lowest layers are not oci:app")


@pytest.mark.parametrize("spec", ["oci:../base", "oci:{}", "oci-archive:../base.tar", "oci:link"])
def test_the_base_of_an_image_is_not_looked_for_outside_the_folder(tmp_path, spec):
    folder = tmp_path / "folder"
    write_image(folder / "app", 3)
    write_image(tmp_path / "base", 2)
    tar_of(entries_of(tmp_path / "base"), tmp_path / "base.tar")
    if spec == "oci:link":
        (folder / "link").symlink_to("../base")
    result = inspect(folder, *IMAGE_BASE, "oci:app", "--base", spec.format(tmp_path / "base"))
    assert result.problem or result.return_value == 2
    assert "leads out" in result.problem + result.output


@pytest.mark.parametrize("image", ["target", "oci:missing"])
def test_an_image_that_is_not_there_does_not_pass(tmp_path, image):
    write_image(tmp_path / "base", 2)
    result = inspect(tmp_path, *IMAGE_BASE, image, f"--base=sha256:{'ab' * 32}")
    assert result.return_value == 2 or result.problem


def test_a_damaged_image_has_no_base(tmp_path):
    write_image(tmp_path / "app", 3)
    write_image(tmp_path / "base", 2)
    layer = max((tmp_path / "app/blobs/sha256").iterdir(), key=lambda file: file.stat().st_size)
    layer.write_bytes(layer.read_bytes()[:-1] + b"x")
    result = inspect(tmp_path, *IMAGE_BASE, "oci:app", "--base", "oci:base")
    assert result.return_value == 2


def test_an_image_that_changes_while_it_is_read_has_no_base(tmp_path, monkeypatch):
    write_image(tmp_path / "app", 3)
    write_image(tmp_path / "base", 2)
    reading = image.open_image

    def change(*args, **more):
        (tmp_path / "new").write_text("new")
        return reading(*args, **more)

    monkeypatch.setattr(image, "open_image", change)
    result = inspect(tmp_path, *IMAGE_BASE, "oci:app", "--base", "oci:base")
    assert result.return_value == 2
    assert "something changed" in result.output
