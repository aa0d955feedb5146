"""Supply chains to verify: steps × artifacts × threshold × sublayout depth, in both envelopes.

Every step takes in what the one before put out, leaves the sources alone, makes everything below `gen` anew, and
replaces one file below `out`. Keys and digests follow from names and the seed, so the same chain is the same bytes
everywhere; the keys are those of `navicert.testing`, as public as its source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.document import Artifacts, Form, LinkText
from navicert.crypto.signer import MemorySigner
from navicert.envelope.document import seal
from navicert.model.layout import Layout, Step
from navicert.model.rule import Rule
from navicert.testing import signer

EXPIRES: Final = datetime(2099, 1, 1, tzinfo=UTC)

OWNER: Final = "owner of the benchmark"


def digest(*parts: object) -> str:
    """A SHA-256, in hex, that follows from `parts`."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def rules(*lines: str) -> tuple[Rule, ...]:
    """The rules that `lines` spell, words separated by spaces."""
    return tuple(Rule.parse(line.split()) for line in lines)


def functionaries(count: int) -> tuple[MemorySigner, ...]:
    """Those who may perform steps."""
    return tuple(signer(f"functionary {number} of the benchmark") for number in range(count))


def write_layout(folder: Path, steps: Sequence[Step], who: Sequence[MemorySigner], form: Form) -> None:
    """Write `root.layout`, signed by the owner, and `owner.pub` to `folder`."""
    owner = signer(OWNER)
    (folder / "root.layout").write_bytes(seal(_layout(steps, who), owner, form=form))
    (folder / "owner.pub").write_bytes(owner.key.public_pem())


def write_link(folder: Path, link: LinkText, who: MemorySigner, form: Form) -> None:
    """Write `link`, signed by `who`, to the folder of evidence `folder`."""
    (folder / f"{link.name}.{who.key.short}.link").write_bytes(link.seal(who, form))


def _layout(steps: Sequence[Step], who: Sequence[MemorySigner]) -> Layout:
    return Layout(EXPIRES, tuple(steps), keys={one.keyid: one.key.to_json() for one in who})


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that passes: `steps` steps, each with `artifacts` materials and as many products, signed by `threshold`
    functionaries.

    The last step is a sublayout, `depth` levels deep, each level a chain like this one; a sublayout has one signature.
    `from_nothing`: the first step has no materials and creates everything.
    `tampered` changes one source between the first two steps, and then the chain does not pass.
    """

    steps: int
    artifacts: int
    threshold: int = 1
    depth: int = 0
    form: Form = "dsse"
    seed: int = 0
    from_nothing: bool = False
    tampered: bool = False

    def write(self, folder: Path) -> None:
        """Write `root.layout`, `owner.pub`, and the evidence below `links`."""
        links = folder / "links"
        links.mkdir(parents=True)
        who = functionaries(self.threshold)
        self._write(links, self._first(), who)
        write_layout(folder, self._policy(who), who, self.form)

    def _first(self) -> Artifacts:
        made = max(1, self.artifacts // 100)
        kept = self.artifacts - made - 1
        paths = [f"src/module-{number // 100:05}/file-{number:07}.c" for number in range(kept)]
        paths += [f"gen/file-{number:07}.h" for number in range(made)]
        return Artifacts({path: digest(self.seed, path) for path in (*paths, "out/of-nothing.bin")})

    def _name(self, number: int) -> str:
        # The level is in the name, so that what is made at one level differs from what is made at another.
        return f"level-{self.depth}-step-{number:03}"

    def _after(self, before: Artifacts, number: int) -> Artifacts:
        """What step `number` makes of `before`."""
        name = self._name(number)
        after = {path: value for path, value in before.digests.items() if not path.startswith("out/")}
        after |= {path: digest(self.seed, path, name) for path in after if path.startswith("gen/")}
        return Artifacts(after | {f"out/{name}.bin": digest(self.seed, name)})

    def _policy(self, who: Sequence[MemorySigner]) -> list[Step]:
        steps = []
        for number in range(self.steps):
            name = self._name(number)
            delegated = self.depth > 0 and number == self.steps - 1
            products = rules("CREATE out/*", "MODIFY gen/*", "ALLOW src/*", "DISALLOW *")
            if number > 0:
                materials = rules(f"MATCH * WITH PRODUCTS FROM {self._name(number - 1)}", "DISALLOW *")
            elif self.from_nothing:
                materials, products = rules("DISALLOW *"), rules("CREATE *", "DISALLOW *")
            else:
                materials = rules("ALLOW src/*", "ALLOW gen/*", "ALLOW out/*", "DISALLOW *")
            if not delegated:
                products = (*rules(f"REQUIRE out/{name}.bin"), *products)
            threshold = 1 if delegated else self.threshold
            keys = tuple(one.keyid for one in who[:threshold])
            steps.append(Step(name, threshold, keys, ("make",), materials, products))
        return steps

    def _write(self, folder: Path, before: Artifacts, who: Sequence[MemorySigner]) -> None:
        """Write the evidence of all steps to `folder`; the first step finds `before`."""
        for number in range(self.steps):
            if self.depth > 0 and number == self.steps - 1:
                self._write_sublayout(folder, self._name(number), before, who)
                return
            after = self._after(before, number)
            found = Artifacts({}) if number == 0 and self.from_nothing else before
            link = LinkText(self._name(number), found, after)
            for one in who:
                write_link(folder, link, one, self.form)
            before = self._tamper(after) if self.tampered and number == 0 else after

    def _write_sublayout(self, folder: Path, name: str, before: Artifacts, who: Sequence[MemorySigner]) -> None:
        below = replace(self, depth=self.depth - 1, from_nothing=False, tampered=False)
        inside = folder / f"{name}.{who[0].key.short}"
        inside.mkdir()
        below._write(inside, before, who)
        sealed = seal(_layout(below._policy(who), who), who[0], form=self.form)
        (folder / f"{name}.{who[0].key.short}.link").write_bytes(sealed)

    def _tamper(self, artifacts: Artifacts) -> Artifacts:
        victim = next(path for path in artifacts.digests if path.startswith("src/"))
        return Artifacts(artifacts.digests | {victim: digest("something else")})
