"""A second judge, written from the words of the specification and not from the code: slow, short and obvious.

Artifact rules (in-toto v1.0 §4.3.3, §5.3) over plain sets, and the choice among links by trying every one of them.
Tests compare it with the real one over random cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations, product

from navicert.model.link import Link

Digests = Mapping[str, str]
Files = Mapping[str, Digests]
LENGTHS = {"sha256": 64, "sha512": 128, "gitCommit": 40}


@dataclass(frozen=True)
class Report:
    """What one step says: its two lists."""

    materials: Files
    products: Files

    def list(self, name: str) -> Files:
        return self.materials if name.upper() == "MATERIALS" else self.products


def surely_same(left: Digests, right: Digests) -> bool:
    """At least one common strong algorithm, and all common ones equal."""
    common = left.keys() & right.keys()
    strong = [name for name in common if LENGTHS.get(name) == len(left[name])]
    return bool(strong) and all(left[name].lower() == right[name].lower() for name in common)


def surely_different(left: Digests, right: Digests) -> bool:
    common = left.keys() & right.keys()
    return any(LENGTHS.get(name) == len(left[name]) for name in common) and not surely_same(left, right)


@dataclass
class Outcome:
    """`consumed` for each rule up to the one that failed; `failed` is (index of that rule, artifacts) or None."""

    consumed: list[set[str]]
    failed: tuple[int, set[str]] | None
    queue: set[str]
    """What is left, and so allowed."""
    mismatched: set[str]
    """What some MATCH found under another digest, and no rule consumed."""


def judge_rules(
    rules: Sequence[Sequence[str]], side: str, own: Report, others: Mapping[str, Report], *, strong: bool = True
) -> Outcome:
    """Apply `rules` (their words) to the list `side` of `own`; `others` are the steps that a MATCH may name."""
    same = surely_same if strong else lambda left, right: left == right
    different = surely_different if strong else lambda left, right: left != right
    materials, products = own.materials, own.products
    queue = set(own.list(side))
    consumed: list[set[str]] = []
    mismatched: set[str] = set()
    for index, (keyword, pattern, *rest) in enumerate(rules):
        keyword = keyword.upper()
        matching = {path for path in queue if fnmatchcase(path, pattern)}
        taken: set[str] = set()
        if keyword == "REQUIRE":
            if pattern not in queue:
                return Outcome(consumed, (index, {pattern}), queue, mismatched)
        elif keyword == "DISALLOW":
            if matching:
                return Outcome(consumed, (index, matching), queue, mismatched)
        elif keyword == "ALLOW":
            taken = matching
        elif keyword == "CREATE":
            taken = {path for path in matching if path in products and path not in materials}
        elif keyword == "DELETE":
            taken = {path for path in matching if path in materials and path not in products}
        elif keyword == "MODIFY":
            taken = {
                path
                for path in matching
                if path in materials and path in products and different(materials[path], products[path])
            }
        else:
            found = _counterparts(queue, pattern, rest, own.list(side), others)
            taken = {path for path, mine, theirs in found if same(mine, theirs)}
            mismatched |= {path for path, _, _ in found} - taken
        consumed.append(taken)
        queue -= taken
    return Outcome(consumed, None, queue, mismatched & queue)


def _counterparts(
    queue: set[str], pattern: str, rest: Sequence[str], mine: Files, others: Mapping[str, Report]
) -> list[tuple[str, Digests, Digests]]:
    """The artifacts that `MATCH pattern [IN source] WITH side [IN dest] FROM step` looks at and that are there on the
    other side: path, own digests, the other's digests."""
    words = list(rest)
    source = dest = ""
    if words[0].upper() == "IN":
        source, words = words[1].rstrip("/") + "/", words[2:]
    side, words = words[1], words[2:]
    if words[0].upper() == "IN":
        dest, words = words[1].rstrip("/") + "/", words[2:]
    step = others.get(words[1])
    if step is None:
        return []
    found = []
    for path in queue:
        if not path.startswith(source) or not fnmatchcase(path[len(source) :], pattern):
            continue
        counterpart = dest + path[len(source) :]
        if counterpart in step.list(side):
            found.append((path, mine[path], step.list(side)[counterpart]))
    return found


# --- choosing among links ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One step: its name, threshold, and rules as words."""

    name: str
    threshold: int
    materials: Sequence[Sequence[str]]
    products: Sequence[Sequence[str]]


