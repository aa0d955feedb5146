"""One step with very many rules: what real layouts grow to when every folder has its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.chain import digest, functionaries, rules, write_layout, write_link
from bench.document import Artifacts, Form, LinkText
from navicert.model.layout import Step

SMUGGLED: Final = "smuggled/backdoor.so"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """`rules` rules for `artifacts` materials.

    Each rule allows its part: half of them a folder, a quarter an ending, a quarter a single file. `idle`: none of
    them finds anything, and one `ALLOW *` near the end allows all; so every rule has every artifact to look at.
    `failing` adds one file that is not allowed.
    """

    rules: int
    artifacts: int
    idle: bool = False
    failing: bool = False
    form: Form = "dsse"
    seed: int = 0

    def write(self, folder: Path) -> None:
        """Write `root.layout`, `owner.pub`, and the link below `links`."""
        links = folder / "links"
        links.mkdir(parents=True)
        (who,) = functionaries(1)
        last = [f"DISALLOW {SMUGGLED}", "ALLOW *", "DISALLOW *"] if self.idle else ["DISALLOW *"]
        lines = [*(f"ALLOW {self._pattern(number)}" for number in range(self.rules - len(last))), *last]
        step = Step("build", 1, (who.keyid,), ("make",), rules(*lines), rules("DISALLOW *"))
        found = (f"src/file-{number:05}.c" for number in range(self.artifacts)) if self.idle else self._paths()
        paths = [*found, *([SMUGGLED] if self.failing else [])]
        artifacts = Artifacts({path: digest(self.seed, path) for path in paths})
        write_link(links, LinkText("build", artifacts, Artifacts({})), who, self.form)
        write_layout(folder, [step], [who], self.form)

    def _pattern(self, number: int) -> str:
        return (f"lib-{number:05}/*", f"*.kind-{number:05}", f"lib-{number:05}/*", f"bin/tool-{number:05}")[number % 4]

    def _paths(self) -> Iterator[str]:
        """The artifacts, shared out among the rules in turn; a rule for one file gets one, and its turn goes on."""
        allowing = self.rules - 1
        done = turn = 0
        while done < self.artifacts:
            number = turn % allowing
            copy = turn // allowing
            turn += 1
            if number % 4 == 1:
                yield f"data/file-{number:05}-{copy:04}.kind-{number:05}"
            elif number % 4 != 3:
                yield f"lib-{number:05}/file-{copy:04}.h"
            elif copy == 0:
                yield f"bin/tool-{number:05}"
            else:
                continue
            done += 1
