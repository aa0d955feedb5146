"""Targets: what is about to be used, as the digests that it must be bound by."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder, tagged

from navicert.errors import Malformed, NavicertError
from navicert.resolve.target import open_target, reference_of


def hexadecimal(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("r.example/app:1", "r.example/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("127.0.0.1:5000/app:1", "127.0.0.1:5000/app:1"),
        ("registry:alpine:3.20", "docker.io/library/alpine:3.20"),
        ("registry:r.example/app", "r.example/app:latest"),
    ],
)
def test_a_text_with_a_host_is_a_reference(spec: str, name: str) -> None:
    assert str(reference_of(spec)) == name


@pytest.mark.parametrize(
    "spec",
    [
        "app",
        "app:1.0",
        "team/app:1",
        "dist/app.tar",
        "oci:image",
        "oci:r.example/app",
        "file:r.example/app",
        "R.ex/A/b",
    ],
)
def test_whatever_else_is_none(spec: str) -> None:
    assert reference_of(spec) is None


def test_a_file_of_that_name_comes_first(tmp_path: Path) -> None:
    """What lies here is what is about to be used; a registry that is asked in its place would learn of it, too."""
    (tmp_path / "r.example").mkdir()
    (tmp_path / "r.example/app:1").write_text("x")
    assert reference_of("r.example/app:1") is None
    os.symlink("nowhere", tmp_path / "registry:app")
    assert reference_of("registry:app") is None


@pytest.mark.parametrize("spec", ["registry:", "registry:A B", "registry:r.example/app@sha256:abc"])
def test_a_reference_that_says_so_and_is_none_is_refused(spec: str) -> None:
    with pytest.raises(Malformed):
        reference_of(spec)


def test_a_file_is_its_digest_and_the_texts_that_stand_for_it(tmp_path: Path) -> None:
    (tmp_path / "app.tar").write_bytes(b"content")
    target = open_target("file:app.tar")
    (part,) = target.parts
    digest = hexadecimal(b"content")
    assert (target.kind, part.label, part.digests) == ("file", "app.tar", frozenset({digest}))
    for text in (digest, f"{digest}\n", f"sha256:{digest}", f"sha256:{digest}\n", f"{digest}  app.tar\n"):
        assert hexadecimal(text.encode()) in part.texts
    assert hexadecimal(digest.upper().encode()) not in part.texts


def test_a_folder_is_all_of_its_files_also_those_that_recording_leaves_out(tmp_path: Path) -> None:
    """A file that no rule covers would be used all the same."""
    (tmp_path / "dist/.git").mkdir(parents=True)
    for name in ("app", "x.link", "a.pyc", "b~", ".git/hook"):
        (tmp_path / "dist" / name).write_text(name)
    target = open_target("dist")
    assert target.kind == "directory"
    assert {part.label for part in target.parts} == {"app", "x.link", "a.pyc", "b~", ".git/hook"}


def test_a_folder_with_something_that_cannot_be_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/app").write_text("x")
    os.mkfifo(tmp_path / "dist/pipe")
    with pytest.raises(Malformed, match="cannot be bound as a whole"):
        open_target("dist")


def test_an_empty_folder_binds_nothing_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    with pytest.raises(NavicertError):
        open_target("dist")


@pytest.mark.parametrize("spec", ["gone", "", "oci:gone", "docker-archive:gone.tar", "team/app"])
def test_what_is_not_there_is_no_target(spec: str) -> None:
    with pytest.raises(Malformed):
        open_target(spec)


def test_an_image_is_bound_by_index_and_platforms_as_the_scope_says(tmp_path: Path) -> None:
    builder = LayoutBuilder(tmp_path / "image")
    amd64, arm64 = ({"os": "linux", "architecture": name} for name in ("amd64", "arm64"))
    children = [
        builder.image({"a": b"1"}, platform=amd64),
        builder.image({"a": b"2"}, config={"architecture": "arm64"}, platform=arm64),
    ]
    index = builder.index(children)
    builder.contents(tagged(index, "v1"))
    by_scope = {scope: open_target("oci:image:v1", scope=scope) for scope in ("either", "index", "every-platform")}
    either = by_scope["either"]
    assert [part.label for part in either.parts] == ["linux/amd64", "linux/arm64"]
    assert either.whole is not None
    assert either.whole.digests == frozenset({index["digest"].removeprefix("sha256:")})
    assert (by_scope["index"].parts, by_scope["index"].whole) == ((), either.whole)
    assert (by_scope["every-platform"].parts, by_scope["every-platform"].whole) == (either.parts, None)
    for part, child in zip(either.parts, children, strict=True):
        assert child["digest"].removeprefix("sha256:") in part.digests
    builder.contents(children[0])
    single = open_target("oci:image", scope="index")
    assert single.whole is None
    assert len(single.parts) == 1
