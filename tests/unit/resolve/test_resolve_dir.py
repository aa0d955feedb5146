"""`dir:` and `ostree:`: many files as one artifact."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest

from navicert.errors import Malformed, Unavailable
from navicert.resolve import resolve, resolve_all
from navicert.resolve.artifact import ResolveOptions


@pytest.fixture
def tree(tmp_path):
    for name in ["b", "a", "sub/c", "sub/.d", "Z", "é", "x.pyc"]:
        path = tmp_path / "d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_the_digest_is_over_a_sorted_listing(tree):
    found = resolve("dir:d", ResolveOptions(cwd=str(tree))).artifacts
    listing = "".join(
        f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ["Z", "a", "b", "sub/.d", "sub/c", "é"]
    )
    assert {name: dict(digests) for name, digests in found.items()} == {
        "dir:d": {"sha256": hashlib.sha256(listing.encode()).hexdigest()}
    }


@pytest.mark.skipif(shutil.which("find") is None, reason="needs find")
def test_a_shell_gives_the_same_digest(tree):
    command = (
        "find . -type f ! -name '*.pyc' | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum | cut -f1 -d' '"
    )
    output = subprocess.run(["sh", "-c", command], cwd=tree / "d", capture_output=True, text=True, check=True).stdout
    assert dict(resolve("dir:d", ResolveOptions(cwd=str(tree))).artifacts["dir:d"])["sha256"] == output.strip()


def test_an_empty_folder_has_an_empty_listing_and_no_warning(tmp_path):
    (tmp_path / "empty").mkdir()
    found = resolve("dir:empty", ResolveOptions(cwd=str(tmp_path), algorithms=("sha256", "sha512")))
    assert dict(found.artifacts["dir:empty"]) == {
        "sha256": hashlib.sha256().hexdigest(),
        "sha512": hashlib.sha512().hexdigest(),
    }
    assert found.warnings == ()


def test_prefixes_are_stripped_from_the_folder_but_not_inside(tree):
    plain = resolve("dir:d/sub", ResolveOptions(cwd=str(tree))).artifacts["dir:d/sub"]
    assert resolve("dir:d/sub", ResolveOptions(cwd=str(tree), lstrip_paths=("d/", "c"))).artifacts == {"dir:sub": plain}


@pytest.mark.parametrize("spec", ["dir:nothing", "dir:d/a", "dir:", "dir:a\0b"])
def test_what_is_no_folder_is_refused(tree, spec):
    with pytest.raises(Malformed, match="not a folder"):
        resolve(spec, ResolveOptions(cwd=str(tree)))


def test_an_ostree_reference_is_the_digest_of_its_commit(tmp_path):
    commit = "ab" + "c" * 62
    (tmp_path / "refs/heads/app").mkdir(parents=True)
    (tmp_path / "refs/heads/app/x86").write_text(commit + "\n")
    (tmp_path / "objects/ab").mkdir(parents=True)
    (tmp_path / f"objects/ab/{commit[2:]}.commit").write_bytes(b"commit")
    found = resolve("ostree:app/x86", ResolveOptions(cwd=str(tmp_path))).artifacts
    assert {name: dict(d) for name, d in found.items()} == {
        "ostree:app/x86": {"sha256": hashlib.sha256(b"commit").hexdigest()}
    }


def test_an_ostree_reference_that_is_none_is_refused(tmp_path):
    (tmp_path / "refs/heads").mkdir(parents=True)
    (tmp_path / "refs/heads/bad").write_text("../../etc/passwd")
    (tmp_path / "refs/heads/lost").write_text("a" * 64)
    options = ResolveOptions(cwd=str(tmp_path))
    for spec in ("ostree:bad", "ostree:none", "ostree:", "ostree:../../x"):
        with pytest.raises(Malformed, match="OSTree reference"):
            resolve(spec, options)
    with pytest.raises(Unavailable, match="vanished"):
        resolve("ostree:lost", options)


def test_an_unknown_scheme_is_refused_unless_it_is_a_file(tmp_path):
    options = ResolveOptions(cwd=str(tmp_path))
    with pytest.raises(Malformed, match=r"unknown kind of artifact: 'foo'.*write file: before"):
        resolve("foo:bar", options)
    (tmp_path / "foo:bar").write_text("x")
    assert list(resolve("foo:bar", options).artifacts) == ["foo:bar"]
    (tmp_path / "dir:x").write_text("x")
    assert list(resolve("file:dir:x", options).artifacts) == ["file:dir:x"]


def test_a_colon_after_a_slash_is_no_scheme(tmp_path):
    assert resolve("a/b:c", ResolveOptions(cwd=str(tmp_path))).warnings


def test_two_kinds_of_artifact_under_one_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "dir:d").mkdir()
    (tmp_path / "dir:d/x").write_text("x")
    (tmp_path / "d").mkdir()
    found = resolve_all(["dir:d", "./dir:d"], ResolveOptions(cwd=str(tmp_path))).artifacts
    assert list(found) == ["dir:d", "dir:d/x"]
