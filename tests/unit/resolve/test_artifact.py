"""What resolving takes and yields: options that cannot contradict themselves, and warnings that stay short."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.resolve.artifact import NameConflict, Notes, ResolveOptions, refuse_unwritable, twins


@pytest.mark.parametrize("algorithms", [(), ("md5",), ("sha1",), ("sha256", "nope"), ("SHA256",), ("",)])
def test_an_algorithm_that_proves_nothing_is_refused(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(Malformed, match="hash algorithm"):
        ResolveOptions(algorithms=algorithms)


@pytest.mark.parametrize("prefixes", [("a", "a"), ("a", "ab"), ("ab", "a"), ("", "x"), ("x/", "y", "x/z")])
def test_prefixes_of_which_one_begins_with_another_are_refused(prefixes: tuple[str, ...]) -> None:
    """Which of them is cut off would depend on their order."""
    with pytest.raises(NameConflict, match="overlap"):
        ResolveOptions(lstrip_paths=prefixes)


def test_prefixes_that_have_nothing_in_common_are_taken() -> None:
    assert ResolveOptions(lstrip_paths=("a/", "b/", "ab/")).lstrip_paths == ("a/", "b/", "ab/")


@pytest.mark.parametrize(
    ("cwd", "base", "root"), [("", "", ""), ("/w", "", "/w"), ("/w", "b", "/w/b"), ("", "b", "b"), ("/w", "/b", "/b")]
)
def test_files_are_looked_up_below_both_folders(cwd: str, base: str, root: str) -> None:
    assert ResolveOptions(cwd=cwd, base_path=base).root == root


def test_many_warnings_of_one_kind_are_one_line_that_counts_them() -> None:
    notes = Notes(2)
    for name in ("c", "a", "b", "a", "d"):
        notes.add("skipped", name)
    notes.add("other", "x")
    assert notes.lines() == ("skipped: a, b and 2 more", "other: x")
    assert Notes().lines() == ()


def test_a_name_that_no_document_can_hold_is_refused() -> None:
    assert refuse_unwritable("ä/b") == "ä/b"
    with pytest.raises(Malformed, match="not UTF-8"):
        refuse_unwritable("a\udcff")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b"], []),
        (["README", "readme", "x"], ["README", "readme"]),
        (["Stra\u00dfe", "STRASSE"], ["Stra\u00dfe", "STRASSE"]),
        (["\u00e9", "e\u0301"], ["\u00e9", "e\u0301"]),
        (["\u00c9", "e\u0301"], ["\u00c9", "e\u0301"]),
        (["A", "B", "a/b"], []),
        (["a\nb", "A\nb"], ["a\nb", "A\nb"]),
        ([], []),
    ],
)
def test_names_that_one_file_system_takes_for_one_are_twins(names: list[str], found: list[str]) -> None:
    assert sorted(twins(names)) == sorted(found)
