"""The signed line at the end of a readme: name, version and persons of a layout."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.model.release import Release

K1, K2 = "01" * 32, "02" * 32


def test_a_readme_without_the_line_says_nothing() -> None:
    for readme in ("", "for people", "navicert: not last\nmore", "not navicert: {}", "navicert:{}", " navicert: {}"):
        assert Release.of(readme) == Release()


@pytest.mark.parametrize("before", ["", "for people\n", "two\nlines\n"])
@pytest.mark.parametrize("after", ["", "\n", "\n\n"])
def test_the_last_line_is_read(before: str, after: str) -> None:
    line = f'navicert: {{"name":"app","version":7,"persons":{{"ann":["{K1}","{K2}"]}}}}'
    release = Release.of(before + line + after)
    assert release == Release("app", 7, {"ann": (K1, K2)})
    assert release.person(K2) == "ann"
    assert release.person("03" * 32) is None


@pytest.mark.parametrize(
    "line",
    [
        "navicert: ",
        "navicert: {",
        "navicert: []",
        'navicert: {"nmae":"app"}',
        'navicert: {"name":1}',
        'navicert: {"version":"7"}',
        'navicert: {"version":true}',
        'navicert: {"version":1.0}',
        'navicert: {"version":1,"version":2}',
        'navicert: {"persons":[]}',
        'navicert: {"persons":{"ann":"01"}}',
        'navicert: {"persons":{"ann":["xx"]}}',
        'navicert: {"persons":{"ann":[]}}',
        f'navicert: {{"persons":{{"ann":["{K1}"],"bea":["{K1}"]}}}}',
    ],
)
def test_a_line_that_was_meant_and_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        Release.of(f"for people\n{line}")


def test_a_line_is_written_so_that_it_is_read_back() -> None:
    release = Release("app", 3, {"ann": (K1,)})
    assert Release.of(release.append_to("")) == release
    assert Release.of(release.append_to("for people\n")) == release
    assert release.append_to("for people").startswith("for people\nnavicert: ")


def test_a_new_line_takes_the_place_of_the_old_one() -> None:
    old = Release("app", 1).append_to("for people")
    new = Release("app", 2).append_to(old)
    assert new.count("navicert: ") == 1
    assert Release.of(new).version == 2
    assert Release().append_to(old) == "for people"


def test_nothing_to_say_leaves_the_readme_as_it_is() -> None:
    assert Release().append_to("for people") == "for people"


def test_version_zero_is_a_version() -> None:
    assert Release.of(Release(version=0).append_to("")).version == 0


@pytest.mark.parametrize("release", [Release("a\nb"), Release(persons={"a\nnavicert: {}": (K1,)})])
def test_a_line_break_cannot_be_smuggled_in(release: Release) -> None:
    with pytest.raises(Malformed, match="line break"):
        release.append_to("for people")
