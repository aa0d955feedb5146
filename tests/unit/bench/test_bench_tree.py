"""Trees to record: the same for the same seed, and of the sizes that were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench import tree
from pathspec import GitIgnoreSpec


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert tree.write(tree.sources(50, 100, 900, seed), tmp_path / name, seed) == 50
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_no_two_files_are_alike(tmp_path: Path) -> None:
    tree.write(tree.sources(300, 200, 200), tmp_path)
    found = contents(tmp_path)
    assert len(set(found.values())) == len(found) == 300


def test_sizes_are_within_the_bounds_and_use_them(tmp_path: Path) -> None:
    sizes = [size for _, size in tree.sources(2_000, 1024, 8192)]
    assert 1024 <= min(sizes) < 1100
    assert 8100 < max(sizes) <= 8192
    tree.write(tree.sources(20, 1024, 8192), tmp_path)
    assert {path: len(raw) for path, raw in contents(tmp_path).items()} == dict(tree.sources(20, 1024, 8192))


def test_big_files_have_their_size_and_no_two_equal_parts(tmp_path: Path) -> None:
    size = 3 * tree.MIB + 17
    tree.write(tree.images(2, size), tmp_path)
    for raw in contents(tmp_path).values():
        assert len(raw) == size
        parts = [raw[start : start + tree.MIB] for start in range(0, size, tree.MIB)]
        assert len(set(parts)) == len(parts)


class TestNodeModules:
    FILES: Final = dict(tree.node_modules(10_000, 131_000_000))

    def test_it_has_as_many_files_and_about_as_many_bytes(self) -> None:
        assert len(self.FILES) == 10_000
        assert 0.99 < sum(self.FILES.values()) / 131_000_000 < 1.01

    def test_sizes_differ_by_orders_of_magnitude(self) -> None:
        assert min(self.FILES.values()) < 200
        assert max(self.FILES.values()) > 500_000

    def test_twenty_patterns_leave_out_some_of_it_and_not_most(self) -> None:
        assert len(tree.EXCLUDES) == 20
        left_out = sum(map(GitIgnoreSpec.from_lines(tree.EXCLUDES).match_file, self.FILES))
        assert 0.1 < left_out / len(self.FILES) < 0.5
