"""A chain of recorded steps to report on: made in memory, judged for real, or written to a folder.

Step `step00` makes four sources; each later step takes in all products of the one before and passes them on; the last
one makes `app` too. `bob` may sign every step, `eve` none, and `owner` signs the layout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from navicert.crypto.signer import MemorySigner, generate, private_pem
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.model.rule import Rule
from navicert.store import Piece
from navicert.store.gather import gather
from navicert.verdict import Verdict
from navicert.verify.case import Case, Part, Policy, Target
from navicert.verify.evaluate import verify

AT = datetime(2026, 10, 1, tzinfo=UTC)
EXPIRES = datetime(2099, 1, 1, tzinfo=UTC)
APP = b"the application\n"
CLOSED = Rule.parse(["DISALLOW", "*"])


def rule(text: str) -> Rule:
    """The rule that `text` spells, words separated by spaces."""
    return Rule.parse(text.split())


def digests(content: bytes) -> DigestSet:
    """What is recorded for a file with this content."""
    return DigestSet.of({"sha256": sha256(content).hex})


class Pieces:
    """A store in memory."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Keep `raw`, under the name that it would have in a folder."""
        origin = f"./{step}.{keyid[:8]}.link"
        self._pieces.append(Piece(origin, raw, None, step))
        return origin

    def pieces(self) -> Iterator[Piece]:
        """Every piece."""
        return iter(self._pieces)


@dataclass(frozen=True)
class SampleChain:
    """A chain and what is wrong with it, if anything."""

    steps: int = 3
    tampered: Collection[int] = ()
    """Steps whose materials are not what the step before produced: `src/1.py` was changed in between."""
    missing: Collection[int] = ()
    stranger: Collection[int] = ()
    """Steps whose link `eve` signed."""
    failing: Collection[int] = ()
    """Steps whose command returned 3."""
    smuggled: str = ""
    """A file that the last step found without anybody having produced it."""
    inspections: tuple[Inspection, ...] = ()
    version: int | None = 1
    expires: datetime = EXPIRES
    name: str = "sample"
    owner: MemorySigner = field(default_factory=generate)
    bob: MemorySigner = field(default_factory=generate)
    eve: MemorySigner = field(default_factory=generate)

    def names(self) -> list[str]:
        """The names of the steps."""
        return [f"step{number:02}" for number in range(self.steps)]

    def layout(self) -> Layout:
        """The policy."""
        names = self.names()
        steps = []
        for number, name in enumerate(names):
            materials = () if number == 0 else (rule(f"MATCH * WITH PRODUCTS FROM {names[number - 1]}"),)
            products = [rule("ALLOW src/*"), rule("CREATE app"), CLOSED]
            steps.append(Step(name, 1, (self.bob.keyid,), ("make",), (*materials, CLOSED), tuple(products)))
        release = Release(self.name, self.version, {"bob": (self.bob.keyid,)})
        keys = {self.bob.keyid: self.bob.key.to_json()}
        return Layout(self.expires, tuple(steps), self.inspections, keys, release.append_to("How it is built."))

    def links(self) -> Iterator[tuple[Link, MemorySigner]]:
        """The recorded steps, each with its signer."""
        files = {f"src/{number}.py": digests(str(number).encode()) for number in range(4)}
        for number, name in enumerate(self.names()):
            materials = {} if number == 0 else dict(files)
            if number in self.tampered:
                materials["src/1.py"] = digests(b"something else, put there by %d" % number)
            if number == self.steps - 1 and self.smuggled:
                materials[self.smuggled] = digests(b"smuggled")
            if number:
                files = {path: value for path, value in materials.items() if path.startswith("src/")}
            products = dict(files)
            if number == self.steps - 1:
                products["app"] = digests(APP)
            value = 3 if number in self.failing else 0
            link = Link(name, ("make",), materials, products, {"return-value": value}, {"os": "linux"})
            if number not in self.missing:
                yield link, self.eve if number in self.stranger else self.bob

    def sealed_layout(self) -> bytes:
        """The policy, signed by its owner."""
        return seal(self.layout(), self.owner)

    def verdict(self, *, target: bytes | None = APP) -> Verdict:
        """The verdict on the chain, and on a file `app` with the content `target`."""
        policy = Policy.open(self.sealed_layout(), (self.owner.key,), path="root.layout")
        store = Pieces()
        for link, signer in self.links():
            store.put(link.name, signer.keyid, seal(link, signer))
        gathered = gather(policy, [store])
        bound = None
        if target is not None:
            part = Part("app", frozenset({sha256(target).hex}))
            bound = Target("app", "file", (part,))
        return verify(Case(policy, AT, gathered.exhibits, gathered.refused, target=bound))

    def write(self, folder: Path) -> None:
        """Write keys, the signed layout, the links (under `evidence`) and `app` to `folder`."""
        for name, signer in (("owner", self.owner), ("bob", self.bob), ("eve", self.eve)):
            (folder / name).write_bytes(private_pem(signer, None))
            (folder / f"{name}.pub").write_bytes(signer.key.public_pem())
        (folder / "root.layout").write_bytes(self.sealed_layout())
        (folder / "app").write_bytes(APP)
        (folder / "evidence").mkdir(exist_ok=True)
        for link, signer in self.links():
            (folder / "evidence" / f"{link.name}.{signer.key.short}.link").write_bytes(seal(link, signer))
