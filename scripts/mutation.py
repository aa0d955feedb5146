"""Inverts every condition of the code that judges, one at a time, and says which inversions no test notices.

What is changed: each test of `if`, `while`, conditional expressions and comprehensions, each operand of `and` and
`or`, each argument of `all` and `any` that is a generator: inverted; and the test of an `if` also taken for false,
which deletes the check. A run of the tests that still passes is a survivor.

    .venv/bin/python scripts/mutation.py [--jobs N] [--sample N] [MODULE...]     for example navicert.verify.rules

The tests are collected once, and run once to see which function each of them calls. Each mutant runs in a process
forked from there, in which the one function that it changes gets the code of the changed source; of the tests those run
that call it, its own first, and the first failure ends it.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import json
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
MODULES = (
    "navicert.strictjson",
    "navicert.survey",
    "navicert.verdict",
    "navicert.model.artifact",
    "navicert.model.section",
    *(
        f"navicert.{package}.{path.stem}"
        for package in ("envelope", "verify")
        for path in sorted((SOURCE / "navicert" / package).glob("*.py"))
        if path.stem != "__init__" and not path.stem.startswith("catalogue")
    ),
)
# The quickest first: a mutant is done with at the first test that fails.
TESTS = (
    "tests/unit/test_strictjson.py",
    "tests/unit/test_survey.py",
    "tests/unit/test_verdict.py",
    "tests/unit/model/test_section.py",
    "tests/unit/envelope",
    "tests/unit/verify",
    "tests/attacks/test_pass_without_evidence.py",
    "tests/attacks/test_strict_column.py",
    "tests/attacks/test_upstream_column.py",
    "tests/vectors/test_vectors.py",
    "tests/property/test_canonical_json_laws.py",
    "tests/property/test_verdict_laws.py",
    "tests/property/test_rule_queue_laws.py",
    "tests/property/test_reading_laws.py",
    "tests/property/test_section_laws.py",
    "tests/unit/crypto/test_gpg.py",
    "tests/attacks/test_gpg_keys.py",
    "tests/attacks/test_bundles.py",
    "tests/attacks/test_runs_in_policies.py",
    "tests/attacks/test_attestations.py",
    "tests/attacks/test_attestation_bundles.py",
    "tests/attacks/test_owners_by_identity.py",
    "tests/attacks/test_attestations_in_policies.py",
    "tests/attacks/test_attestation_verifier.py",
    "tests/attacks/test_identities_in_policies.py",
    "tests/attacks/test_persons_with_identities.py",
    "tests/attacks/test_claims.py",
    "tests/attacks/test_certificates.py",
    "tests/attacks/test_certificates_in_policies.py",
    "tests/attacks/test_identities_in_sublayouts.py",
    "tests/attacks/test_rsa_in_bundles.py",
    "tests/attacks/test_key_validity.py",
    "tests/attacks/test_timestamps.py",
    "tests/property/test_choice_among_links.py",
    "tests/property/test_bundle_laws.py",
)
# Laws of reading and writing JSON: half of the time, and no change of what judges could make a difference to them.
OF_JSON = ("test_canonical_json_laws.py", "test_reading_laws.py", "test_section_laws.py")
SECONDS = 120
"""Of the processor, for one change: several times what all of the tests take."""


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


def unplaced(text: str) -> str:
    """What `str` of a mutant is, without the line."""
    where, _, change = text.partition(" ")
    return f"{where.partition(':')[0]} {change}"


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


def changed(mutant: Mutant) -> CodeType:
    """The code of the module of `mutant` with its one change."""
    path = path_of(mutant.module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
    return compile(ast.fix_missing_locations(tree), str(path), "exec")


def functions(code: CodeType, name: str = "") -> Iterator[tuple[str, CodeType]]:
    """The functions and methods of a module's code, by their names in it: `apply_rules`, `Key.verify`."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = f"{name}.{constant.co_name}" if name else constant.co_name
            # The body of a class has no arguments, and runs once.
            if constant.co_flags & 0x02:  # CO_NEWLOCALS: a function
                yield inner, constant
            else:
                yield from functions(constant, inner)


def function(module: object, name: str) -> FunctionType | None:
    """The function called `name` that is in use, without what decorates it."""
    found = module
    for part in name.split("."):
        found = vars(found).get(part)
        while not isinstance(found, FunctionType | type) and found is not None:
            found = (
                getattr(found, "fget", None) or getattr(found, "__func__", None) or getattr(found, "__wrapped__", None)
            )
        found = getattr(found, "__wrapped__", found)
    return found if isinstance(found, FunctionType) else None


def apply(mutant: Mutant) -> str | None:
    """Change the one function that `mutant` changes; where that stands, None if there is none: what runs at import has
    run."""
    module = importlib.import_module(mutant.module)
    before = functions(compile(path_of(mutant.module).read_text(encoding="utf-8"), module.__file__ or "", "exec"))
    # In their order, as several may have one name: those without any.
    for (name, code), (_, old) in zip(functions(changed(mutant)), before, strict=True):
        if not same(code, old):
            live = function(module, name)
            if live is None or live.__code__.co_freevars != code.co_freevars:
                return None
            where = place(live.__code__)
            live.__code__ = code
            return where
    return None


