"""What attestations are about: names become descriptors with digests that decide."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from navicert.digest import DigestSet, digest_of
from navicert.errors import Malformed
from navicert.oci.shelf import Placed
from navicert.resolve.subject import file_digests, subjects_of
from navicert.testing import digests


def nowhere(spec: str) -> Placed:
    raise AssertionError(f"{spec} was looked up")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dist").mkdir()
    for name in ("a", "b"):
        Path("dist", name).write_text(name)


def found(spec: str) -> dict[str | None, DigestSet]:
    return {one.name: one.digests for one in subjects_of(spec, nowhere)}


def test_files_are_called_by_their_paths_or_as_asked() -> None:
    assert found("dist/a") == {"dist/a": digests(b"a")}
    assert found("app=dist/a") == {"app": digests(b"a")}
    assert found("dist/*") == {"dist/a": digests(b"a"), "dist/b": digests(b"b")}
    assert found("dist") == found("dist/*")


def test_a_digest_stands_for_itself() -> None:
    assert found(f"sha256:{'A' * 64}") == {None: DigestSet.of({"sha256": "a" * 64})}
    assert found(f"app=gitCommit:{'a' * 40}") == {"app": DigestSet.of({"gitCommit": "a" * 40})}


def test_a_folder_may_be_one_thing() -> None:
    assert list(found("dir:dist")) == ["dir:dist"]


def test_a_commit_is_named_by_git(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (one,) = subjects_of("git:.", nowhere)
    assert dict(one.digests)["gitCommit"] == commit


@pytest.mark.parametrize("spec", ["nosuch", "app=", "=dist/a", "app=dist/*", "sha256:ab", "md5:" + "a" * 32, "dist/c*"])
def test_what_has_no_digest_that_decides_is_refused(spec: str) -> None:
    with pytest.raises(Malformed):
        subjects_of(spec, nowhere)


def test_a_file_has_the_digests_that_are_asked_for() -> None:
    assert {name for name, _ in file_digests("dist/a", ("sha256", "sha512"))} == {"sha256", "sha512"}


@pytest.mark.parametrize(
    ("text", "known"),
    [(f"sha512:{'a' * 128}", True), (f"gitTree:{'a' * 64}", True), ("oci:dir", False), ("app", False), ("x:1", False)],
)
def test_a_digest_is_told_from_other_names(text: str, known: bool) -> None:
    assert (digest_of(text) is not None) is known
