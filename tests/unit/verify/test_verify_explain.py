"""Why a rule failed: who last agreed, and where it changed."""

from __future__ import annotations

from typing import Any

import pytest

from navicert.digest import DigestSet
from navicert.model.rule import Side
from navicert.testing import artifacts, rules
from navicert.verify.explain import Chapter, Story
from navicert.verify.rules import Application, Mismatch, Record

OLD, NEW, ODD = b"old", b"new", b"odd"


def story(*chapters: tuple[str, dict[str, bytes], dict[str, bytes]], items: int = 20) -> Story:
    made = (Chapter(name, f"who {name}", Record(artifacts(m), artifacts(p))) for name, m, p in chapters)
    return Story(tuple(made), items)


def turn(told: Story, actual: bytes = NEW, path: str = "f", counterpart: str = "f") -> tuple[str, str]:
    (rule,) = rules(["MATCH * WITH PRODUCTS FROM one"])
    found = artifacts({"a": actual, "e": OLD})
    facts = told.mismatches([Mismatch(path, counterpart, found["a"], found["e"])], rule, "last", Side.MATERIALS)
    entry: Any = facts["artifacts"]
    return entry[0]["agreed"], entry[0]["changed"]


@pytest.mark.parametrize(
    ("chapters", "agreed", "changed"),
    [
        ([("one", {}, {"f": OLD}), ("two", {"f": NEW}, {})], "one", "between step one (who one) and step two"),
        ([("one", {}, {"f": OLD}), ("two", {"f": OLD}, {"f": NEW})], "two", "by step two (who two)"),
        (
            [("one", {}, {"f": OLD}), ("two", {"f": OLD}, {"f": OLD}), ("three", {"f": NEW}, {})],
            "two",
            "between step two (who two) and step three",
        ),
        ([("one", {}, {"f": OLD}), ("two", {"f": ODD}, {})], "one", ""),
        ([("two", {}, {})], "step one", ""),
    ],
)
def test_a_change_is_placed_between_those_who_reported_it(chapters: Any, agreed: str, changed: str) -> None:
    found_agreed, found_changed = turn(story(*chapters))
    assert agreed in found_agreed
    assert found_changed.startswith(changed)
    assert bool(found_changed) == bool(changed)


def test_what_comes_after_the_place_where_it_was_found_is_not_looked_at() -> None:
    (rule,) = rules(["MATCH * WITH PRODUCTS FROM one"])
    told = story(("one", {}, {"f": OLD}), ("two", {"f": ODD}, {}), ("three", {"f": NEW}, {"f": OLD}))
    found = artifacts({"a": ODD, "e": OLD})
    facts: Any = told.mismatches([Mismatch("f", "f", found["a"], found["e"])], rule, "two", Side.MATERIALS)
    assert facts["artifacts"][0]["agreed"] == "step one (who one)"
    assert "step two" in facts["artifacts"][0]["changed"]


def test_a_file_that_was_moved_is_followed_under_both_names() -> None:
    told = story(("one", {}, {"dist/f": OLD}), ("two", {"f": NEW}, {}))
    agreed, changed = turn(told, counterpart="dist/f")
    assert "one" in agreed
    assert "two" in changed


def test_only_as_many_artifacts_are_named_as_allowed() -> None:
    (rule,) = rules(["MATCH * WITH PRODUCTS FROM one"])
    digests = DigestSet.of({"sha256": "ab" * 32})
    found = [Mismatch(str(number), str(number), digests, digests) for number in range(5)]
    facts: Any = story(items=2).mismatches(found, rule, "last", Side.MATERIALS)
    assert len(facts["artifacts"]) == 2
    assert facts["more"] == 3
    assert facts["rule"] == "MATCH * WITH PRODUCTS FROM one"
    (rule,) = rules(["DISALLOW *"])
    left = Application(0, rule, offending=tuple("abcde"))
    facts = story(items=2).leftovers(left, Side.PRODUCTS, {}, ())
    assert (len(facts["artifacts"]), facts["more"], facts["side"]) == (2, 3, "products")
    assert story(items=9).leftovers(left, Side.PRODUCTS, {}, ())["more"] == 0


class TestNearMiss:
    lines = rules(["ALLOW x", "MATCH * WITH PRODUCTS FROM one", "DISALLOW *"])

    def near(self, told: Story, path: str, content: bytes = NEW) -> str | None:
        application = Application(2, self.lines[2], offending=(path,))
        facts: Any = told.leftovers(application, Side.MATERIALS, artifacts({path: content}), self.lines)
        found: str | None = facts["artifacts"][0].get("near")
        return found

    def test_is_the_same_content_under_another_name(self) -> None:
        assert self.near(story(("one", {}, {"g": NEW})), "f") == 'step one has the same content as "g"'

    def test_is_the_same_name_but_for_case_or_folder(self) -> None:
        assert self.near(story(("one", {}, {"F": OLD})), "f") == 'step one has "F"'
        assert self.near(story(("one", {}, {"src/f": OLD})), "f") == 'step one has "src/f"'
        assert self.near(story(("one", {}, {"f": OLD})), "src/f") == 'step one has "f"'

    def test_is_not_a_name_that_merely_ends_alike(self) -> None:
        assert self.near(story(("one", {}, {"xf": OLD})), "f") is None

    def test_is_looked_for_only_in_steps_that_are_matched_against(self) -> None:
        assert self.near(story(("two", {}, {"g": NEW})), "f") is None
        assert self.near(story(("two", {}, {"g": NEW}), ("one", {}, {"h": NEW})), "f") is not None
