"""Files: which are recorded, under which names, with which digests."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from navicert.digest import DigestSet
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import Limits
from navicert.resolve import resolve, resolve_all
from navicert.resolve.artifact import NameConflict, ResolveOptions


def plant(root: Path, *names: str) -> Path:
    """Files called `names` below `root`, each holding its own name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    return root


def names(root: Path, *specs: str, **options: object) -> list[str]:
    return list(resolve_all(specs, ResolveOptions(cwd=str(root), **options)).artifacts)  # type: ignore[arg-type]


def test_a_file_has_the_sha256_of_its_content(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    found = resolve("a", ResolveOptions(cwd=str(tmp_path))).artifacts
    assert found == {"a": DigestSet.of({"sha256": hashlib.sha256(b"content").hexdigest()})}


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])
def test_every_size_is_hashed_whole(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    found = resolve("a", ResolveOptions(cwd=str(tmp_path), algorithms=("sha512", "sha256"))).artifacts["a"]
    assert dict(found) == {
        "sha256": hashlib.sha256(data).hexdigest(),
        "sha512": hashlib.sha512(data).hexdigest(),
    }


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ("./a", "a"),
        ("d//x", "d/x"),
        ("d/../a", "a"),
        ("d/", "d/x"),
        (".", "a d/x"),
        ("file:a", "file:a"),
        ("file:./d", "file:d/x"),
    ],
)
def test_names_are_normalised(tmp_path, given, recorded):
    plant(tmp_path, "a", "d/x")
    assert names(tmp_path, given) == recorded.split()


def test_names_above_the_folder_and_absolute_ones_are_kept(tmp_path):
    plant(tmp_path, "a", "work/b")
    assert names(tmp_path / "work", "../a", str(tmp_path / "a")) == ["../a", str(tmp_path / "a")]


def test_artifacts_are_in_the_order_of_their_names(tmp_path):
    plant(tmp_path, "b", "a", "B", "c/a", "c-a")
    assert names(tmp_path, "c", "b", "c-a", "a") == ["a", "b", "c-a", "c/a"]


def test_a_file_named_twice_is_recorded_once(tmp_path):
    plant(tmp_path, "d/a")
    assert names(tmp_path, "d", "d/a", "./d/a") == ["d/a"]


def test_a_backslash_is_written_as_a_slash(tmp_path):
    plant(tmp_path, "a\\b")
    assert names(tmp_path, "a\\b") == ["a/b"]


def test_base_path_is_not_in_the_names(tmp_path):
    plant(tmp_path, "base/a", "a")
    assert names(tmp_path, "a", base_path="base") == ["a"]
    found = resolve("a", ResolveOptions(cwd=str(tmp_path), base_path="base")).artifacts["a"]
    assert dict(found)["sha256"] == hashlib.sha256(b"base/a").hexdigest()


def test_the_first_matching_prefix_is_stripped_once(tmp_path):
    plant(tmp_path, "p/p/a", "q/b")
    assert names(tmp_path, "p", "q", lstrip_paths=("p/", "q/")) == ["b", "p/a"]


def test_a_prefix_is_text_and_may_leave_a_slash(tmp_path):
    plant(tmp_path, "p/a")
    assert names(tmp_path, "p", lstrip_paths=("p",)) == ["/a"]


def test_overlapping_prefixes_are_refused():
    with pytest.raises(NameConflict, match="overlap"):
        ResolveOptions(lstrip_paths=("src/", "src/lib/"))


def test_stripping_that_makes_two_files_one_is_refused(tmp_path):
    plant(tmp_path, "p/a", "q/a")
    with pytest.raises(NameConflict, match="two files would be recorded as 'a'"):
        names(tmp_path, "p", "q", lstrip_paths=("p/", "q/"))


def test_stripping_that_leaves_nothing_is_refused(tmp_path):
    plant(tmp_path, "a")
    with pytest.raises(NameConflict, match="nothing is left"):
        names(tmp_path, "a", lstrip_paths=("a",))


