"""Patterns, expanded when the recording is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.resolve import resolve, resolve_all
from navicert.resolve.artifact import ResolveOptions

TREE = [
    "Dockerfile",
    "src/a.c",
    "src/b.h",
    "src/.hidden",
    "src/.dir/x.c",
    "src/lib/c.c",
    "src/lib/deep/d.c",
    "src/lib/deep/e.py",
    "src/x.pyc",
    "test/a.c",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def expanded(root: Path, *specs: str, **options: object) -> list[str]:
    return list(resolve_all(specs, ResolveOptions(cwd=str(root), **options)).artifacts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("src/*.c", "src/a.c"),
        ("src/?.?", "src/a.c src/b.h"),
        ("src/[ab].*", "src/a.c src/b.h"),
        ("src/[!a].?", "src/b.h"),
        ("src/[a-b].h", "src/b.h"),
        ("src/.h*", "src/.hidden"),
        ("*/a.c", "src/a.c test/a.c"),
        ("./*/a.c", "src/a.c test/a.c"),
        ("src/../*file", "Dockerfile"),
        ("**/*.c", "src/.dir/x.c src/a.c src/lib/c.c src/lib/deep/d.c test/a.c"),
        ("src/**/*.c", "src/.dir/x.c src/a.c src/lib/c.c src/lib/deep/d.c"),
        ("src/**/d.c", "src/lib/deep/d.c"),
        ("src/**/**/d.c", "src/lib/deep/d.c"),
        ("**/deep/*", "src/lib/deep/d.c src/lib/deep/e.py"),
        ("src/**", "src/.dir/x.c src/.hidden src/a.c src/b.h src/lib/c.c src/lib/deep/d.c src/lib/deep/e.py"),
        ("src/lib*", "src/lib/c.c src/lib/deep/d.c src/lib/deep/e.py"),
        ("Docker*/**", ""),
        ("Docker*/x", ""),
        ("src/*.pyc", ""),
        ("src/**/*.pyc", ""),
        ("src/**.c", "src/a.c"),
        ("file:src/*.c", "file:src/a.c"),
    ],
)
def test_patterns_match(root, pattern, matched):
    assert expanded(root, pattern) == matched.split()


def test_a_star_matches_folders_which_are_recorded_whole(root):
    assert expanded(root, "src/*") == [
        "src/a.c",
        "src/b.h",
        "src/lib/c.c",
        "src/lib/deep/d.c",
        "src/lib/deep/e.py",
    ]


def test_an_existing_path_is_that_path_and_no_pattern(root):
    (root / "src/[ab].c").write_text("literally")
    assert expanded(root, "src/[ab].c") == ["src/[ab].c"]


def test_a_bracket_is_quoted_by_brackets(root):
    (root / "src/[x]").write_text("literally")
    assert expanded(root, "src/[[]x]*") == ["src/[x]"]
    assert expanded(root, "src/?[]x]]") == ["src/[x]"]


def test_an_absolute_pattern_gives_absolute_names(root):
    assert expanded(root, f"{root}/src/*.h") == [f"{root}/src/b.h"]


def test_patterns_start_at_the_base_path(root):
    assert expanded(root, "*.c", base_path="src") == ["a.c"]


def test_a_pattern_is_taken_literally_where_expansion_is_off(root):
    found = resolve("src/*", ResolveOptions(cwd=str(root), expand=False))
    assert not found.artifacts
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("pattern", "reason"), [("src/[^a].c", "ambiguous"), ("src/[a", "without an end"), ("src/[z-a]", "not a set")]
)
def test_a_pattern_that_is_none_is_refused(root, pattern, reason):
    with pytest.raises(Malformed, match=reason):
        expanded(root, pattern)


def test_expansion_is_bounded(root):
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        expanded(root, "**/*.c", limits=Limits(artifacts=5))


def test_double_star_ends_at_a_cycle(root):
    (root / "src/up").symlink_to("..")
    assert expanded(root, "src/**/Dockerfile") == ["src/up/Dockerfile"]


def test_excluded_folders_are_not_searched(root):
    (root / "src/.git").mkdir()
    (root / "src/.git/x.c").write_text("x")
    assert "src/.git/x.c" not in expanded(root, "src/**/*.c")
    assert expanded(root, "src/*/x.c", "*/.git") == []