def place(code: CodeType) -> str:
    """Where a function stands."""
    return f"{code.co_filename}:{code.co_firstlineno}"


def same(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of code do the same, wherever they stand."""
    parts = ("co_code", "co_names", "co_varnames", "co_freevars")
    if any(getattr(one, part) != getattr(other, part) for part in parts) or len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        same(mine, theirs) if isinstance(mine, CodeType) and isinstance(theirs, CodeType) else mine == theirs
        for mine, theirs in zip(one.co_consts, other.co_consts, strict=True)
    )


class Runner:
    """A plugin of pytest that, instead of running the tests that were collected, runs them for each mutant."""

    def __init__(self, queue: Sequence[Mutant], jobs: int) -> None:
        self.queue = list(reversed(queue))
        self.total = len(queue)
        self.jobs = jobs
        self.survivors: list[Mutant] = []
        self.impossible: list[Mutant] = []
        self.child = False
        self.calls: dict[str, set[str]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        started = time.monotonic()
        self.calls = self._observe(session.items)
        print(f"which test calls what is known after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        running: dict[int, Mutant] = {}
        while self.queue or running:
            while self.queue and len(running) < self.jobs:
                mutant = self.queue.pop()
                child = os.fork()
                if child == 0:
                    self._run(mutant, session.items)
                running[child] = mutant
            child, status = os.wait()
            mutant = running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            if code == 0:
                self.survivors.append(mutant)
                print(f"survived  {mutant}", flush=True)
            elif code == IMPOSSIBLE:
                self.impossible.append(mutant)
                print(f"not run   {mutant}", flush=True)
            done = self.total - len(self.queue) - len(running)
            if done % 50 == 0:
                print(f"{done}/{self.total} after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return True

    def _observe(self, items: Sequence[pytest.Item]) -> dict[str, set[str]]:
        """For each place of a function, the tests that call it, as a process of its own sees them: all must pass."""
        report = Path(tempfile.mkdtemp()) / "calls"
        child = os.fork()
        if child == 0:
            self._enter()
            found: dict[str, set[str]] = {}

            def observe(frame: FrameType, event: str, _: object) -> None:
                if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
                    seen.add(frame.f_code)

            try:
                for item, following in zip(items, [*items[1:], None], strict=True):
                    seen: set[CodeType] = set()
                    threading.setprofile(observe)
                    sys.setprofile(observe)
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    sys.setprofile(None)
                    for code in seen:
                        found.setdefault(place(code), set()).add(item.nodeid)
                report.write_text(json.dumps({where: sorted(tests) for where, tests in found.items()}))
            except BaseException:  # noqa: BLE001  # nothing may go on in this process
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit("the tests fail without any change: run them first")
        return {where: set(tests) for where, tests in json.loads(report.read_text()).items()}

    def _enter(self) -> None:
        """What a forked process does first."""
        self.child = True
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

    def _run(self, mutant: Mutant, items: Sequence[pytest.Item]) -> None:
        """Run the tests with `mutant`; ends the process: 0 where all passed."""
        self._enter()
        # A change that never ends is noticed by that. Seconds of the processor: other work on the machine ends nothing.
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        try:
            where = apply(mutant)
            if where is None:
                os._exit(IMPOSSIBLE)
            callers = self.calls.get(where, set())
            *_, package, stem = mutant.module.split(".")
            own = (f"test_{stem}.py", f"test_{package}_{stem}.py")
            apart = OF_JSON if package == "verify" else ()
            ordered = sorted(
                (item for item in items if item.nodeid in callers and item.path.name not in apart),
                key=lambda item: item.path.name not in own,
            )
            for item, following in zip(ordered, [*ordered[1:], *([None] if ordered else [])], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException:  # noqa: BLE001  # also what no test caught shows that the change is noticed
            os._exit(1)
        os._exit(0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.child and report.failed:
            os._exit(1)


IMPOSSIBLE = 77


def main() -> int:
    """Run the mutants and print the score and the survivors; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, help="only so many, chosen at random with a fixed seed")
    parser.add_argument("--json", type=Path, help="write the survivors there")
    parser.add_argument("--again", type=Path, help="only what an earlier --json lists, wherever it stands now")
    args = parser.parse_args()
    queue = [mutant for module in args.modules or MODULES for mutant in mutants(module)]
    if args.again is not None:
        before = {unplaced(text) for text in json.loads(args.again.read_text())}
        queue = [mutant for mutant in queue if unplaced(str(mutant)) in before]
    if args.sample is not None:
        queue = random.Random(0).sample(queue, min(args.sample, len(queue)))  # no secret
    import pytest

    os.environ["CI"] = "true"
    os.chdir(ROOT)
    runner = Runner(queue, args.jobs)
    options = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary"]
    pytest.main([*options, *(test for test in TESTS if (ROOT / test).exists())], plugins=[runner])
    noticed = runner.total - len(runner.survivors) - len(runner.impossible)
    print(
        f"{runner.total} changes, {noticed} noticed, {len(runner.survivors)} survived,"
        f" {len(runner.impossible)} not run: they change what runs at import"
    )
    if args.json is not None:
        args.json.write_text(json.dumps([str(mutant) for mutant in runner.survivors], indent=1) + "\n")
    return 1 if runner.survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
