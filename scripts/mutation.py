"""Inverts every condition of the code that judges, one at a time, and says which inversions no test notices.

What is changed: each test of `if`, `while`, conditional expressions and comprehensions, each operand of `and` and
`or`, each argument of `all` and `any` that is a generator: inverted; and the test of an `if` also taken for false,
which deletes the check. A run of the tests that still passes is a survivor.

    .venv/bin/python scripts/mutation.py [--jobs N] [--sample N] [MODULE...]     for example navicert.verify.rules

Every mutant runs in a process of its own, forked from one that has imported nothing of Navicert.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
MODULES = (
    "navicert.strictjson",
    "navicert.verdict",
    *(
        f"navicert.{package}.{path.stem}"
        for package in ("envelope", "verify")
        for path in sorted((SOURCE / "navicert" / package).glob("*.py"))
        if path.stem not in ("__init__", "catalogue")
    ),
)
# The quickest first: a mutant is done with at the first test that fails.
TESTS = (
    "tests/unit/test_strictjson.py",
    "tests/unit/test_verdict.py",
    "tests/unit/envelope",
    "tests/unit/verify",
    "tests/attacks/test_pass_without_evidence.py",
    "tests/attacks/test_strict_column.py",
    "tests/attacks/test_upstream_column.py",
    "tests/vectors/test_vectors.py",
    "tests/property/test_canonical_json_laws.py",
    "tests/property/test_verdict_laws.py",
    "tests/property/test_rule_queue_laws.py",
)
SECONDS = 300


@dataclass(frozen=True)
class Mutant:
    """One change: `kind` ("inverted" or "deleted") at the `number`th condition of `module`."""

    module: str
    number: int
    kind: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.kind}: {self.text}"


def conditions(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Every condition: the node that holds it, the field, and the index where the field is a list."""
    quantified = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("all", "any")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            yield node, "test", None
        elif isinstance(node, ast.comprehension):
            for index in range(len(node.ifs)):
                yield node, "ifs", index
        elif isinstance(node, ast.BoolOp):
            for index in range(len(node.values)):
                yield node, "values", index
        elif isinstance(node, ast.GeneratorExp) and id(node) in quantified:
            yield node, "elt", None


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of `module`."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for number, (node, field, index) in enumerate(conditions(tree)):
        old = getattr(node, field)
        old = old if index is None else old[index]
        if isinstance(old, ast.Name) and old.id == "TYPE_CHECKING":
            continue
        text = ast.unparse(old)
        yield Mutant(module, number, "inverted", old.lineno, text)
        if isinstance(node, ast.If):
            yield Mutant(module, number, "deleted", old.lineno, text)


def path_of(module: str) -> Path:
    """The file of `module`."""
    return SOURCE.joinpath(*module.split(".")).with_suffix(".py")


def changed(mutant: Mutant) -> ast.Module:
    """The module of `mutant` with its one change."""
    tree = ast.parse(path_of(mutant.module).read_text(encoding="utf-8"))
    node, field, index = list(conditions(tree))[mutant.number]
    old = getattr(node, field)
    target = old if index is None else old[index]
    new: ast.expr = ast.UnaryOp(ast.Not(), copy.deepcopy(target))
    if mutant.kind == "deleted":
        new = ast.Constant(False)
    if index is None:
        setattr(node, field, new)
    else:
        old[index] = new
    return ast.fix_missing_locations(tree)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module for its name, and leaves every other to Python."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the changed module."""
        if fullname != self.mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(path_of(fullname)))

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(changed(self.mutant), str(path_of(self.mutant.module)), "exec"), module.__dict__)


def survives(mutant: Mutant) -> bool:
    """Whether all tests pass with `mutant`; runs in a process of its own and does not return in it."""
    import pytest

    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    signal.alarm(SECONDS)
    sys.meta_path.insert(0, Finder(mutant))
    os.environ["CI"] = "true"
    os.chdir(ROOT)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary"]
    return pytest.main([*options, *(test for test in TESTS if (ROOT / test).exists())]) == 0


def main() -> int:
    """Run the mutants and print the score and the survivors; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, help="only so many, chosen at random with a fixed seed")
    parser.add_argument("--json", type=Path, help="write the survivors there")
    args = parser.parse_args()
    queue = [mutant for module in args.modules or MODULES for mutant in mutants(module)]
    if args.sample is not None:
        queue = random.Random(0).sample(queue, min(args.sample, len(queue)))  # no secret
    import pytest  # noqa: F401  # once, before forking

    total, started = len(queue), time.monotonic()
    survivors: list[Mutant] = []
    running: dict[int, Mutant] = {}
    queue.reverse()
    while queue or running:
        while queue and len(running) < args.jobs:
            mutant = queue.pop()
            child = os.fork()
            if child == 0:
                os._exit(0 if survives(mutant) else 1)
            running[child] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            survivors.append(mutant)
            print(f"survived  {mutant}", flush=True)
        done = total - len(queue) - len(running)
        if done % 50 == 0:
            print(f"{done}/{total} after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"{total} changes, {total - len(survivors)} noticed, {len(survivors)} survived")
    if args.json is not None:
        args.json.write_text(json.dumps([str(mutant) for mutant in survivors], indent=1) + "\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
