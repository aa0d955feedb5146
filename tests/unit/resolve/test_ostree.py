"""`ostree:REF`: one commit of a repository, and nothing outside of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from navicert.errors import Malformed, NavicertError
from navicert.resolve import resolve
from navicert.resolve.artifact import ResolveOptions

OBJECT = b"a commit object"
COMMIT = "ab" * 32


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "refs/heads/os").mkdir(parents=True)
    (tmp_path / "refs/heads/os/main").write_text(f"{COMMIT}\n")
    (tmp_path / "objects" / COMMIT[:2]).mkdir(parents=True)
    (tmp_path / "objects" / COMMIT[:2] / f"{COMMIT[2:]}.commit").write_bytes(OBJECT)
    return tmp_path


def test_a_reference_is_the_digest_of_its_commit(repository: Path) -> None:
    found = resolve("ostree:os/main", ResolveOptions(cwd=str(repository)))
    assert dict(found.artifacts["ostree:os/main"]) == {"sha256": hashlib.sha256(OBJECT).hexdigest()}


@pytest.mark.parametrize(
    "spec", ["ostree:", "ostree:../../etc/passwd", "ostree:os/../../..", "ostree:..", "ostree:a\0b", "ostree:gone"]
)
def test_a_reference_that_leads_out_or_nowhere_is_refused(repository: Path, spec: str) -> None:
    with pytest.raises(Malformed):
        resolve(spec, ResolveOptions(cwd=str(repository)))


@pytest.mark.parametrize(
    "content", ["", "ab", COMMIT.upper(), f"../../{'a' * 58}", f"{COMMIT}{COMMIT}", "\xff" * 64, " " * 5000 + COMMIT]
)
def test_a_reference_that_holds_no_commit_is_refused(repository: Path, content: str) -> None:
    (repository / "refs/heads/os/main").write_bytes(content.encode("latin-1"))
    with pytest.raises(Malformed, match="not an OSTree reference"):
        resolve("ostree:os/main", ResolveOptions(cwd=str(repository)))


def test_a_commit_that_is_not_there_records_nothing(repository: Path) -> None:
    (repository / "objects" / COMMIT[:2] / f"{COMMIT[2:]}.commit").unlink()
    with pytest.raises(NavicertError):
        resolve("ostree:os/main", ResolveOptions(cwd=str(repository)))
