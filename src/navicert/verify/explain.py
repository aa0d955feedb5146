"""Why a rule failed: for each artifact the two digests, who last agreed, and where it changed.

Works on what was judged already; looked at only when something failed.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.rules import Application, Mismatch, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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

    def mismatches(self, found: Sequence[Mismatch], rule: Rule, item: str, side: Side) -> dict[str, object]:
        """The facts of a MATCH of `item` on `side` that found another digest."""
        artifacts = []
        for mismatch in found[: self.items]:
            agreed, changed = self._turn(mismatch, rule, self._mentions(mismatch, item, side))
            artifacts.append(
                {
                    "path": mismatch.path,
                    "actual": str(mismatch.actual),
                    "expected": str(mismatch.expected),
                    "agreed": agreed,
                    "changed": changed,
                }
            )
        return {"rule": str(rule), "artifacts": artifacts, "more": max(0, len(found) - self.items)}

    def _mentions(self, mismatch: Mismatch, item: str, side: Side) -> list[tuple[Chapter, Side, DigestSet]]:
        """Where the artifact is spoken of, in the order of the chain, up to the place where it was found different."""
        names = sorted({mismatch.path, mismatch.counterpart})
        mentions: list[tuple[Chapter, Side, DigestSet]] = []
        for chapter in self.chapters:
            for here in Side:
                artifacts = chapter.record.side(here)
                mentions += [(chapter, here, artifacts[name]) for name in names if name in artifacts]
                if (chapter.step, here) == (item, side):
                    return mentions
        return mentions

    @staticmethod
    def _turn(mismatch: Mismatch, rule: Rule, mentions: Sequence[tuple[Chapter, Side, DigestSet]]) -> tuple[str, str]:
        """Who last agreed with the expected digest, and where the actual one first stands after that."""
        agreed, after = f"step {rule.step}", 0
        for index, (chapter, _, digests) in enumerate(mentions):
            if digests.agrees(mismatch.expected):
                agreed, after = f"step {chapter.step} ({chapter.who})", index + 1
        for chapter, side, digests in mentions[after:]:
            if digests.agrees(mismatch.actual):
                return agreed, _place(chapter, side, agreed)
        return agreed, ""

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
