"""The documentation holds together: links lead somewhere, pages can be found, and nothing unfinished is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TABLE = re.compile(r"(?:^\|.*\n.*\n?)(?:^\|.*\n)*", re.MULTILINE)
_EDGE = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def text_of(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links_of(page: Path) -> list[str]:
    return [link for link in _LINK.findall(text_of(page)) if not re.match(r"[a-z]+:", link)]


def anchors_of(page: Path) -> set[str]:
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(text_of(page))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPage:
    def test_its_links_lead_somewhere(self, page: Path) -> None:
        for link in links_of(page):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), f"{link} leads nowhere"
            assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
            if anchor:
                assert anchor in anchors_of(target), f"{link}: no such heading"

    def test_it_starts_with_one_title(self, page: Path) -> None:
        text = text_of(page)
        assert text.startswith("# ")
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1

    def test_its_tables_are_whole(self, page: Path) -> None:
        """A row ends with its line, and a blank line ends the table: what follows would be shown as text."""
        for table in _TABLE.findall(text_of(page)):
            head, rule, *rows = table.splitlines()
            assert re.fullmatch(r"\|(:?-+:?\|)+", rule.replace(" ", "")), f"no head above: {head}"
            for row in (head, *rows):
                assert row.endswith("|"), f"broken off: {row}"
                assert len(_EDGE.findall(row)) == len(_EDGE.findall(rule)), f"other cells than its table: {row}"

    def test_it_is_finished(self, page: Path) -> None:
        assert not re.search(r"\b(TODO|TBD|FIXME|XXX|coming soon|lorem ipsum)\b", text_of(page), re.IGNORECASE)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links_of(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists():
                waiting.append(target)
    lost = [str(page.relative_to(ROOT)) for page in PAGES if page not in reached]
    assert not lost, f"no page leads to: {lost}"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(links_of(folder / "index.md"))
    assert {page.name for page in folder.glob("[0-9]*.md")} <= listed


def test_every_page_that_a_program_points_to_exists() -> None:
    named = {
        page
        for source in sorted((ROOT / "src").rglob("*.py"))
        for page in re.findall(r"\bdocs/[\w/.-]+\.md\b", source.read_text(encoding="utf-8"))
    }
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []
