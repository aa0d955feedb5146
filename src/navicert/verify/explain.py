"""Why a rule failed: for each artifact the two digests, who last agreed, and where it changed.

Works on what was judged already; looked at only when something failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navicert.digest import DigestSet
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.rules import Application, Mismatch, Record


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of the chosen chain: its name, who signed, and what it reports."""

    step: str
    who: str
    record: Record


@dataclass(frozen=True, slots=True)
class Story:
    """The chosen chain in the order of the layout."""

    chapters: tuple[Chapter, ...]
    items: int
    """How many artifacts are named before it is only said how many more there are."""

    def mismatches(self, found: Sequence[Mismatch], rule: Rule) -> dict[str, object]:
        """The facts of a MATCH that found another digest."""
        artifacts = [self._mismatch(mismatch, rule) for mismatch in found[: self.items]]
        return {"rule": str(rule), "artifacts": artifacts, "more": max(0, len(found) - self.items)}

    def _mismatch(self, mismatch: Mismatch, rule: Rule) -> dict[str, object]:
        agreed, changed = self._turn(mismatch, rule)
        return {
            "path": mismatch.path,
            "actual": str(mismatch.actual),
            "expected": str(mismatch.expected),
            "agreed": agreed,
            "changed": changed,
        }

    def _turn(self, mismatch: Mismatch, rule: Rule) -> tuple[str, str]:
        """Who last agreed with the expected digest, and where the actual one first stands."""
        agreed = f"step {rule.step}"
        changed = ""
        names = {mismatch.path, mismatch.counterpart}
        for chapter in self.chapters:
            for side in Side:
                artifacts = chapter.record.side(side)
                for name in sorted(names & artifacts.keys()):
                    if not changed and artifacts[name].agrees(mismatch.expected):
                        agreed = f"step {chapter.step} ({chapter.who})"
                    elif not changed and artifacts[name].agrees(mismatch.actual):
                        changed = _place(chapter, side, agreed)
        return agreed, changed

    def leftovers(
        self, application: Application, side: Side, artifacts: Mapping[str, DigestSet], rules: Sequence[Rule]
    ) -> dict[str, object]:
        """The facts of a DISALLOW that found something, or of a REQUIRE that did not."""
        found = application.offending
        listed = []
        for path in found[: self.items]:
            digests = artifacts.get(path)
            entry: dict[str, object] = {"path": path, "actual": str(digests) if digests is not None else ""}
            near = self._near(path, digests, artifacts, rules)
            if near:
                entry["near"] = near
            listed.append(entry)
        return {
            "rule": str(application.rule),
            "side": side.value,
            "artifacts": listed,
            "more": max(0, len(found) - self.items),
        }

    def _near(self, path: str, digests: DigestSet | None, own: Mapping[str, DigestSet], rules: Sequence[Rule]) -> str:
        """A near miss for `path`: the same content under another name, or the same name but for prefix or case."""
        if digests is None:
            return next((f'"{other}" is there' for other in own if _alike(other, path)), "")
        wanted = [rule.step for rule in rules if rule.kind is RuleKind.MATCH]
        for chapter in self.chapters:
            if chapter.step not in wanted:
                continue
            for other, theirs in chapter.record.products.items():
                if other != path and theirs.agrees(digests):
                    return f'step {chapter.step} has the same content as "{other}"'
            for other in chapter.record.products:
                if other != path and _alike(other, path):
                    return f'step {chapter.step} has "{other}"'
        return ""


def _place(chapter: Chapter, side: Side, agreed: str) -> str:
    if side is Side.PRODUCTS:
        return f"by step {chapter.step} ({chapter.who})"
    return f"between {agreed} and step {chapter.step} ({chapter.who}), which already received it changed"


def _alike(one: str, other: str) -> bool:
    """Whether two paths differ by letter case or by leading folders only."""
    a, b = one.casefold(), other.casefold()
    return a == b or a.endswith("/" + b) or b.endswith("/" + a)
