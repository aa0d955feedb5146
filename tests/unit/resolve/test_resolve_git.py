"""`git:`: what is checked out in a repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from navicert.errors import Malformed, Unavailable
from navicert.resolve import resolve
from navicert.resolve.artifact import Resolved, ResolveOptions

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "b").write_text("b\n")
    (folder / "sub/a").write_text("a\n")
    (folder / "sub/tool").write_text("#!/bin/sh\n")
    (folder / "sub/tool").chmod(0o755)
    (folder / "link").symlink_to("sub/a")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def of(folder: Path, spec: str = "git:repo") -> Resolved:
    return resolve(spec, ResolveOptions(cwd=str(folder.parent)))


def test_commit_tree_and_listing_are_recorded(repository):
    found = of(repository)
    listing = b""
    for mode, content, name in [
        (b"100644", b"ignored\n", b".gitignore"),
        (b"100644", b"b\n", b"b"),
        (b"120000", b"sub/a", b"link"),
        (b"100644", b"a\n", b"sub/a"),
        (b"100755", b"#!/bin/sh\n", b"sub/tool"),
    ]:
        listing += mode + b" blob " + hashlib.sha256(content).hexdigest().encode() + b"\t" + name + b"\0"
    assert {name: dict(digests) for name, digests in found.artifacts.items()} == {
        "git:repo": {
            "gitCommit": git(repository, "rev-parse", "HEAD"),
            "gitTree": git(repository, "rev-parse", "HEAD^{tree}"),
            "sha256": hashlib.sha256(listing).hexdigest(),
        }
    }
    assert found.warnings == ()


def test_ignored_files_do_not_matter(repository):
    (repository / "ignored").write_text("x")
    assert of(repository).warnings == ()


@pytest.mark.parametrize("change", ["modified", "deleted", "untracked", "mode of link", "staged"])
def test_a_work_tree_that_is_not_as_in_the_commit_warns(repository, change):
    before = of(repository).artifacts
    if change == "modified":
        (repository / "b").write_text("c\n")
    elif change == "deleted":
        (repository / "b").unlink()
    elif change == "untracked":
        (repository / "new").write_text("x")
    elif change == "mode of link":
        (repository / "link").unlink()
        (repository / "link").write_text("sub/a")
    else:
        (repository / "new").write_text("x")
        git(repository, "add", "new")
    found = of(repository)
    assert found.artifacts == before
    assert found.warnings == ("files that are not as in the commit, which alone is recorded: 1 in git:repo",)


def test_a_bare_repository_has_no_work_tree_to_differ(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare")
    bare = resolve("git:bare", ResolveOptions(cwd=str(tmp_path)))
    assert dict(bare.artifacts["git:bare"]) == dict(of(repository).artifacts["git:repo"])
    assert bare.warnings == ()


def test_an_empty_tree_has_an_empty_listing(tmp_path):
    git(tmp_path, "init", "-q", "repo")
    git(tmp_path / "repo", "commit", "-q", "--allow-empty", "-m", "none")
    assert dict(of(tmp_path / "repo").artifacts["git:repo"])["sha256"] == hashlib.sha256().hexdigest()


def test_a_submodule_stands_as_its_commit(repository, tmp_path):
    commit = git(repository, "rev-parse", "HEAD")
    git(tmp_path, "init", "-q", "outer")
    git(tmp_path / "outer", "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "inner")
    git(tmp_path / "outer", "commit", "-q", "-m", "sub")
    found = resolve("git:outer", ResolveOptions(cwd=str(tmp_path)))
    modules = hashlib.sha256((tmp_path / "outer/.gitmodules").read_bytes()).hexdigest()
    listing = "".join(f"{line}\0" for line in [f"100644 blob {modules}\t.gitmodules", f"160000 commit {commit}\tinner"])
    assert dict(found.artifacts["git:outer"])["sha256"] == hashlib.sha256(listing.encode()).hexdigest()


def test_a_file_larger_than_a_pipe_is_hashed_whole(repository):
    (repository / "large").write_bytes(os.urandom(3_000_000))
    git(repository, "add", "large")
    git(repository, "commit", "-q", "-m", "large")
    assert of(repository).warnings == ()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [("git:nothing", "not a folder"), ("git:plain", "git cannot read it"), ("git:fresh", "git cannot read it")],
)
def test_what_is_no_repository_with_a_commit_is_refused(tmp_path, spec, reason):
    (tmp_path / "plain").mkdir()
    git(tmp_path, "init", "-q", "fresh")
    with pytest.raises(Malformed, match=reason):
        resolve(spec, ResolveOptions(cwd=str(tmp_path)))


def test_a_folder_inside_a_work_tree_is_refused(repository):
    with pytest.raises(Malformed, match="git cannot read it"):
        of(repository, "git:repo/sub")
    with pytest.raises(Malformed, match="not the top of a work tree"):
        of(repository, "git:repo/.git")


def test_a_missing_object_is_reported(repository):
    blob = git(repository, "rev-parse", "HEAD:b")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Unavailable, match="lacks an object"):
        of(repository)


def test_without_git_the_remedy_is_to_install_it(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Unavailable, match="install git"):
        of(repository)
