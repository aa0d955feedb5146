"""Names become artifacts: each by its scheme, together in one order, and never two contents under one name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.resolve import merge, resolve, resolve_all, told_afterwards
from navicert.resolve.artifact import NameConflict, ResolveOptions


@pytest.fixture
def options(tmp_path: Path) -> ResolveOptions:
    return ResolveOptions(cwd=str(tmp_path))


def test_kinds_of_artifacts_stand_beside_each_other_in_the_order_of_names(
    tmp_path: Path, options: ResolveOptions
) -> None:
    builder = LayoutBuilder(tmp_path / "image")
    builder.contents(builder.image())
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a").write_text("a")
    found = resolve_all(["src", "app=oci:image", "dir:src"], options)
    assert list(found.artifacts) == sorted(found.artifacts)
    assert {"src/a", "dir:src", "app/linux/amd64/content"} <= set(found.artifacts)


@pytest.mark.parametrize("spec", ["http://x/y", "gti:commit", "https://x", "docker:app", "app=docker:x"])
def test_a_scheme_that_nobody_knows_is_refused_and_no_missing_file(spec: str, options: ResolveOptions) -> None:
    """A slip of the pen that records nothing would look like a step without artifacts."""
    if "=" in spec:
        found = resolve(spec, options)
        assert not found.artifacts
        assert found.warnings
        return
    with pytest.raises(Malformed, match="unknown kind of artifact"):
        resolve(spec, options)


def test_a_file_whose_name_looks_like_a_scheme_is_a_file(tmp_path: Path, options: ResolveOptions) -> None:
    (tmp_path / "docker:app").write_text("x")
    assert list(resolve("docker:app", options).artifacts) == ["docker:app"]
    (tmp_path / "git:x").write_text("x")
    assert list(resolve("file:git:x", options).artifacts) == ["file:git:x"]


def test_two_contents_under_one_name_are_refused(tmp_path: Path, options: ResolveOptions) -> None:
    for name, files in (("one", {"a": b"1"}), ("two", {"a": b"2"})):
        builder = LayoutBuilder(tmp_path / name)
        builder.contents(builder.image(files))
    with pytest.raises(NameConflict, match="two artifacts would be recorded as"):
        resolve_all(["app=oci:one", "app=oci:two"], options)
    assert len(resolve_all(["app=oci:one", "app=oci:one"], options).artifacts) == 4


def test_a_file_cannot_stand_for_a_part_of_an_image(tmp_path: Path, options: ResolveOptions) -> None:
    builder = LayoutBuilder(tmp_path / "image")
    builder.contents(builder.image())
    (tmp_path / "app/linux/amd64").mkdir(parents=True)
    (tmp_path / "app/linux/amd64/content").write_text("evil")
    with pytest.raises(NameConflict):
        resolve_all(["app=oci:image", "app"], options)


def test_merging_keeps_what_is_equal_and_refuses_what_differs() -> None:
    one, two = (DigestSet.of({"sha256": hashlib.sha256(text).hexdigest()}) for text in (b"1", b"2"))
    found = {"a": one}
    merge(found, {"a": one, "b": two}, "spec")
    assert found == {"a": one, "b": two}
    with pytest.raises(NameConflict) as caught:
        merge(found, {"b": one}, "spec")
    assert caught.value.path == "spec"


def test_names_that_differ_by_case_only_are_told(tmp_path: Path, options: ResolveOptions) -> None:
    for name in ("Readme", "README"):
        (tmp_path / name).write_text(name)
    assert any("letter case" in line for line in resolve(".", options).warnings)


@pytest.mark.parametrize(
    ("spec", "late"),
    [
        ("src", False),
        ("base=from:Dockerfile", False),
        ("base=from:Dockerfile,metadata=m", True),
        ("base=from:Dockerfile,built=oci:x", True),
        ("a=from:D,stage=metadata=x", False),
        ("from:Dockerfile,metadata=m", False),
    ],
)
def test_only_what_a_builder_tells_is_told_afterwards(spec: str, late: bool) -> None:
    assert told_afterwards(spec) is late


def test_progress_ends_with_nothing_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    told: list[tuple[int, int]] = []
    resolve(".", ResolveOptions(cwd=str(tmp_path), progress=lambda files, size: told.append((files, size))))
    assert told[-1] == (0, 0)


def test_nothing_named_is_nothing_recorded(options: ResolveOptions) -> None:
    found = resolve_all([], options)
    assert not found.artifacts
    assert found.warnings == ()
    assert os.listdir(options.cwd) == []
