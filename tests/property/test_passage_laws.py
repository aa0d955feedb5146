"""A list that is read by what was read before it is the list that is read from its text alone.

Whatever was read first, by whomever it was written: not one artifact of it may turn up in another list, and none may be
lost. Paths that stand twice are refused however they are distributed over what is known and what is new.
"""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navicert.limits import LOCAL, Limits
from navicert.model import passage
from navicert.model.artifact import Artifacts, Names
from navicert.model.passage import Passage, Pool, split
from navicert.model.section import CANONICAL, INDENTED, LEAST, SPACED, Form, read_sections, write_sections
from navicert.verify.evidence import odd_path
from navicert.verify.rules import Record
from navicert.verify.target import Products

FORMS = [SPACED, INDENTED, CANONICAL]

names = st.sampled_from(
    ["a", "A", "b", "src/a", "src/A", "src/b", "src/b.c", "é", "src/é", "../a", "/a", ".a", "src//a", "file:a", "",
     "}}", '"', "\\", '"}, "', "{", "zz", "z", "7396452018839206741", "products", "materials"]
) | st.text(st.sampled_from("ab/.é!"), max_size=3)  # fmt: skip
values = st.sampled_from(["ab" * 32, "cd" * 32, "AB" * 32, "ab"])
entries = st.lists(st.tuples(names, values | st.just("ab" * 32)), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what is short is compared."""
    monkeypatch.setattr(passage, "_GRAIN", 1)


def text(found: list[tuple[str, str]], form: Form) -> bytes:
    return form.following.join(f"{path}{form.pair}{value}" for path, value in found).encode()


def changed(before: list[tuple[str, str]], data: st.DataObject) -> list[tuple[str, str]]:
    """A list as a step leaves it behind: some changed, some new, some gone; mostly in order."""
    after = list(before)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(after)))
        after[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.tuples(names, values), max_size=2))
    return sorted(dict(after).items()) if data.draw(st.booleans()) else after


@given(entries, st.sampled_from(FORMS), st.data())
@example([("a", "ab" * 32), ("b", "ab" * 32)], SPACED, None)
def test_what_was_read_before_changes_nothing(
    before: list[tuple[str, str]], form: Form, data: st.DataObject | None
) -> None:
    pool = Pool()
    lists = [sorted(dict(before).items()), before]
    if data is not None:
        for _ in range(data.draw(st.integers(1, 4))):
            lists.append(changed(lists[-1] if data.draw(st.booleans()) else lists[0], data))
    for found in lists:
        raw = text(found, form)
        for limits in (LOCAL, Limits(artifacts=len(found) - 1)):
            alone, beside = Pool().read(raw, form, limits), pool.read(raw, form, limits)
            assert (alone is None) == (beside is None)
            if alone is not None and beside is not None:
                assert_same(alone, beside, found)


def assert_same(alone: Passage, beside: Passage, found: list[tuple[str, str]]) -> None:
    assert list(alone.artifacts.entries.items()) == found
    assert beside.artifacts.entries == dict(found)
    assert list(beside.artifacts) == [path for path, _ in found]
    assert beside.artifacts.to_json() == alone.artifacts.to_json()
    assert list(beside.artifacts.items()) == list(alone.artifacts.items())
    assert list(beside.artifacts.keys()) == [path for path, _ in found]
    assert beside.artifacts.ordered == sorted(dict(found))
    assert beside.artifacts.plain
    assert beside.canonical == alone.canonical
    for name in ("irregular", "alike", "outside"):
        # More may be looked at than has to be, never less.
        assert getattr(beside.artifacts.names, name) >= getattr(alone.artifacts.names, name)


@given(entries, st.data())
def test_what_a_pool_knows_in_canonical_form_is_what_is_signed(
    before: list[tuple[str, str]], data: st.DataObject
) -> None:
    pool = Pool()
    for found in (sorted(dict(before).items()), sorted(dict(changed(before, data)).items())):
        read = pool.read(text(found, INDENTED), INDENTED, LOCAL)
        if read is not None and found:
            link = {"_type": "link", "materials": read.artifacts}
            expected = CANONICAL.write({"_type": "link", "materials": {path: {"sha256": one} for path, one in found}})
            assert pool.canonical(read.artifacts) is not None
            assert write_sections(link, CANONICAL, pool=pool) == expected.encode()


@pytest.mark.parametrize("one", ["src/a", "src/A", "src/aB"])
@pytest.mark.parametrize("other", ["src/a", "src/A", "src/Ab"])
def test_twins_are_found_whichever_of_them_was_there_first(one: str, other: str) -> None:
    """On a file system that takes no notice of letter case, one would replace the other."""
    rest = [f"src/{number:04}" for number in range(200)]
    alike = one != other and one.casefold() == other.casefold()
    for steps in (
        [[*rest, one, other]],
        [rest, [*rest, one, other]],
        [[*rest, one], [*rest, one, other]],
        [rest, [*rest, one], [*rest, one, "src/z"], [*rest, one, "src/z", other]],
    ):
        pool = Pool()
        for paths in steps:
            ordered = [(path, "ab" * 32) for path in sorted({*paths})]
            read = pool.read(text(ordered, SPACED), SPACED, LOCAL)
            assert read is not None
            found = read.artifacts.names.alike
        assert found == alike


@given(
    st.lists(
        names | st.sampled_from(["a/", "z/", "a\nb", "//z", "..", "a/..", "a/.", "\n", ".", "./a", "file:", "file:./a"])
    )
)
def test_no_path_that_needs_a_closer_look_is_overlooked(paths: list[str]) -> None:
    """What is not in normal form, leads out of the folder, or is confused with another is found by a look at all paths
    together, or nobody looks for it."""
    found = Artifacts(dict.fromkeys(paths, "ab" * 32), plain=True)
    assert found.names.outside or not any(path.startswith(("../", "/")) for path in paths)
    forms = {unicodedata.normalize("NFC", path).casefold() for path in paths}
    assert found.names.alike or len(forms) == len(set(paths))
    assert odd_path(Record(found, {})) == odd_path(Record(full_names(found), {}))


def test_what_is_found_first_does_not_depend_on_what_was_read_before() -> None:
    """Else the same evidence would give another report whenever it is read in another order."""
    before = [(f"src/{number:04}", "ab" * 32) for number in range(200)]
    after = sorted([*before, ("src/0000/.", "ab" * 32), ("src/0000//", "ab" * 32)])
    pool = Pool()
    pool.read(text(before, SPACED), SPACED, LOCAL)
    alone, beside = Pool().read(text(after, SPACED), SPACED, LOCAL), pool.read(text(after, SPACED), SPACED, LOCAL)
    assert alone is not None
    assert beside is not None
    assert list(beside.artifacts.entries) != list(beside.artifacts)
    assert odd_path(Record(beside.artifacts, {})) == odd_path(Record(alone.artifacts, {})) == "src/0000/."
    one, other = Products("", beside.artifacts).by_digest(), Products("", alone.artifacts).by_digest()
    assert one == other


def full_names(artifacts: Artifacts) -> Artifacts:
    """`artifacts`, of which each path is looked at by itself."""
    looked = Artifacts(artifacts.entries, plain=True)
    looked._names = Names(True, True, True)
    return looked


def test_a_step_that_changes_little_shares_the_rest_with_the_one_before_it() -> None:
    """Else nobody would notice that everything is read anew."""
    before = [(f"src/{number:04}", "ab" * 32) for number in range(1000)]
    for new in ([], [("src/0499a", "cd" * 32)], [("src/0499a", "ab" * 32), ("src/0499b", "ab" * 32)]):
        after = [*before[:500], *new, *before[501:]]
        for form in FORMS:
            pool = Pool()
            first, second = pool.read(text(before, form), form, LOCAL), pool.read(text(after, form), form, LOCAL)
            assert first is not None
            assert second is not None
            assert second.artifacts.entries["src/0999"] is first.artifacts.entries["src/0999"]
            assert second.artifacts.to_json() == {path: {"sha256": one} for path, one in after}


def test_a_list_that_another_reader_takes_is_too_long_for_one_with_a_lower_limit() -> None:
    link = {"_type": "link", "name": "x", "materials": {"a": {"sha256": "ab" * 32}, "b": {"sha256": "ab" * 32}}}
    raw = json.dumps(link, sort_keys=True).encode().ljust(LEAST)
    pool = Pool()
    assert read_sections(raw, LOCAL, pool=pool) is not None
    assert read_sections(raw, Limits(artifacts=1), pool=pool) is None


def test_a_list_that_is_known_is_not_read_again() -> None:
    paths = {f"src/{number:04}": {"sha256": f"{number:064x}"} for number in range(1000)}
    pool = Pool()
    links = []
    for name, field in (("one", "products"), ("two", "materials")):
        link = {"_type": "link", "name": name, "materials": {}, "products": {}} | {field: paths}
        links.append(read_sections(json.dumps(link, sort_keys=True).encode(), LOCAL, pool=pool))
    assert links[0] is not None
    assert links[1] is not None
    assert isinstance(links[0]["products"], Artifacts)
    assert links[1]["materials"] is links[0]["products"]


def test_a_longer_list_is_not_taken_for_the_one_that_it_begins_with() -> None:
    """The artifact behind what is known would be overlooked."""
    known = [(f"src/{number:04}", "ab" * 32) for number in range(200)]
    smuggled = [*known, ("src/evil", "cd" * 32)]
    pool = Pool()
    for found in (known, smuggled):
        paths = {path: {"sha256": one} for path, one in found}
        link = {"_type": "link", "name": "x", "materials": paths, "products": {}}
        document = read_sections(json.dumps(link, sort_keys=True).encode(), LOCAL, pool=pool)
        assert document is not None
        assert isinstance(document["materials"], Artifacts)
        assert document["materials"].to_json() == paths


def test_a_path_that_stands_twice_is_refused_wherever_the_second_stands() -> None:
    """A reader that keeps the last, and one that keeps the first, would see different digests."""
    known = [(f"src/{number:04}", "ab" * 32) for number in range(200)]
    for at in (0, 1, 50, 199):
        for where in (0, 1, 50, 100, 150, 198, 199):
            # Put in between, or in the place of another; with another digest, or with the same.
            for digits, gone in (("cd", 0), ("ab", 0), ("cd", 1), ("ab", 1)):
                doubled = [*known]
                doubled[where : where + gone] = [(known[at][0], digits * 32)]
                for form in FORMS if where != at or not gone else ():
                    pool = Pool()
                    assert pool.read(text(known, form), form, LOCAL) is not None
                    assert pool.read(text(doubled, form), form, LOCAL) is None


def test_of_very_large_lists_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "_KEPT_BYTES", 100)
    pool = Pool()
    read = [pool.read(text([("a", f"{number:064x}")], SPACED), SPACED, LOCAL) for number in range(4)]
    for number, one in enumerate(read):
        whole = text([("a", f"{number:064x}")], SPACED) + SPACED.end.encode()
        assert (pool.find(whole, 0, SPACED) is one) == (number >= 2)


@given(entries)
def test_what_is_split_is_what_stands_there(found: list[tuple[str, str]]) -> None:
    for form in FORMS:
        parts = split(text(found, form), form, LOCAL)
        if parts is not None:
            assert list(zip(*parts, strict=True)) == found