@pytest.mark.parametrize("data", [b"a\r\nb\rc\n", b"\r", b"\r\r\n", b"x" * (1024 * 1024 - 1) + b"\r\n\r", b"", b"\n"])
def test_line_endings_are_normalised_across_pieces(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    found = resolve("a", ResolveOptions(cwd=str(tmp_path), normalize_line_endings=True)).artifacts["a"]
    assert dict(found)["sha256"] == hashlib.sha256(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).hexdigest()


def test_links_to_files_are_recorded_under_their_own_name(tmp_path):
    plant(tmp_path, "a")
    (tmp_path / "link").symlink_to("a")
    assert names(tmp_path, ".") == ["a", "link"]


def test_folders_behind_links_are_read_unless_told_otherwise(tmp_path):
    plant(tmp_path, "real/a")
    (tmp_path / "link").symlink_to("real")
    assert names(tmp_path, ".") == ["link/a", "real/a"]
    assert names(tmp_path, ".", follow_symlink_dirs=False) == ["real/a"]


def test_a_link_to_a_folder_that_is_named_is_read_even_so(tmp_path):
    plant(tmp_path, "real/a")
    (tmp_path / "link").symlink_to("real")
    assert names(tmp_path, "link", follow_symlink_dirs=False) == ["link/a"]


def test_what_links_nowhere_is_skipped_with_a_warning(tmp_path):
    plant(tmp_path, "d/a")
    (tmp_path / "d/gone").symlink_to("nothing")
    (tmp_path / "d/self").symlink_to("self")
    found = resolve("d", ResolveOptions(cwd=str(tmp_path)))
    assert list(found.artifacts) == ["d/a"]
    assert found.warnings == ("broken symbolic links skipped: d/gone, d/self",)


@pytest.mark.parametrize("spec", ["nothing", "no/such/file", "a/below-a-file", "*.none", "d/**/x"])
def test_a_name_that_records_nothing_warns(tmp_path, spec):
    plant(tmp_path, "a")
    found = resolve(spec, ResolveOptions(cwd=str(tmp_path)))
    assert not found.artifacts
    assert len(found.warnings) == 1
    assert spec in found.warnings[0]


@pytest.mark.parametrize("spec", ["nothing", "*.none", "empty", "x.pyc", "gone"])
def test_a_name_that_records_nothing_is_an_error_when_strict(tmp_path, spec):
    plant(tmp_path, "x.pyc")
    (tmp_path / "empty").mkdir()
    (tmp_path / "gone").symlink_to("nothing")
    with pytest.raises(Malformed, match="nothing is recorded"):
        resolve(spec, ResolveOptions(cwd=str(tmp_path), strict=True))


def test_a_file_that_is_named_and_excluded_warns_and_names_the_pattern(tmp_path):
    plant(tmp_path, "x.pyc")
    found = resolve("x.pyc", ResolveOptions(cwd=str(tmp_path)))
    assert not found.artifacts
    assert found.warnings == ("nothing recorded, because it is excluded by '*.pyc': x.pyc",)


def test_excluded_folders_are_not_read(tmp_path):
    plant(tmp_path, "a", ".git/HEAD", "deep/.git/HEAD", "deep/b", "x.links/c", "d~/e")
    (tmp_path / ".git" / "forbidden").mkdir(mode=0)
    assert names(tmp_path, ".") == ["a", "deep/b"]


def test_excludes_that_are_passed_replace_the_defaults(tmp_path):
    plant(tmp_path, "a.c", "a.o", "b.link")
    assert names(tmp_path, ".", excludes=("*.o",)) == ["a.c", "b.link"]


def test_unknown_algorithms_are_refused():
    with pytest.raises(Malformed, match="unknown hash algorithm"):
        ResolveOptions(algorithms=("md5",))
    with pytest.raises(Malformed, match="no hash algorithm"):
        ResolveOptions(algorithms=())


@pytest.mark.parametrize("spec", ["", "file:", "a\0b"])
def test_what_is_no_file_name_is_refused(tmp_path, spec):
    with pytest.raises(Malformed, match="not a file name"):
        resolve(spec, ResolveOptions(cwd=str(tmp_path)))


def test_more_files_than_the_limit_are_refused(tmp_path):
    plant(tmp_path, *(f"d/{i}" for i in range(11)))
    with pytest.raises(LimitExceeded, match="limit artifacts"):
        names(tmp_path, "d", limits=Limits(artifacts=10))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the child does nothing with threads
@pytest.mark.parametrize("locked", ["d", "d/a"])
def test_what_may_not_be_read_is_an_error(locked):
    with tempfile.TemporaryDirectory() as folder:
        root = plant(Path(folder), "d/a")
        root.chmod(0o755)
        (root / locked).chmod(0)
        child = os.fork()
        if child == 0:  # root may read everything, so the test is somebody else's
            if os.geteuid() == 0:
                os.setuid(65534)
            try:
                names(root, "d")
            except Unavailable as error:
                os._exit(0 if f"{locked}: cannot be read: permission denied" in str(error) else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        (root / "d").chmod(0o755)


def test_a_path_through_a_cycle_of_links_is_an_error(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unavailable, match="loop/a: cannot be read"):
        names(tmp_path, "loop/a")


def test_progress_is_told_and_ends_with_zeros(tmp_path):
    plant(tmp_path, *(f"d/{i}" for i in range(300)))
    (tmp_path / "large").write_bytes(bytes(3 * 1024 * 1024))
    told: list[tuple[int, int]] = []
    names(tmp_path, "d", "large", progress=lambda files, size: told.append((files, size)))
    assert told[0][0] == 256
    assert max(size for _, size in told) > 3 * 1024 * 1024
    assert told[-1] == (0, 0)


def test_twins_by_case_and_by_composition_warn(tmp_path):
    plant(tmp_path, "README", "readme", "e\u0301", "\u00e9", "other", "\u00fc")
    found = resolve(".", ResolveOptions(cwd=str(tmp_path)))
    assert len(found.artifacts) == 6
    (warning,) = found.warnings
    assert warning.startswith("names that differ only in letter case or composition")
    assert warning.endswith(": README, e\u0301, readme, \u00e9")


def test_many_warnings_of_one_kind_become_one_line(tmp_path):
    for i in range(30):
        (tmp_path / f"{i:02}").symlink_to("nothing")
    (line,) = resolve(".", ResolveOptions(cwd=str(tmp_path))).warnings[:1]
    assert line.endswith("19 and 10 more")


def test_without_cwd_names_start_at_the_current_folder(tmp_path, monkeypatch):
    plant(tmp_path, "a", "d/b")
    monkeypatch.chdir(tmp_path)
    assert list(resolve_all([".", "d/*"]).artifacts) == ["a", "d/b"]