def common_report(links: Sequence[Link]) -> Report | None:
    """What all of `links` say: the same paths, each with the digests that all of them have and agree about."""
    lists: list[Files] = []
    for side in ("materials", "products"):
        files = [{path: dict(digests) for path, digests in getattr(link, side).items()} for link in links]
        if any(one.keys() != files[0].keys() for one in files):
            return None
        shared = {}
        for path in files[0]:
            names = set.intersection(*(set(one[path]) for one in files))
            values = {name: {one[path][name].lower() for one in files} for name in names}
            if any(len(value) > 1 for value in values.values()):
                return None
            if len(links) > 1 and not any(LENGTHS.get(name) == len(min(values[name])) for name in names):
                return None
            shared[path] = {name: min(value) for name, value in values.items()} if len(links) > 1 else files[0][path]
        lists.append(shared)
    return Report(*lists)


def possible_reports(task: Task, links: Sequence[tuple[frozenset[str], Link]]) -> list[Report]:
    """Every report that enough different people stand behind, from (who signed, link)."""
    reports: list[Report] = []
    for count in range(1, len(links) + 1):
        for chosen in combinations(links, count):
            people = frozenset().union(*(who for who, _ in chosen))
            report = common_report([link for _, link in chosen])
            if report is not None and len(people) >= task.threshold and report not in reports:
                reports.append(report)
    return reports


def holds(task: Task, own: Report, chain: Mapping[str, Report]) -> bool:
    """Whether the rules of `task` hold, and no MATCH was left unsatisfied."""
    for rules, side in ((task.materials, "MATERIALS"), (task.products, "PRODUCTS")):
        outcome = judge_rules(rules, side, own, chain)
        if outcome.failed is not None or outcome.mismatched:
            return False
    return True


@dataclass(frozen=True)
class Look:
    """One inspection: its rules, what it found and left, and whether its command returned 0."""

    rules: Task
    found: Report
    returned_zero: bool = True


def choices(
    tasks: Sequence[Task], links: Mapping[str, Sequence[tuple[frozenset[str], Link]]], looks: Sequence[Look] = ()
) -> Iterator[dict[str, Report]]:
    """Every choice of one report for each step under which all rules hold, those of the inspections included."""
    if not all(look.returned_zero for look in looks):
        return
    options = [possible_reports(task, links.get(task.name, ())) for task in tasks]
    for choice in product(*options):
        chain = {task.name: report for task, report in zip(tasks, choice, strict=True)}
        if not all(holds(task, chain[task.name], chain) for task in tasks):
            continue
        seen = {**chain, **{look.rules.name: look.found for look in looks}}
        if all(holds(look.rules, look.found, seen) for look in looks):
            yield chain


def summaries(
    tasks: Sequence[Task], links: Mapping[str, Sequence[tuple[frozenset[str], Link]]], looks: Sequence[Look] = ()
) -> list[Report]:
    """What a sublayout reports: first materials and last products, for every way in which it holds."""
    found: list[Report] = []
    for chain in choices(tasks, links, looks):
        report = Report(chain[tasks[0].name].materials, chain[tasks[-1].name].products)
        if report not in found:
            found.append(report)
    return found


def tied(look: Look, chain: Mapping[str, Report]) -> list[Digests]:
    """What an inspection found and a MATCH of it ties to the products of a step."""
    found: list[Digests] = []
    seen = {**chain, look.rules.name: look.found}
    for rules, side in ((look.rules.materials, "MATERIALS"), (look.rules.products, "PRODUCTS")):
        for words, taken in zip(rules, judge_rules(rules, side, look.found, seen).consumed, strict=False):
            upper = [word.upper() for word in words]
            if upper[0] == "MATCH" and upper[upper.index("WITH") + 1] == "PRODUCTS" and words[-1] in chain:
                found += [look.found.list(side)[path] for path in taken]
    return found


def passes(
    tasks: Sequence[Task],
    links: Mapping[str, Sequence[tuple[frozenset[str], Link]]],
    target: str | None,
    looks: Sequence[Look] = (),
) -> bool:
    """Whether some choice of reports satisfies every rule, with `target` (SHA-256, hex) a product of the last step, or
    found by an inspection that ties it to a product."""
    for chain in choices(tasks, links, looks):
        made = [*chain[tasks[-1].name].products.values(), *(one for look in looks for one in tied(look, chain))]
        if target is None or any(digests.get("sha256", "").lower() == target for digests in made):
            return True
    return False
